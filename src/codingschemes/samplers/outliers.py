"""Trajectories of few neurons, hardly ever others than those that carry the output, while the rest is held.

The outliers of threshold activations share the output between directions by giving way to each other over tens of units
(`hmc`). The rest need not move with them, and without it a gradient is h P^2 of arithmetic instead of N P^2 + P^3: long
trajectories cost no more than the short ones of all neurons.

h neurons are drawn one after the other, each with a chance in proportion to its weight w = (|phi|^2 + least)^2 among
those that are left: an ordered set I with probability

    s(I | u) = prod_k w_{I_k} / (w_{I_k} + ... + w_{I_h} + weights of the rest),

and then move along the density times s(I | u). That is a draw of I given u, then a move of u that leaves its density
given I as it is: exact whatever s is. Given the rest, with S_0 its kernel, A = S_0^{-1} and activities Phi of those h,

    log p = tr(B^T M^{-1} B)/2 - (C/2) log det M - |u|^2/2,    M = Phi A Phi^T + I/c,    B = Phi A Y.

Kinks are rounded off along the trajectory (`softened`), over two and a half steps: long ones are accepted most often
then (benchmarks/equilibrium.md).
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.linalg import cho_solve, solve_triangular
from jaxtyping import Array, Float, Int

from codingschemes.posterior import Density, Position, Scalar
from codingschemes.samplers.neighbourhood import populate
from codingschemes.samplers.rotations import FEW_SAMPLES, least_weight
from codingschemes.samplers.softened import softened_trajectory
from codingschemes.samplers.transition import Point

#: Neurons that move, for each output and for none: outliers of a class point in several directions.
_EACH = 8
#: Weights are squared activity to this power: outliers are nearly always among those drawn.
_POWER = 2.0
#: Kinks are rounded off within so many steps.
_REACH = 2.5


def has_outliers(density: Density) -> bool:
    """Whether a few neurons may carry the output, nothing lies below them that would have to move along, and it is
    cheaper to move few than all: one layer of threshold neurons, at more than a few samples."""
    network = density.network
    one_layer = network.depth == 1 and network.width > 1 and not network.recurrent
    return network.activation.softens and one_layer and density.targets.shape[0] > FEW_SAMPLES


def outlier_count(density: Density) -> int:
    """How many neurons move together: at most half of all."""
    return min(density.network.width // 2, _EACH * (density.targets.shape[1] + 1))


class Rest(NamedTuple):
    """What the few that move feel of all others.

    Attributes:
        inverse: A = S_0^{-1}.
        field: A Y.
        scaled_readout_variance: c.
        weight: the sum of the others' weights.
        least: part of every weight (`selection_weights`).
    """

    inverse: Float[Array, "P P"]
    field: Float[Array, "P C"]
    scaled_readout_variance: Scalar
    weight: Scalar
    least: Scalar


def move_outliers(
    key: Array,
    coordinates: Float[Array, "N R"],
    density: Density,
    step_size: Scalar,
    steps: Int[Array, ""],
) -> Float[Array, "N R"]:
    """The last layer's coordinates after one trajectory of a few of its neurons, drawn by their weights."""
    draw_key, trajectory_key = jax.random.split(key)
    basis, least = density.basis, least_weight(density.basis)
    weights = selection_weights(density.network.activation(coordinates @ basis.T), least)
    chosen = draw_without_replacement(draw_key, weights, outlier_count(density))
    held = jnp.ones_like(weights).at[chosen].set(0.0)
    others = populate(density, held[:, None] * coordinates, basis)  # a neuron at zero is silent
    rest = Rest(others.inverse, others.field, density.scaled_readout_variance, held @ weights, least)
    exact, forces = (_log_density(each, rest) for each in (density, density.softened_for_forces(_REACH * step_size)))
    begin = {"chosen": coordinates[chosen]}
    start = Point(begin, exact(begin), begin)  # no gradient at hand: the trajectory begins with that of its own forces
    end, _ = softened_trajectory(trajectory_key, start, exact, forces, step_size, steps)
    return coordinates.at[chosen].set(end.position["chosen"])


