"""Rotations of pairs below the last layer leave exact draws exact, and really happen; broken ones are found out."""

import functools
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from exact_moves import ALARM, NAMES, exact_draws, position_mover
from known_answers import small_posterior
from p_values import combined, worst

from codingschemes.samplers import below, lower_rotations
from codingschemes.samplers.lower_layers import Place
from codingschemes.samplers.lower_rotations import lower_rotation_sweep, rotated

SPACES = ["reduced", *(pytest.param(space, marks=pytest.mark.slow) for space in ("function", "weights"))]


@pytest.mark.parametrize("space", SPACES)
def test_a_rotated_place_is_what_a_pass_through_the_network_says(space):
    posterior = small_posterior("relu", samples=3, width=5, depth=4, bias=True, weight_variance=2.5)
    density, pair = posterior.density(space), jnp.asarray([3, 1])

    @jax.jit
    def both(key, layer):
        here = Place.at(density.prior_draw(key), density)
        told = rotated(here, layer, pair, jnp.asarray(0.7), density)
        return told, Place.at(told.position, density), here

    for layer in range(3):
        told, found, before = both(jax.random.PRNGKey(layer), jnp.asarray(layer))
        jax.tree.map(functools.partial(np.testing.assert_allclose, rtol=1e-9, atol=1e-11), told, found)
        assert np.abs(told.preactivation[layer] - before.preactivation[layer]).max() > 0.01
        size = sum(np.sum(block**2) for block in told.position.values())
        np.testing.assert_allclose(size, sum(np.sum(block**2) for block in before.position.values()), rtol=1e-12)


def test_neurons_that_point_the_same_way_share_what_they_carry_as_they_like():
    """Nothing above them changes; of neurons that do not, it does."""
    density = small_posterior("relu", samples=3, width=4, depth=3, weight_variance=2.0).density("reduced")

    @jax.jit
    def around(key, layer, ratio):
        position = density.prior_draw(key)
        first, hidden = position["input"], position["hidden"]
        position = {
            "input": first.at[2].set(jnp.where(layer == 0, ratio * first[1], first[2])),
            "hidden": hidden.at[0, 2].set(jnp.where(layer == 0, hidden[0, 2], ratio * hidden[0, 1])),
        }
        here = Place.at(position, density)
        there = rotated(here, layer, jnp.asarray([1, 2]), jnp.asarray(0.4), density)
        return here, there

    for layer in (0, 1):
        here, there = around(jax.random.PRNGKey(5), jnp.asarray(layer), 2.0)
        np.testing.assert_allclose(there.preactivation[layer + 1], here.preactivation[layer + 1], atol=1e-11)
        np.testing.assert_allclose(there.potential, here.potential, rtol=1e-11)
        assert np.abs(there.activity[layer] - here.activity[layer]).max() > 0.05
        here, there = around(jax.random.PRNGKey(5), jnp.asarray(layer), -2.0)
        assert np.abs(there.preactivation[layer + 1] - here.preactivation[layer + 1]).max() > 0.05


@functools.cache
def rotating(space: str):
    posterior = small_posterior("relu", samples=3, width=4, depth=2, bias=True, temperature=0.1, weight_variance=3.0)
    density = posterior.density(space)
    genuine = lower_rotations.log_selection

    def move(key, position, faults):
        with mock.patch.object(lower_rotations, "log_selection", lambda *given: faults * genuine(*given)):
            return lower_rotation_sweep(key, position, density, 12)

    return position_mover(density, exact_draws(density, 2000), move, sweeps=2)


@pytest.mark.parametrize("space", SPACES)
def test_rotations_leave_exact_draws_exact(space):
    findings, tried, (before, after) = rotating(space)(1.0)
    assert combined(findings) > ALARM, worst(findings)
    assert (tried >= 24).all()
    assert (np.abs(after - before)[:, NAMES.index("kernel_00")] > 1e-3).mean() > 0.5


def test_rotations_of_pairs_drawn_by_weight_as_if_uniformly_are_found_out():
    findings, _, _ = rotating("reduced")(0.0)
    assert combined(findings) < ALARM


@pytest.mark.parametrize(("activation", "depth", "asked"), [("relu", 3, True), ("relu", 1, False), ("tanh", 3, False)])
def test_threshold_neurons_below_the_last_layer_rotate(activation, depth, asked):
    density = small_posterior(activation, samples=3, width=4, depth=depth).density("reduced")
    visits = below.visits_below(density)
    assert (visits.rotations > 0) == asked
    assert visits.rotations % max(1, depth - 1) == 0
    assert not (asked and (visits.flips or visits.reversals))
