"""A manifold in the weight space of a two-layer network that gradient flow never leaves, or a set that is none."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from codingschemes.calls import known_keywords
from codingschemes.manifolds.activation_class import ActivationClass
from codingschemes.manifolds.partitions import Block, Partition
from codingschemes.networks import Weights

type Numbers = Array | np.ndarray


@known_keywords
class Neurons(NamedTuple):
    """The neurons theta_k = (a_k, w_k) of a two-layer network F(x) = sum_k a_k sigma(w_k . x).

    Attributes:
        readout: a.
        weight: w; with a bias its last column.

    Example:
        >>> neurons.readout.shape, neurons.weight.shape, neurons.concatenate().shape
        ((3, 1), (3, 2), (3, 3))
    """

    readout: Float[Numbers, "*draws m C"]
    weight: Float[Numbers, "*draws m D"]

    @classmethod
    @known_keywords
    def of(cls, weights: Weights) -> "Neurons":
        """The neurons of a network of depth 1 with these `weights`."""
        return cls(weights.readout, weights.input)

    def concatenate(self) -> Float[Numbers, "*draws m K"]:
        """theta, readouts first."""
        joined = np.concatenate if isinstance(self.weight, np.ndarray) else jnp.concatenate
        return joined([self.readout, self.weight], axis=-1)


@known_keywords
def random_neurons(rng: np.random.Generator, width: int, inputs: int, outputs: int) -> Neurons:
    """Standard normal weights.

    Args:
        rng: draws them.
        width: neurons.
        inputs: coordinates of w; a bias counts as one.
        outputs: coordinates of a.

    Example:
        >>> cs.manifolds.random_neurons(rng, 4, 3, 2).weight.shape
        (4, 3)
    """
    return Neurons(rng.normal(size=(width, outputs)), rng.normal(size=(width, inputs)))


@known_keywords
def gaussian_like(neurons: Neurons, rng: np.random.Generator) -> Neurons:
    """Gaussian weights with the root mean squares of given readouts and weights: what chance would do.

    Args:
        neurons: one network, or (draw, neuron, ...).
        rng: draws them.

    Returns:
        Neurons of the same shapes.

    Example:
        >>> cs.manifolds.gaussian_like(neurons, rng).weight.shape
        (3, 2)
    """
    return Neurons(*(np.sqrt(np.mean(part**2)) * rng.normal(size=part.shape) for part in neurons))


@dataclass(frozen=True, eq=False)
class Manifold:
    """An affine subspace of weights that mixes neurons: readouts P_a a, weights P_w w, around an offset.

    Attributes:
        name: what it is.
        readout: the orthogonal projector P_a over neurons.
        weight: the projector P_w.
        offset: a point of it; zero if left out.

    Example:
        >>> manifold = cs.manifolds.manifold_of(partition, kind)
        >>> manifold.dimension(inputs=2, outputs=1)
        6
        >>> bool(manifold.distance(neurons) < 1e-12)
        True
    """

    name: str
    readout: Float[np.ndarray, "m m"]
    weight: Float[np.ndarray, "m m"]
    offset: Neurons | None = None

    def dimension(self, inputs: int, outputs: int) -> int:
        """Its dimension for D inputs (the bias counts as one) and C outputs."""
        return round(np.trace(self.readout)) * outputs + round(np.trace(self.weight)) * inputs

    def tangential(self, vector: Neurons) -> Neurons:
        """The part of a velocity or gradient `vector`, (*draws, neuron, ...), along the manifold."""
        return Neurons(self.readout @ vector.readout, self.weight @ vector.weight)

    def project(self, neurons: Neurons) -> Neurons:
        """The point of the manifold nearest to `neurons`, (*draws, neuron, ...)."""
        if self.offset is None:
            return self.tangential(neurons)
        moved = self.tangential(jax.tree.map(lambda value, origin: value - origin, neurons, self.offset))
        return Neurons(moved.readout + self.offset.readout, moved.weight + self.offset.weight)

    def distance(self, neurons: Neurons) -> float:
        """Euclidean distance of the weights of `neurons` to the manifold, relative to their norm."""
        nearest = self.project(neurons)
        away = np.linalg.norm(np.asarray(neurons.concatenate()) - np.asarray(nearest.concatenate()))
        return float(away / (np.linalg.norm(neurons.concatenate()) or 1.0))


@known_keywords
def manifold_of(partition: Partition, activation: ActivationClass) -> Manifold:
    """The manifold of a partition, invariant under the gradient flow of every loss and data set.

    Args:
        partition: of the neurons.
        activation: its class.

    Example:
        >>> cs.manifolds.manifold_of(partition, kind).name
        '1 -3 | 2'
    """
    width = partition.width
    signed = _projector(partition.blocks, width)
    unsigned = _projector([tuple(map(abs, block)) for block in (*partition.blocks, *partition.flat)], width)
    return Manifold(str(partition), unsigned if activation.symmetry == "even" else signed, signed)


@known_keywords
def ray_family(partition: Partition, scales: Float[np.ndarray, " m"]) -> Manifold:
    """{theta_k = c_k theta_B for k in B}: a manifold of homogeneous activations for every choice of c > 0.

    Derived here. Orbits on it have one dimension less for every block, by the conserved |a|^2 - |w|^2.

    Args:
        partition: without zero block.
        scales: c of every neuron, positive, (neuron,).

    Example:
        >>> cs.manifolds.ray_family(cs.manifolds.Partition(((1, 2),)), np.array([1.0, 2.0])).name
        'rays 1 2'
    """
    projector = _projector(partition.blocks, partition.width, scales)
    return Manifold(f"rays {partition}", projector, projector)


@known_keywords
def bias_root(width: int, inputs: int, outputs: int, bias: float, *, silent: bool) -> Manifold:
    """{w_1 = 0 with its bias at a root}: of sigma' (a_1 is free), or of sigma (`silent`: a_1 = 0).

    Derived here; `inputs` counts the bias, which is the last column of the weights.

    Args:
        width: neurons.
        inputs: coordinates of w, the bias among them.
        outputs: coordinates of a.
        bias: the root.
        silent: whether a_1 = 0, too.

    Example:
        >>> cs.manifolds.bias_root(3, inputs=2, outputs=1, bias=0.0, silent=True).dimension(2, 1)
        6
    """
    rest = _projector([(neuron,) for neuron in range(2, width + 1)], width)
    weight = np.zeros((width, inputs))
    weight[0, -1] = bias
    offset = Neurons(np.zeros((width, outputs)), weight)
    return Manifold(f"bias of neuron 1 at {bias:.4g}", rest if silent else np.eye(width), rest, offset)


@known_keywords
def controls(activation: ActivationClass, width: int) -> tuple[Manifold, ...]:
    """Subspaces that look like manifolds of this class and are none: gradients point out of them.

    Args:
        activation: its class.
        width: two neurons at least.

    Example:
        >>> [control.name for control in cs.manifolds.controls(kind, 2)][-1]
        'a_1 = a_2, w_1 = -w_2'
    """
    everything = np.eye(width)
    without_first = _projector([(neuron,) for neuron in range(2, width + 1)], width)
    others = [(neuron,) for neuron in range(3, width + 1)]
    merged = _projector([(1, 2), *others], width)
    mirrored = _projector([(1, -2), *others], width)
    found = [
        Manifold("w_1 = w_2, a_1 and a_2 free", everything, merged),
        Manifold("a_1 = a_2, w_1 and w_2 free", merged, everything),
        Manifold("a_1 = 0", without_first, everything),
    ]
    # The slope of a kink at 0 is a convention; jax's is 0 for ReLU, which would make this one invariant.
    if activation.symmetry != "even" and not activation.kinked:
        found.append(Manifold("w_1 = 0", everything, without_first))
    if activation.constant_neurons:
        found.append(Manifold("neuron 1 zero", without_first, without_first))
    if activation.symmetry != "odd":
        found.append(Manifold("theta_1 = -theta_2", mirrored, mirrored))
    if activation.symmetry != "even":
        found.append(Manifold("a_1 = a_2, w_1 = -w_2", merged, mirrored))
    return tuple(found)


def _projector(
    blocks: Sequence[Block], width: int, scales: Float[np.ndarray, " m"] | None = None
) -> Float[np.ndarray, "m m"]:
    projector = np.zeros((width, width))
    for block in blocks:
        members = np.abs(block) - 1
        direction = np.zeros(width)
        direction[members] = np.sign(block) * (1.0 if scales is None else scales[members])
        projector += np.outer(direction, direction) / (direction @ direction)
    return projector
