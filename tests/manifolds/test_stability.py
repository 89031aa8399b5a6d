"""The Hessian across a manifold, against differences of gradients and against samples."""

import jax.numpy as jnp
import numpy as np
import pytest

import codingschemes as cs
from codingschemes import InvalidInput, manifolds
from codingschemes.manifolds import Neurons, Partition, classify, descend, langevin, manifold_of, normal_stability
from codingschemes.networks import ACTIVATIONS


@pytest.mark.parametrize(
    ("name", "partition"),
    [("tanh", Partition(((1, -2, 5), (3,)), (4, 6))), ("gelu", Partition(((1, 2), (3, 5, 6)), (4,)))],
)
def test_normal_hessian_is_that_of_the_loss(name, partition):
    rng = np.random.default_rng(0)
    problem = manifolds.Problem.of(
        cs.Network(name, width=6, scaling="lazy"),
        rng.normal(size=(12, 3)),
        rng.normal(size=(12, 2)),
        "log-cosh",
        readout_penalty=0.3,
        weight_penalty=0.1,
    )
    manifold = manifold_of(partition, classify(ACTIVATIONS[name]))
    point = manifold.project(manifolds.random_neurons(rng, 6, 3, 2))
    size = 1e-4

    def times(direction):
        ends = [
            Neurons(point.readout + sign * size * direction[:, :2], point.weight + sign * size * direction[:, 2:])
            for sign in (1, -1)
        ]
        both = manifolds.gradients(problem, Neurons(*map(np.stack, zip(*ends, strict=True)))).concatenate()
        return (both[0] - both[1]) / (2 * size)

    normal = 0
    for block in normal_stability(problem, partition, point):
        zero = set(block.block) == set(partition.zero)
        signs = np.sign(block.block)
        members = np.abs(block.block) - 1
        moves = np.eye(len(members)) if zero else np.linalg.svd(np.ones((1, len(members))))[2][1:]
        assert len(moves) == block.copies
        normal += block.copies * 5
        for move in moves:
            change = rng.normal(size=5)
            direction = np.zeros((6, 5))
            direction[members] = np.outer(signs * move, change)
            expected = np.zeros((6, 5))
            expected[members] = np.outer(signs * move, block.hessian @ change)
            np.testing.assert_allclose(times(direction), expected, atol=2e-7)
    assert normal == 30 - manifold.dimension(3, 2)


def test_spread_of_draws_across_a_condensing_manifold():
    """Covariance T H^{-1} of (theta_1 - theta_2)/sqrt 2, within Monte Carlo error, and no other temperature."""
    rng = np.random.default_rng(1)
    temperature = 1e-5
    problem = manifolds.Problem.of(
        cs.Network("tanh", width=2, scaling="none"),
        rng.normal(size=(6, 1)),
        rng.choice([-1.0, 1.0], size=(6, 1)),
        readout_penalty=1.0,
        weight_penalty=1.0,
    )
    partition = Partition(((1, 2),))
    together = manifold_of(partition, classify(ACTIVATIONS["tanh"]))
    begin = together.project(Neurons(np.ones((2, 1)), np.full((2, 1), 0.7)))
    path = descend(problem, begin, "flow", rate=0.1, steps=2000, snapshots=1, onto=together)
    minimum = Neurons(*(part[-1] for part in path.neurons))
    assert np.linalg.norm(problem.gradient(minimum).concatenate()) < 1e-10
    (block,) = normal_stability(problem, partition, Neurons(*map(np.asarray, minimum)))
    assert block.condensing
    assert np.abs(problem.output_gradient(minimum)).max() > 0.1
    step = 0.3 / block.eigenvalues[-1]
    draws, acceptance = langevin(problem, minimum, temperature=temperature, step=step, steps=900, chains=200)
    assert 0.5 < acceptance < 1
    apart = np.asarray(draws.concatenate())[200:, :, 0] - np.asarray(draws.concatenate())[200:, :, 1]
    by_chain = np.einsum("sci,scj->cij", apart, apart) / (2 * len(apart))
    error = by_chain.std(axis=0, ddof=1) / np.sqrt(len(by_chain))
    predicted = block.spread(temperature)
    assert np.abs((by_chain.mean(axis=0) - predicted) / error).max() < 4
    assert np.abs((by_chain.mean(axis=0) - 1.2 * predicted) / error).max() > 6


def test_no_curvature_where_the_residual_is_zero():
    network = cs.Network("tanh", width=3, scaling="none")
    rng = np.random.default_rng(2)
    partition = Partition(((1, 2), (3,)))
    point = manifold_of(partition, classify(network.activation)).project(manifolds.random_neurons(rng, 3, 2, 1))
    inputs = rng.normal(size=(5, 2))
    targets = np.asarray(
        manifolds.Problem.of(network, inputs, np.zeros((5, 1))).outputs(Neurons(*map(jnp.asarray, point)))
    )
    (block,) = normal_stability(manifolds.Problem.of(network, inputs, targets), partition, point)
    np.testing.assert_allclose(block.hessian, 0, atol=1e-14)
    assert not block.condensing
    with pytest.raises(InvalidInput, match="positive definite"):
        block.spread(1.0)
    with pytest.raises(InvalidInput, match="w = 0"):
        normal_stability(manifolds.Problem.of(network, inputs, targets), Partition(((1,),), (), ((2, 3),)), point)
