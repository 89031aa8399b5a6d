"""Where a single neuron can be: the modes of its density given the others, as Gaussians.

They are functions of a frozen reference (see `mode_search`) and of the layers below: with one hidden layer they are
frozen with it; above other layers they are computed again whenever those have moved.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.linalg import cho_factor, cho_solve
from jaxtyping import Array, Bool, Float, Int

from codingschemes.networks.activations import Activation
from codingschemes.posterior import Density, Scalar
from codingschemes.samplers.neighbourhood import Cavity

#: Modes are distinct when the activity at some sample differs by this much.
DISTINCT = 0.25
#: A climb this close to a mode known already is over.
_SAME = 0.05
#: Modes kept beyond the number of codes.
_SPARE = 4
#: With up to this many classes every code is looked for; with more, those that neurons have.
ALL_CODES_UP_TO = 4
_NEWTON_STEPS = 20
#: Newton steps above layers that have moved since the modes were found: they begin next to them.
_FOLLOWING_STEPS = 6
#: What a preactivation is lifted to coordinates with, relative to the prior's mean: enough for patterns that no
#: coordinates have exactly, and next to nothing for those of a mode. A climb begins at the more probable of both.
_RIDGE, _LEAST_RIDGE = 0.1, 1e-9
#: Twice the log density that a Newton step would gain, in nats, at a maximum: closer than rounding can tell.
_NOTHING_TO_GAIN = 1e-14
_LEAST_CURVATURE = 0.05
#: Lengths of a basis relative to the largest, and variances relative to the largest, that rounding leaves something of.
_LEAST_LENGTH = 1e-5
_LEAST_VARIANCE = 1e-14


class Frame(NamedTuple):
    """The basis, z = u basis^T, taken apart: directions diag(lengths) turn^T.

    Attributes:
        directions: orthonormal columns, (sample, direction).
        lengths: of the basis along them; those next to nothing are raised, as any will do where nothing can be seen.
        turn: orthonormal columns, (component, direction); None where it would be the identity.
    """

    directions: Float[Array, "P D"]
    lengths: Float[Array, " D"]
    turn: Float[Array, "R D"] | None

    @classmethod
    def of(cls, basis: Float[Array, "P R"], *, orthogonal: bool) -> "Frame":
        """The frame of a basis, and whether its columns are orthogonal already."""
        if orthogonal:
            lengths = jnp.linalg.norm(basis, axis=0)
            return cls(basis / lengths, jnp.maximum(lengths, _LEAST_LENGTH * jnp.max(lengths)), None)
        directions, lengths, turn = jnp.linalg.svd(basis, full_matrices=False)
        return cls(directions, jnp.maximum(lengths, _LEAST_LENGTH * lengths[0]), turn.T)

    @property
    def complete(self) -> bool:
        """Whether the directions span all samples."""
        return self.directions.shape[0] == self.directions.shape[1]

    def project(self, coordinates: Float[Array, "*K R"]) -> Float[Array, "*K D"]:
        """Coordinates as preactivations along the directions."""
        return (coordinates if self.turn is None else coordinates @ self.turn) * self.lengths

    def move(self, coordinates: Float[Array, " R"], seen: Float[Array, " D"]) -> Float[Array, " R"]:
        """Coordinates changed by what is `seen` to change."""
        change = seen / self.lengths
        return coordinates + (change if self.turn is None else self.turn @ change)


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
        response: covariance L^T diag(phi'), what a force on phi does to u in a Newton step, (mode, component, sample).
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
    response: Float[Array, "K R P"]
    drift: Float[Array, "K R"]
    frame: Frame
    found: Bool[Array, " K"]

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


class Reference(NamedTuple):
    """What modes are computed from, frozen: the modes themselves are functions of this and of the layers below.

    Attributes:
        activity: of the population that was searched, (neuron, sample).
        inverse: its S^{-1}, (sample, sample).
        cavities: the cavity that each mode was looked for in, stacked.
        preactivation: z to start from, (mode, sample).
        code: one bit a class, (mode, class); -1 where any will do.
    """

    activity: Float[Array, "N P"]
    inverse: Float[Array, "P P"]
    cavities: Cavity
    preactivation: Float[Array, "K P"]
    code: Int[Array, "K G"]


def code_count(classes: int) -> int:
    """Codes that are looked for."""
    return 2 ** min(classes, ALL_CODES_UP_TO)


def mode_count(classes: int) -> int:
    """Modes that are kept."""
    return code_count(classes) + _SPARE


def modes_from(reference: Reference, density: Density, basis: Float[Array, "P R"]) -> Modes:
    """The modes of a neuron's density under a reference, for neurons z = u basis^T; those found come first."""
    deep = density.network.depth > 1
    summits = climb(reference, density, basis, _FOLLOWING_STEPS if deep else _NEWTON_STEPS)
    found = distinct(summits.activity, summits.found)
    kept = jnp.argsort(~found, stable=True)[: mode_count(reference.code.shape[1])]
    frame = Frame.of(basis, orthogonal=not deep)
    summits = jax.tree.map(lambda entries: entries[kept], summits._replace(found=found))
    cavities = jax.tree.map(lambda entries: entries[kept], reference.cavities)

    def mode(row: tuple[Summit, Cavity]) -> Modes:
        return _mode(*row, reference.inverse, density, basis, frame)

    return jax.lax.map(mode, (summits, cavities))._replace(frame=frame)


