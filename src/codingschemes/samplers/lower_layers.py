"""Proposals that change one neuron or two below the last layer, each accepted or not before the next.

A proposal tells what these and the layer above make of it, as corrections of low rank to what they were, so that a
visit costs no pass through the network: only the layers above that one, and the likelihood, are computed anew. Layers
take turns, the same in all chains, which therefore agree on how many those are.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from codingschemes.posterior import Density, Position, Scalar


class Proposal(NamedTuple):
    """Another position, and what a neuron, or several of a layer, and the layer above are there.

    Attributes:
        position: the other position.
        neuron: preactivation of the neuron, or a row for each.
        above: preactivations of the layer above.
        log_volume: the log of the volume that the map to it changes.
    """

    position: Position
    neuron: Float[Array, "*pair P"]
    above: Float[Array, "N P"]
    log_volume: Scalar


class Place(NamedTuple):
    """A position, and what moves in a lower layer ask of it: preactivations of all layers, activity of those below the
    last, potential."""

    position: Position
    preactivation: Float[Array, "L N P"]
    activity: Float[Array, "H N P"]
    potential: Scalar

    @classmethod
    def at(cls, position: Position, density: Density) -> "Place":
        """What one pass through the network says."""
        preactivation, last = density.propagate(position)
        activity = density.network.activation(preactivation[:-1])
        return cls(position, preactivation, activity, density.potential_at(position, last))

    def after(self, proposal: Proposal, layer: Array, neuron: Int[Array, "*pair"], density: Density) -> "Place":
        """The place that is proposed, of one neuron of a layer or of several."""
        network = density.network

        def climb(index: Array, carry: tuple[Array, Array]) -> tuple[Array, Array]:
            preactivation, activity = carry
            units = network.activation(preactivation[index])
            above = proposal.position["hidden"][index] @ density.factor_above(units)
            return preactivation.at[index + 1].set(above), activity.at[index].set(units)

        start = (
            self.preactivation.at[layer, neuron].set(proposal.neuron).at[layer + 1].set(proposal.above),
            self.activity.at[layer, neuron].set(network.activation(proposal.neuron)),
        )
        preactivation, activity = jax.lax.fori_loop(layer + 1, network.depth - 1, climb, start)
        potential = density.potential_at(proposal.position, network.activation(preactivation[-1]))
        return Place(proposal.position, preactivation, activity, potential)


def has_own_weights(hidden: Float[Array, "H N K"], density: Density) -> bool:
    """Whether the coordinates of the layers above the first are their weights; in function space they are not."""
    return hidden.shape[-1] == density.network.hidden_feature_count


def accept_in_turn(
    key: Array,
    position: Position,
    density: Density,
    visits: int,
    propose: Callable[[Array, Place, Array, Array], Proposal],
) -> tuple[Position, Int[Array, ""]]:
    """The position after so many visits, of neurons drawn from one layer below the last after the other; also how many
    proposals were accepted.

    Args:
        key: of everything but what `propose` draws itself.
        position: where to begin.
        density: what is left invariant.
        visits: a multiple of the number of layers below the last, for as many in each.
        propose: (visit, place, layer, neuron) -> a proposal, by a map that is its own inverse.
    """
    neuron_key, accept_key = jax.random.split(key)
    layers = jnp.arange(visits) % (density.network.depth - 1)
    neurons = jax.random.randint(neuron_key, (visits,), 0, density.network.width)
    levels = jnp.log(jax.random.uniform(accept_key, (visits,)))

    def visit(index: Array, carry: tuple[Place, Array]) -> tuple[Place, Array]:
        here, count = carry
        layer, neuron = layers[index], neurons[index]
        proposal = propose(index, here, layer, neuron)
        there = here.after(proposal, layer, neuron, density)
        accepted = levels[index] < here.potential - there.potential + proposal.log_volume
        here = jax.tree.map(lambda new, old: jnp.where(accepted, new, old), there, here)
        return here, count + accepted

    start = (Place.at(position, density), jnp.asarray(0))
    here, count = jax.lax.fori_loop(0, visits, visit, start)
    return here.position, count
