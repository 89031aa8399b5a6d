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

import jax.numpy as jnp
from jaxtyping import Array, Int

from codingschemes.posterior import Density, Position
from codingschemes.samplers.lower_layers import Place, Proposal, accept_in_turn, has_own_weights


def flip_sweep(key: Array, position: Position, density: Density, visits: int) -> tuple[Position, Int[Array, ""]]:
    """Neurons of all layers below the last, one after the other; also the number of flips accepted."""

    def propose(_: Array, here: Place, layer: Array, neuron: Array) -> Proposal:
        return _flip(here, layer, neuron, density)

    return accept_in_turn(key, position, density, visits, propose)


def _flip(here: Place, layer: Array, neuron: Array, density: Density) -> Proposal:
    """One neuron and the weights that leave it turned round, and the constant taken up."""
    network, position = density.network, here.position
    first, hidden = position["input"], position["hidden"]
    below = jnp.maximum(layer - 1, 0)
    turned = {
        **position,
        "input": first.at[neuron].multiply(jnp.where(layer == 0, -1.0, 1.0)),
        "hidden": hidden.at[below, neuron].multiply(jnp.where(layer == 0, 1.0, -1.0)),
    }
    units, preactivation = here.activity[layer], -here.preactivation[layer, neuron]
    there = units.at[neuron].set(network.activation(preactivation))
    unchanged = jnp.zeros(())
    if not has_own_weights(hidden, density):
        above = hidden[layer] @ density.factor_above(there)
        return Proposal(turned, preactivation, above, unchanged)
    others = jnp.arange(network.width) != neuron
    share = 2 * network.activation(jnp.zeros(())) / jnp.sum(jnp.mean(units, axis=1), where=others)
    share = jnp.where(others, share, 0.0)
    leaving = turned["hidden"][layer]
    out = leaving[:, neuron]
    before, after = density.factor_above(units), density.factor_above(there)
    seen = share @ after[: network.width] - before[neuron] - after[neuron]
    above = here.preactivation[layer + 1] + jnp.outer(out, seen)
    leaving = leaving.at[:, : network.width].add(jnp.outer(out, share)).at[:, neuron].multiply(-1.0)
    return Proposal({**turned, "hidden": turned["hidden"].at[layer].set(leaving)}, preactivation, above, unchanged)
