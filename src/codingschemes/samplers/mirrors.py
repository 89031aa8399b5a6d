"""Neurons of odd activations and their mirror images: phi(-z) = -phi(z), so that turning round the weights that enter a
neuron and those that leave it changes nothing that the network does.

The density is the same on both sides, whatever the data: signs are drawn afresh, for every neuron of every layer, and
each is accepted. A neuron is then found with a code as often as with its opposite, as it must be; the way from one to
the other through preactivations near zero grows longer with the number of samples.
"""

import jax
from jaxtyping import Array, Float

from codingschemes.posterior import Density, Position


def mirror(key: Array, position: Position, density: Density) -> Position:
    """The position with fresh signs of all neurons. For networks of an odd activation that are not recurrent."""
    network = density.network
    return _mirror(jax.random.rademacher(key, (network.depth, network.width), float), position, density)


def _mirror(signs: Float[Array, "L N"], position: Position, density: Density) -> Position:
    turned = {**position, "input": position["input"] * signs[0][:, None]}
    if "readout" in position:
        turned["readout"] = position["readout"] * signs[-1][:, None]
    if "hidden" in position:
        hidden = position["hidden"] * signs[1:, :, None]
        # In function space a layer has no weights of its own; the kernel below does not see signs.
        if hidden.shape[-1] == density.network.hidden_feature_count:
            width = density.network.width
            hidden = hidden.at[:, :, :width].multiply(signs[:-1, None, :])
        turned["hidden"] = hidden
    return turned
