"""Microcanonical Langevin Monte Carlo (Robnik, De Luca, Silverstein & Seljak 2023), blackjax's kernels.

`mclmc` is adjusted: a trajectory of jittered length at constant speed, accepted or rejected as a whole (Robnik, Cohn-
Gordon & Seljak 2025). `mclmc-unadjusted` skips the test and holds the energy error at 5e-4 a dimension instead.

A trajectory of length sqrt(dimension) at unit speed covers what an HMC trajectory of unit time does, so step sizes are
given in units of sqrt(dimension).
"""

from functools import lru_cache

import jax
import jax.numpy as jnp
from blackjax.mcmc import adjusted_mclmc_dynamic, integrators
from blackjax.mcmc import mclmc as blackjax_mclmc
from blackjax.mcmc.dynamic_hmc import DynamicHMCState
from jaxtyping import Array

from codingschemes.errors import InvalidInput
from codingschemes.posterior import Density, Scalar
from codingschemes.samplers.adaptive import adaptive_kernel
from codingschemes.samplers.hmc import jittered_steps, usual_gradients
from codingschemes.samplers.kernel import Kernel, Settings, register
from codingschemes.samplers.transition import Point, TransitionInfo, TransitionTarget
from codingschemes.samplers.unadjusted import unless_diverged

#: Variance of the energy error a dimension that blackjax's tuning recommends.
_ENERGY_VARIANCE = 5e-4
_UNADJUSTED_STEPS = 16


def _speed_sphere(target: TransitionTarget) -> float:
    """The root of the dimension, by which lengths are measured.

    Raises:
        InvalidInput: a single coordinate, in which a constant speed has no directions to choose from.
    """
    if target.dimension < 2:
        raise InvalidInput("microcanonical dynamics needs more than one coordinate: choose another `sampler`")
    return target.dimension**0.5


def _adjusted_transition(
    key: Array, point: Point, target: TransitionTarget, step_size: Scalar, iteration: Array
) -> tuple[Point, TransitionInfo]:
    integrator, stages = (
        (integrators.isokinetic_velocity_verlet, 1) if target.kinked else (integrators.isokinetic_mclachlan, 2)
    )
    steps = jittered_steps(iteration, stages * step_size)
    kernel = adjusted_mclmc_dynamic.build_kernel(lambda count: count, integrator, next_random_arg_fn=lambda arg: arg)
    state, info = kernel(
        key,
        DynamicHMCState(*point, random_generator_arg=steps),
        target.logdensity,
        stages * step_size * _speed_sphere(target),
    )
    moved = Point(state.position, state.logdensity, state.logdensity_grad)
    return moved, TransitionInfo(info.acceptance_rate, stages * steps, info.is_divergent)


def _unadjusted_transition(
    key: Array,
    point: Point,
    target: TransitionTarget,
    step_size: Scalar,
    iteration: Array,  # noqa: ARG001
) -> tuple[Point, TransitionInfo]:
    root = _speed_sphere(target)
    kernel = blackjax_mclmc.build_kernel()
    start_key, *keys = jax.random.split(key, _UNADJUSTED_STEPS + 1)
    momentum = blackjax_mclmc.init(point.position, target.logdensity, start_key).momentum

    def body(
        state: integrators.IntegratorState, step_key: Array
    ) -> tuple[integrators.IntegratorState, tuple[Scalar, Array]]:
        state, info = kernel(step_key, state, target.logdensity, 1.0, root, 2 * step_size * root)
        return state, (info.energy_change, info.nonans)

    start = integrators.IntegratorState(point.position, momentum, point.logdensity, point.logdensity_grad)
    state, (errors, finite) = jax.lax.scan(body, start, jnp.stack(keys))
    excess = jnp.mean(errors**2) / target.dimension / _ENERGY_VARIANCE
    moved = Point(state.position, state.logdensity, state.logdensity_grad)
    return unless_diverged(
        moved,
        point,
        jnp.where(jnp.all(finite), jnp.sum(errors), jnp.inf),
        acceptance_rate=1 / (1 + excess),
        gradients=jnp.asarray(2 * _UNADJUSTED_STEPS),
    )


@lru_cache
def mclmc(settings: Settings) -> Kernel:
    """Adjusted microcanonical Langevin, step size and preconditioner adapted."""
    kernel = adaptive_kernel(
        _adjusted_transition, warmup=settings.warmup, target_acceptance=settings.target_acceptance or 0.9
    )
    return kernel._replace(gradients=_usual_gradients)


def _usual_gradients(density: Density) -> tuple[float, float]:
    """Acceptance is higher than that of HMC, and steps are shorter."""
    fewest, most = usual_gradients(density)
    return 1.5 * fewest, 2 * most


@lru_cache
def mclmc_unadjusted(settings: Settings) -> Kernel:
    """Unadjusted microcanonical Langevin; not exact. What it reports as acceptance is 1/(1 + energy variance/5e-4)."""
    return adaptive_kernel(
        _unadjusted_transition, warmup=settings.warmup, target_acceptance=settings.target_acceptance or 0.5, exact=False
    )._replace(gradients=lambda density: (2.0 * _UNADJUSTED_STEPS, 2.0 * _UNADJUSTED_STEPS))  # noqa: ARG005


register("mclmc", mclmc)
register("mclmc-unadjusted", mclmc_unadjusted)
