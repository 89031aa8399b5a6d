"""Gradients are tangential to every manifold, and to no control."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import codingschemes as cs
from codingschemes import InvalidInput, manifolds
from codingschemes.manifolds import LOSSES, Neurons, Partition, bias_root, classify, manifold_of, ray_family
from codingschemes.manifolds.manifold import Manifold
from codingschemes.networks import ACTIVATIONS, Weights

NAMES = ["softplus", "gelu", "tanh", "cos", "relu"]


def draws(rng, width, inputs=3, outputs=2, count=3):
    return Neurons(rng.normal(size=(count, width, outputs)), rng.normal(size=(count, width, inputs)))


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", NAMES)
def test_every_manifold_and_every_control(name, loss):
    rng = np.random.default_rng(0)
    kind = classify(ACTIVATIONS[name])
    for width in (1, 2, 3, 4):
        problem = manifolds.random_problem(rng, cs.Network(name, width=width, scaling="none"), loss)
        weights = draws(rng, width)
        listed = [manifold_of(each, kind) for each in manifolds.partitions(kind.symmetry, width)]
        assert manifolds.tangency_residuals(problem, listed, weights).max() < 1e-12
        if width > 1:
            wrong = manifolds.controls(kind, width)
            assert manifolds.tangency_residuals(problem, wrong, weights).min() > 1e-2


def test_any_callable_and_penalties():
    rng = np.random.default_rng(1)
    kind = classify(ACTIVATIONS["tanh"])

    def quartic(outputs, targets):
        return jnp.sum((outputs - targets) ** 4)

    network = cs.Network("tanh", width=3)
    problem = manifolds.Problem.of(
        network, rng.normal(size=(20, 3)), rng.normal(size=(20, 2)), quartic, readout_penalty=0.3, weight_penalty=0.1
    )
    listed = [manifold_of(each, kind) for each in manifolds.partitions("odd", 3)]
    assert manifolds.tangency_residuals(problem, listed, draws(rng, 3)).max() < 1e-12


def test_gradients_written_out_are_those_of_jax():
    rng = np.random.default_rng(2)
    network = cs.Network("gelu", width=4, bias=True, scaling="lazy")
    problem = manifolds.Problem.of(
        network, rng.normal(size=(20, 2)), rng.normal(size=(20, 2)), readout_penalty=0.3, weight_penalty=0.1
    )
    weights = draws(rng, 4)
    written = manifolds.gradients(problem, weights)
    found = jax.jit(jax.vmap(problem.gradient))(Neurons(*map(jnp.asarray, weights)))
    np.testing.assert_allclose(written.readout, found.readout, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(written.weight, found.weight, rtol=1e-12, atol=1e-12)
    task = cs.tasks.orthogonal(samples=5)
    deep = Weights(rng.normal(size=(4, 6)), np.zeros((0, 4, 5)), rng.normal(size=(4, 3)))
    of_task = manifolds.Problem.of(network, task.inputs, task.targets)
    deep = Weights(*map(jnp.asarray, deep))
    expected = network.apply(deep, jnp.asarray(task.inputs))[1]
    np.testing.assert_allclose(of_task.outputs(Neurons.of(deep)), expected, atol=1e-14)


def test_ray_families_of_relu_only():
    rng = np.random.default_rng(3)
    rays = [ray_family(Partition(((1, 2), (3, 4))), np.array([1.0, 2.0, 0.5, 3.0]))]
    for name, invariant in (("relu", True), ("gelu", False), ("tanh", False)):
        problem = manifolds.random_problem(rng, cs.Network(name, width=4, scaling="none"))
        residual = manifolds.tangency_residuals(problem, rays, draws(rng, 4))[0]
        assert residual < 1e-12 if invariant else residual > 1e-2


@pytest.mark.parametrize("name", ["gelu", "silu"])
def test_bias_roots_of_the_slope(name):
    rng = np.random.default_rng(4)
    (root,) = classify(ACTIVATIONS[name]).slope_roots
    problem = manifolds.random_problem(rng, cs.Network(name, width=3, bias=True, scaling="none"), inputs=2)
    good, near = (bias_root(3, 3, 2, bias, silent=False) for bias in (root, root + 0.5))
    residual, control = manifolds.tangency_residuals(problem, [good, near], draws(rng, 3))
    assert residual < 1e-12
    assert control > 1e-2


def test_bias_roots_of_the_value():
    rng = np.random.default_rng(5)
    problem = manifolds.random_problem(rng, cs.Network("cos", width=3, bias=True, scaling="none"), inputs=2)
    good, near = (bias_root(3, 3, 2, bias, silent=True) for bias in (np.pi / 2, 1.0))
    residual, control = manifolds.tangency_residuals(problem, [good, near], draws(rng, 3))
    assert residual < 1e-12
    assert control > 1e-2


def test_neurons_of_cos_without_weights_keep_any_difference_of_readouts():
    rng = np.random.default_rng(6)
    flat = manifold_of(Partition(((3,),), (), ((1, 2),)), classify(ACTIVATIONS["cos"]))
    offset = Neurons(np.array([[0.7, -1.0], [0.0, 0.0], [0.0, 0.0]]), np.zeros((3, 3)))
    problem = manifolds.random_problem(rng, cs.Network("cos", width=3, scaling="none"))
    family = Manifold("a_1 - a_2 fixed", flat.readout, flat.weight, offset)
    assert manifolds.tangency_residuals(problem, [family], draws(rng, 3))[0] < 1e-12


def test_products_of_layer_partitions_in_a_deep_network():
    rng = np.random.default_rng(7)
    network = cs.Network("tanh", width=3, depth=2)
    weights = Weights(rng.normal(size=(3, 4)), rng.normal(size=(1, 3, 3)), rng.normal(size=(3, 2)))
    inputs, targets = rng.normal(size=(10, 4)), rng.normal(size=(10, 2))
    pairs = [Partition(((1, -2), (3,))), Partition(((1,), (2, 3)))]
    good = manifolds.deep.layer_projection(pairs, classify(network.activation))
    assert manifolds.deep.tangency_residual(network, inputs, targets, weights, good) < 1e-12

    def readouts_only(at):
        return at._replace(readout=good(at).readout)

    assert manifolds.deep.tangency_residual(network, inputs, targets, weights, readouts_only) > 1e-2
    with pytest.raises(InvalidInput, match="generic and odd"):
        manifolds.deep.layer_projection(pairs, classify(ACTIVATIONS["gelu"]))


def test_where_the_gradient_vanishes_the_residual_is_zero():
    problem = manifolds.random_problem(np.random.default_rng(8), cs.Network("tanh", width=2, scaling="none"))
    everything_zero = manifold_of(Partition((), (1, 2)), classify(ACTIVATIONS["tanh"]))
    assert manifolds.tangency_residuals(problem, [everything_zero], draws(np.random.default_rng(8), 2))[0] == 0
