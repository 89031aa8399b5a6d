"""Hamiltonian trajectories along approximate forces, accepted by the exact energy: those of threshold neurons with
kinks rounded off, or forces in mixed precision.

Each time a preactivation crosses zero, the slope of the density jumps, and leapfrog errs by an energy proportional to
the step, of either sign. Outliers cross at hundreds of samples within a unit of time, with large slopes: the errors add
up along the trajectory, and the step size has to fall with its length. Forces of a network whose kinks are rounded off
within a step's reach have no jumps to err at. The density they belong to differs from the exact one only by the few
preactivations near zero: an error made at the two ends of a trajectory, however long it is.

Any force that depends on the position alone leaves leapfrog reversible and volume-preserving, so that accepting by the
exact energy is exact (Neal 2011, 5.5: Hamiltonian dynamics with approximate energies). Positions and momenta stay in
double precision, so that trajectories in mixed precision are as reversible as all others.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from blackjax.mcmc import integrators
from jaxtyping import Array, Int

from codingschemes.posterior import Position, Scalar
from codingschemes.samplers.transition import DIVERGENCE, Point, TransitionInfo, standard_normal


def softened_trajectory(
    key: Array,
    point: Point,
    logdensity: Callable[[Position], Scalar],
    softened: Callable[[Position], Scalar],
    step_size: Scalar,
    steps: Int[Array, ""],
    integrator: Callable[..., Any] = integrators.velocity_verlet,
    stages: int = 1,
    *,
    at_hand: bool = False,
) -> tuple[Point, TransitionInfo]:
    """One trajectory along the forces of `softened`, accepted or rejected as a whole by `logdensity`; leapfrog, or an
    integrator of as many `stages`, each a gradient. The gradient of the point that is returned is that of `softened`;
    where forces are `at_hand` that of `point` is so already, else it is not asked for."""
    momentum_key, accept_key = jax.random.split(key)
    step = integrator(softened, _kinetic)
    momentum = standard_normal(momentum_key, point.position)
    force = point.logdensity_grad if at_hand else jax.grad(softened)(point.position)
    here = point._replace(logdensity_grad=force)
    start = integrators.IntegratorState(here.position, momentum, here.logdensity, force)
    end = jax.lax.fori_loop(0, steps, lambda _, state: step(state, step_size), start)
    there = Point(end.position, logdensity(end.position), end.logdensity_grad)
    error = (_kinetic(end.momentum) - there.logdensity) - (_kinetic(momentum) - here.logdensity)
    error = jnp.where(jnp.isnan(error), jnp.inf, error)
    rate = jnp.exp(jnp.minimum(0.0, -error))
    accepted = jax.random.uniform(accept_key) < rate
    moved = jax.tree.map(lambda new, old: jnp.where(accepted, new, old), there, here)
    return moved, TransitionInfo(rate, stages * steps + (0 if at_hand else 1), error > DIVERGENCE)


def _kinetic(momentum: Position, position: Position | None = None) -> Scalar:  # noqa: ARG001  (the integrator's form)
    return jnp.sum(jnp.stack([jnp.sum(block**2) for block in momentum.values()])) / 2
