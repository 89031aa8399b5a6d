"""Do merged neurons stay together when they are pulled apart? The Hessian across a manifold.

At weights on a manifold, moving the n neurons of a block apart with their sum fixed changes no output at first order,
so the second order of the loss has no curvature of l and falls apart into n - 1 copies of one matrix a neuron,

    H = [[lam_a I,                 sum_i s l'_i sigma'(w.x_i) x_i^T          ],
         [transposed,  sum_i s (a.l'_i) sigma''(w.x_i) x_i x_i^T + lam_w I]],

and a zero block into n copies. Derived here.
"""

from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from codingschemes.calls import known_keywords
from codingschemes.errors import InvalidInput
from codingschemes.manifolds.manifold import Neurons
from codingschemes.manifolds.partitions import Block, Partition
from codingschemes.manifolds.problem import Problem


@dataclass(frozen=True)
class BlockStability:
    """How one block answers to being pulled apart.

    Attributes:
        block: the neurons.
        hessian: H of its first neuron, readouts first.
        copies: how often H appears in the normal Hessian.
        eigenvalues: of H, ascending.

    Example:
        >>> (block,) = cs.manifolds.normal_stability(problem, partition, neurons)
        >>> block.block, block.copies, block.hessian.shape
        ((1, -3), 1, (3, 3))
    """

    block: Block
    hessian: Float[np.ndarray, "K K"]
    copies: int
    eigenvalues: Float[np.ndarray, " K"]

    @property
    def condensing(self) -> bool:
        """Whether gradient flow near the manifold returns to it: H positive definite.

        Where the residual is zero and there is no penalty, H vanishes and the loss is quartic across the manifold:
        this is then False, and nothing follows.
        """
        return bool(self.eigenvalues[0] > 1e-12 * max(1.0, self.eigenvalues[-1]))

    def spread(self, temperature: float) -> Float[np.ndarray, "K K"]:
        """Predicted covariance T H^{-1} of draws from exp(-L/T) along one normal copy, to leading order in T.

        Args:
            temperature: T, in units of the loss.

        Raises:
            InvalidInput: H is not positive definite.
        """
        if not self.condensing:
            raise InvalidInput("the normal Hessian is not positive definite: no Gaussian spread exists there")
        return temperature * np.linalg.inv(self.hessian)


@known_keywords
def neuron_hessian(problem: Problem, neurons: Neurons, neuron: int) -> Float[np.ndarray, "K K"]:
    """H of one neuron (counted from 0), readouts first.

    Args:
        problem: network, data and loss.
        neurons: one network.
        neuron: which.

    Returns:
        Of (a, w), (C + D, C + D).

    Example:
        >>> cs.manifolds.neuron_hessian(problem, neurons, 0).shape
        (3, 3)
    """
    whole = Neurons(*map(jnp.asarray, neurons))
    mixed, curved = (np.asarray(part) for part in _second_derivatives(problem, whole, jnp.asarray(neuron)))
    outputs, features = mixed.shape
    return np.block(
        [
            [float(problem.readout_penalty) * np.eye(outputs), mixed],
            [mixed.T, curved + float(problem.weight_penalty) * np.eye(features)],
        ]
    )


@eqx.filter_jit
def _second_derivatives(
    problem: Problem, neurons: Neurons, neuron: Array
) -> tuple[Float[Array, "C D"], Float[Array, "D D"]]:
    """The blocks (a, w) and (w, w) of H, without penalties."""
    readout, weight = neurons.readout[neuron], neurons.weight[neuron]
    back = problem.scale * problem.output_gradient(neurons)
    z = problem.inputs @ weight
    slope_of = jax.grad(lambda value: jnp.sum(problem.activation(value)))
    slope, bend = jax.jvp(slope_of, (z,), (jnp.ones_like(z),))
    mixed = back.T @ (slope[:, None] * problem.inputs)
    curved = (problem.inputs * (bend * (back @ readout))[:, None]).T @ problem.inputs
    return mixed, curved


@known_keywords
def normal_stability(problem: Problem, partition: Partition, neurons: Neurons) -> tuple[BlockStability, ...]:
    """Every block with normal directions: merged blocks of two neurons or more, and the zero block.

    Args:
        problem: network, data and loss.
        partition: whose manifold it is.
        neurons: weights on the manifold of the partition; not of an even activation with neurons at w = 0.

    Raises:
        InvalidInput: blocks with w = 0.

    Example:
        >>> [stability.copies for stability in cs.manifolds.normal_stability(problem, partition, neurons)]
        [1]
    """
    if partition.flat:
        raise InvalidInput("normal Hessians are given for merged and zero blocks: leave out neurons with w = 0")
    found = []
    blocks = [(block, len(block) - 1) for block in partition.blocks if len(block) > 1]
    for block, copies in [*blocks, *([(partition.zero, len(partition.zero))] if partition.zero else [])]:
        hessian = neuron_hessian(problem, neurons, abs(block[0]) - 1)
        found.append(BlockStability(block, hessian, copies, np.linalg.eigvalsh(hessian)))
    return tuple(found)
