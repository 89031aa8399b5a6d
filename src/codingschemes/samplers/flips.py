"""Neurons below the last layer change to the complement of their code, exactly.

(u_i, w_i) -> (-u_i, -w_i), w_i the weights that leave the neuron. A sigmoid obeys phi(-z) = 1 - phi(z): the neuron's
part in every preactivation of the layer above stays what it was, but for a constant that all samples share. The other
neurons of its layer take it up: their mean activity hardly depends on the sample, and each of their weights into the
same neuron above gains the same small amount. Along a trajectory the neuron would have to give up its class in between:
the numbers of neurons that answer to a class and to all but it are the last to settle in a sharpened layer.

In function space the layer above has no weights of its own: the neuron alone is turned round, and the kernel of its
layer hardly changes. Either way the flip is its own inverse and keeps volume (a reflection, and a shear by what it does
not change), so that the density alone decides.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from codingschemes.posterior import Density, Position, Scalar


def flip_sweep(key: Array, position: Position, density: Density, visits: int) -> tuple[Position, Int[Array, ""]]:
    """Neurons drawn from all layers below the last, one after the other; also the number of flips accepted."""
    layer_key, neuron_key, accept_key = jax.random.split(key, 3)
    layers = jax.random.randint(layer_key, (visits,), 0, density.network.depth - 1)
    neurons = jax.random.randint(neuron_key, (visits,), 0, density.network.width)
    levels = jnp.log(jax.random.uniform(accept_key, (visits,)))

    def propose(index: Array, here: Place) -> tuple[Position, Scalar]:
        return _flip(here.position, here.activity, layers[index], neurons[index], density), jnp.zeros(())

    return accept_in_turn(position, density, levels, propose)


class Place(NamedTuple):
    """A position, and what a move in a lower layer asks of it: activity of every layer, potential."""

    position: Position
    activity: Float[Array, "L N P"]
    potential: Scalar

    @classmethod
    def at(cls, position: Position, density: Density) -> "Place":
        """What one pass through the network says."""
        preactivations, last = density.propagate(position)
        return cls(position, density.network.activation(preactivations), density.potential_at(position, last))


def accept_in_turn(
    position: Position,
    density: Density,
    levels: Float[Array, " V"],
    propose: Callable[[Array, Place], tuple[Position, Scalar]],
) -> tuple[Position, Int[Array, ""]]:
    """The position after as many proposals as there are levels, logs of uniform numbers, each accepted or not before
    the next; also how many were.

    Args:
        propose: (index, place) -> another position, by a map that is its own inverse, and the log of the volume that it
            changes.
    """

    def visit(index: Array, carry: tuple[Place, Array]) -> tuple[Place, Array]:
        here, count = carry
        changed, log_volume = propose(index, here)
        there = Place.at(changed, density)
        accepted = levels[index] < here.potential - there.potential + log_volume
        here = jax.tree.map(lambda new, old: jnp.where(accepted, new, old), there, here)
        return here, count + accepted

    start = (Place.at(position, density), jnp.asarray(0))
    here, count = jax.lax.fori_loop(0, len(levels), visit, start)
    return here.position, count


def _flip(
    position: Position, activity: Float[Array, "L N P"], layer: Array, neuron: Array, density: Density
) -> Position:
    """The position with one neuron and the weights that leave it turned round, and the constant taken up."""
    first, hidden = position["input"], position["hidden"]
    below = jnp.maximum(layer - 1, 0)
    turned = {
        **position,
        "input": first.at[neuron].multiply(jnp.where(layer == 0, -1.0, 1.0)),
        "hidden": hidden.at[below, neuron].multiply(jnp.where(layer == 0, 1.0, -1.0)),
    }
    if hidden.shape[-1] != density.network.hidden_feature_count:
        return turned
    others = jnp.arange(density.network.width) != neuron
    share = 2 * density.network.activation(jnp.zeros(())) / jnp.sum(jnp.mean(activity[layer], axis=1), where=others)
    leaving = turned["hidden"][layer]
    taken_up = jnp.outer(leaving[:, neuron], jnp.where(others, share, 0.0))
    leaving = leaving.at[:, : density.network.width].add(taken_up).at[:, neuron].multiply(-1.0)
    return {**turned, "hidden": turned["hidden"].at[layer].set(leaving)}
