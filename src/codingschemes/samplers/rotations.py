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

from codingschemes.posterior import Density, Scalar
from codingschemes.samplers.neighbourhood import Cavity, LastLayer

#: Weight of a silent neuron relative to the prior's mean of |z|^2.
_SILENT = 1e-4
#: Angles tried together, and how many times before everything stays as it is.
_TRIALS = 4
_ROUNDS = 8
#: Up to so many samples operations cost more than their arithmetic.
FEW_SAMPLES = 32
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
    cavity = Cavity(nothing, 1 / density.scaled_readout_variance, alone, density.scaled_readout_variance)
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
    return angle_above(log_density, angles, heights[0] + level, heights[1:])[0]


def angle_above(
    log_density: Callable[[Float[Array, " K"]], Float[Array, " K"]],
    angles: Float[Array, "M K"],
    floor: Scalar,
    heights: Float[Array, " K"] | None = None,
) -> tuple[Scalar, Int[Array, ""]]:
    """The first of the angles at which the density is above `floor`, zero where there is none, and how many rows were
    tried; `heights` is the density along the first row, where it is known."""

    def first_above(heights: Float[Array, " K"], tried: Float[Array, " K"]) -> tuple[Array, Scalar]:
        above = heights > floor
        return jnp.any(above), jnp.where(jnp.any(above), tried[jnp.argmax(above)], 0.0)

    def again(carry: tuple[Array, Array, Scalar]) -> tuple[Array, Array, Scalar]:
        tried = angles[carry[0]]
        return carry[0] + 1, *first_above(log_density(tried), tried)

    nothing = jnp.asarray(0), jnp.asarray(False), jnp.zeros((), angles.dtype)
    start = nothing if heights is None else (jnp.asarray(1), *first_above(heights, angles[0]))
    rows, _, angle = jax.lax.while_loop(lambda carry: ~carry[1] & (carry[0] < len(angles)), again, start)
    return angle, rows


def over_chains[**Given, Found](sweep: Callable[Given, Found], density: Density) -> Callable[Given, Found]:
    """A sweep that `vmap` takes over chains together where samples are few. Above, arithmetic outweighs the overhead of
    each operation: one chain after the other, so that an angle accepted early costs nothing more."""
    if density.targets.shape[0] <= FEW_SAMPLES:
        return sweep
    return jax.custom_batching.sequential_vmap(sweep)


def rotation_sweep(key: Array, population: LastLayer, density: Density, visits: int) -> LastLayer:
    """`visits` pairs, one after the other."""
    activation = density.network.activation
    least = least_weight(population.basis)
    pair_key, level_key, angle_key = jax.random.split(key, 3)
    # Random numbers of the whole sweep at once: one by one they cost more than the arithmetic of small networks.
    dtype = population.coordinates.dtype
    chosen = jax.random.uniform(pair_key, (visits, 2), dtype)
    levels = jnp.log(jax.random.uniform(level_key, (visits,), dtype))
    angles = jax.vmap(shrinking_angles)(jax.random.uniform(angle_key, (visits, _ROUNDS, _TRIALS), dtype))

    def visit(index: Array, carry: _Sweep) -> _Sweep:
        coordinates, preactivation, activity, response, weights = carry
        even = index % 2 == 0
        shares = jnp.where(even, 1.0, weights)
        pair = draw_pair(shares, shares, chosen[index])
        rest = weight_of_others(weights, pair)
        without_pair = _update(response, activity[pair], -density.scaled_readout_variance)

        def log_density(angles: Float[Array, " K"]) -> Float[Array, " K"]:
            tried = activation(rotate_pair(angles, preactivation[pair]))
            selection = log_selection(jnp.sum(tried**2, axis=2) + least, rest)
            return _log_likelihood(tried, without_pair, density.scaled_readout_variance) + jnp.where(
                even, 0.0, selection
            )

        angle = slice_angle(log_density, angles[index], levels[index])[None]
        turned = rotate_pair(angle, preactivation[pair])[0]
        active = activation(turned)
        return _Sweep(
            coordinates.at[pair].set(rotate_pair(angle, coordinates[pair])[0]),
            preactivation.at[pair].set(turned),
            activity.at[pair].set(active),
            _update(without_pair, active, density.scaled_readout_variance),
            weights.at[pair].set(jnp.sum(active**2, axis=1) + least),
        )

    start = _Sweep(
        population.coordinates,
        population.coordinates @ population.basis.T,
        population.activity,
        jnp.concatenate([population.inverse, population.field], axis=1),
        jnp.sum(population.activity**2, axis=1) + least,
    )
    end = jax.lax.fori_loop(0, visits, visit, start)
    samples = population.activity.shape[1]
    inverse = end.response[:, :samples]
    return population._replace(
        coordinates=end.coordinates,
        activity=end.activity,
        inverse=inverse,
        field=end.response[:, samples:],
        log_det=-jnp.linalg.slogdet(inverse)[1],  # only computed where somebody asks for it
    )


