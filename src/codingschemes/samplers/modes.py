"""Where a single neuron can be: the modes of its density given the others, one for each code.

A code has one bit a class: whether the neuron's mean activity in the class is above that at z = 0. Modes are found
during warm-up, from the neurons as they are and from class patterns, and then frozen.
"""

from functools import partial
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
_NEWTON_STEPS = 30
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


def no_modes(samples: int, components: int, classes: int) -> Modes:
    """Room for modes, none found."""
    codes = min(2**classes, _MOST_CODES)
    identity = jnp.broadcast_to(jnp.eye(components), (codes, components, components))
    return Modes(
        centre=jnp.zeros((codes, components)),
        spread=identity,
        whitening=identity,
        log_volume=jnp.zeros(codes),
        activity=jnp.zeros((codes, samples)),
        answer=jnp.zeros((codes, components, samples)),
        drift=jnp.zeros((codes, components)),
        pattern=jnp.zeros((codes, classes)),
        found=jnp.zeros(codes, bool),
    )


def find_modes(population: Population, density: Density, basis: Float[Array, "P R"]) -> Modes:
    """The modes of a neuron's density, each in the cavity of the neuron that is nearest to the code."""
    means = population.activity @ density.class_average
    bits = (means > density.network.activation(jnp.zeros(()))).astype(int)
    codes = _codes(bits)
    return jax.lax.map(partial(_mode, population, density, basis, means, bits), codes)


def _codes(bits: Int[Array, "N G"]) -> Int[Array, "K G"]:
    """The codes to look for: all, or the first that the neurons have (repeated where they are fewer)."""
    classes = bits.shape[1]
    if classes <= _ALL_CODES_UP_TO:
        return (jnp.arange(2**classes)[:, None] >> jnp.arange(classes)) & 1
    return jnp.unique(bits, axis=0, size=_MOST_CODES)


def _mode(
    population: Population,
    density: Density,
    basis: Float[Array, "P R"],
    means: Float[Array, "N G"],
    bits: Int[Array, "N G"],
    code: Int[Array, " G"],
) -> Modes:
    activation = density.network.activation
    pattern = (density.class_average > 0).astype(float) @ (_PATTERN_LEVEL * (2.0 * code - 1))
    ridge = basis @ basis.T + _RIDGE * jnp.mean(jnp.sum(basis**2, axis=1)) * jnp.eye(basis.shape[0])
    members = jnp.all(bits == code, axis=1)
    start = jnp.where(
        jnp.any(members),
        members @ population.coordinates / jnp.maximum(jnp.sum(members), 1),
        basis.T @ jnp.linalg.solve(ridge, pattern),
    )
    nearest = jnp.argmin(jnp.sum((means - activation(pattern @ density.class_average)) ** 2, axis=1))
    cavity = without(population, nearest, density.targets, density.signal)

    centre, curvature = _maximum(start, cavity, population.inverse, density, basis)
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
