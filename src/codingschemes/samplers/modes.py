"""Where a single neuron can be: the modes of its density given the others, as Gaussians.

They are functions of a frozen reference (see `mode_search`) and of the layers below: with one hidden layer they are
frozen with it; above other layers they are computed again whenever those have moved.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.linalg import cho_factor, cho_solve
from jaxtyping import Array, Bool, Float, Int

from codingschemes.posterior import Density, Scalar
from codingschemes.samplers.climbs import NEWTON_STEPS, Landscape, Reference, Summit, climb, taylor
from codingschemes.samplers.frame import Frame, PreactivationPrior
from codingschemes.samplers.neighbourhood import Cavity

#: Modes are distinct when the activity at some sample differs by this much.
DISTINCT = 0.25
#: Modes kept beyond the number of codes, one a sample, as more samples are more that are hard to tell: at least, at
#: most.
_FEWEST_SPARE, _MOST_SPARE = 32, 120
#: Modes that are compared with neurons at once: operations cost by those that were found, not by the room for them.
_TOGETHER = 8
#: With up to this many classes every code is looked for; with more, those that neurons have.
ALL_CODES_UP_TO = 4
#: Newton steps above layers that have moved since the modes were found: they begin next to them.
_FOLLOWING_STEPS = 6
#: Variances relative to the largest that rounding leaves something of.
_LEAST_VARIANCE = 1e-14


class Modes(NamedTuple):
    """Gaussian approximations of a neuron's density, one a mode: seen through the frame, the covariance is axes
    diag(widths^2) axes^T.

    Attributes:
        centre: mode in whitened coordinates, (mode, component).
        axes: orthogonal, (mode, direction, axis).
        widths: standard deviations along them, (mode, axis).
        log_volume: log det of the covariance, halved.
        activity: phi at the mode, (mode, sample).
        side: the sign of z at the mode, (mode, sample).
        gain: phi' at the mode, (mode, sample).
        drift: -covariance centre, what the prior does.
        frame: see there.
        found: False for a code without a mode of its own, or a mode found before; the rest of its entries mean nothing.
    """

    centre: Float[Array, "K R"]
    axes: Float[Array, "K D D"]
    widths: Float[Array, "K D"]
    log_volume: Float[Array, " K"]
    activity: Float[Array, "K P"]
    side: Float[Array, "K P"]
    gain: Float[Array, "K P"]
    drift: Float[Array, "K R"]
    frame: Frame
    found: Bool[Array, " K"]

    def response(self, mode: Array, force: Float[Array, " P"]) -> Float[Array, " R"]:
        """What a force on phi does to u about a mode, in a Newton step: covariance basis^T diag(phi') times it."""
        axes, push = self.axes[mode], self.gain[mode] * force
        seen = axes @ (self.widths[mode] ** 2 * ((push @ self.frame.directions) @ axes))
        return self.frame.move(jnp.zeros_like(self.centre[mode]), seen)

    def images(self, inverse: Float[Array, "P P"]) -> Float[Array, "K P"]:
        """S^{-1} times the activity of each."""
        return of_found(lambda activity: activity @ inverse, self.found, self.activity)

    def carry(
        self,
        coordinates: Float[Array, " R"],
        blur: Float[Array, " P"] | None,
        start: tuple[Array, Float[Array, " R"]],
        end: tuple[Array, Float[Array, " R"]],
    ) -> tuple[Float[Array, " R"], Float[Array, " P"] | None, Scalar]:
        """Coordinates about one mode carried over to another, the auxiliary numbers after it, and by how much they have
        changed the log density; each mode with its centre here.

        What is seen is whitened by the symmetric root of the covariance, turned round at the samples that change side,
        and given the other mode's covariance. Activations of bounded neurons are symmetric about z = 0, so that
        fluctuations about a mode are skewed one way on one side and the other way on the other: reflected, what a
        Gaussian misses cancels.

        Where the frame is not complete, the reflection leads out of it. Independent standard normal numbers, `blur`,
        then take part in the move as further coordinates: orthogonal, it has volume one (see
        Andrieu, Lee & Livingstone 2020 on moves with auxiliary variables).
        """
        (one, before), (other, after) = start, end
        directions, axes = self.frame.directions, self.axes
        noise = axes[one] @ ((self.frame.project(coordinates - before) @ axes[one]) / self.widths[one])
        sign = self.side[one] * self.side[other]
        if blur is None:
            reflected, blurred, gain = (sign * (directions @ noise)) @ directions, None, jnp.zeros(())
        else:
            hidden = blur @ directions
            turned = sign * (blur + directions @ (noise - hidden))
            reflected = turned @ directions
            blurred = turned + directions @ (hidden - reflected)
            # the squared length outside the directions before, less that after
            gain = (jnp.sum(reflected**2) - jnp.sum(noise**2)) / 2
        seen = axes[other] @ (self.widths[other] * (reflected @ axes[other]))
        settled = self.frame.project(after - coordinates)
        return self.frame.move(coordinates, settled + seen), blurred, gain


def code_count(classes: int) -> int:
    """Codes that are looked for."""
    return 2 ** min(classes, ALL_CODES_UP_TO)


def mode_count(classes: int, samples: int) -> int:
    """Modes that are kept."""
    return code_count(classes) + min(max(_FEWEST_SPARE, samples), _MOST_SPARE)


def modes_from(reference: Reference, density: Density, basis: Float[Array, "P R"]) -> Modes:
    """The modes of a neuron's density under a reference, for neurons z = u basis^T; those found come first."""
    deep = density.network.depth > 1
    prior = PreactivationPrior.of(basis, orthogonal=not deep)
    summits = climb(reference, density, basis, prior, _FOLLOWING_STEPS if deep else NEWTON_STEPS)
    found = distinct(summits.activity, summits.found)
    kept = jnp.argsort(~found, stable=True)[: mode_count(reference.starts.code.shape[1], basis.shape[0])]
    rows = (summits._replace(found=found), reference.cavities(density))

    def of_summit(row: tuple[Summit, Cavity]) -> Modes:
        summit, cavity = row
        return _mode(summit, Landscape(cavity, reference.inverse, density, basis), prior.frame)

    def mode(row: tuple[Summit, Cavity]) -> Modes:
        return jax.lax.cond(row[0].found, of_summit, nothing, row)

    def nothing(row: tuple[Summit, Cavity]) -> Modes:
        return jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), jax.eval_shape(of_summit, row))

    return jax.lax.map(mode, jax.tree.map(lambda entries: entries[kept], rows))._replace(frame=prior.frame)