def selection_weights(activity: Float[Array, "K P"], least: Scalar) -> Float[Array, " K"]:
    """What neurons are drawn in proportion to."""
    return (jnp.sum(activity**2, axis=1) + least) ** _POWER


def draw_without_replacement(key: Array, weights: Float[Array, " N"], count: int) -> Int[Array, " h"]:
    """So many neurons, one after the other, each in proportion to its weight among those that are left: the largest of
    log weights with Gumbel noise, in their order."""
    return jax.lax.top_k(jnp.log(weights) + jax.random.gumbel(key, weights.shape, weights.dtype), count)[1]


def log_selection(weights: Float[Array, " h"], rest: Scalar) -> Scalar:
    """log of the probability of drawing these, in this order, where the others weigh `rest` together."""
    later = jnp.triu(jnp.ones((len(weights), len(weights))))  # one sum each: `cumsum` takes many small operations
    left = rest + jnp.sum(later * weights, axis=1)
    return jnp.sum(jnp.log(weights) - jnp.log(left))


@jax.custom_vjp
def log_likelihood_beside(
    activity: Float[Array, "h P"], inverse: Float[Array, "P P"], field: Float[Array, "P C"], scaled: Scalar
) -> Scalar:
    """What some neurons add to the log likelihood, given all others: see the module's text. Activity in single
    precision makes products with it single, too; M has the precision of c."""
    return _beside(activity, inverse, field, scaled)[0]


def _beside(activity: Array, inverse: Array, field: Array, scaled: Scalar) -> tuple[Scalar, Array, Array, Array]:
    """The same, with Phi A, B and the Cholesky factor of M."""
    image, overlap = activity @ inverse, (activity @ field).astype(scaled.dtype)
    reach = (activity @ image.T).astype(scaled.dtype)
    factor = jnp.linalg.cholesky(reach + jnp.eye(len(activity), dtype=scaled.dtype) / scaled)
    gain = jnp.sum(solve_triangular(factor, overlap, lower=True) ** 2) / 2
    return gain - field.shape[1] * jnp.sum(jnp.log(jnp.diagonal(factor))), image, overlap, factor


def _forward(activity, inverse, field, scaled):  # type: ignore[no-untyped-def]
    # The slope in Phi is V F^T - (V V^T + C M^{-1}) Phi A, with V = M^{-1} B and F = A Y.
    value, image, overlap, factor = _beside(activity, inverse, field, scaled)
    outputs = field.shape[1]
    solved = cho_solve((factor, True), jnp.concatenate([overlap, jnp.eye(len(activity), dtype=factor.dtype)], axis=1))
    pull, inner = solved[:, :outputs], solved[:, outputs:]
    bend = pull @ pull.T + outputs * inner
    return value, pull.astype(activity.dtype) @ field.T - bend.astype(activity.dtype) @ image


def _backward(slope, cotangent):  # type: ignore[no-untyped-def]
    return (cotangent * slope).astype(slope.dtype), None, None, None


log_likelihood_beside.defvjp(_forward, _backward)


def _log_density(density: Density, rest: Rest) -> Callable[[Position], Scalar]:
    """The density of the chosen neurons and of being chosen, given the rest, in the precision of `density`."""
    dtype = density.basis.dtype
    inverse, field = rest.inverse.astype(dtype), rest.field.astype(dtype)

    def log_density(position: Position) -> Scalar:
        coordinates = position["chosen"]
        activity = density.network.activation(coordinates.astype(dtype) @ density.basis.T)
        likelihood = log_likelihood_beside(activity, inverse, field, rest.scaled_readout_variance)
        selection = log_selection(selection_weights(activity, rest.least).astype(float), rest.weight)
        return likelihood + selection - jnp.sum(coordinates**2) / 2

    return log_density
