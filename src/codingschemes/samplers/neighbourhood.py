"""One neuron among the others, with all readouts integrated out.

With S = c sum_j phi_j phi_j^T + T I, taking neuron i away is a rank-one downdate. Given the others, its log density is

    -|u|^2/2 - (C/2) log s + (c/2) |B^T phi|^2 / s,     s = 1 + c phi^T A phi,

A = (S - c phi_i phi_i^T)^{-1} the cavity's inverse and B = A Y the field it feels; O(P^2) a neuron.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.linalg import cho_factor, cho_solve
from jaxtyping import Array, Float, Int

from codingschemes.posterior import Density, Scalar
from codingschemes.posterior.collapsed import output_covariance


class LastLayer(NamedTuple):
    """The neurons of the last layer and what their likelihood is made of.

    Attributes:
        coordinates: u, whitened, (neuron, component).
        basis: z = u basis^T, (sample, component).
        activity: Phi, (neuron, sample).
        inverse: S^{-1}, (sample, sample).
        field: S^{-1} Y, (sample, output).
        log_det: log det S.
    """

    coordinates: Float[Array, "N R"]
    basis: Float[Array, "P R"]
    activity: Float[Array, "N P"]
    inverse: Float[Array, "P P"]
    field: Float[Array, "P C"]
    log_det: Scalar

    def misfit(self, density: Density) -> Scalar:
        """The negative log likelihood of the targets with the readout integrated out, as in `collapsed_misfit`."""
        samples, outputs = density.targets.shape
        log_ratio = self.log_det - samples * jnp.log(density.temperature)
        return (jnp.sum(density.targets * self.field) + outputs * log_ratio) / 2


class Cavity(NamedTuple):
    """The population without one neuron, relative to the whole.

    `image` is S^{-1} phi in what follows: A phi differs from it by a multiple of v.

    Attributes:
        direction: v = S^{-1} phi_i; A = S^{-1} + v v^T / gap.
        gap: (1 - c phi_i . v) / c.
        field: B = A Y.
        scaled_readout_variance: c.
    """

    direction: Float[Array, " P"]
    gap: Scalar
    field: Float[Array, "P C"]
    scaled_readout_variance: Scalar

    def correct(self, activity: Float[Array, "K P"], image: Float[Array, "K P"]) -> Float[Array, "K P"]:
        """A phi for each row phi."""
        return image + jnp.outer(activity @ self.direction, self.direction) / self.gap

    def log_likelihood(self, activity: Float[Array, "K P"], image: Float[Array, "K P"]) -> Float[Array, " K"]:
        """The misfit's part of the log density for each row phi."""
        reach = jnp.sum(activity * image, axis=1) + (activity @ self.direction) ** 2 / self.gap
        stretch = 1 + self.scaled_readout_variance * reach
        alignment = jnp.sum((activity @ self.field) ** 2, axis=1)
        return self.scaled_readout_variance * alignment / stretch / 2 - self.field.shape[1] * jnp.log(stretch) / 2

    def slope(self, activity: Float[Array, "K P"], image: Float[Array, "K P"]) -> Float[Array, "K P"]:
        """The gradient of `log_likelihood` with respect to phi."""
        image = self.correct(activity, image)
        stretch = (1 + self.scaled_readout_variance * jnp.sum(activity * image, axis=1))[:, None]
        overlap = activity @ self.field
        alignment = jnp.sum(overlap**2, axis=1)[:, None]
        along = overlap @ self.field.T
        stiffness = self.field.shape[1] / stretch + self.scaled_readout_variance * alignment / stretch**2
        return self.scaled_readout_variance * (along / stretch - stiffness * image)

    def curvature(self, activity: Float[Array, " P"], inverse: Float[Array, "P P"]) -> Float[Array, "P P"]:
        """The Hessian of `log_likelihood` with respect to one phi; `inverse` is S^{-1}."""
        full = inverse + jnp.outer(self.direction, self.direction) / self.gap
        image = full @ activity
        stretch = 1 + self.scaled_readout_variance * activity @ image
        overlap = activity @ self.field
        both = jnp.outer(self.field @ overlap, image)
        alignment = overlap @ overlap
        outputs = self.field.shape[1]
        cross = 2 * self.scaled_readout_variance / stretch**2
        return self.scaled_readout_variance * (
            self.field @ self.field.T / stretch
            - cross * (both + both.T)
            - (outputs / stretch + self.scaled_readout_variance * alignment / stretch**2) * full
            + cross * (outputs + 2 * self.scaled_readout_variance * alignment / stretch) * jnp.outer(image, image)
        )


