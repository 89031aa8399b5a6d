"""Every manifold of a two-layer network that symmetry or sigma(0) = 0 makes, one at a time, and how many there are."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from codingschemes.calls import known_keywords
from codingschemes.errors import InvalidInput
from codingschemes.manifolds.activation_class import ActivationClass, classify
from codingschemes.manifolds.counting import count, counts_by_effective_width
from codingschemes.manifolds.manifold import manifold_of
from codingschemes.manifolds.partitions import Partition, effective_width, partitions, symmetry_induced
from codingschemes.networks import Activation, Network

LISTED = 10_000
"""Longer lists are counted, not printed."""


@dataclass(frozen=True)
class Enumeration:
    """The manifolds of a two-layer network.

    Attributes:
        activation: what the network uses.
        kind: its class.
        width: neurons m.
        inputs: coordinates of w, D: the bias counts as one.
        outputs: coordinates of a, C.
        bias: whether the neurons have one.

    Example:
        >>> found = cs.manifolds.enumerate_manifolds(cs.Network("tanh", width=3, scaling="none"), inputs=2)
        >>> found.by_effective_width
        {0: 1, 1: 13, 2: 9, 3: 1}
        >>> found.dimension(partition)
        6
    """

    activation: Activation
    kind: ActivationClass
    width: int
    inputs: int
    outputs: int
    bias: bool

    @property
    def count(self) -> int:
        """How many manifolds, by formula."""
        return count(self.kind.symmetry, self.width)

    @property
    def by_effective_width(self) -> dict[int, int]:
        """How many of each effective width, by formula."""
        return counts_by_effective_width(self.kind, self.width)

    @property
    def listed(self) -> bool:
        """Whether `to_json` lists the manifolds."""
        return self.count <= LISTED

    def __iter__(self) -> Iterator[Partition]:
        return partitions(self.kind.symmetry, self.width)

    def dimension(self, partition: Partition) -> int:
        """Of the manifold of a `partition`: r (C + D), and C more for every block with w = 0 of an even activation."""
        return manifold_of(partition, self.kind).dimension(self.inputs, self.outputs)

    def to_json(self) -> dict[str, Any]:
        """Counts, and the list where it is not longer than 10,000 manifolds."""
        return {
            "activation": self.activation.name,
            "class": self.kind.symmetry,
            "width": self.width,
            "inputs": self.inputs,
            "outputs": self.outputs,
            "homogeneous": self.kind.homogeneous,
            "value_roots": list(self.kind.value_roots),
            "slope_roots": list(self.kind.slope_roots),
            "count": self.count,
            "by_effective_width": {str(width): number for width, number in self.by_effective_width.items()},
            "listed": self.listed,
            "manifolds": [self._entry(partition) for partition in self] if self.listed else [],
            "notes": list(self.kind.caveats(self.bias)),
        }

    def _entry(self, partition: Partition) -> dict[str, Any]:
        return {
            "partition": [list(block) for block in partition.blocks],
            "zero": list(partition.zero),
            "flat": [list(block) for block in partition.flat],
            "dimension": self.dimension(partition),
            "effective_width": effective_width(partition, self.kind),
            "symmetry_induced": symmetry_induced(partition, self.kind),
        }


@known_keywords
def enumerate_manifolds(network: Network, *, inputs: int = 1, outputs: int = 1) -> Enumeration:
    """The manifolds of a network of depth 1.

    Theorem 3.1 of Zhao, Luo & Zhang (arXiv 2510.09564) says that invariant manifolds are unions of orbits; that the
    closures of the orbits of a two-layer network are these, and their counts, was derived here. It holds for analytic
    activations that are no polynomials, with sigma'(0) != 0; `kind.caveats` says what else there is.

    Args:
        network: of depth 1; weights are counted, its scaling does not matter.
        inputs: features of the data, without the bias.
        outputs: readouts a neuron has.

    Raises:
        InvalidInput: a deeper network, no inputs or no outputs.

    Example:
        >>> found = cs.manifolds.enumerate_manifolds(cs.Network("tanh", width=3, scaling="none"))
        >>> found.to_json()["count"]
        24
    """
    if network.depth != 1:
        raise InvalidInput(f"manifolds are listed for one hidden layer, not {network.depth}: give `depth=1`")
    if inputs < 1 or outputs < 1:
        raise InvalidInput(f"{inputs} inputs and {outputs} outputs: give at least one of each")
    activation = network.activation
    return Enumeration(activation, classify(activation), network.width, inputs + network.bias, outputs, network.bias)
