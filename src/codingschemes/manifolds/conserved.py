"""What gradient flow conserves besides manifolds: the balance of readout and weight of homogeneous neurons."""

import numpy as np
from jaxtyping import Float

from codingschemes.calls import known_keywords
from codingschemes.manifolds.manifold import Neurons


@known_keywords
def balances(neurons: Neurons) -> Float[np.ndarray, "*draws m"]:
    """|a_k|^2 - |w_k|^2: constant under the gradient flow of any loss without penalties, if sigma is homogeneous.

    From rescaling (a, w) -> (s a, w/s): a . dL/da = w . dL/dw for every neuron. Discrete steps change it at second
    order in the rate.

    Args:
        neurons: one network, or (draw, neuron, ...).

    Example:
        >>> cs.manifolds.balances(neurons).shape
        (3,)
    """
    return np.sum(np.asarray(neurons.readout) ** 2, axis=-1) - np.sum(np.asarray(neurons.weight) ** 2, axis=-1)


@known_keywords
def balance_matrix(neurons: Neurons) -> Float[np.ndarray, "*draws m m"]:
    """a a^T - w w^T, constant for linear networks.

    Args:
        neurons: one network, or (draw, neuron, ...).

    Example:
        >>> cs.manifolds.balance_matrix(neurons).shape
        (3, 3)
    """
    readout, weight = np.asarray(neurons.readout), np.asarray(neurons.weight)
    return readout @ np.swapaxes(readout, -1, -2) - weight @ np.swapaxes(weight, -1, -2)
