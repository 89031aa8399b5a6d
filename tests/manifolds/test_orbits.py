"""Orbit dimensions that are known."""

import jax.numpy as jnp
import numpy as np
import pytest

from codingschemes.manifolds import Fields, classify, manifold_of, network_orbit, orbit, partitions, random_neurons
from codingschemes.networks import ACTIVATIONS

KNOWN = {
    # Strata of three neurons with two inputs and one output: 3 (2 + 1) = 9 and so on.
    "softplus": {3: 9, 2: 6, 1: 3},
    # One conserved number a block.
    "relu": {3: 6, 2: 4, 1: 2, 0: 0},
}


@pytest.mark.parametrize("name", KNOWN)
def test_strata_of_three_neurons(name):
    kind = classify(ACTIVATIONS[name])
    rng = np.random.default_rng(0)
    for blocks, dimension in KNOWN[name].items():
        partition = next(each for each in partitions(kind.symmetry, 3) if len(each.blocks) == blocks)
        manifold = manifold_of(partition, kind)
        found = network_orbit(ACTIVATIONS[name], manifold.project(random_neurons(rng, 3, 2, 1)))
        assert found.dimension == dimension
        assert found.margin > 1e3
        assert manifold.dimension(2, 1) - blocks * kind.homogeneous == dimension


@pytest.mark.parametrize(("size", "plain", "dimension"), [(2, 4, 5), (3, 9, 12)])
def test_matrix_factorisation_needs_brackets(size, plain, dimension):
    """F = A B x: d^2 fields; 2 d^2 weights less the d (d + 1) / 2 conserved entries of A^T A - B B^T."""

    def model(theta, x):
        left, right = theta.reshape(2, size, size)
        return left @ (right @ x)

    theta = jnp.asarray(np.random.default_rng(1).normal(size=2 * size**2))
    found = orbit(Fields(model, jnp.eye(size)), theta)
    assert (found.fields, found.dimension) == (plain, dimension)
