"""What holds for deeper networks: one partition a hidden layer gives a manifold; there are more.

Equal rows of W^l and equal columns of W^{l+1} stay equal. These products of layer partitions are fixed subspaces and so
invariant, but not all of them: two hidden layers of three neurons have 42 fixed subspaces, 25 of them products
(`subgroups.deep_group` counts them by brute force). Affine families come on top. No complete list is known here.
"""

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from codingschemes.errors import InvalidInput
from codingschemes.manifolds.activation_class import ActivationClass
from codingschemes.manifolds.manifold import manifold_of
from codingschemes.manifolds.partitions import Partition
from codingschemes.networks import Network, Weights

type Projection = Callable[[Weights], Weights]


def layer_projection(layers: Sequence[Partition], activation: ActivationClass) -> Projection:
    """The projection of a deep network's weights on the manifold of one partition a hidden layer.

    Biases of hidden layers are not covered.

    Raises:
        InvalidInput: an activation that is neither generic nor odd: what a zero or flat block means above the first
            layer is not covered.
    """
    if activation.symmetry not in ("generic", "odd"):
        raise InvalidInput("manifolds of deep networks are covered for generic and odd activations only")
    mixing = [jnp.asarray(manifold_of(partition, activation).weight) for partition in layers]

    def project(weights: Weights) -> Weights:
        hidden = [above @ w @ below for below, above, w in zip(mixing, mixing[1:], weights.hidden, strict=False)]
        stacked = jnp.stack(hidden) if hidden else weights.hidden
        return Weights(mixing[0] @ weights.input, stacked, mixing[-1] @ weights.readout)

    return project


def tangency_residual(
    network: Network,
    inputs: np.ndarray,
    targets: np.ndarray,
    weights: Weights,
    project: Projection,
) -> float:
    """||(I - Proj) grad|| / ||grad|| of the squared loss at the projected weights.

    Raises:
        InvalidInput: a network with biases.
    """
    if network.bias:
        raise InvalidInput("manifolds of deep networks are covered without biases only")

    def loss(at: Weights) -> jax.Array:
        return jnp.sum((network.apply(at, jnp.asarray(inputs))[1] - targets) ** 2) / 2

    gradient = jax.jit(jax.grad(loss))(project(Weights(*map(jnp.asarray, weights))))
    normal = jax.tree.map(jnp.subtract, gradient, project(gradient))
    sizes = [np.sqrt(sum(float(jnp.sum(part**2)) for part in parts)) for parts in (normal, gradient)]
    return sizes[0] / sizes[1]
