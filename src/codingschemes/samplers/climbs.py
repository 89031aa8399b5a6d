"""Where a neuron climbs to among the others: local maxima of its density, by Newton steps that are damped until they
climb."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.linalg import cho_factor, cho_solve
from jaxtyping import Array, Bool, Float, Int

from codingschemes.networks.activations import Activation
from codingschemes.posterior import Density, Scalar
from codingschemes.samplers.frame import PreactivationPrior
from codingschemes.samplers.neighbourhood import Cavity, LastLayer, cavities_of

#: A climb this close to a mode known already is over.
_SAME = 0.05
#: The most steps of a climb, those that did not climb among them: most take a dozen, with hundreds of samples some 40.
NEWTON_STEPS = 60
#: Damping of Newton steps at first, and what it is divided by after a step that climbs and multiplied by after another:
#: where the curvature is not positive definite, what is taken back too soon is taken twice.
_DAMPING, _LESS, _MORE = 8.0, 3.0, 8.0
#: What a preactivation is lifted to coordinates with, relative to the prior's mean: enough for patterns that no
#: coordinates have exactly, and next to nothing for those of a mode. A climb begins at the more probable of both.
_RIDGE, _LEAST_RIDGE = 0.1, 1e-9
#: Twice the log density that a Newton step would gain, in nats, at a maximum: closer than rounding can tell.
_NOTHING_TO_GAIN = 1e-14
_LEAST_CURVATURE = 0.05


class Starts(NamedTuple):
    """Where modes are looked for in a population.

    Attributes:
        neuron: in whose cavity.
        preactivation: z to start from, (start, sample).
        code: one bit a class, (start, class); -1 where any will do.
        found: whether there was a mode.
    """

    neuron: Int[Array, "*chains J"]
    preactivation: Float[Array, "*chains J P"]
    code: Int[Array, "*chains J G"]
    found: Bool[Array, "*chains J"]


class Reference(NamedTuple):
    """What modes are computed from, frozen: the modes themselves are functions of this and of the layers below.

    Attributes:
        activity: of the population that was searched, (neuron, sample).
        inverse: its S^{-1}, (sample, sample).
        starts: see there.
    """

    activity: Float[Array, "*chains N P"]
    inverse: Float[Array, "*chains P P"]
    starts: Starts

    def population(self, density: Density) -> LastLayer:
        """The population that was searched, as its samples see it."""
        samples = len(self.inverse)
        return LastLayer(
            coordinates=jnp.zeros((len(self.activity), 0)),
            basis=jnp.zeros((samples, 0)),
            activity=self.activity,
            inverse=self.inverse,
            field=self.inverse @ density.targets,
            log_det=-jnp.linalg.slogdet(self.inverse)[1],
        )

    def cavities(self, density: Density) -> Cavity:
        """In which modes are looked for, stacked."""
        return cavities_of(self.population(density), self.starts.neuron, density)


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


class Landscape(NamedTuple):
    """One neuron's log density among the others, as they are where its cavity is from.

    Attributes:
        cavity: what it leaves.
        inverse: S^{-1} with the neuron in it.
        density: of the whole network.
        basis: z = u basis^T, (sample, component).
    """

    cavity: Cavity
    inverse: Float[Array, "P P"]
    density: Density
    basis: Float[Array, "P R"]

    def activity(self, at: Float[Array, " R"]) -> Float[Array, " P"]:
        return self.density.network.activation(self.basis @ at)

    def height(self, at: Float[Array, " R"]) -> Scalar:
        """The log density, up to a constant."""
        activity = self.activity(at)[None]
        return self.cavity.log_likelihood(activity, activity @ self.inverse)[0] - at @ at / 2

    def derivatives(self, at: Float[Array, " R"]) -> tuple[Float[Array, " R"], Float[Array, "P P"]]:
        """The gradient, and the likelihood's Hessian with respect to preactivations."""
        activity, gain, bend = taylor(self.density.network.activation, self.basis @ at)
        slope = self.cavity.slope(activity[None], (self.inverse @ activity)[None])[0]
        hessian = gain[:, None] * self.cavity.curvature(activity, self.inverse) * gain + jnp.diag(bend * slope)
        return (gain * slope) @ self.basis - at, hessian

    def curvature(self, at: Float[Array, " R"]) -> Float[Array, "R R"]:
        """The negative Hessian of the log density."""
        _, hessian = self.derivatives(at)
        return jnp.eye(len(at)) - self.basis.T @ hessian @ self.basis


