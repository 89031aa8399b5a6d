"""Flips and reversals of neurons below the last layer by themselves leave exact draws exact, and really happen; broken
ones are found out."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from exact_moves import ALARM, NAMES, deep, exact_draws, position_mover
from jax.flatten_util import ravel_pytree
from known_answers import small_posterior
from p_values import combined, worst

from codingschemes.posterior import Density
from codingschemes.samplers import below, flips, reversals
from codingschemes.samplers.lower_layers import Place, Proposal, accept_in_turn


def flipped(position, layer, neuron, density: Density):
    return flips._flip(Place.at(position, density), layer, neuron, density)


def reversed_in(position, layer, neuron, label, density: Density):
    return reversals._reverse_neuron(Place.at(position, density), layer, neuron, label, density)


@pytest.mark.parametrize(
    ("space", "bias"),
    [
        ("reduced", True),
        pytest.param("weights", False, marks=pytest.mark.slow),
        pytest.param("function", False, marks=pytest.mark.slow),
    ],
)
def test_what_a_proposal_tells_is_what_a_pass_through_the_network_says(space, bias):
    posterior = small_posterior("sigmoid", samples=3, width=5, depth=4, bias=bias, weight_variance=2.5)
    density, neuron = posterior.density(space), jnp.asarray(2)

    @jax.jit
    def both(key, layer):
        here = Place.at(density.prior_draw(key), density)
        proposals = (
            flips._flip(here, layer, neuron, density),
            reversals._reverse_neuron(here, layer, neuron, jnp.asarray(1), density),
        )
        return [(here.after(each, layer, neuron, density), Place.at(each.position, density)) for each in proposals]

    for layer in range(3):
        for told, found in both(jax.random.PRNGKey(layer), jnp.asarray(layer)):
            jax.tree.map(functools.partial(np.testing.assert_allclose, rtol=1e-9, atol=1e-11), told, found)


@functools.cache
def flipping(space: str):
    density = deep(space)
    positions = exact_draws(density, 1000)

    def move(key, position, faults):
        moved, count = flips.flip_sweep(key, position, density, 3)
        always = flipped(position, jnp.asarray(0), jnp.asarray(1), density).position
        return jax.tree.map(lambda one, other: jnp.where(faults > 0, one, other), moved, always), count

    return position_mover(density, positions, move, sweeps=1)


@pytest.mark.parametrize(
    "space", ["reduced", *(pytest.param(space, marks=pytest.mark.slow) for space in ("function", "weights"))]
)
def test_flips_leave_exact_draws_exact(space):
    findings, count, (before, after) = flipping(space)(1.0)
    assert combined(findings) > ALARM, worst(findings)
    assert (count > 0).mean() > 0.2
    assert (np.abs(after - before)[:, NAMES.index("kernel_00")] > 1e-3).mean() > 0.1


@pytest.mark.parametrize("space", ["reduced", pytest.param("weights", marks=pytest.mark.slow)])
def test_flips_that_are_always_accepted_are_found_out(space):
    findings, _, _ = flipping(space)(0.0)
    assert combined(findings) < ALARM


def test_a_flip_is_its_own_inverse_and_hides_in_the_layer_above():
    """The layer above sees the same neuron; a constant that all samples share is taken up by the others, as far as
    their mean activity is alike for all samples."""
    density = small_posterior("sigmoid", samples=3, width=5, depth=3).density("reduced")

    @jax.jit
    def there_and_back(key, layer):
        position = density.prior_draw(key)
        there = flipped(position, layer, jnp.asarray(2), density).position
        back = flipped(there, layer, jnp.asarray(2), density).position
        return position, back, density.propagate(position)[0], density.propagate(there)[0]

    for layer in (0, 1):
        position, back, before, after = there_and_back(jax.random.PRNGKey(0), jnp.asarray(layer))
        jax.tree.map(functools.partial(np.testing.assert_allclose, rtol=1e-9, atol=1e-12), back, position)
        np.testing.assert_allclose(after[layer, 2], -before[layer, 2], rtol=1e-12)
        shift = after[layer + 1] - before[layer + 1]
        np.testing.assert_allclose(shift.mean(axis=1), 0, atol=1e-12)


@functools.cache
def reversing(space: str):
    density = deep(space)
    positions = exact_draws(density, 1000)

    def move(key, position, faults):
        moved, count = reversals.reversal_sweep(key, position, density, 6)
        where = jnp.asarray(0), jnp.asarray(1), jnp.asarray(0)
        always = reversed_in(position, *where, density).position
        return jax.tree.map(lambda one, other: jnp.where(faults > 0, one, other), moved, always), count

    return position_mover(density, positions, move, sweeps=1)


@pytest.mark.parametrize(
    "space", ["reduced", *(pytest.param(space, marks=pytest.mark.slow) for space in ("function", "weights"))]
)
def test_reversals_leave_exact_draws_exact(space):
    findings, count, (before, after) = reversing(space)(1.0)
    assert combined(findings) > ALARM, worst(findings)
    assert (count > 0).mean() > 0.2
    assert (np.abs(after - before)[:, NAMES.index("kernel_00")] > 1e-3).mean() > 0.1


def test_reversals_that_are_always_accepted_are_found_out():
    findings, _, _ = reversing("reduced")(0.0)
    assert combined(findings) < ALARM


def test_a_reversal_is_its_own_inverse_tells_its_volume_and_keeps_what_classes_mean_above():
    density = small_posterior("sigmoid", samples=4, width=4, depth=3, bias=True).density("reduced")
    start, unflatten = ravel_pytree(jax.jit(lambda key: density.prior_draw(key))(jax.random.PRNGKey(0)))

    def move(flat, layer):
        position, where = unflatten(flat), (layer, jnp.asarray(2), jnp.asarray(1))
        proposal = reversed_in(position, *where, density)
        after = ravel_pytree(proposal.position)[0]
        return after, (after, proposal.log_volume, density.propagate(proposal.position)[0] @ density.class_average)

    moved = jax.jit(jax.jacobian(move, has_aux=True))
    before = jax.jit(lambda flat: density.propagate(unflatten(flat))[0] @ density.class_average)(start)
    for layer in (0, 1):
        jacobian, (there, log_volume, after) = moved(start, layer)
        _, (back, log_volume_back, _) = moved(there, layer)
        np.testing.assert_allclose(back, start, rtol=1e-9, atol=1e-11)
        assert abs(log_volume) > 1e-3
        np.testing.assert_allclose(np.linalg.slogdet(jacobian)[1], log_volume, rtol=1e-8)
        np.testing.assert_allclose(log_volume_back, -log_volume, rtol=1e-8)
        np.testing.assert_allclose(after[layer, 2], before[layer, 2] * np.array([1, -1]), atol=1e-11)
        np.testing.assert_allclose(after[layer + 1], before[layer + 1], atol=1e-11)


def test_a_proposal_that_leaves_no_volume_is_never_accepted():
    """One that changes nothing always is."""
    density = small_posterior("sigmoid", samples=3, width=4, depth=3).density("reduced")

    @jax.jit
    def accepted(log_volume):
        def stay(_, here, layer, neuron):
            told = here.preactivation[layer, neuron], here.preactivation[layer + 1]
            return Proposal(here.position, *told, log_volume)

        key = jax.random.PRNGKey(0)
        return accept_in_turn(key, density.prior_draw(key), density, 6, stay)[1]

    assert accepted(-jnp.inf) == 0
    assert accepted(jnp.asarray(0.0)) == 6


@pytest.mark.parametrize(("width", "asked"), [(2, 0), (3, 2)])
def test_layers_of_no_more_features_than_classes_are_asked_for_no_reversal(width, asked):
    density = small_posterior("sigmoid", samples=3, width=width, depth=2).density("reduced")
    assert below.visits_below(density).reversals == asked
