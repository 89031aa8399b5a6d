"""What gradient samplers adapt during warm-up, then freeze: a preconditioner and a step size.

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
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from blackjax.adaptation.step_size import DualAveragingAdaptationState, dual_averaging_adaptation
from jaxtyping import Array, Float, Int

from codingschemes.posterior import Position, Scalar
from codingschemes.samplers.transition import GradientTarget, Point, evaluate

_FIRST_STEP_SIZE = 0.1
_STAGES = (0.25, 0.5, 0.75)
#: A shorter warm-up keeps the scale it begins with: a few gradients of a chain's own say little about the curvature.
_LEAST_FOR_SCALE = 40
#: No step has this number.
_NEVER = -1
#: Chains are slow where they remember for so many long trajectories. Then one in so many is long: nearly all gradients.
_SLOW = 2
#: Step sizes within this factor of the median are one and the same.
_ALIKE = 2.0


#: How dual averaging starts at a step size, goes on, and which step size it ends with.
type DualAveraging = tuple[
    Callable[..., DualAveragingAdaptationState], Callable[..., DualAveragingAdaptationState], Callable[..., Scalar]
]


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
        warmup: steps that adapt. A number of the state, so that programs serve warm-ups of any length.
        stages: steps after which the scale changes.
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
    warmup: Int[Array, ""]
    stages: Int[Array, " stage"]


@dataclass(frozen=True)
class Adaptation:
    """How scale and step size adapt.

    Attributes:
        target_acceptance: acceptance rate that the step size is adapted to.
        preconditioned: False keeps the prior's own coordinates (scale 1).
    """

    target_acceptance: float
    preconditioned: bool = True

    def start(self, warmup: int, key: Array, position: Position, density: GradientTarget) -> AdaptiveState:
        """Nothing adapted yet, of a chain that will for so many steps."""
        start_averaging, _, _ = self._averaging
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
            warmup=jnp.asarray(warmup),
            stages=jnp.asarray([int(warmup * share) if warmup >= _LEAST_FOR_SCALE else _NEVER for share in _STAGES]),
        )
        # Python numbers make weakly typed arrays, which a step does not return: everything would compile twice.
        return jax.tree.map(lambda leaf: jax.lax.convert_element_type(leaf, jnp.result_type(leaf)), state)

    def adapt(self, state: AdaptiveState, acceptance_rate: Scalar) -> AdaptiveState:
        """The state of a chain that has made another step, accepted with that probability."""
        adapted = self._update(state, acceptance_rate)
        return jax.tree.map(lambda a, b: jnp.where(state.iteration < state.warmup, a, b), adapted, state)

    def _update(self, state: AdaptiveState, acceptance_rate: Scalar) -> AdaptiveState:
        start_averaging, update_averaging, averaged = self._averaging
        averaging = update_averaging(state.averaging, acceptance_rate)
        curvature = jax.tree.map(
            lambda total, gradient: total + jnp.mean(gradient**2, axis=-2, keepdims=True),
            state.curvature,
            state.point.logdensity_grad,
        )
        collected = state.collected + 1
        ends = jnp.any(state.iteration == state.stages)
        last = state.iteration == state.warmup - 1
        step_size = jnp.where(last, averaged(averaging), jnp.exp(averaging.log_step_size))

        def choose[T](fresh: T, kept: T) -> T:
            return jax.tree.map(lambda a, b: jnp.where(ends, a, b), fresh, kept)

        scale = jax.tree.map(lambda total: jnp.sqrt(collected / total), curvature)
        return state._replace(
            scale=choose(scale, state.scale) if self.preconditioned else state.scale,
            curvature=choose(jax.tree.map(jnp.zeros_like, curvature), curvature),
            collected=jnp.where(ends, 0, collected),
            averaging=choose(start_averaging(averaged(averaging)), averaging),
            step_size=step_size,
            extent=choose(extent_of(state.point.position), state.extent),
        )

    def renew(self, states: AdaptiveState, positions: Position, density: GradientTarget) -> AdaptiveState:
        """All chains at the beginning of another warm-up: with the scale that their gradients say together, and the
        step sizes that they have."""
        points = jax.vmap(evaluate, (None, 0))(density, positions)
        scale = states.scale
        if self.preconditioned:
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
                lambda fresh, old: fresh.astype(old.dtype),
                jax.vmap(self._start_averaging_at)(states.step_size),
                states.averaging,
            ),
            iteration=jnp.zeros_like(states.iteration),
        )

    def pool(self, states: AdaptiveState) -> AdaptiveState:
        """All chains with the geometric mean of what those with about the same step size have adapted."""
        averaging = jax.tree.map(
            lambda values: jnp.broadcast_to(jnp.mean(values, axis=0).astype(values.dtype), values.shape),
            states.averaging,
        )
        sizes = jnp.log(states.step_size)
        alike = jnp.abs(sizes - jnp.median(sizes)) < jnp.log(_ALIKE)

        def share(values: Float[Array, "chain *rest"]) -> Float[Array, "chain *rest"]:
            those = jnp.expand_dims(alike, tuple(range(1, values.ndim)))
            return jnp.where(those, jnp.exp(jnp.mean(jnp.log(values), axis=0, where=those)), values)

        adapting = states.iteration < states.warmup
        return states._replace(
            averaging=averaging,
            step_size=jnp.where(adapting, jnp.exp(averaging.log_step_size), share(states.step_size)),
            scale=jax.tree.map(share, states.scale),
            extent=share(states.extent),
        )

    @staticmethod
    def pace(states: AdaptiveState, memory: float) -> AdaptiveState:
        """Every other trajectory long where chains remember for several long ones."""
        usual = interval_of(states._replace(slow=jnp.zeros_like(states.slow)))
        return states._replace(slow=memory >= _SLOW * usual)

    @property
    def _averaging(self) -> DualAveraging:
        return dual_averaging_adaptation(self.target_acceptance)

    def _start_averaging_at(self, step_size: Scalar) -> DualAveragingAdaptationState:
        """Dual averaging about a step size that is about right already: blackjax's own looks for a larger one first."""
        start_averaging, _, _ = self._averaging
        return start_averaging(step_size)._replace(mu=jnp.log(step_size))


def extent_of(position: Position) -> Scalar:
    """How long neurons are beyond the prior: the root of the mean of |theta_i|^2 over a layer's neurons, less its mean
    under the prior; of the layer where it is largest, and at least 1, a coordinate's own under the prior."""
    excess = [jnp.max(jnp.mean(jnp.sum(block**2, axis=-1), axis=-1)) - block.shape[-1] for block in position.values()]
    return jnp.sqrt(jnp.maximum(1.0, jnp.max(jnp.stack(excess))))


def interval_of(state: AdaptiveState) -> Int[Array, "*chains"]:
    """One in so many trajectories may be long: as many as cost what all others do, or where chains are slow, half."""
    usual = jnp.round(state.extent)
    return jnp.where(state.slow, jnp.minimum(_SLOW, usual), usual).astype(int)
