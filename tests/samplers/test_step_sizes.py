"""Step sizes: those of all chains agree, and what samplers without a Metropolis test are biased by goes with them."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array
from known_answers import small_posterior

from codingschemes.diagnostics import mean_and_error
from codingschemes.posterior import Density
from codingschemes.samplers import SAMPLERS, Kernel, Settings
from codingschemes.samplers.adaptation import AdaptiveState, interval_of
from codingschemes.samplers.hmc import jittered_steps

CHAINS, WARMUP = 4, 200
#: How many times shorter the fine step is.
SHORTER = 3


@functools.partial(jax.jit, static_argnums=0)
def begin(kernel: Kernel, key: Array, density: Density) -> AdaptiveState:
    key_position, key_state = jax.random.split(key)
    positions = jax.vmap(density.prior_draw)(jax.random.split(key_position, CHAINS))
    return jax.vmap(kernel.init, (0, 0, None))(jax.random.split(key_state, CHAINS), positions, density)


@functools.partial(jax.jit, static_argnums=(0, 3))
def advance(kernel: Kernel, states: AdaptiveState, density: Density, count: int) -> tuple[AdaptiveState, Array]:
    """The states after `count` steps, and theta . grad U / dimension at each of them, (chain, step)."""

    def virial(state: AdaptiveState) -> Array:
        point = state.point
        return -sum(jnp.sum(point.position[name] * point.logdensity_grad[name]) for name in point.position)

    def body(states: AdaptiveState, _: None) -> tuple[AdaptiveState, Array]:
        states, _ = jax.vmap(kernel.step, (0, None))(states, density)
        return states, jax.vmap(virial)(states) / density.dimension

    states, virials = jax.lax.scan(body, states, length=count)
    return states, virials.T


def excess(virials: Array) -> tuple[float, float]:
    """<theta . grad U>/dimension - 1, zero for an unbiased sampler, and its error."""
    mean, error = mean_and_error(np.asarray(virials)[:, WARMUP:])
    return float(mean) - 1, float(error)


def coarse_and_fine(
    sampler: str, target_acceptance: float, temperature: float, draws: int
) -> tuple[tuple[float, float], tuple[float, float]]:
    """The excess and its error at the step size adapted to, and at one SHORTER times shorter."""
    kernel = SAMPLERS[sampler](Settings(warmup=WARMUP, target_acceptance=target_acceptance))
    density = small_posterior("tanh", samples=4, width=4, temperature=temperature).density()
    states, virials = advance(kernel, begin(kernel, jax.random.PRNGKey(0), density), density, WARMUP + draws)
    shorter = states._replace(step_size=states.step_size / SHORTER)
    after, fine_virials = advance(kernel, shorter, density, WARMUP + draws)
    np.testing.assert_array_equal(after.step_size, shorter.step_size)
    return excess(virials), excess(fine_virials)


@pytest.mark.slow
def test_langevins_bias_shows_at_a_coarse_step_and_shrinks_with_its_square():
    (coarse, coarse_error), (fine, fine_error) = coarse_and_fine("langevin", 0.85, 0.05, draws=4000)
    assert abs(coarse) > 4 * coarse_error
    assert abs(fine - coarse / SHORTER**2) < 4 * np.hypot(fine_error, coarse_error / SHORTER**2)
    assert abs(fine) < abs(coarse) / 3


@pytest.mark.slow
def test_microcanonical_bias_shows_at_a_coarse_step_and_shrinks_with_its_square_at_least():
    # The minimal-norm integrator makes the quadratic part so small that higher powers add to it at the coarse step.
    (coarse, coarse_error), (fine, fine_error) = coarse_and_fine("mclmc-unadjusted", 0.1, 0.5, draws=2000)
    assert abs(coarse) > 4 * coarse_error
    assert abs(fine) < abs(coarse) / SHORTER**2 + 4 * np.hypot(fine_error, coarse_error / SHORTER**2)
    assert abs(fine) < abs(coarse) / 3


@pytest.mark.parametrize(("sampler", "exact"), [("langevin", False), ("mclmc-unadjusted", False), ("hmc", True)])
def test_samplers_say_whether_they_are_exact(sampler, exact):
    assert SAMPLERS[sampler](Settings()).exact == exact


def test_chains_share_a_step_size_and_one_that_is_somewhere_else_keeps_its_own():
    kernel, density = SAMPLERS["hmc"](Settings(warmup=WARMUP)), small_posterior("tanh", samples=4, width=4).density()
    states = begin(kernel, jax.random.PRNGKey(0), density)._replace(
        step_size=jnp.asarray([0.2, 0.1, 0.1, 1e-3]), iteration=jnp.full(CHAINS, WARMUP)
    )
    np.testing.assert_allclose(kernel.pool(states).step_size, [*3 * [0.002 ** (1 / 3)], 1e-3])


@pytest.mark.parametrize("sampler", ["hmc", "codes"])
def test_every_other_trajectory_is_long_where_chains_remember_for_several_long_ones(sampler):
    kernel = SAMPLERS[sampler](Settings(warmup=WARMUP))
    density = small_posterior("relu", samples=4, width=4).density()

    def interval(states):
        return interval_of(states.flow if sampler == "codes" else states)

    @jax.jit
    def intervals(key_state, key_position):
        """Of chains as they begin, that remember for some long trajectories, for many, and for some again."""
        positions = jax.tree.map(lambda block: 10 * block, density.prior_draws(key_position, 2))
        states = jax.vmap(kernel.init, (0, 0, None))(jax.random.split(key_state, 2), positions, density)
        slow = kernel.pace(states, 100.0)
        return [interval(each) for each in (states, kernel.pace(states, 3.0), slow, kernel.pace(slow, 3.0))]

    usual, soon, slow, again = intervals(jax.random.PRNGKey(0), jax.random.PRNGKey(1))
    assert (usual > 4).all()
    np.testing.assert_array_equal(soon, usual)
    np.testing.assert_array_equal(slow, [2, 2])
    np.testing.assert_array_equal(again, usual)
    steps = np.asarray(jax.jit(jittered_steps)(jnp.arange(40), jnp.asarray(0.01), extent=10.0, interval=2))
    np.testing.assert_allclose(steps[1::2].mean() / steps[::2].mean(), 10, rtol=0.05)
