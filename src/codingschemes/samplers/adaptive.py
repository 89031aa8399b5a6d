"""What all gradient samplers share: a preconditioner and a step size, adapted during warm-up, then frozen.

Preconditioning. The coordinates are standard normal under the prior; the posterior's own curvature enters through the
Fisher identity E[g_r^2] = E[d^2 U/dtheta_r^2] (g the gradient of U), averaged over neurons, which are exchangeable:

    scale_r = E[g_r^2]^{-1/2}.

It is an average of local curvatures, so that jumps between distant modes do not widen it, as they would a covariance.
Samplers see theta / scale, in which every direction has about unit curvature.

Neurons that carry an output are longer than under the prior (`extent_of`), and so are the directions in which they can
give way to each other: that is kept for samplers whose trajectories can follow them.

The step size follows the acceptance rate by dual averaging (Hoffman & Gelman 2014), started again whenever the scale
changes, at a quarter, half and three quarters of the warm-up. After it chains take the geometric mean of their step
sizes and of their scales: they differ by chance alone, and chains that step together wait for the one with the smallest
steps. A chain that needs much smaller or larger steps than most keeps its own of both, as it is somewhere else.

On the way down from high temperature warm-ups are short, one a temperature, and chains learn together: each begins with
the scale that the gradients of all chains say at once, and with the step size before (which in scaled coordinates
hardly depends on the temperature); dual averaging then follows their mean acceptance.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from blackjax.adaptation.step_size import DualAveragingAdaptationState, dual_averaging_adaptation
from jaxtyping import Array, Float, Int

from codingschemes.posterior import Density, Position, Scalar
from codingschemes.samplers.kernel import Info, Kernel

_FIRST_STEP_SIZE = 0.1
_STAGES = (0.25, 0.5, 0.75)
#: A shorter warm-up keeps the scale it begins with: a few gradients of a chain's own say little about the curvature.
_LEAST_FOR_SCALE = 40
#: Chains are slow where they remember for so many long trajectories. Then one in so many is long: nearly all gradients.
_SLOW = 2
#: Step sizes within this factor of the median are one and the same.
_ALIKE = 2.0


class Point(NamedTuple):
    """A position with its log density and gradient, in scaled coordinates (the layout of blackjax's states)."""

    position: Position
    logdensity: Scalar
    logdensity_grad: Position


class TransitionInfo(NamedTuple):
    """What a transition tells: as in `Info`."""

    acceptance_rate: Scalar
    gradients: Int[Array, ""]
    diverging: Array

    @classmethod
    def of(cls, acceptance_rate: Scalar, *, gradients: int) -> "TransitionInfo":
        """The outcome of a single proposal: diverging where it can only be rejected."""
        return cls(acceptance_rate, jnp.asarray(gradients), acceptance_rate < 1e-300)


class TransitionTarget(NamedTuple):
    """What a transition samples.

    Attributes:
        logdensity: scaled coordinates -> log density.
        softened: reach -> (scaled coordinates -> log density of the network whose kinks are rounded off within
            `reach`, in units of the prior's preactivations, as exactly as forces need it); None where there is no kink,
            or none that can be.
        kinked: as in `Activation`.
        dimension: number of coordinates.
        extent: how long neurons are beyond the prior, at least 1 (`extent_of`).
        interval: one in so many trajectories may be that long.
    """

    logdensity: Callable[[Position], Scalar]
    softened: Callable[[Scalar], Callable[[Position], Scalar]] | None
    kinked: bool
    dimension: int
    extent: Scalar
    interval: Int[Array, ""]


#: (key, point, target, step size, iteration) -> (point, outcome).
type Transition = Callable[[Array, Point, TransitionTarget, Scalar, Array], tuple[Point, TransitionInfo]]


class AdaptiveState(NamedTuple):
    """State of an adaptive gradient kernel.

    Attributes:
        key: randomness of the next step.
        point: position, log density and gradient in the density's own coordinates.
        scale: the preconditioner: one number a component and block, the same for all neurons.
        curvature: sum of squared gradients since the scale last changed, averaged over neurons.
        collected: number of terms in `curvature`.
        averaging: dual averaging of the step size.
        step_size: in use now.
        extent: `extent_of` the position where the scale last changed.
        slow: whether chains remember so long that long trajectories are what they need.
        iteration: steps taken.
    """

    key: Array
    point: Point
    scale: Position
    curvature: Position
    collected: Int[Array, ""]
    averaging: DualAveragingAdaptationState
    step_size: Scalar
    extent: Scalar
    slow: Array
    iteration: Int[Array, ""]


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
        warmup: steps during which scale and step size adapt.
        target_acceptance: acceptance rate that the step size is adapted to.
        preconditioned: False keeps the prior's own coordinates (scale 1).
        exact, longest_tree, integration_time: as in `Kernel`.
    """
    start_averaging, update_averaging, averaged = dual_averaging_adaptation(target_acceptance)
    stages = jnp.asarray([int(warmup * share) for share in _STAGES if warmup >= _LEAST_FOR_SCALE], int)

    def start_at(step_size: Scalar) -> DualAveragingAdaptationState:
        """Dual averaging about a step size that is about right already: blackjax's own looks for a larger one first."""
        return start_averaging(step_size)._replace(mu=jnp.log(step_size))

    def init(key: Array, position: Position, density: Density) -> AdaptiveState:
        blank = {name: jnp.zeros((*block.shape[:-2], 1, block.shape[-1])) for name, block in position.items()}
        state = AdaptiveState(
            key=key,
            point=evaluate(density, position),
            scale=jax.tree.map(jnp.ones_like, blank),
            curvature=blank,
            collected=jnp.asarray(0),
            averaging=start_averaging(_FIRST_STEP_SIZE),
            step_size=jnp.asarray(_FIRST_STEP_SIZE),
            extent=extent_of(position),
            slow=jnp.asarray(False),
            iteration=jnp.asarray(0),
        )
        # Python numbers make weakly typed arrays, which `step` does not return: everything would compile twice.
        return jax.tree.map(lambda leaf: jax.lax.convert_element_type(leaf, jnp.result_type(leaf)), state)

    def adapt(state: AdaptiveState, acceptance_rate: Scalar) -> AdaptiveState:
        averaging = update_averaging(state.averaging, acceptance_rate)
        curvature = jax.tree.map(
            lambda total, gradient: total + jnp.mean(gradient**2, axis=-2, keepdims=True),
            state.curvature,
            state.point.logdensity_grad,
        )
        collected = state.collected + 1
        ends = jnp.any(state.iteration == stages)
        step_size = jnp.where(state.iteration == warmup - 1, averaged(averaging), jnp.exp(averaging.log_step_size))

        def choose[T](fresh: T, kept: T) -> T:
            return jax.tree.map(lambda a, b: jnp.where(ends, a, b), fresh, kept)

        scale = jax.tree.map(lambda total: jnp.sqrt(collected / total), curvature)
        return state._replace(
            scale=choose(scale, state.scale) if preconditioned else state.scale,
            curvature=choose(jax.tree.map(jnp.zeros_like, curvature), curvature),
            collected=jnp.where(ends, 0, collected),
            averaging=choose(start_averaging(averaged(averaging)), averaging),
            step_size=step_size,
            extent=choose(extent_of(state.point.position), state.extent),
        )

    def step(state: AdaptiveState, density: Density) -> tuple[AdaptiveState, Info]:
        key, step_key = jax.random.split(state.key)

        def logdensity(scaled: Position) -> Scalar:
            return -density.potential(_times(scaled, state.scale))

        def softened(reach: Scalar) -> Callable[[Position], Scalar]:
            potential = density.softened_potential(reach)
            return lambda scaled: -potential(_times(scaled, state.scale))

        scaled = Point(
            jax.tree.map(jnp.divide, state.point.position, state.scale),
            state.point.logdensity,
            _times(state.point.logdensity_grad, state.scale),
        )
        activation = density.network.activation
        rounded = softened if activation.kinked and activation.family == "threshold" else None
        target = TransitionTarget(
            logdensity, rounded, activation.kinked, density.dimension, state.extent, interval_of(state)
        )
        moved, outcome = transition(step_key, scaled, target, state.step_size, state.iteration)
        point = Point(
            _times(moved.position, state.scale),
            moved.logdensity,
            jax.tree.map(jnp.divide, moved.logdensity_grad, state.scale),
        )
        state = state._replace(key=key, point=point)
        if warmup:
            adapted = adapt(state, outcome.acceptance_rate)
            state = jax.tree.map(lambda a, b: jnp.where(state.iteration < warmup, a, b), adapted, state)
        info = Info(
            potential=-point.logdensity,
            acceptance_rate=outcome.acceptance_rate,
            gradients=outcome.gradients,
            diverging=outcome.diverging,
            step_size=state.step_size,
        )
        return state._replace(iteration=state.iteration + 1), info

    def move(state: AdaptiveState, position: Position, density: Density) -> AdaptiveState:
        return state._replace(point=evaluate(density, position))

    def renew(states: AdaptiveState, positions: Position, density: Density) -> AdaptiveState:
        points = jax.vmap(evaluate, (None, 0))(density, positions)
        scale = states.scale
        if preconditioned:
            squares = jax.tree.map(
                lambda gradient: jnp.mean(gradient**2, axis=-2, keepdims=True), points.logdensity_grad
            )
            together = jax.tree.map(lambda each: jnp.mean(each, axis=0, keepdims=True), squares)
            scale = jax.tree.map(lambda each, old: jnp.broadcast_to(each**-0.5, old.shape), together, scale)
        return states._replace(
            point=points,
            scale=scale,
            curvature=jax.tree.map(jnp.zeros_like, states.curvature),
            collected=jnp.zeros_like(states.collected),
            extent=jnp.broadcast_to(jnp.mean(jax.vmap(extent_of)(positions)), states.extent.shape),
            averaging=jax.tree.map(
                lambda fresh, old: fresh.astype(old.dtype), jax.vmap(start_at)(states.step_size), states.averaging
            ),
            iteration=jnp.zeros_like(states.iteration),
        )

    def pool(states: AdaptiveState) -> AdaptiveState:
        averaging = jax.tree.map(
            lambda values: jnp.broadcast_to(jnp.mean(values, axis=0).astype(values.dtype), values.shape),
            states.averaging,
        )
        sizes = jnp.log(states.step_size)
        alike = jnp.abs(sizes - jnp.median(sizes)) < jnp.log(_ALIKE)

        def shared(values: Float[Array, "chain *rest"]) -> Float[Array, "chain *rest"]:
            those = jnp.expand_dims(alike, tuple(range(1, values.ndim)))
            return jnp.where(those, jnp.exp(jnp.mean(jnp.log(values), axis=0, where=those)), values)

        adapting = states.iteration < warmup
        return states._replace(
            averaging=averaging,
            step_size=jnp.where(adapting, jnp.exp(averaging.log_step_size), shared(states.step_size)),
            scale=jax.tree.map(shared, states.scale),
            extent=shared(states.extent),
        )

    def pace(states: AdaptiveState, memory: float) -> AdaptiveState:
        usual = interval_of(states._replace(slow=jnp.zeros_like(states.slow)))
        return states._replace(slow=memory >= _SLOW * usual)

    return Kernel(
        init,
        step,
        lambda state: state.point.position,
        move,
        warmup,
        exact,
        target_acceptance,
        pool=pool,
        pace=pace,
        renew=renew,
        reversible=exact,
        longest_tree=longest_tree,
        integration_time=integration_time,
    )


def extent_of(position: Position) -> Scalar:
    """How long neurons are beyond the prior: the root of the mean of |theta_i|^2 over a layer's neurons, less its mean
    under the prior; of the layer where it is largest, and at least 1, a coordinate's own under the prior."""
    excess = [jnp.max(jnp.mean(jnp.sum(block**2, axis=-1), axis=-1)) - block.shape[-1] for block in position.values()]
    return jnp.sqrt(jnp.maximum(1.0, jnp.max(jnp.stack(excess))))


def interval_of(state: AdaptiveState) -> Int[Array, "*chains"]:
    """One in so many trajectories may be long: as many as cost what all others do, or where chains are slow, half."""
    usual = jnp.round(state.extent)
    return jnp.where(state.slow, jnp.minimum(_SLOW, usual), usual).astype(int)


def evaluate(density: Density, position: Position) -> Point:
    """The point at a position, in the density's own coordinates."""
    potential, gradient = jax.value_and_grad(density.potential)(position)
    return Point(position, -potential, jax.tree.map(jnp.negative, gradient))


def standard_normal(key: Array, like: Position) -> Position:
    """Independent standard normal numbers in the layout of a position."""
    keys = jax.random.split(key, len(like))
    return {
        name: jax.random.normal(block_key, block.shape, block.dtype)
        for block_key, (name, block) in zip(keys, like.items(), strict=True)
    }


def _times(position: Position, scale: Position) -> Position:
    return jax.tree.map(jnp.multiply, position, scale)