def populate(density: Density, coordinates: Float[Array, "N R"], basis: Float[Array, "P R"]) -> LastLayer:
    """The population at some coordinates, z = u basis^T; one Cholesky factorisation."""
    activity = density.network.activation(coordinates @ basis.T)
    covariance = output_covariance(activity, density.scaled_readout_variance, density.temperature)
    factor = cho_factor(covariance, lower=True)
    inverse = cho_solve(factor, jnp.eye(len(covariance)))
    log_det = 2 * jnp.sum(jnp.log(jnp.diagonal(factor[0])))
    return LastLayer(coordinates, basis, activity, inverse, inverse @ density.targets, log_det)


def cavity_of(
    population: LastLayer, activity: Float[Array, " P"], direction: Float[Array, " P"], density: Density
) -> Cavity:
    """The cavity that a neuron with this activity leaves; `direction` is S^{-1} times it."""
    scaled = density.scaled_readout_variance
    gap = 1 / scaled - activity @ direction
    field = population.field + jnp.outer(direction, direction @ density.targets) / gap
    return Cavity(direction, gap, field, scaled)


def without(population: LastLayer, neuron: Array, density: Density) -> Cavity:
    """The cavity that one neuron leaves."""
    activity = population.activity[neuron]
    return cavity_of(population, activity, population.inverse @ activity, density)


def cavities_of(population: LastLayer, neurons: Int[Array, " B"], density: Density) -> Cavity:
    """The cavities that some neurons leave, each alone, stacked."""
    return jax.vmap(without, (None, 0, None))(population, neurons, density)


class Update(NamedTuple):
    """What one neuron in place of another changes of S^{-1}: it gains v v^T / gap and loses w w^T / stretch.

    Attributes:
        gained: v.
        gap: see there.
        lost: w.
        stretch: see there.
    """

    gained: Float[Array, " P"]
    gap: Scalar
    lost: Float[Array, " P"]
    stretch: Scalar

    def image(self, activity: Float[Array, "K P"], image: Float[Array, "K P"]) -> Float[Array, "K P"]:
        """S^{-1} phi after the change, for each row phi and its image before."""
        gained = jnp.outer(activity @ self.gained, self.gained) / self.gap
        return image + gained - jnp.outer(activity @ self.lost, self.lost) / self.stretch


def with_neuron(
    population: LastLayer,
    neuron: Array,
    cavity: Cavity,
    coordinates: Float[Array, " R"],
    activity: Float[Array, " P"],
) -> tuple[LastLayer, Update]:
    """The population with one neuron replaced, and how S^{-1} has changed."""
    image = cavity.correct(activity[None], (population.inverse @ activity)[None])[0]
    update = Update(cavity.direction, cavity.gap, image, 1 / cavity.scaled_readout_variance + activity @ image)
    inverse = (
        population.inverse
        + jnp.outer(update.gained, update.gained) / update.gap
        - jnp.outer(update.lost, update.lost) / update.stretch
    )
    changed = population._replace(
        coordinates=population.coordinates.at[neuron].set(coordinates),
        activity=population.activity.at[neuron].set(activity),
        inverse=inverse,
        field=cavity.field - jnp.outer(image, activity @ cavity.field) / update.stretch,
        log_det=population.log_det + jnp.log(cavity.scaled_readout_variance**2 * cavity.gap * update.stretch),
    )
    return changed, update
