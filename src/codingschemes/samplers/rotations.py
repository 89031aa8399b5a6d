"""Pairs of neurons rotate into each other, exactly: what splits and merges the outliers of homogeneous activations.

(u_i, u_j) -> (cos t u_i + sin t u_j, cos t u_j - sin t u_i) leaves the prior as it is. Where two ReLU neurons point the
same way it leaves the likelihood as it is, too: one may take over the other's whole share of the output, which
gradients never find. The angle is drawn by slice sampling (Murray, Adams & MacKay 2010, on a circle), which never
rejects; a trial costs O(P^2).

Every other pair is drawn uniformly, the rest with heavy neurons more often (and silent ones hardly ever, but not never:
else a pair could not be drawn where all others are silent): with probability s(i, j | u), and then the angle from the
density times s(i, j | u(t)). That is a draw of the pair given u, then of u along the circle given the pair, which
leaves the product, and so the density, invariant whatever s is.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from codingschemes.posterior import Density
from codingschemes.samplers.neighbourhood import Population

type Scalar = Float[Array, ""]

#: Weight of a silent neuron relative to the prior's mean of |z|^2.
_SILENT = 1e-4
#: After so many trials the angle is zero to round-off.
_MOST_TRIALS = 60


def turn_all(key: Array, coordinates: Float[Array, "N R"]) -> Float[Array, "N R"]:
    """All neurons of a linear network turned by a random rotation, uniform over the group: neither the prior nor the
    likelihood, a function of u^T u, can tell."""
    width = coordinates.shape[0]
    directions, lengths = jnp.linalg.qr(jax.random.normal(key, (width, width), coordinates.dtype))
    return (directions * jnp.sign(jnp.diagonal(lengths))) @ coordinates


class Hole(NamedTuple):
    """The population without two neurons: A = S^{-1} + V gap V^T, V = S^{-1} (phi_i, phi_j), and B = A Y."""

    directions: Float[Array, "P 2"]
    gap: Float[Array, "2 2"]
    field: Float[Array, "P C"]


def rotation_sweep(key: Array, population: Population, density: Density, visits: int) -> Population:
    """`visits` pairs, one after the other."""
    activation = density.network.activation
    least = _SILENT * jnp.sum(population.basis**2)

    def weigh(activity: Float[Array, "K P"]) -> Float[Array, " K"]:
        return jnp.sum(activity**2, axis=1) + least

    def visit(index: Array, population: Population) -> Population:
        first_key, second_key, level_key, angle_key = jax.random.split(jax.random.fold_in(key, index), 4)
        even = index % 2 == 0
        weights = jnp.where(even, 1.0, weigh(population.activity))
        first = jax.random.categorical(first_key, jnp.log(weights))
        second = jax.random.categorical(second_key, jnp.log(weights).at[first].set(-jnp.inf))
        pair = jnp.stack([first, second])
        rest = jnp.sum(weights.at[pair].set(0.0))
        hole = _without_pair(population, pair, density)
        preactivation = population.coordinates[pair] @ population.basis.T

        def log_density(angle: Scalar) -> tuple[Scalar, Float[Array, "2 P"], Float[Array, "2 P"]]:
            activity = activation(_turn(angle) @ preactivation)
            image = activity @ population.inverse
            likelihood = _log_likelihood(activity, image, hole, density)
            selection = jnp.where(even, 0.0, _log_selection(weigh(activity), rest))
            return likelihood + selection, activity, image

        floor = log_density(jnp.zeros(()))[0] + jnp.log(jax.random.uniform(level_key, dtype=rest.dtype))
        start = 2 * jnp.pi * jax.random.uniform(angle_key, dtype=rest.dtype)

        def below(carry: tuple[Scalar, Scalar, Scalar, Array, tuple]) -> Array:
            _, _, _, trials, (height, _, _) = carry
            return ~(height > floor) & (trials < _MOST_TRIALS)

        def shrink(carry: tuple[Scalar, Scalar, Scalar, Array, tuple]) -> tuple[Scalar, Scalar, Scalar, Array, tuple]:
            angle, low, high, trials, _ = carry
            low, high = jnp.where(angle < 0, angle, low), jnp.where(angle < 0, high, angle)
            angle = low + (high - low) * jax.random.uniform(jax.random.fold_in(angle_key, trials), dtype=low.dtype)
            return angle, low, high, trials + 1, log_density(angle)

        angle, _, _, _, (_, activity, image) = jax.lax.while_loop(
            below, shrink, (start, start - 2 * jnp.pi, start, jnp.asarray(0), log_density(start))
        )
        turned = _turn(angle) @ population.coordinates[pair]
        return _with_pair(population, pair, turned, activity, image, hole, density)

    return jax.lax.fori_loop(0, visits, visit, population)


def _turn(angle: Scalar) -> Float[Array, "2 2"]:
    cosine, sine = jnp.cos(angle), jnp.sin(angle)
    return jnp.array([[cosine, sine], [-sine, cosine]])


def _determinant(matrix: Float[Array, "2 2"]) -> Scalar:
    return matrix[0, 0] * matrix[1, 1] - matrix[0, 1] * matrix[1, 0]


def _inverse(matrix: Float[Array, "2 2"]) -> Float[Array, "2 2"]:
    """Written out: a library call for two rows costs more than everything around it."""
    rows = jnp.array([[matrix[1, 1], -matrix[0, 1]], [-matrix[1, 0], matrix[0, 0]]])
    return rows / _determinant(matrix)


def _log_selection(weights: Float[Array, "2"], rest: Scalar) -> Scalar:
    """log of the probability of drawing these two, in either order, among all."""
    return jnp.sum(jnp.log(weights)) - jnp.log(rest + jnp.sum(weights)) + jnp.log(jnp.sum(1 / (rest + weights[::-1])))


def _without_pair(population: Population, pair: Array, density: Density) -> Hole:
    activity = population.activity[pair]
    directions = population.inverse @ activity.T
    gap = _inverse(jnp.eye(2) / density.signal - activity @ directions)
    return Hole(directions, gap, population.field + directions @ gap @ (directions.T @ density.targets))


def _stretch(
    activity: Float[Array, "2 P"], image: Float[Array, "2 P"], hole: Hole, density: Density
) -> tuple[Float[Array, "2 2"], Float[Array, "2 P"]]:
    """1/c + phi A phi^T, and A phi."""
    image = image + activity @ hole.directions @ hole.gap @ hole.directions.T
    return jnp.eye(2) / density.signal + activity @ image.T, image


def _log_likelihood(activity: Float[Array, "2 P"], image: Float[Array, "2 P"], hole: Hole, density: Density) -> Scalar:
    stretch, _ = _stretch(activity, image, hole, density)
    pull = activity @ hole.field
    outputs = hole.field.shape[1]
    return jnp.sum(pull * (_inverse(stretch) @ pull)) / 2 - outputs * jnp.log(_determinant(stretch)) / 2


def _with_pair(
    population: Population,
    pair: Array,
    coordinates: Float[Array, "2 R"],
    activity: Float[Array, "2 P"],
    image: Float[Array, "2 P"],
    hole: Hole,
    density: Density,
) -> Population:
    stretch, image = _stretch(activity, image, hole, density)
    update = _inverse(stretch)
    return population._replace(
        coordinates=population.coordinates.at[pair].set(coordinates),
        activity=population.activity.at[pair].set(activity),
        inverse=population.inverse + hole.directions @ hole.gap @ hole.directions.T - image.T @ update @ image,
        field=hole.field - image.T @ update @ (activity @ hole.field),
    )