def climb(
    reference: Reference,
    density: Density,
    basis: Float[Array, "P R"],
    prior: PreactivationPrior,
    steps: int = NEWTON_STEPS,
    known: Float[Array, "M P"] | None = None,
) -> Summit:
    """Where climbing leads from each of the reference's starts; to nothing, where it comes close to an activity that is
    `known`."""

    def one(row: tuple[Float[Array, "2 R"], Cavity, Int[Array, " G"]]) -> Summit:
        starts, cavity, code = row
        landscape = Landscape(cavity, reference.inverse, density, basis)
        start = starts[jnp.argmax(jax.vmap(landscape.height)(starts))]
        return summit_from(start, landscape, prior, code, steps, known)

    size = jnp.mean(jnp.sum(basis**2, axis=1))
    starts = [_lifted(reference.starts.preactivation, basis, ridge * size) for ridge in (_RIDGE, _LEAST_RIDGE)]
    return jax.lax.map(one, (jnp.stack(starts, axis=1), reference.cavities(density), reference.starts.code))


def _lifted(preactivation: Float[Array, "K P"], basis: Float[Array, "P R"], ridge: Scalar) -> Float[Array, "K R"]:
    """Coordinates with about these preactivations: the less ridge the closer, and the longer."""
    kernel = basis @ basis.T + ridge * jnp.eye(basis.shape[0])
    return cho_solve(cho_factor(kernel), preactivation.T).T @ basis


def summit_from(
    start: Float[Array, " R"],
    landscape: Landscape,
    prior: PreactivationPrior,
    code: Int[Array, " G"],
    steps: int = NEWTON_STEPS,
    known: Float[Array, "M P"] | None = None,
) -> Summit:
    """Where climbing leads from some coordinates; `code` as in `Reference`, the rest as in `climb`."""
    density = landscape.density
    centre = maximum(start, landscape, prior, steps, known)
    activity = landscape.activity(centre)
    settled = (activity @ density.class_average > density.network.activation.midpoint).astype(int)
    right = jnp.all((settled == code) | (code < 0))
    if known is not None:
        right &= ~_is_among(activity, known)
    # not positive definite: not finite
    curvature = landscape.curvature(centre)
    least = jnp.linalg.cholesky(curvature - _LEAST_CURVATURE * jnp.eye(len(curvature)))
    return Summit(centre, activity, right & jnp.all(jnp.isfinite(least)) & jnp.all(jnp.isfinite(centre)))


def _is_among(activity: Float[Array, " P"], known: Float[Array, "K P"]) -> Bool[Array, ""]:
    """Whether an activity is next to one of those known."""
    return jnp.any(jnp.max(jnp.abs(known - activity), axis=1) < _SAME)


def maximum(
    start: Float[Array, " R"],
    landscape: Landscape,
    prior: PreactivationPrior,
    steps: int = NEWTON_STEPS,
    known: Float[Array, "K P"] | None = None,
) -> Float[Array, " R"]:
    """A local maximum, by Newton steps that are damped until they climb: none once there is nothing to gain, or where
    the activity is next to one that is `known`."""

    def climb(state: _Climb) -> _Climb:
        change = prior.newton_step(state.slope, state.hessian, state.damping)
        there = (state.slope @ change < _NOTHING_TO_GAIN) & (state.taken > 0)
        trial = state.at + change
        height = landscape.height(trial)
        # False for NaN: a matrix that is not positive definite, too
        better = (height > state.height) & ~there

        def accepted() -> _Climb:
            slope, hessian = landscape.derivatives(trial)
            return _Climb(trial, height, slope, hessian, state.damping / _LESS, state.taken + 1, there)

        def rejected() -> _Climb:
            return state._replace(damping=state.damping * _MORE, taken=state.taken + 1, there=there)

        return jax.lax.cond(better, accepted, rejected)

    start = prior.frame.seen(start)
    # the first step leads nowhere: to what is known of the start
    begin = _Climb(
        at=start,
        height=jnp.asarray(-jnp.inf, start.dtype),
        slope=jnp.zeros_like(start),
        hessian=jnp.zeros_like(prior.precision),
        damping=jnp.asarray(_DAMPING, start.dtype),
        taken=jnp.asarray(0),
        there=jnp.asarray(False),
    )

    def goes_on(state: _Climb) -> Bool[Array, ""]:
        arrived = state.there if known is None else state.there | _is_among(landscape.activity(state.at), known)
        return (state.taken <= steps) & ~arrived

    return jax.lax.while_loop(goes_on, climb, begin).at


class _Climb(NamedTuple):
    """On the way to a maximum: where it is, and the log density and its derivatives there (see `Landscape`)."""

    at: Float[Array, " R"]
    height: Scalar
    slope: Float[Array, " R"]
    hessian: Float[Array, "P P"]
    damping: Scalar
    taken: Int[Array, ""]
    there: Bool[Array, ""]


def taylor(
    activation: Activation, z: Float[Array, " P"]
) -> tuple[Float[Array, " P"], Float[Array, " P"], Float[Array, " P"]]:
    """phi, phi' and phi''."""
    ones = jnp.ones_like(z)

    def gain(z: Float[Array, " P"]) -> Float[Array, " P"]:
        return jax.jvp(activation, (z,), (ones,))[1]

    slope, bend = jax.jvp(gain, (z,), (ones,))
    return activation(z), slope, bend
