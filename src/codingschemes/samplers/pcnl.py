"""Preconditioned Crank-Nicolson Langevin (Cotter, Roberts, Stuart & White 2013), for wide networks.

The proposal leaves the prior N(0, I) itself invariant,

    theta' = ((2 - h) theta - 2 h grad M(theta) + sqrt(8 h) xi) / (2 + h),      U = |theta|^2/2 + M,

so that its acceptance depends on the misfit M alone and does not fall as more coordinates follow the prior.
"""

from functools import lru_cache

import jax
import jax.numpy as jnp
from jaxtyping import Array

from codingschemes.posterior import Position, Scalar
from codingschemes.samplers.adaptive import adaptive_kernel
from codingschemes.samplers.kernel import Kernel, Settings, register
from codingschemes.samplers.transition import Point, TransitionInfo, TransitionTarget, standard_normal

_ACCEPTANCE = 0.574


def _misfit(point: Point) -> tuple[Scalar, Position]:
    """M and its gradient from those of the log density -|theta|^2/2 - M."""
    value = -point.logdensity - _inner(point.position, point.position) / 2
    return value, jax.tree.map(lambda theta, slope: -slope - theta, point.position, point.logdensity_grad)


def _inner(left: Position, right: Position) -> Scalar:
    return jnp.asarray(sum(jnp.sum(left[name] * right[name]) for name in left))


def _cost(point: Point, other: Point, h: Scalar) -> Scalar:
    """rho(theta, theta') of Cotter et al.: accept with exp(rho(theta, theta') - rho(theta', theta))."""
    value, gradient = _misfit(point)
    difference = jax.tree.map(jnp.subtract, other.position, point.position)
    total = jax.tree.map(jnp.add, other.position, point.position)
    return value + _inner(difference, gradient) / 2 + h / 4 * (_inner(total, gradient) + _inner(gradient, gradient))


def _transition(
    key: Array,
    point: Point,
    target: TransitionTarget,
    step_size: Scalar,
    iteration: Array,  # noqa: ARG001
) -> tuple[Point, TransitionInfo]:
    h = step_size**2 / 2
    noise_key, accept_key = jax.random.split(key)
    _, gradient = _misfit(point)
    proposed = jax.tree.map(
        lambda theta, slope, xi: ((2 - h) * theta - 2 * h * slope + jnp.sqrt(8 * h) * xi) / (2 + h),
        point.position,
        gradient,
        standard_normal(noise_key, point.position),
    )
    other = Point(proposed, *jax.value_and_grad(target.logdensity)(proposed))
    log_ratio = _cost(point, other, h) - _cost(other, point, h)
    log_ratio = jnp.where(jnp.isnan(log_ratio), -jnp.inf, log_ratio)
    accepted = jnp.log(jax.random.uniform(accept_key, dtype=log_ratio.dtype)) < log_ratio
    moved = jax.tree.map(lambda new, old: jnp.where(accepted, new, old), other, point)
    return moved, TransitionInfo.of(jnp.minimum(1.0, jnp.exp(log_ratio)), gradients=1)


@lru_cache
def pcnl(settings: Settings) -> Kernel:
    """pCNL in the prior's own coordinates, step size adapted. One gradient a step: thin it."""
    return adaptive_kernel(
        _transition,
        warmup=settings.warmup,
        target_acceptance=settings.target_acceptance or _ACCEPTANCE,
        preconditioned=False,
    )._replace(gradients=lambda density: (1.0, 1.0))  # noqa: ARG005


register("pcnl", pcnl)
