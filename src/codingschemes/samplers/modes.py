"""Where a single neuron can be: the modes of its density given the others, as Gaussians.

They are functions of a frozen reference (see `mode_search`) and of the layers below: with one hidden layer they are
frozen with it; above other layers they are computed again whenever those have moved.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import cho_factor, cho_solve
from jaxtyping import Array, Bool, Float, Int

from codingschemes.networks.activations import Activation
from codingschemes.posterior import Density
from codingschemes.samplers.neighbourhood import Cavity

#: Modes are distinct when the activity at some sample differs by this much.
DISTINCT = 0.25
#: Modes kept beyond the number of codes.
_SPARE = 4
#: With up to this many classes every code is looked for; with more, those that neurons have.
ALL_CODES_UP_TO = 4
_NEWTON_STEPS = 20
#: Newton steps above layers that have moved since the modes were found: they begin next to them.
_FOLLOWING_STEPS = 6
_RIDGE = 0.1
_LEAST_CURVATURE = 0.05


class Modes(NamedTuple):
    """Gaussian approximations N(centre, spread spread^T) of a neuron's density, one a mode.

    Attributes:
        centre: mode in whitened coordinates, (mode, component).
        spread: H^{-1/2}, symmetric, H the Hessian of the negative log density, (mode, component, component).
        whitening: H^{1/2}.
        log_volume: log det spread.
        activity: phi at the mode, (mode, sample).
        answer: spread spread^T L^T diag(phi'), what a force on phi does to u in one Newton step, (mode, component,
            sample).
        drift: -spread spread^T centre, what the prior does.
        inverse: L^+, what leads from z to u, (component, sample).
        reflection: see `_reflection`, (pair, component, component), pairs in the order of `np.triu_indices`. None above
            other layers: modes move along with these before most pairs are asked for.
        found: False for a code without a mode of its own, or a mode found before; the rest of its entries mean nothing.
    """

    centre: Float[Array, "K R"]
    spread: Float[Array, "K R R"]
    whitening: Float[Array, "K R R"]
    log_volume: Float[Array, " K"]
    activity: Float[Array, "K P"]
    answer: Float[Array, "K R P"]
    drift: Float[Array, "K R"]
    inverse: Float[Array, "R P"]
    reflection: Float[Array, "Q R R"] | None
    found: Bool[Array, " K"]

    def reflected(
        self, noise: Float[Array, " R"], one: Array, other: Array, basis: Float[Array, "P R"]
    ) -> Float[Array, " R"]:
        """Whitened coordinates about one mode, carried over to another."""
        first, second = jnp.minimum(one, other), jnp.maximum(one, other)
        if self.reflection is None:
            matrix = _reflection(self, basis, first, second)
        else:
            matrix = self.reflection[first * (2 * len(self.found) - first - 1) // 2 + second - first - 1]
        return jnp.where(one < other, matrix @ noise, noise @ matrix)


class Reference(NamedTuple):
    """What modes are computed from, frozen: the modes themselves are functions of this and of the layers below.

    Attributes:
        inverse: S^{-1} of the population that was searched, (sample, sample).
        cavities: the cavity that each mode was looked for in, stacked.
        preactivation: z to start from, (mode, sample).
        code: one bit a class, (mode, class); -1 where any will do.
    """

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
    modes = climb(reference, density, basis, _FOLLOWING_STEPS if deep else _NEWTON_STEPS)
    found = distinct(modes.activity, modes.found)
    kept = jnp.argsort(~found, stable=True)[: mode_count(reference.code.shape[1])]
    modes = jax.tree.map(lambda entries: entries[kept], modes._replace(found=found))
    modes = modes._replace(
        inverse=jnp.linalg.pinv(basis) if deep else basis.T / jnp.sum(basis**2, axis=0)[:, None], reflection=None
    )
    if deep:
        return modes
    pairs = jnp.stack(np.triu_indices(len(modes.found), 1), axis=1)
    return modes._replace(reflection=jax.lax.map(lambda pair: _reflection(modes, basis, *pair), pairs))


def distinct(activity: Float[Array, "K P"], found: Bool[Array, " K"]) -> Bool[Array, " K"]:
    """Which of the modes found differ from all before them."""
    gaps = jnp.max(jnp.abs(activity[:, None] - activity), axis=2)

    def is_new(found: Bool[Array, " K"], index: Array) -> tuple[Bool[Array, " K"], None]:
        known = found & (jnp.arange(len(found)) < index)
        return found.at[index].set(found[index] & ~jnp.any(known & (gaps[index] < DISTINCT))), None

    return jax.lax.scan(is_new, found, jnp.arange(len(gaps)))[0]


def climb(reference: Reference, density: Density, basis: Float[Array, "P R"], steps: int = _NEWTON_STEPS) -> Modes:
    """Where climbing leads from each of the reference's preactivations, reflections left out."""
    ridge = basis @ basis.T + _RIDGE * jnp.mean(jnp.sum(basis**2, axis=1)) * jnp.eye(basis.shape[0])
    starts = cho_solve(cho_factor(ridge), reference.preactivation.T).T @ basis

    def mode(row: tuple[Float[Array, " R"], Cavity, Int[Array, " G"]]) -> Modes:
        return _mode(*row, reference.inverse, density, basis, steps)

    return jax.lax.map(mode, (starts, reference.cavities, reference.code))


