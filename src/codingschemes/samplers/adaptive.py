"""What all gradient samplers share: a kernel from a transition, in coordinates that are scaled to unit curvature.

The scale and the step size are adapted during warm-up, then frozen (`adaptation`).
"""

from collections.abc import Callable
from functools import lru_cache, partial

import jax
import jax.numpy as jnp
from jaxtyping import Array

from codingschemes.posterior import Position, Scalar
from codingschemes.samplers.adaptation import Adaptation, AdaptiveState, interval_of
from codingschemes.samplers.kernel import Info, Kernel
from codingschemes.samplers.transition import GradientTarget, Point, Transition, TransitionTarget, evaluate


def adaptive_kernel(
    transition: Transition,
    *,
    warmup: int,
    target_acceptance: float,
    preconditioned: bool = True,
    exact: bool = True,
    longest_tree: int | None = None,
    integration_time: Callable[[Info], Array] | None = None,
) -> Kernel:
    """A kernel from a transition in scaled coordinates.

    Args:
        transition: leaves exp(log density) invariant, reversibly (or nearly so, where not `exact`), at any step size.
        warmup: steps that adapt.
        target_acceptance, preconditioned: as in `Adaptation`.
        exact, longest_tree, integration_time: as in `Kernel`.
    """
    adaptation, step = _parts(transition, target_acceptance, preconditioned)
    return Kernel(
        partial(adaptation.start, warmup),
        step,
        _position,
        _move,
        warmup,
        exact,
        target_acceptance,
        pool=adaptation.pool,
        pace=adaptation.pace,
        renew=adaptation.renew,
        reversible=exact,
        longest_tree=longest_tree,
        integration_time=integration_time,
    )


@lru_cache
def _parts(
    transition: Transition, target_acceptance: float, preconditioned: bool
) -> tuple[Adaptation, Callable[[AdaptiveState, GradientTarget], tuple[AdaptiveState, Info]]]:
    """How the state adapts, and a step: the same functions for warm-ups of any length, so that nothing is compiled
    twice."""
    adaptation = Adaptation(target_acceptance, preconditioned)

    def step(state: AdaptiveState, density: GradientTarget) -> tuple[AdaptiveState, Info]:
        key, step_key = jax.random.split(state.key)
        start, target = _to_scaled(state.point, state.scale), _target(state, density)
        moved, outcome = transition(step_key, start, target, state.step_size, state.iteration)
        point = _from_scaled(moved, state.scale)
        state = adaptation.adapt(state._replace(key=key, point=point), outcome.acceptance_rate)
        info = Info(
            potential=-point.logdensity,
            acceptance_rate=outcome.acceptance_rate,
            gradients=outcome.gradients,
            diverging=outcome.diverging,
            step_size=state.step_size,
        )
        return state._replace(iteration=state.iteration + 1), info

    return adaptation, step


def _position(state: AdaptiveState) -> Position:
    return state.point.position


def _move(state: AdaptiveState, position: Position, density: GradientTarget) -> AdaptiveState:
    return state._replace(point=evaluate(density, position))


def _target(state: AdaptiveState, density: GradientTarget) -> TransitionTarget:
    """The density in a chain's scaled coordinates."""

    def logdensity(scaled: Position) -> Scalar:
        return -density.potential(_times(scaled, state.scale))

    def softened(reach: Scalar) -> Callable[[Position], Scalar]:
        potential = density.softened_potential(reach)
        return lambda scaled: -potential(_times(scaled, state.scale))

    approximate_potential = density.approximate_potential

    def approximate(scaled: Position) -> Scalar:
        assert approximate_potential is not None
        return -approximate_potential(_times(scaled, state.scale))

    activation = density.network.activation
    rounded = softened if activation.softens else None
    return TransitionTarget(
        logdensity,
        rounded,
        None if approximate_potential is None else approximate,
        activation.kinked,
        density.dimension,
        state.extent,
        interval_of(state),
    )


def _to_scaled(point: Point, scale: Position) -> Point:
    """A point in scaled coordinates."""
    return Point(_over(point.position, scale), point.logdensity, _times(point.logdensity_grad, scale))


def _from_scaled(point: Point, scale: Position) -> Point:
    """A point of scaled coordinates in the density's own."""
    return Point(_times(point.position, scale), point.logdensity, _over(point.logdensity_grad, scale))


def _times(position: Position, scale: Position) -> Position:
    return jax.tree.map(jnp.multiply, position, scale)


def _over(position: Position, scale: Position) -> Position:
    return jax.tree.map(jnp.divide, position, scale)