def mode_of(activity: Float[Array, " P"], modes: Modes) -> Int[Array, ""]:
    """The nearest mode found."""
    distance = jnp.sum((modes.activity - activity) ** 2, axis=1)
    return jnp.argmin(jnp.where(modes.found, distance, jnp.inf))


def distinct(activity: Float[Array, "K P"], found: Bool[Array, " K"]) -> Bool[Array, " K"]:
    """Which of the modes found differ from all before them."""
    gaps = jnp.max(jnp.abs(activity[:, None] - activity), axis=2)

    def is_new(found: Bool[Array, " K"], index: Array) -> tuple[Bool[Array, " K"], None]:
        known = found & (jnp.arange(len(found)) < index)
        return found.at[index].set(found[index] & ~jnp.any(known & (gaps[index] < DISTINCT))), None

    return jax.lax.scan(is_new, found, jnp.arange(len(gaps)))[0]


class Summit(NamedTuple):
    """Where climbing leads.

    Attributes:
        centre: in whitened coordinates.
        activity: phi there.
        found: whether it is a maximum, of the code that was looked for.
    """

    centre: Float[Array, "*K R"]
    activity: Float[Array, "*K P"]
    found: Bool[Array, "*K"]


def climb(
    reference: Reference,
    density: Density,
    basis: Float[Array, "P R"],
    steps: int = _NEWTON_STEPS,
    known: Float[Array, "M P"] | None = None,
) -> Summit:
    """Where climbing leads from each of the reference's preactivations; to nothing, where it comes close to an activity
    that is `known`."""

    def one(row: tuple[Float[Array, "2 R"], Cavity, Int[Array, " G"]]) -> Summit:
        starts, cavity, code = row
        heights = jax.vmap(lambda at: _height(at, cavity, reference.inverse, density, basis))(starts)
        start = starts[jnp.argmax(heights)]
        return summit_from(start, cavity, code, reference.inverse, density, basis, steps, known)

    size = jnp.mean(jnp.sum(basis**2, axis=1))
    starts = [_lifted(reference.preactivation, basis, ridge * size) for ridge in (_RIDGE, _LEAST_RIDGE)]
    return jax.lax.map(one, (jnp.stack(starts, axis=1), reference.cavities, reference.code))


def _lifted(preactivation: Float[Array, "K P"], basis: Float[Array, "P R"], ridge: Scalar) -> Float[Array, "K R"]:
    """Coordinates with about these preactivations: the less ridge the closer, and the longer."""
    kernel = basis @ basis.T + ridge * jnp.eye(basis.shape[0])
    return cho_solve(cho_factor(kernel), preactivation.T).T @ basis


def summit_from(
    start: Float[Array, " R"],
    cavity: Cavity,
    code: Int[Array, " G"],
    inverse: Float[Array, "P P"],
    density: Density,
    basis: Float[Array, "P R"],
    steps: int = _NEWTON_STEPS,
    known: Float[Array, "M P"] | None = None,
) -> Summit:
    """Where climbing leads from some coordinates; `code` as in `Reference`, the rest as in `climb`."""
    activation = density.network.activation
    centre, curvature = maximum(start, cavity, inverse, density, basis, steps, known)
    activity = activation(basis @ centre)
    settled = (activity @ density.class_average > activation.midpoint).astype(int)
    right = jnp.all((settled == code) | (code < 0))
    if known is not None:
        right &= ~_is_among(activity, known)
    # not positive definite: not finite
    least = jnp.linalg.cholesky(curvature - _LEAST_CURVATURE * jnp.eye(len(curvature)))
    return Summit(centre, activity, right & jnp.all(jnp.isfinite(least)) & jnp.all(jnp.isfinite(centre)))


def _is_among(activity: Float[Array, " P"], known: Float[Array, "K P"]) -> Bool[Array, ""]:
    """Whether an activity is next to one of those known."""
    return jnp.any(jnp.max(jnp.abs(known - activity), axis=1) < _SAME)


