"""Samplers without a Metropolis test are biased by their step size, and the bias goes with the step."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array
from known_answers import small_posterior

from codingschemes.diagnostics import mean_and_error
from codingschemes.posterior import Density
from codingschemes.samplers import SAMPLERS, Settings
from codingschemes.samplers.adaptive import AdaptiveState

CHAINS, WARMUP, DRAWS = 4, 200, 4000
#: How many times shorter the fine step is.
SHORTER = 3

KERNEL = SAMPLERS["langevin"](Settings(warmup=WARMUP, target_acceptance=0.85))


@jax.jit
def begin(key: Array, density: Density) -> AdaptiveState:
    key_position, key_state = jax.random.split(key)
    positions = jax.vmap(density.prior_draw)(jax.random.split(key_position, CHAINS))
    return jax.vmap(KERNEL.init, (0, 0, None))(jax.random.split(key_state, CHAINS), positions, density)


@functools.partial(jax.jit, static_argnums=2)
def advance(states: AdaptiveState, density: Density, count: int) -> tuple[AdaptiveState, Array]:
    """The states after `count` steps, and theta . grad U / dimension at each of them, (chain, step)."""

    def virial(state: AdaptiveState) -> Array:
        point = state.point
        return -sum(jnp.sum(point.position[name] * point.logdensity_grad[name]) for name in point.position)

    def body(states: AdaptiveState, _: None) -> tuple[AdaptiveState, Array]:
        states, _ = jax.vmap(KERNEL.step, (0, None))(states, density)
        return states, jax.vmap(virial)(states) / density.dimension

    states, virials = jax.lax.scan(body, states, length=count)
    return states, virials.T


def excess(virials: Array) -> tuple[float, float]:
    """<theta . grad U>/dimension - 1, zero for an unbiased sampler, and its error."""
    mean, error = mean_and_error(np.asarray(virials)[:, WARMUP:])
    return float(mean) - 1, float(error)


def test_langevins_bias_shows_at_a_coarse_step_and_shrinks_with_its_square():
    density = small_posterior("tanh", samples=4, width=4).density()
    states, virials = advance(begin(jax.random.PRNGKey(0), density), density, WARMUP + DRAWS)
    coarse, coarse_error = excess(virials)
    shorter = states._replace(step_size=states.step_size / SHORTER)
    after, virials = advance(shorter, density, WARMUP + DRAWS)
    np.testing.assert_array_equal(after.step_size, shorter.step_size)
    fine, fine_error = excess(virials)
    assert abs(coarse) > 4 * coarse_error
    assert abs(fine - coarse / SHORTER**2) < 4 * np.hypot(fine_error, coarse_error / SHORTER**2)
    assert abs(fine) < abs(coarse) / 3


@pytest.mark.parametrize(("sampler", "exact"), [("langevin", False), ("mclmc-unadjusted", False), ("hmc", True)])
def test_samplers_say_whether_they_are_exact(sampler, exact):
    assert SAMPLERS[sampler](Settings()).exact == exact