class _Sweep(NamedTuple):
    """What changes from visit to visit; `response` is S^{-1} (I, Y), `weights` is what pairs are drawn by."""

    coordinates: Float[Array, "N R"]
    preactivation: Float[Array, "N P"]
    activity: Float[Array, "N P"]
    response: Float[Array, "P S"]
    weights: Float[Array, " N"]


def least_weight(basis: Float[Array, "P R"]) -> Scalar:
    """What is added to a neuron's squared activity for its weight, given the basis of the preactivations."""
    return _SILENT * jnp.sum(basis**2)


def draw_pair(
    first_shares: Float[Array, " N"], second_shares: Float[Array, " N"], uniform: Float[Array, " 2"]
) -> Int[Array, " 2"]:
    """Two different neurons, each with a chance in proportion to its share."""
    first = _draw_index(first_shares, uniform[0])
    others = jnp.arange(len(first_shares)) != first
    return jnp.stack([first, _draw_index(jnp.where(others, second_shares, 0.0), uniform[1])])


def weight_of_others(weights: Float[Array, " N"], pair: Int[Array, " 2"]) -> Scalar:
    """Of all neurons but two."""
    neurons = jnp.arange(len(weights))
    return jnp.sum(jnp.where((neurons == pair[0]) | (neurons == pair[1]), 0.0, weights))


def _draw_index(shares: Float[Array, " N"], uniform: Scalar) -> Int[Array, ""]:
    """An index drawn with probability proportional to its share, never one whose share is zero."""
    total = jnp.cumsum(shares)
    return jnp.argmax(total > uniform * total[-1])


def rotate_pair(angles: Float[Array, " K"], pair: Float[Array, "2 D"]) -> Float[Array, "K 2 D"]:
    """Two rows rotated into each other by each of the angles."""
    cosine, sine = jnp.cos(angles)[:, None], jnp.sin(angles)[:, None]
    return jnp.stack([cosine * pair[0] + sine * pair[1], cosine * pair[1] - sine * pair[0]], axis=1)


def log_selection(weights: Float[Array, "K 2"], rest: Scalar) -> Float[Array, " K"]:
    """log of the probability of drawing these two, in either order, among all."""
    total = rest + jnp.sum(weights, axis=1)
    return jnp.sum(jnp.log(weights), axis=1) - jnp.log(total) + jnp.log(jnp.sum(1 / (rest + weights[:, ::-1]), axis=1))


class _Symmetric(NamedTuple):
    """Matrices of two rows. Written out: a library call for two rows costs more than everything around it."""

    first: Float[Array, "*K"]
    mixed: Float[Array, "*K"]
    second: Float[Array, "*K"]

    @classmethod
    def of(cls, left: Float[Array, "*K 2 D"], right: Float[Array, "*K 2 D"]) -> "_Symmetric":
        """left right^T, where it is symmetric."""
        return cls(
            jnp.sum(left[..., 0, :] * right[..., 0, :], axis=-1),
            jnp.sum(left[..., 0, :] * right[..., 1, :], axis=-1),
            jnp.sum(left[..., 1, :] * right[..., 1, :], axis=-1),
        )

    def plus(self, number: Scalar) -> "_Symmetric":
        """The matrix plus a multiple of the identity."""
        return _Symmetric(self.first + number, self.mixed, self.second + number)

    @property
    def determinant(self) -> Float[Array, "*K"]:
        return self.first * self.second - self.mixed**2


def _log_likelihood(
    activity: Float[Array, "K 2 P"], without_pair: Float[Array, "P S"], scaled_readout_variance: Scalar
) -> Float[Array, " K"]:
    """What each pair of activities adds to the log likelihood, up to a constant, given the response without it."""
    samples = activity.shape[2]
    image = (activity.reshape(-1, samples) @ without_pair).reshape(*activity.shape[:2], -1)
    stretch = _Symmetric.of(activity, image[..., :samples]).plus(1 / scaled_readout_variance)
    alignment = _Symmetric.of(image[..., samples:], image[..., samples:])
    determinant = stretch.determinant
    gain = stretch.second * alignment.first - 2 * stretch.mixed * alignment.mixed + stretch.first * alignment.second
    return gain / determinant / 2 - (image.shape[2] - samples) * jnp.log(determinant) / 2


def _update(
    response: Float[Array, "P S"], activity: Float[Array, "2 P"], scaled_readout_variance: Scalar
) -> Float[Array, "P S"]:
    """S^{-1} (I, Y) after S gained c phi phi^T for each of two activities: a rank-two update."""
    image = activity @ response
    directions = image[:, : len(response)]
    stretch = _Symmetric.of(activity, directions).plus(1 / scaled_readout_variance)
    solved = jnp.stack(
        [
            stretch.second * directions[0] - stretch.mixed * directions[1],
            stretch.first * directions[1] - stretch.mixed * directions[0],
        ]
    )
    return response - (solved / stretch.determinant).T @ image