def _mode(
    summit: Summit,
    cavity: Cavity,
    inverse: Float[Array, "P P"],
    density: Density,
    basis: Float[Array, "P R"],
    frame: Frame,
) -> Modes:
    """The mode at a summit, its frame left out."""
    identity = jnp.eye(basis.shape[1])
    _, curvature = _derivatives(summit.centre, cavity, inverse, density, basis)
    covariance = cho_solve(cho_factor(jnp.where(summit.found, curvature, identity)), identity)
    seen = frame.project(frame.project(covariance).T)
    squares, axes = jnp.linalg.eigh((seen + seen.T) / 2)
    widths = jnp.sqrt(jnp.maximum(squares, _LEAST_VARIANCE * squares[-1]))
    preactivation = basis @ summit.centre
    _, gain, _ = _taylor(density.network.activation, preactivation)
    return Modes(
        centre=summit.centre,
        axes=axes,
        widths=widths,
        log_volume=jnp.sum(jnp.log(widths)) - jnp.sum(jnp.log(frame.lengths)),
        activity=summit.activity,
        side=jnp.where(preactivation > 0, 1.0, -1.0),
        response=covariance @ (basis.T * gain),
        drift=-covariance @ summit.centre,
        frame=Frame(jnp.zeros(()), jnp.zeros(()), None),
        found=summit.found,
    )


def _derivatives(
    at: Float[Array, " R"],
    cavity: Cavity,
    inverse: Float[Array, "P P"],
    density: Density,
    basis: Float[Array, "P R"],
) -> tuple[Float[Array, " R"], Float[Array, "R R"]]:
    """The gradient of the neuron's log density, and the negative Hessian."""
    activity, gain, bend = _taylor(density.network.activation, basis @ at)
    slope = cavity.slope(activity[None], (inverse @ activity)[None])[0]
    inner = gain[:, None] * cavity.curvature(activity, inverse) * gain + jnp.diag(bend * slope)
    return (gain * slope) @ basis - at, jnp.eye(len(at)) - basis.T @ inner @ basis


def maximum(
    start: Float[Array, " R"],
    cavity: Cavity,
    inverse: Float[Array, "P P"],
    density: Density,
    basis: Float[Array, "P R"],
    steps: int = _NEWTON_STEPS,
    known: Float[Array, "K P"] | None = None,
) -> tuple[Float[Array, " R"], Float[Array, "R R"]]:
    """A local maximum of the neuron's log density and the negative Hessian there, by Newton steps that are damped
    until they climb: none once there is nothing to gain, or where the activity is next to one that is `known`."""
    activation = density.network.activation
    identity = jnp.eye(basis.shape[1])

    def climb(state: _Climb) -> _Climb:
        change = cho_solve(cho_factor(state.curvature + state.damping * identity), state.slope)
        there = (state.slope @ change < _NOTHING_TO_GAIN) & (state.taken > 0)
        trial = state.at + change
        height = _height(trial, cavity, inverse, density, basis)
        # False for NaN: a matrix that is not positive definite, too
        better = (height > state.height) & ~there

        def accepted() -> _Climb:
            slope, curvature = _derivatives(trial, cavity, inverse, density, basis)
            return _Climb(trial, height, slope, curvature, state.damping / 8, state.taken + 1, there)

        def rejected() -> _Climb:
            return state._replace(damping=state.damping * 8, taken=state.taken + 1, there=there)

        return jax.lax.cond(better, accepted, rejected)

    # the first step leads nowhere: to what is known of the start
    begin = _Climb(
        at=start,
        height=jnp.asarray(-jnp.inf, start.dtype),
        slope=jnp.zeros_like(start),
        curvature=identity,
        damping=jnp.asarray(8.0, start.dtype),
        taken=jnp.asarray(0),
        there=jnp.asarray(False),
    )

    def goes_on(state: _Climb) -> Bool[Array, ""]:
        arrived = state.there if known is None else state.there | _is_among(activation(basis @ state.at), known)
        return (state.taken <= steps) & ~arrived

    end = jax.lax.while_loop(goes_on, climb, begin)
    return end.at, end.curvature


def _height(
    at: Float[Array, " R"],
    cavity: Cavity,
    inverse: Float[Array, "P P"],
    density: Density,
    basis: Float[Array, "P R"],
) -> Scalar:
    """The neuron's log density, up to a constant."""
    activity = density.network.activation(basis @ at)[None]
    return cavity.log_likelihood(activity, activity @ inverse)[0] - at @ at / 2


class _Climb(NamedTuple):
    """On the way to a maximum: where it is, and the log density, its gradient and its negative Hessian there."""

    at: Float[Array, " R"]
    height: Scalar
    slope: Float[Array, " R"]
    curvature: Float[Array, "R R"]
    damping: Scalar
    taken: Int[Array, ""]
    there: Bool[Array, ""]


def _taylor(
    activation: Activation, z: Float[Array, " P"]
) -> tuple[Float[Array, " P"], Float[Array, " P"], Float[Array, " P"]]:
    """phi, phi' and phi''."""
    ones = jnp.ones_like(z)

    def gain(z: Float[Array, " P"]) -> Float[Array, " P"]:
        return jax.jvp(activation, (z,), (ones,))[1]

    slope, bend = jax.jvp(gain, (z,), (ones,))
    return activation(z), slope, bend
