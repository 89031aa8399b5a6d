"""Where a single neuron can be: the modes of its density given the others, one for each code.

A code has one bit a class: whether the neuron's mean activity in the class is above that at z = 0. A reference is taken
from the neurons during warm-up and then frozen. With one hidden layer the modes are frozen with it; above other layers
they are computed again whenever those have moved, from the reference alone.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.linalg import cho_factor, cho_solve
from jaxtyping import Array, Bool, Float, Int

from codingschemes.networks.activations import Activation
from codingschemes.posterior import Density
from codingschemes.samplers.neighbourhood import Cavity, Population, without

#: With up to this many classes every code is tried; with more, those that neurons have.
_ALL_CODES_UP_TO = 4
_MOST_CODES = 2**_ALL_CODES_UP_TO
_NEWTON_STEPS = 20
_PATTERN_LEVEL = 1.5
_RIDGE = 0.1
_LEAST_CURVATURE = 0.05


class Modes(NamedTuple):
    """Gaussian approximations N(centre, spread spread^T) of a neuron's density, one a code.

    Attributes:
        centre: mode in whitened coordinates, (mode, component).
        spread: H^{-1/2}, symmetric, H the Hessian of the negative log density, (mode, component, component).
        whitening: H^{1/2}.
        log_volume: log det spread.
        activity: phi at the mode, (mode, sample).
        answer: spread spread^T L^T diag(phi'), what a force on phi does to u in one Newton step, (mode, component,
            sample).
        drift: -spread spread^T centre, what the prior does.
        pattern: mean activity in each class.
        found: False for a code without a mode of its own; the rest of its entries mean nothing.
    """

    centre: Float[Array, "K R"]
    spread: Float[Array, "K R R"]
    whitening: Float[Array, "K R R"]
    log_volume: Float[Array, " K"]
    activity: Float[Array, "K P"]
    answer: Float[Array, "K R P"]
    drift: Float[Array, "K R"]
    pattern: Float[Array, "K G"]
    found: Bool[Array, " K"]


class Reference(NamedTuple):
    """What modes are computed from, frozen: the modes themselves are functions of this and of the layers below.

    Attributes:
        inverse: S^{-1} of the population that was searched, (sample, sample).
        cavities: the cavity that each code was looked for in, stacked.
        preactivation: z to start from, (code, sample).
        code: one bit a class, (code, class).
    """

    inverse: Float[Array, "P P"]
    cavities: Cavity
    preactivation: Float[Array, "K P"]
    code: Int[Array, "K G"]


def reference(population: Population, density: Density) -> Reference:
    """A reference from the neurons as they are: each code is looked for in the cavity of the neuron nearest to it, from
    the mean of the neurons that have it, or from its pattern."""
    middle = density.network.activation(jnp.zeros(()))
    means = population.activity @ density.class_average
    bits = (means > middle).astype(int)
    codes = _codes(bits)
    membership = (density.class_average > 0).astype(population.activity.dtype)
    patterns = _PATTERN_LEVEL * (2.0 * codes - 1) @ membership.T
    owners = jnp.all(bits[None] == codes[:, None], axis=2).astype(patterns.dtype)
    counts = jnp.sum(owners, axis=1, keepdims=True)
    preactivation = population.coordinates @ population.basis.T
    starts = jnp.where(counts > 0, owners @ preactivation / jnp.maximum(counts, 1), patterns)
    wanted = density.network.activation(patterns) @ density.class_average
    nearest = jnp.argmin(jnp.sum((means[None] - wanted[:, None]) ** 2, axis=2), axis=1)
    cavities = jax.vmap(without, (None, 0, None, None))(population, nearest, density.targets, density.signal)
    return Reference(population.inverse, cavities, starts, codes)


def no_reference(density: Density) -> Reference:
    """Room for a reference."""
    samples, outputs = density.targets.shape
    classes = density.class_average.shape[1]
    codes = min(2**classes, _MOST_CODES)
    cavities = Cavity(
        direction=jnp.zeros((codes, samples)),
        gap=jnp.ones(codes),
        field=jnp.zeros((codes, samples, outputs)),
        signal=jnp.broadcast_to(density.signal, (codes,)),
    )
    return Reference(jnp.eye(samples), cavities, jnp.zeros((codes, samples)), jnp.zeros((codes, classes), int))


def modes_from(reference: Reference, density: Density, basis: Float[Array, "P R"]) -> Modes:
    """The modes of a neuron's density under a reference, for neurons z = u basis^T."""
    ridge = basis @ basis.T + _RIDGE * jnp.mean(jnp.sum(basis**2, axis=1)) * jnp.eye(basis.shape[0])
    starts = cho_solve(cho_factor(ridge), reference.preactivation.T).T @ basis

    def mode(row: tuple[Float[Array, " R"], Cavity, Int[Array, " G"]]) -> Modes:
        return _mode(*row, reference.inverse, density, basis)

    return jax.lax.map(mode, (starts, reference.cavities, reference.code))


def _codes(bits: Int[Array, "N G"]) -> Int[Array, "K G"]:
    """The codes to look for: all, or the first that the neurons have (repeated where they are fewer)."""
    classes = bits.shape[1]
    if classes <= _ALL_CODES_UP_TO:
        return (jnp.arange(2**classes)[:, None] >> jnp.arange(classes)) & 1
    return jnp.unique(bits, axis=0, size=_MOST_CODES)


def _mode(
    start: Float[Array, " R"],
    cavity: Cavity,
    code: Int[Array, " G"],
    inverse: Float[Array, "P P"],
    density: Density,
    basis: Float[Array, "P R"],
) -> Modes:
    activation = density.network.activation
    centre, curvature = _maximum(start, cavity, inverse, density, basis)
    eigenvalues, axes = jnp.linalg.eigh(curvature)
    safe = jnp.maximum(eigenvalues, _LEAST_CURVATURE)
    covariance = (axes / safe) @ axes.T
    activity, gain, _ = _taylor(activation, basis @ centre)
    mean = activity @ density.class_average
    settled = (mean > activation(jnp.zeros(()))).astype(int)
    return Modes(
        centre=centre,
        spread=(axes / jnp.sqrt(safe)) @ axes.T,
        whitening=(axes * jnp.sqrt(safe)) @ axes.T,
        log_volume=-jnp.sum(jnp.log(safe)) / 2,
        activity=activity,
        answer=covariance @ (basis.T * gain),
        drift=-covariance @ centre,
        pattern=mean,
        found=jnp.all(settled == code) & (eigenvalues[0] > _LEAST_CURVATURE) & jnp.all(jnp.isfinite(centre)),
    )


def _maximum(
    start: Float[Array, " R"],
    cavity: Cavity,
    inverse: Float[Array, "P P"],
    density: Density,
    basis: Float[Array, "P R"],
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

    centre = jax.lax.fori_loop(0, _NEWTON_STEPS, climb, (start, value(start), jnp.asarray(1.0)))[0]
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
