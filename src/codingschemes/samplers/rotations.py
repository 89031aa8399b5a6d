"""Pairs of neurons rotate into each other, exactly: what splits and merges the outliers of homogeneous activations.

(u_i, u_j) -> (cos t u_i + sin t u_j, cos t u_j - sin t u_i) leaves the prior as it is. Where two ReLU neurons point the
same way it leaves the likelihood as it is, too: one may take over the other's whole share of the output, which
gradients never find. The angle is drawn by slice sampling (Murray, Adams & MacKay 2010, on a circle), which never
rejects; a trial costs O(P^2). A neuron without others is drawn again among many draws from its prior.

Every other pair is drawn uniformly, the rest with heavy neurons more often (and silent ones hardly ever, but not never:
else a pair could not be drawn where all others are silent): with probability s(i, j | u), and then the angle from the
density times s(i, j | u(t)). That is a draw of the pair given u, then of u along the circle given the pair, which
leaves the product, and so the density, invariant whatever s is.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from codingschemes.posterior import Density
from codingschemes.samplers.neighbourhood import Cavity, Population

type Scalar = Float[Array, ""]

#: Weight of a silent neuron relative to the prior's mean of |z|^2.
_SILENT = 1e-4
#: Angles tried together, and how many times before everything stays as it is.
_TRIALS = 8
_ROUNDS = 4
#: Draws of its prior that a neuron without others may become.
_CANDIDATES = 31


def turn_all(key: Array, coordinates: Float[Array, "N R"]) -> Float[Array, "N R"]:
    """All neurons of a linear network turned by a random rotation, uniform over the group: neither the prior nor the
    likelihood, a function of u^T u, can tell."""
    width = coordinates.shape[0]
    directions, lengths = jnp.linalg.qr(jax.random.normal(key, (width, width), coordinates.dtype))
    return (directions * jnp.sign(jnp.diagonal(lengths))) @ coordinates


def redraw_alone(key: Array, coordinates: Float[Array, "1 R"], basis: Float[Array, "P R"], density: Density) -> Array:
    """The only neuron is drawn again among itself and candidates from its prior, by likelihood.

    Itself and the candidates are independent draws of the prior, so that which of them it is does not show: the choice
    is exact (iterated sampling importance resampling: Andrieu, Lee & Vihola 2018).
    """
    candidate_key, choice_key = jax.random.split(key)
    candidates = jax.random.normal(candidate_key, (_CANDIDATES, coordinates.shape[1]), coordinates.dtype)
    candidates = jnp.concatenate([coordinates, candidates])
    activity = density.network.activation(candidates @ basis.T)
    nothing, alone = jnp.zeros_like(basis[:, 0]), density.targets / density.temperature
    cavity = Cavity(nothing, 1 / density.signal, alone, density.signal)
    log_weights = cavity.log_likelihood(activity, activity / density.temperature)
    return candidates[jax.random.categorical(choice_key, log_weights)][None]


def shrinking_angles(uniform: Float[Array, "M K"]) -> Float[Array, "M K"]:
    """The angles that slice sampling on a circle tries one after the other, row by row, as long as none is accepted.

    The interval shrinks to each on the side it lies on, whatever the density is there: so all are known in advance,
    and can be tried several at a time.
    """
    numbers = uniform.ravel()
    angles = [2 * jnp.pi * numbers[0]]
    low, high = angles[0] - 2 * jnp.pi, angles[0]
    for number in numbers[1:]:  # unrolled: as a loop it costs more than the visits of a small network
        angle = low + (high - low) * number
        low, high = jnp.where(angle < 0, angle, low), jnp.where(angle < 0, high, angle)
        angles.append(angle)
    return jnp.stack(angles).reshape(uniform.shape)


def slice_angle(
    log_density: Callable[[Float[Array, " K"]], Float[Array, " K"]], angles: Float[Array, "M K"], level: Scalar
) -> Scalar:
    """The first of the angles at which the density is above `level` (a log, relative to the density at zero); zero
    where there is none."""
    heights = log_density(jnp.concatenate([jnp.zeros(1, angles.dtype), angles[0]]))
    floor = heights[0] + level

    def first_above(heights: Float[Array, " K"], tried: Float[Array, " K"]) -> tuple[Array, Scalar]:
        above = heights > floor
        return jnp.any(above), jnp.where(jnp.any(above), tried[jnp.argmax(above)], 0.0)

    def again(carry: tuple[Array, Array, Scalar]) -> tuple[Array, Array, Scalar]:
        tried = angles[carry[0]]
        return carry[0] + 1, *first_above(log_density(tried), tried)

    start = (jnp.asarray(1), *first_above(heights[1:], angles[0]))
    return jax.lax.while_loop(lambda carry: ~carry[1] & (carry[0] < len(angles)), again, start)[2]


def rotation_sweep(key: Array, population: Population, density: Density, visits: int) -> Population:
    """`visits` pairs, one after the other."""
    activation = density.network.activation
    least = _SILENT * jnp.sum(population.basis**2)
    pair_key, level_key, angle_key = jax.random.split(key, 3)
    # Random numbers of the whole sweep at once: one by one they cost more than the arithmetic of small networks.
    neurons, dtype = jnp.arange(population.coordinates.shape[0]), population.coordinates.dtype
    chosen = jax.random.uniform(pair_key, (visits, 2), dtype)
    levels = jnp.log(jax.random.uniform(level_key, (visits,), dtype))
    angles = jax.vmap(shrinking_angles)(jax.random.uniform(angle_key, (visits, _ROUNDS, _TRIALS), dtype))

    def visit(index: Array, carry: tuple[Population, Array, Array]) -> tuple[Population, Array, Array]:
        population, preactivation, weights = carry
        even = index % 2 == 0
        shares = jnp.where(even, 1.0, weights)
        first = _drawn(shares, chosen[index, 0])
        second = _drawn(jnp.where(neurons == first, 0.0, shares), chosen[index, 1])
        pair = jnp.stack([first, second])
        rest = jnp.sum(jnp.where((neurons == first) | (neurons == second), 0.0, weights))
        hole = _without_pair(population, pair, density)

        def log_density(angles: Float[Array, " K"]) -> Float[Array, " K"]:
            activity = activation(_turned(angles, preactivation[pair]))
            selection = _log_selection(jnp.sum(activity**2, axis=2) + least, rest)
            return _log_likelihood(activity, population.inverse, hole, density) + jnp.where(even, 0.0, selection)

        angle = slice_angle(log_density, angles[index], levels[index])
        turned = _turned(angle[None], preactivation[pair])[0]
        population = _with_pair(
            population, pair, _turned(angle[None], population.coordinates[pair])[0], activation(turned), hole, density
        )
        weights = weights.at[pair].set(jnp.sum(population.activity[pair] ** 2, axis=1) + least)
        return population, preactivation.at[pair].set(turned), weights

    start = (population, population.coordinates @ population.basis.T, jnp.sum(population.activity**2, axis=1) + least)
    return jax.lax.fori_loop(0, visits, visit, start)[0]


def _drawn(shares: Float[Array, " N"], uniform: Scalar) -> Int[Array, ""]:
    """An index drawn with probability proportional to its share, never one whose share is zero."""
    total = jnp.cumsum(shares)
    return jnp.argmax(total > uniform * total[-1])


def _turned(angles: Float[Array, " K"], pair: Float[Array, "2 D"]) -> Float[Array, "K 2 D"]:
    cosine, sine = jnp.cos(angles)[:, None], jnp.sin(angles)[:, None]
    return jnp.stack([cosine * pair[0] + sine * pair[1], cosine * pair[1] - sine * pair[0]], axis=1)


def _determinant(matrix: Float[Array, "*K 2 2"]) -> Float[Array, "*K"]:
    return matrix[..., 0, 0] * matrix[..., 1, 1] - matrix[..., 0, 1] * matrix[..., 1, 0]


def _adjugate(matrix: Float[Array, "*K 2 2"]) -> Float[Array, "*K 2 2"]:
    """The inverse times the determinant; a library call for two rows costs more than everything around it."""
    rows = [[matrix[..., 1, 1], -matrix[..., 0, 1]], [-matrix[..., 1, 0], matrix[..., 0, 0]]]
    return jnp.stack([jnp.stack(row, axis=-1) for row in rows], axis=-2)


def _log_selection(weights: Float[Array, "K 2"], rest: Scalar) -> Float[Array, " K"]:
    """log of the probability of drawing these two, in either order, among all."""
    total = rest + jnp.sum(weights, axis=1)
    return jnp.sum(jnp.log(weights), axis=1) - jnp.log(total) + jnp.log(jnp.sum(1 / (rest + weights[:, ::-1]), axis=1))


class Hole(NamedTuple):
    """The population without two neurons: A = S^{-1} + V gap V^T, V = S^{-1} (phi_i, phi_j), and B = A Y."""

    directions: Float[Array, "P 2"]
    gap: Float[Array, "2 2"]
    field: Float[Array, "P C"]


def _without_pair(population: Population, pair: Array, density: Density) -> Hole:
    activity = population.activity[pair]
    directions = population.inverse @ activity.T
    left = jnp.eye(2) / density.signal - activity @ directions
    gap = _adjugate(left) / _determinant(left)
    return Hole(directions, gap, population.field + directions @ (gap @ (directions.T @ density.targets)))


def _log_likelihood(
    activity: Float[Array, "K 2 P"], inverse: Float[Array, "P P"], hole: Hole, density: Density
) -> Float[Array, " K"]:
    """What each pair of activities adds to the log likelihood, up to a constant; `inverse` is S^{-1}."""
    rows = activity.reshape(-1, activity.shape[-1])
    image = (rows @ inverse).reshape(activity.shape)
    toward = (rows @ hole.directions).reshape(-1, 2, 2)
    pull = (rows @ hole.field).reshape(len(activity), 2, -1)
    reach = jnp.einsum("kap,kbp->kab", activity, image) + jnp.einsum("kai,ij,kbj->kab", toward, hole.gap, toward)
    stretch = jnp.eye(2) / density.signal + reach
    determinant = _determinant(stretch)
    gain = jnp.einsum("kac,kab,kbc->k", pull, _adjugate(stretch), pull) / determinant
    return gain / 2 - pull.shape[2] * jnp.log(determinant) / 2


def _with_pair(
    population: Population,
    pair: Array,
    coordinates: Float[Array, "2 R"],
    activity: Float[Array, "2 P"],
    hole: Hole,
    density: Density,
) -> Population:
    """The population with another pair in the hole: a rank-four update of S^{-1}."""
    directions, gap, field = hole
    image = activity @ population.inverse + (activity @ directions @ gap) @ directions.T
    stretch = jnp.eye(2) / density.signal + activity @ image.T
    update = _adjugate(stretch) / _determinant(stretch)
    left = jnp.concatenate([directions @ gap, -image.T @ update], axis=1)
    return population._replace(
        coordinates=population.coordinates.at[pair].set(coordinates),
        activity=population.activity.at[pair].set(activity),
        inverse=population.inverse + left @ jnp.concatenate([directions.T, image]),
        field=field - image.T @ (update @ (activity @ field)),
    )