def of_found(of_modes: Callable[..., Array], found: Bool[Array, " K"], *rows: Array) -> Array:
    """A function of some modes, one row of its result a mode, at those found; other rows mean nothing.

    Args:
        of_modes: takes as many entries of each of the rows as there are modes together.
        found: of all modes.
        rows: (mode, ...).
    """
    size = min(_TOGETHER, len(found))
    taken = jax.eval_shape(of_modes, *(jax.ShapeDtypeStruct((size, *row.shape[1:]), row.dtype) for row in rows))
    last = jnp.max(jnp.where(found, jnp.arange(1, len(found) + 1), 0))

    def some(index: Array, result: Array) -> Array:
        here = [jax.lax.dynamic_slice_in_dim(row, index * size, size) for row in rows]
        return jax.lax.dynamic_update_slice_in_dim(result, of_modes(*here), index * size, 0)

    nothing = jnp.zeros((len(found), *taken.shape[1:]), taken.dtype)
    return jax.lax.fori_loop(0, -(-last // size), some, nothing)


def mode_of(activity: Float[Array, " P"], modes: Modes) -> Int[Array, ""]:
    """The nearest mode found. (Squares are not taken of differences: those of many neurons would need room.)"""

    def distance(own: Float[Array, "M P"]) -> Float[Array, " M"]:
        return jnp.sum(own**2, axis=1) / 2 - own @ activity

    return jnp.argmin(jnp.where(modes.found, of_found(distance, modes.found, modes.activity), jnp.inf))


def distinct(activity: Float[Array, "K P"], found: Bool[Array, " K"]) -> Bool[Array, " K"]:
    """Which of the modes found differ from all before them."""
    gaps = jnp.max(jnp.abs(activity[:, None] - activity), axis=2)

    def is_new(found: Bool[Array, " K"], index: Array) -> tuple[Bool[Array, " K"], None]:
        known = found & (jnp.arange(len(found)) < index)
        return found.at[index].set(found[index] & ~jnp.any(known & (gaps[index] < DISTINCT))), None

    return jax.lax.scan(is_new, found, jnp.arange(len(gaps)))[0]


def _mode(summit: Summit, landscape: Landscape, frame: Frame) -> Modes:
    """The mode at a summit, its frame left out."""
    curvature = landscape.curvature(summit.centre)
    covariance = cho_solve(cho_factor(curvature), jnp.eye(len(summit.centre)))
    seen = frame.project(frame.project(covariance).T)
    squares, axes = jnp.linalg.eigh((seen + seen.T) / 2)
    widths = jnp.sqrt(jnp.maximum(squares, _LEAST_VARIANCE * squares[-1]))
    preactivation = landscape.basis @ summit.centre
    _, gain, _ = taylor(landscape.density.network.activation, preactivation)
    return Modes(
        centre=summit.centre,
        axes=axes,
        widths=widths,
        log_volume=jnp.sum(jnp.log(widths)) - jnp.sum(jnp.log(frame.lengths)),
        activity=summit.activity,
        side=jnp.where(preactivation > 0, 1.0, -1.0),
        gain=gain,
        drift=-covariance @ summit.centre,
        frame=Frame(jnp.zeros(()), jnp.zeros(()), None),
        found=summit.found,
    )
