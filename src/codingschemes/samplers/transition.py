"""What all gradient samplers make steps of: transitions between points in scaled coordinates."""

from collections.abc import Callable
from typing import NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from codingschemes.networks import Network
from codingschemes.posterior import Position, Scalar

#: An energy error above this is a divergence, as in Stan and blackjax: an integrator that is stable stays far below it.
DIVERGENCE = 1000.0


@runtime_checkable
class GradientTarget(Protocol):
    """What gradient samplers ask of a `Density`, and of what stands for one."""

    @property
    def network(self) -> Network: ...

    @property
    def dimension(self) -> int: ...

    def potential(self, position: Position, /) -> Scalar: ...

    def softened_potential(self, reach: Scalar, /) -> Callable[[Position], Scalar]: ...

    @property
    def approximate_potential(self) -> Callable[[Position], Scalar] | None: ...


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
        approximate: scaled coordinates -> log density as exactly as forces along trajectories need it; None where that
            is `logdensity`.
        kinked: as in `Activation`.
        dimension: number of coordinates.
        extent: how long neurons are beyond the prior, at least 1 (`extent_of`).
        interval: one in so many trajectories may be that long.
    """

    logdensity: Callable[[Position], Scalar]
    softened: Callable[[Scalar], Callable[[Position], Scalar]] | None
    approximate: Callable[[Position], Scalar] | None
    kinked: bool
    dimension: int
    extent: Scalar
    interval: Int[Array, ""]


#: (key, point, target, step size, iteration) -> (point, outcome).
type Transition = Callable[[Array, Point, TransitionTarget, Scalar, Array], tuple[Point, TransitionInfo]]


def evaluate(density: GradientTarget, position: Position, potential: Scalar | None = None) -> Point:
    """The point at a position, in the density's own coordinates, where the potential may be known. Its gradient is as
    exact as trajectories need it."""
    if density.approximate_potential is None:
        potential, gradient = jax.value_and_grad(density.potential)(position)
    else:
        gradient = jax.grad(density.approximate_potential)(position)
        potential = density.potential(position) if potential is None else potential
    return Point(position, -potential, jax.tree.map(jnp.negative, gradient))


def standard_normal(key: Array, like: Position) -> Position:
    """Independent standard normal numbers in the layout of a position."""
    keys = jax.random.split(key, len(like))
    return {
        name: jax.random.normal(block_key, block.shape, block.dtype)
        for block_key, (name, block) in zip(keys, like.items(), strict=True)
    }
