"""Hamiltonian Monte Carlo with trajectories of jittered length (Duane et al. 1987), blackjax's proposal.

In coordinates of unit curvature a trajectory of length pi/2 forgets where it began, so the length needs no tuning: it
is spread quasi-randomly by a third about that, in the same order in all chains, which therefore never wait for each
other. (Spread over (0, 2) times the mean, as is customary, a draw of the toy sigmoid is worth a third less.)

Threshold neurons (ReLU) that carry the output are tens of units long, and share it between directions by giving way to
each other over lengths like that, where the energy is flat. Some trajectories are that much longer, so many that they
cost as much as all others: what needs them gets half the gradients, and so does what does not. Where chains turn out
to remember for several of them, every other one is long. Kinks are rounded off along both (`softened`).

Smooth activations take the two-stage minimal-norm integrator (McLachlan 1995), which reaches the same acceptance with
about a third of the gradients of leapfrog; at kinks it has no advantage and leapfrog is used.
"""

from functools import lru_cache

import jax.numpy as jnp
from blackjax.mcmc import hmc as blackjax_hmc
from blackjax.mcmc import integrators
from jaxtyping import Array

from codingschemes.posterior import Density, Scalar
from codingschemes.samplers.adaptive import adaptive_kernel
from codingschemes.samplers.kernel import Info, Kernel, Settings, register
from codingschemes.samplers.softened import softened_trajectory
from codingschemes.samplers.transition import Point, Transition, TransitionInfo, TransitionTarget

#: Of trajectories, in coordinates of unit curvature.
MEAN_LENGTH = 1.6
_JITTER = 0.35
_MOST_STEPS = 64
_GOLDEN = 0.6180339887498949
#: Gradients of a draw on the bench, fewest and most, with 10,000 coordinates; they grow with the dimension, as steps
#: have to get shorter (Beskos et al. 2013). Outliers of threshold neurons make the longer trajectories.
_USUAL, _USUAL_WITH_KINKS, _OF_COORDINATES = (4.5, 15.0), (10.0, 50.0), 1e4
#: The most of a few coordinates, whatever their number.
_MOST_OF_FEW = 4.0
#: Optimal in high dimension (Beskos, Pillai, Roberts, Sanz-Serna & Stuart 2013).
_ACCEPTANCE = 0.65


def jittered_steps(
    iteration: Array, step_size: Scalar, extent: float | Scalar = 1.0, interval: int | Array = 1
) -> Array:
    """Integration steps of a trajectory: a quasi-random length (a Weyl sequence) over the step size. One in `interval`
    trajectories is `extent` times longer."""
    spread = 2 * jnp.mod((iteration + 1) * _GOLDEN, 1.0) - 1
    turn = (iteration + 1) % interval == 0
    times = jnp.where(turn, extent, 1.0)
    length = MEAN_LENGTH * times * (1 + _JITTER * spread)
    return jnp.clip(jnp.ceil(length / step_size), 1, jnp.ceil(_MOST_STEPS * times)).astype(int)


def hmc_transition(
    key: Array, point: Point, target: TransitionTarget, step_size: Scalar, iteration: Array
) -> tuple[Point, TransitionInfo]:
    """One trajectory with a fresh Gaussian momentum, accepted or rejected as a whole.

    `step_size` is the stretch of trajectory a gradient pays for: a two-stage step is twice as long.
    """
    if target.softened is not None:
        steps = jittered_steps(iteration, step_size, target.extent, target.interval)
        return softened_trajectory(key, point, target.logdensity, target.softened(step_size), step_size, steps)
    integrator, stages = (integrators.velocity_verlet, 1) if target.kinked else (integrators.mclachlan, 2)
    steps = jittered_steps(iteration, stages * step_size)
    if target.approximate is not None:
        forces = target.approximate
        return softened_trajectory(
            key, point, target.logdensity, forces, stages * step_size, steps, integrator, stages, at_hand=True
        )
    state, info = blackjax_hmc.build_kernel(integrator)(
        key, blackjax_hmc.HMCState(*point), target.logdensity, stages * step_size, jnp.ones(target.dimension), steps
    )
    return Point(*state), TransitionInfo(info.acceptance_rate, stages * steps, info.is_divergent)


def brief_transition(
    key: Array, point: Point, target: TransitionTarget, step_size: Scalar, iteration: Array
) -> tuple[Point, TransitionInfo]:
    """The same, none of the trajectories longer for threshold neurons."""
    return hmc_transition(key, point, target._replace(extent=jnp.ones_like(target.extent)), step_size, iteration)


@lru_cache
def hmc(settings: Settings) -> Kernel:
    """HMC with jittered trajectories, step size and preconditioner adapted."""
    return _hmc(settings, hmc_transition)


@lru_cache
def brief_hmc(settings: Settings) -> Kernel:
    """The same without the longer trajectories of threshold neurons, for samplers that move outliers in other ways."""
    return _hmc(settings, brief_transition)


def _hmc(settings: Settings, transition: Transition) -> Kernel:
    return adaptive_kernel(
        transition,
        warmup=settings.warmup,
        target_acceptance=settings.target_acceptance or _ACCEPTANCE,
        integration_time=_time,
    )._replace(gradients=usual_gradients, mixed=True)


def usual_gradients(density: Density) -> tuple[float, float]:
    """Fewest and most gradients of a trajectory, about."""
    of = _USUAL_WITH_KINKS if density.network.activation.kinked else _USUAL
    growth = (density.dimension / _OF_COORDINATES) ** 0.25
    return max(1.0, of[0] * growth), max(_MOST_OF_FEW, of[1] * growth)


def usual_gradients_of_trees(density: Density) -> tuple[float, float]:
    """The same of trajectories that grow until they turn back: on the bench two to six times as many."""
    fewest, most = usual_gradients(density)
    return 2 * fewest, 6 * most


def _time(info: Info) -> Array:
    """Of trajectories that are accepted as a whole or not at all: what they move on average."""
    return info.trajectory * info.acceptance_rate


register("hmc", hmc, default_for=("evidence", "cooling", "drift"))
