"""Who stays on a manifold, and that the narrow network's flow in the right metric is the wide one's."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import codingschemes as cs
from codingschemes import InvalidInput, manifolds
from codingschemes.manifolds import Neurons, Partition, classify, descend, manifold_of, ray_family
from codingschemes.networks import ACTIVATIONS

PARTITION = Partition(((1, -2, 5), (3, 4)), (6,))


def problem(name="tanh", width=6, penalty=0.0):
    rng = np.random.default_rng(0)
    found = manifolds.random_problem(rng, cs.Network(name, width=width, scaling="none"), samples=12)
    return manifolds.Problem(
        found.inputs, found.targets, found.activation, found.loss, 1.0, readout_penalty=penalty, weight_penalty=penalty
    )


def start(manifold, width=6, seed=1):
    return manifold.project(manifolds.random_neurons(np.random.default_rng(seed), width, 3, 2))


def last(path):
    return Neurons(*(np.asarray(part[-1]) for part in path.neurons))


@pytest.mark.parametrize(("method", "rate"), [("flow", 0.01), ("gd", 0.01), ("sgd", 0.002), ("adam", 0.01)])
def test_training_stays_on_a_manifold(method, rate):
    # A penalty makes the manifold attract, so that round-off does not grow.
    manifold = manifold_of(PARTITION, classify(ACTIVATIONS["tanh"]))
    begin = start(manifold)
    path = descend(problem(penalty=8.0), begin, method, rate=rate, steps=2000, snapshots=1, batch=4)
    assert manifold.distance(last(path)) < 1e-12
    assert float(path.loss[-1]) < 0.9 * float(path.loss[0])
    moved = np.linalg.norm(last(path).concatenate() - begin.concatenate()) / np.linalg.norm(begin.concatenate())
    assert moved > 0.1


def test_adam_leaves_ray_families_unless_projected():
    manifold = ray_family(Partition(((1, 2, 5), (3, 4), (6,))), np.array([1.0, 2.0, 0.5, 3.0, 1.0, 1.0]))
    begin = start(manifold)
    relu = problem("relu")
    options = {"steps": 100, "snapshots": 1}
    assert manifold.distance(last(descend(relu, begin, "gd", rate=0.002, **options))) < 1e-12
    assert manifold.distance(last(descend(relu, begin, "adam", rate=0.01, **options))) > 1e-2
    assert manifold.distance(last(descend(relu, begin, "adam", rate=0.01, onto=manifold, **options))) < 1e-12


def test_relu_flow_conserves_the_balance_of_every_neuron():
    relu = problem("relu")
    begin = start(manifold_of(PARTITION._replace(blocks=((1,), (2,), (3,), (4,), (5,))), classify(relu.activation)))
    drifts = []
    for steps in (200, 400):
        path = descend(relu, begin, "gd", rate=0.4 / steps, steps=steps, snapshots=1)
        along = manifolds.balances(path.neurons)
        drifts.append(np.abs(along[-1] - along[0]).max())
    # Steps change it at second order in the rate: over a fixed time the drift halves with the rate.
    assert drifts[1] / drifts[0] == pytest.approx(0.5, abs=0.05)
    linear = problem("linear")
    gradient = manifolds.gradients(linear, Neurons(begin.readout[None], begin.weight[None]))
    change = begin.readout @ gradient.readout[0].T - begin.weight @ gradient.weight[0].T
    np.testing.assert_allclose(change + change.T, 0, atol=1e-11)
    assert manifolds.balance_matrix(begin).shape == (6, 6)


@pytest.mark.parametrize(
    ("name", "partition"),
    [("tanh", PARTITION), ("cos", Partition(((1, -2, 3),), (), ((4, 5), (6,))))],
)
def test_reduced_network_in_the_block_metric_is_the_full_flow(name, partition):
    kind = classify(ACTIVATIONS[name])
    begin = start(manifold_of(partition, kind))
    reduced = manifolds.reduce(partition, begin)
    wide, narrow = Neurons(*map(jnp.asarray, begin)), Neurons(*map(jnp.asarray, reduced.neurons))
    here = problem(name)
    np.testing.assert_allclose(here.outputs(narrow), here.outputs(wide), atol=1e-13)
    lifted = manifolds.lift(partition, reduced.neurons, kind)
    np.testing.assert_allclose(lifted.concatenate(), begin.concatenate(), atol=1e-14)
    if name == "cos":  # the velocity alone: no second program
        slope = jax.tree.map(lambda part: np.asarray(part)[None], (begin, reduced.neurons))
        full, small = (manifolds.gradients(here, Neurons(*each)) for each in slope)
        scaled = Neurons(reduced.metric.readout * small.readout[0], reduced.metric.weight * small.weight[0])
        np.testing.assert_allclose(
            manifolds.lift(partition, scaled, kind).concatenate(), full.concatenate()[0], atol=1e-12
        )
        return
    full = descend(here, begin, "flow", rate=0.01, steps=200, snapshots=1)
    options = {"rate": 0.01, "steps": 200, "snapshots": 1}
    in_metric = manifolds.lift(
        partition, last(descend(here, reduced.neurons, "flow", metric=reduced.metric, **options)), kind
    )
    plain = manifolds.lift(partition, last(descend(here, reduced.neurons, "flow", **options)), kind)
    np.testing.assert_allclose(in_metric.concatenate(), last(full).concatenate(), atol=1e-11)
    assert np.abs(plain.concatenate() - last(full).concatenate()).max() > 0.1


def test_wrong_input():
    with pytest.raises(InvalidInput, match="at least one of each"):
        descend(problem(), start(manifold_of(PARTITION, classify(ACTIVATIONS["tanh"]))), "gd", rate=1.0, steps=0)
