"""Underdamped Langevin dynamics without a Metropolis test: fast, with a step-size bias that the energies show.

    d theta = v dt,    d v = -grad U dt - v dt + sqrt(2) dW,

integrated by O B A B O (Bussi & Parrinello 2007): half a step of friction and noise, half a kick, a drift, half a kick,
half a step of friction and noise. The energy that B A B fails to conserve is what a Metropolis test would have
rejected by; the step size holds exp(-error) at its target, and a trajectory that loses the energy is refused.
"""

from functools import lru_cache

import jax
import jax.numpy as jnp
from jaxtyping import Array

from codingschemes.posterior import Position, Scalar
from codingschemes.samplers.adaptive import adaptive_kernel
from codingschemes.samplers.hmc import jittered_steps, usual_gradients
from codingschemes.samplers.kernel import Info, Kernel, Settings, register
from codingschemes.samplers.transition import Point, TransitionInfo, TransitionTarget, standard_normal
from codingschemes.samplers.unadjusted import unless_diverged

_ACCEPTANCE = 0.9


def _plus(left: Position, factor: Scalar, right: Position) -> Position:
    return jax.tree.map(lambda a, b: a + factor * b, left, right)


def _kinetic(momentum: Position) -> Scalar:
    return jnp.asarray(sum(jnp.sum(block**2) for block in momentum.values())) / 2


def _transition(
    key: Array, point: Point, target: TransitionTarget, step_size: Scalar, iteration: Array
) -> tuple[Point, TransitionInfo]:
    decay = jnp.exp(-step_size / 2)
    steps = jittered_steps(iteration, step_size)

    def refresh(key: Array, momentum: Position) -> Position:
        noise = standard_normal(key, momentum)
        return jax.tree.map(lambda v, xi: decay * v + jnp.sqrt(1 - decay**2) * xi, momentum, noise)

    def body(index: Array, carry: tuple[Point, Position, Scalar, Scalar]) -> tuple[Point, Position, Scalar, Scalar]:
        point, momentum, lost, accepted = carry
        before, after = jax.random.split(jax.random.fold_in(key, index))
        momentum = refresh(before, momentum)
        energy = _kinetic(momentum) - point.logdensity
        momentum = _plus(momentum, step_size / 2, point.logdensity_grad)
        position = _plus(point.position, step_size, momentum)
        point = Point(position, *jax.value_and_grad(target.logdensity)(position))
        momentum = _plus(momentum, step_size / 2, point.logdensity_grad)
        error = _kinetic(momentum) - point.logdensity - energy
        accepted = accepted + jnp.minimum(1.0, jnp.exp(-error))
        return point, refresh(after, momentum), lost + error, accepted

    momentum = standard_normal(jax.random.fold_in(key, steps), point.position)
    zero = jnp.zeros_like(point.logdensity)
    moved, _, lost, accepted = jax.lax.fori_loop(0, steps, body, (point, momentum, zero, zero))
    return unless_diverged(moved, point, lost, acceptance_rate=accepted / steps, gradients=steps)


@lru_cache
def langevin(settings: Settings) -> Kernel:
    """Underdamped Langevin trajectories of jittered length; not exact."""
    return adaptive_kernel(
        _transition,
        warmup=settings.warmup,
        target_acceptance=settings.target_acceptance or _ACCEPTANCE,
        exact=False,
        integration_time=_time,
    )._replace(gradients=usual_gradients)


def _time(info: Info) -> Array:
    """Trajectories without a Metropolis test are refused only where they lose the energy: their acceptance says by how
    much steps miss it."""
    return info.trajectory * ~info.diverging


register("langevin", langevin)
