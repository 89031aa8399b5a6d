"""Pairs of neurons below the last layer rotate into each other, with the weights that leave them, exactly.

With Q a rotation of neurons i and j of layer l, (u^l, W^{l+1}) -> (Q u^l, W^{l+1} Q^T): the prior, a function of norms,
stays as it is. Where two ReLU neurons point the same way so does what the layer above makes of them: one may take over
the other's share, which gradients never find, and the norms of the few neurons that tell classes apart in a lower layer
are the last thing to settle. In function space the layer above has no weights of its own, and follows the kernel.

The angle is drawn by slice sampling on the circle (`rotations`); a trial is a correction of rank two to the layer above
and a pass through those above that. Of half of the pairs, by chance, the first is drawn with a chance proportional to
|u_i|^2 and that of the weights that leave it, the second uniformly: the chance of the pair, in either order, is
conserved. Of the others both are drawn by activity, and the density along the circle is multiplied by the chance to be
drawn (`rotations` says why that is exact).
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from codingschemes.posterior import Density, Position, Scalar
from codingschemes.samplers.lower_layers import Place, Proposal, has_own_weights
from codingschemes.samplers.rotations import (
    angle_above,
    draw_pair,
    least_weight,
    log_selection,
    rotate_pair,
    shrinking_angles,
    weight_of_others,
)

#: Angles tried, one after the other, before everything stays as it is.
_TRIALS = 32


def lower_rotation_sweep(
    key: Array, position: Position, density: Density, visits: int
) -> tuple[Position, Int[Array, ""]]:
    """`visits` pairs of all layers below the last in turn, one after the other; also the number of angles tried."""
    pair_key, level_key, angle_key, kind_key = jax.random.split(key, 4)
    layers = jnp.arange(visits) % (density.network.depth - 1)
    dtype = position["input"].dtype
    chosen = jax.random.uniform(pair_key, (visits, 2), dtype)
    kept = jax.random.bernoulli(kind_key, shape=(visits,))
    levels = jnp.log(jax.random.uniform(level_key, (visits,), dtype))
    angles = jax.vmap(shrinking_angles)(jax.random.uniform(angle_key, (visits, _TRIALS, 1), dtype))

    def visit(index: Array, carry: tuple[Place, Array]) -> tuple[Place, Array]:
        here, tried = carry
        layer, conserved = layers[index], kept[index]
        weights = jnp.sum(here.activity[layer] ** 2, axis=1) + least_weight(density.basis)
        first_shares = jnp.where(conserved, _length(here.position, layer, density), weights)
        pair = draw_pair(first_shares, jnp.where(conserved, 1.0, weights), chosen[index])
        rest = weight_of_others(weights, pair)

        def log_density(place: Place) -> Scalar:
            active = jnp.sum(place.activity[layer][pair] ** 2, axis=1) + least_weight(density.basis)
            return jnp.where(conserved, 0.0, log_selection(active[None], rest)[0]) - place.potential

        def of_angle(angles: Float[Array, " 1"]) -> Float[Array, " 1"]:
            return log_density(rotated(here, layer, pair, angles[0], density))[None]

        angle, count = angle_above(of_angle, angles[index], log_density(here) + levels[index])
        return rotated(here, layer, pair, angle, density), tried + count

    start = (Place.at(position, density), jnp.asarray(0))
    here, tried = jax.lax.fori_loop(0, visits, visit, start)
    return here.position, tried


def rotated(here: Place, layer: Array, pair: Int[Array, " 2"], angle: Scalar, density: Density) -> Place:
    """The place where two neurons of a layer are rotated into each other."""
    position, activation = here.position, density.network.activation
    first, hidden = position["input"], position["hidden"]
    below = jnp.maximum(layer - 1, 0)

    def turn(rows: Float[Array, "2 K"]) -> Float[Array, "2 K"]:
        return rotate_pair(angle[None], rows)[0]

    lowest = layer == 0
    hidden = hidden.at[below, pair].set(jnp.where(lowest, hidden[below, pair], turn(hidden[below, pair])))
    preactivation = turn(here.preactivation[layer, pair])
    units = here.activity[layer]
    there = units.at[pair].set(activation(preactivation))
    if has_own_weights(hidden, density):
        leaving = hidden[layer][:, pair].T
        turned = turn(leaving)
        hidden = hidden.at[layer, :, pair].set(turned)
        before, after = (density.factor_above(each)[pair] for each in (units, there))
        above = here.preactivation[layer + 1] + turned.T @ after - leaving.T @ before
    else:
        above = hidden[layer] @ density.factor_above(there)
    moved = {
        **position,
        "input": first.at[pair].set(jnp.where(lowest, turn(first[pair]), first[pair])),
        "hidden": hidden,
    }
    return here.after(Proposal(moved, preactivation, above, jnp.zeros(())), layer, pair, density)


def _length(position: Position, layer: Array, density: Density) -> Float[Array, " N"]:
    """Squared length of what enters each neuron of a layer, and of what leaves it."""
    hidden = position["hidden"]
    below = jnp.maximum(layer - 1, 0)
    entering = jnp.where(layer == 0, jnp.sum(position["input"] ** 2, axis=1), jnp.sum(hidden[below] ** 2, axis=1))
    if not has_own_weights(hidden, density):
        return entering
    return entering + jnp.sum(hidden[layer][:, : density.network.width] ** 2, axis=0)