def _reflection(modes: Modes, basis: Float[Array, "P R"], one: Array, other: Array) -> Float[Array, "R R"]:
    """Orthogonal, from a mode to a later one in coordinates whitened by `whitening`: what comes nearest to z -> -z at
    the samples that change side. The transpose leads back.

    It is the orthogonal factor of whitening' L^+ D L spread, D the change of sign in z. Activations of bounded neurons
    are symmetric about z = 0, so that fluctuations about a mode are skewed one way on one side and the other way on the
    other: reflected, what a Gaussian misses cancels.
    """
    side = jnp.where(modes.centre[jnp.stack([one, other])] @ basis.T > 0, 1.0, -1.0)
    turned = jnp.prod(side, axis=0)[:, None] * basis
    left, _, right = jnp.linalg.svd(
        modes.whitening[other] @ modes.inverse @ turned @ modes.spread[one], full_matrices=False
    )
    return left @ right


def _mode(
    start: Float[Array, " R"],
    cavity: Cavity,
    code: Int[Array, " G"],
    inverse: Float[Array, "P P"],
    density: Density,
    basis: Float[Array, "P R"],
    steps: int,
) -> Modes:
    activation = density.network.activation
    centre, curvature = maximum(start, cavity, inverse, density, basis, steps)
    eigenvalues, axes = jnp.linalg.eigh(curvature)
    safe = jnp.maximum(eigenvalues, _LEAST_CURVATURE)
    covariance = (axes / safe) @ axes.T
    activity, gain, _ = _taylor(activation, basis @ centre)
    settled = (activity @ density.class_average > activation.midpoint).astype(int)
    right = jnp.all((settled == code) | (code < 0))
    return Modes(
        centre=centre,
        spread=(axes / jnp.sqrt(safe)) @ axes.T,
        whitening=(axes * jnp.sqrt(safe)) @ axes.T,
        log_volume=-jnp.sum(jnp.log(safe)) / 2,
        activity=activity,
        answer=covariance @ (basis.T * gain),
        drift=-covariance @ centre,
        inverse=jnp.zeros(()),
        reflection=jnp.zeros(()),
        found=right & (eigenvalues[0] > _LEAST_CURVATURE) & jnp.all(jnp.isfinite(centre)),
    )


def maximum(
    start: Float[Array, " R"],
    cavity: Cavity,
    inverse: Float[Array, "P P"],
    density: Density,
    basis: Float[Array, "P R"],
    steps: int = _NEWTON_STEPS,
) -> tuple[Float[Array, " R"], Float[Array, "R R"]]:
    """A local maximum of the neuron's log density and the negative Hessian there, by Newton steps that are damped
    until they climb."""
    activation = density.network.activation
    identity = jnp.eye(basis.shape[1])

    def value(at: Float[Array, " R"]) -> Float[Array, ""]:
        activity = activation(basis @ at)[None]
        return cavity.log_likelihood(activity, activity @ inverse)[0] - at @ at / 2

    def derivatives(at: Float[Array, " R"]) -> tuple[Float[Array, " R"], Float[Array, "R R"]]:
        activity, gain, bend = _taylor(activation, basis @ at)
        slope = cavity.slope(activity[None], (inverse @ activity)[None])[0]
        inner = gain[:, None] * cavity.curvature(activity, inverse) * gain + jnp.diag(bend * slope)
        return (gain * slope) @ basis - at, identity - basis.T @ inner @ basis

    def climb(_: Array, carry: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        at, height, damping = carry
        slope, curvature = derivatives(at)
        trial = at + cho_solve(cho_factor(curvature + damping * identity), slope)
        trial_height = value(trial)
        better = trial_height > height  # False for NaN: a matrix that is not positive definite, too
        return (
            jnp.where(better, trial, at),
            jnp.where(better, trial_height, height),
            jnp.where(better, damping / 8, damping * 8),
        )

    centre = jax.lax.fori_loop(0, steps, climb, (start, value(start), jnp.asarray(1.0)))[0]
    return centre, derivatives(centre)[1]


def _taylor(
    activation: Activation, z: Float[Array, " P"]
) -> tuple[Float[Array, " P"], Float[Array, " P"], Float[Array, " P"]]:
    """phi, phi' and phi''."""
    ones = jnp.ones_like(z)

    def gain(z: Float[Array, " P"]) -> Float[Array, " P"]:
        return jax.jvp(activation, (z,), (ones,))[1]

    slope, bend = jax.jvp(gain, (z,), (ones,))
    return activation(z), slope, bend
