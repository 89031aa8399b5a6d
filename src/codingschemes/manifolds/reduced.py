"""On a manifold, a network of width m is a network of its effective width, and so is its gradient flow.

With n_B neurons in block B, d theta_B/dt = -(1/n_B) dL_red/d theta_B, where L_red is the loss as a function of one
neuron a block: the narrow network's flow in the metric alpha_B = sqrt(n_B) theta_B, not its plain flow. Derived here.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from codingschemes.calls import known_keywords
from codingschemes.manifolds.activation_class import ActivationClass
from codingschemes.manifolds.manifold import Neurons
from codingschemes.manifolds.partitions import Partition


class Reduced(NamedTuple):
    """A narrow network that computes the same as the wide one on a manifold.

    Attributes:
        neurons: (n_B a_B, w_B), one a block; blocks with w = 0 last.
        sizes: n_B.
        metric: factors n_B of readout and 1/n_B of weight velocities that make the narrow network's gradient flow the
            wide one's (`metric` of `dynamics.descend`).

    Example:
        >>> narrow = cs.manifolds.reduce(partition, neurons)
        >>> narrow.sizes, narrow.neurons.weight.shape
        (array([2., 1.]), (2, 2))
    """

    neurons: Neurons
    sizes: Float[np.ndarray, " r"]
    metric: Neurons


@known_keywords
def reduce(partition: Partition, neurons: Neurons) -> Reduced:
    """The narrow network of weights that lie on the manifold of a partition.

    Args:
        partition: whose manifold it is.
        neurons: on the manifold; the first neuron of each block stands for it.

    Example:
        >>> cs.manifolds.reduce(partition, neurons).neurons.readout.shape
        (2, 1)
    """
    blocks = (*partition.blocks, *partition.flat)
    first = [block[0] - 1 for block in blocks]
    sizes = np.array([float(len(block)) for block in blocks])[:, None]
    readout, weight = np.asarray(neurons.readout), np.asarray(neurons.weight)
    return Reduced(Neurons(sizes * readout[first], weight[first]), sizes[:, 0], Neurons(sizes, 1 / sizes))


@known_keywords
def lift(partition: Partition, narrow: Neurons, activation: ActivationClass) -> Neurons:
    """The wide network of a narrow one: undoes `reduce`.

    Args:
        partition: whose manifold it is.
        narrow: one neuron a block, or (snapshot, block, ...).
        activation: its class.

    Example:
        >>> narrow = cs.manifolds.reduce(partition, neurons)
        >>> bool(np.allclose(cs.manifolds.lift(partition, narrow.neurons, kind).weight, neurons.weight))
        True
    """
    blocks = (*partition.blocks, *partition.flat)
    copies = np.zeros((2, partition.width, len(blocks)))
    for column, block in enumerate(blocks):
        members = np.abs(block) - 1
        copies[0, members, column] = (1 if activation.symmetry == "even" else np.sign(block)) / len(block)
        copies[1, members, column] = np.sign(block)
    return Neurons(copies[0] @ np.asarray(narrow.readout), copies[1] @ np.asarray(narrow.weight))
