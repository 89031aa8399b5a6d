"""The refinement order of symmetric manifolds, as a graph."""

from dataclasses import dataclass

from codingschemes.calls import known_keywords
from codingschemes.errors import InvalidInput
from codingschemes.manifolds.activation_class import ActivationClass
from codingschemes.manifolds.counting import count
from codingschemes.manifolds.partitions import Partition, coarsenings, effective_width, partitions

MOST_NODES = 10_000
"""Larger hierarchies are counted, not listed."""


@dataclass(frozen=True)
class Hierarchy:
    """Manifolds, and which lies in which.

    Attributes:
        activation: the class.
        nodes: every partition.
        edges: (i, j) where manifold j lies in manifold i with no other between: pairs of indices into `nodes`.

    Example:
        >>> order = cs.manifolds.hierarchy(kind, 2)
        >>> order.levels, len(order.edges)
        ((1, 1, 2, 1, 1, 0), 8)
    """

    activation: ActivationClass
    nodes: tuple[Partition, ...]
    edges: tuple[tuple[int, int], ...]

    @property
    def levels(self) -> tuple[int, ...]:
        """Effective width of every node."""
        return tuple(effective_width(node, self.activation) for node in self.nodes)


@known_keywords
def hierarchy(activation: ActivationClass, width: int) -> Hierarchy:
    """All manifolds of a two-layer network and the covering relations between them.

    Args:
        activation: its class.
        width: neurons, at least one.

    Raises:
        InvalidInput: no neurons, or more than 10,000 manifolds.

    Example:
        >>> from codingschemes.networks import ACTIVATIONS
        >>> order = cs.manifolds.hierarchy(cs.manifolds.classify(ACTIVATIONS["tanh"]), 2)
        >>> len(order.nodes)
        6
    """
    total = count(activation.symmetry, width)
    if total > MOST_NODES:
        raise InvalidInput(f"width {width} has {total} manifolds, more than {MOST_NODES}: lower the width")
    nodes = tuple(partitions(activation.symmetry, width))
    index = {node: position for position, node in enumerate(nodes)}
    edges = tuple(
        (position, index[coarser])
        for position, node in enumerate(nodes)
        for coarser in coarsenings(node, activation.symmetry)
    )
    return Hierarchy(activation, nodes, edges)
