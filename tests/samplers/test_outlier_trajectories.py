"""Trajectories of few neurons follow the density of all, leave exact draws exact and really happen; broken ones are
found out."""

import functools
import itertools
from unittest import mock

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from exact_moves import ALARM, NAMES, exact_draws, mover
from known_answers import small_posterior
from p_values import combined, worst
from problems import _posterior

from codingschemes.samplers import SAMPLERS, Settings, codes, outliers
from codingschemes.samplers.hmc import hmc
from codingschemes.samplers.neighbourhood import populate
from codingschemes.samplers.outliers import (
    draw_without_replacement,
    has_outliers,
    log_likelihood_beside,
    log_selection,
    move_outliers,
)


def shallow(space: str = "reduced"):
    return _posterior("relu", samples=3, outputs=2, features=2).density(space)


def test_few_neurons_feel_what_all_do():
    """Differences and gradients of the density of all neurons, by the chosen ones."""
    density = small_posterior("relu", samples=6, width=7).density()
    position = density.prior_draw(jax.random.PRNGKey(0))
    chosen = jnp.asarray([4, 1, 5])
    held = jnp.ones(7).at[chosen].set(0.0)
    others = populate(density, held[:, None] * position["input"], density.basis)

    def beside(coordinates):
        activity = density.network.activation(coordinates @ density.basis.T)
        return log_likelihood_beside(activity, others.inverse, others.field, density.scaled_readout_variance)

    def of_all(coordinates):
        return -density.misfit({"input": position["input"].at[chosen].set(coordinates)})

    here = position["input"][chosen]
    there = here + jax.random.normal(jax.random.PRNGKey(1), here.shape)
    np.testing.assert_allclose(beside(there) - beside(here), of_all(there) - of_all(here), rtol=1e-10)
    slope = jax.grad(of_all)(here)
    assert np.abs(slope).max() > 0.1
    np.testing.assert_allclose(jax.grad(beside)(here), slope, rtol=1e-8, atol=1e-10)


def test_the_chance_to_be_drawn_in_an_order():
    """Over all orders of two among four it adds up to 1, and neurons are drawn that often."""
    weights, draws = jnp.asarray([3.0, 0.2, 1.0, 5.0]), 20_000
    pairs = list(itertools.permutations(range(4), 2))
    chance = np.exp([log_selection(weights[jnp.asarray(pair)], weights.sum() - weights[jnp.asarray(pair)].sum())
                     for pair in pairs])  # fmt: skip
    assert chance.sum() == pytest.approx(1.0, rel=1e-12)
    assert chance[pairs.index((3, 0))] == pytest.approx(5 / 9.2 * 3 / 4.2, rel=1e-12)
    keys = jax.random.split(jax.random.PRNGKey(2), draws)
    drawn = np.asarray(jax.vmap(draw_without_replacement, (0, None, None))(keys, weights, 2))
    counts = np.asarray([np.sum((drawn == pair).all(axis=1)) for pair in pairs])
    surprise = (counts - draws * chance) / np.sqrt(draws * chance * (1 - chance))
    assert np.abs(surprise).max() < 4.5


def test_only_one_layer_of_threshold_neurons_has_outliers_at_more_than_few_samples():
    def of(*given, **options):
        return has_outliers(small_posterior(*given, **{"samples": 40, **options}).density())

    assert all([of("relu"), of("threshold-log1p"), of("threshold-tanh")])
    assert not any([of("sigmoid"), of("linear"), of("softplus"), of("relu", width=1), of("relu", depth=2),
                    of("relu", samples=32), of("relu", depth=3, recurrent=True)])  # fmt: skip


def test_outliers_move_in_every_step_of_a_warm_up_and_then_in_every_other():
    """Unless chains are slow: in every step again."""
    density = small_posterior("relu", samples=40).density()
    flow = hmc(Settings(warmup=4)).init(jax.random.PRNGKey(3), density.prior_draw(jax.random.PRNGKey(4)), density)
    flow = flow._replace(step_size=jnp.asarray(1e-3))  # accepted whenever it is tried
    coordinates, _ = density.last_layer(flow.point.position)
    move = jax.jit(codes._move_outliers)

    def moves(**state):
        now = flow._replace(**{name: jnp.asarray(value) for name, value in state.items()})
        moved, gradients = move(jax.random.PRNGKey(5), coordinates, now, density)
        assert bool(gradients > 0) == bool(jnp.any(moved != coordinates))
        return bool(gradients > 0)

    assert [moves(iteration=step) for step in range(7)] == [True, True, True, True, True, False, True]
    assert moves(iteration=5, slow=True)


def test_a_step_counts_all_gradients_of_outliers():
    """Trajectories of all neurons are as long at the same iteration, wherever they begin."""
    density = small_posterior("relu", samples=40).density()
    kernel = SAMPLERS["codes"](Settings(warmup=4))
    state = kernel.init(jax.random.PRNGKey(3), density.prior_draw(jax.random.PRNGKey(4)), density)
    flow = state.flow._replace(iteration=jnp.asarray(5))

    @jax.jit
    def gradients(slow):
        now = flow._replace(slow=slow)
        coordinates, _ = density.last_layer(flow.point.position)
        # with the key that the step gives it
        _, counted = codes._move_outliers(jax.random.split(state.key, 5)[4], coordinates, now, density)
        return kernel.step(state._replace(flow=now), density)[1].gradients, counted

    (with_outliers, of_outliers), (without, nothing) = gradients(jnp.asarray(True)), gradients(jnp.asarray(False))
    assert nothing == 0
    assert of_outliers > 3
    assert with_outliers - without == of_outliers


@functools.cache
def moving(space: str):
    """Half of the neurons, along forces that are softened at most samples; the fault is the share of the chance to be
    drawn in the density."""
    density = shallow(space)
    genuine = outliers.log_selection

    def sweep(key, population, faults):
        with mock.patch.object(outliers, "log_selection", lambda *given: faults * genuine(*given)):
            step_size, steps = jnp.asarray(0.3), jnp.asarray(5)
            moved = move_outliers(key, population.coordinates, density, step_size, steps)
        return population._replace(coordinates=moved), jnp.any(moved != population.coordinates)

    return mover(density, exact_draws(density, 2000), sweep, sweeps=3)


@pytest.mark.parametrize("space", ["reduced", pytest.param("weights", marks=pytest.mark.slow)])
def test_trajectories_of_few_leave_exact_draws_exact(space):
    findings, moved, (before, after) = moving(space)(1.0)
    assert combined(findings) > ALARM, worst(findings)
    assert moved.mean() > 1.5
    largest = NAMES.index("largest")
    assert (np.abs(after - before)[:, largest] > 0.1 * before[:, largest]).mean() > 0.5


def test_trajectories_that_forget_how_neurons_are_drawn_are_found_out():
    findings, _, _ = moving("reduced")(0.0)
    assert combined(findings) < ALARM
