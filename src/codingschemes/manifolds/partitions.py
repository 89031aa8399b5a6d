"""Signed set partitions of the neurons of a hidden layer: one for every symmetric manifold of a two-layer network."""

from collections.abc import Iterator
from typing import NamedTuple

from codingschemes.calls import known_keywords
from codingschemes.manifolds.activation_class import ActivationClass
from codingschemes.networks.shape import Symmetry

type Block = tuple[int, ...]


class Partition(NamedTuple):
    """Which neurons are one, which are mirror images, and which are off.

    Neurons are numbered from 1. A block lists neurons with theta_j = theta_k; a minus sign marks a mirror image,
    theta_j = -theta_k for odd activations, (a_j, w_j) = (a_k, -w_k) for even ones. In canonical form, blocks are
    ordered by their first neuron, neurons within a block ascend, and the first has no sign.

    Attributes:
        blocks: the nonzero blocks.
        zero: neurons with a = 0 and w = 0.
        flat: blocks of neurons with w = 0 and one a (even activations only).

    Example:
        >>> str(partition), partition.width
        ('1 -3 | 2', 3)
    """

    blocks: tuple[Block, ...]
    zero: Block = ()
    flat: tuple[Block, ...] = ()

    @property
    def width(self) -> int:
        """Number of neurons partitioned."""
        return sum(map(len, (*self.blocks, self.zero, *self.flat)))

    def __str__(self) -> str:
        """E.g. `1 -3 | 2 | zero: 4`."""
        parts = [" ".join(map(str, block)) for block in self.blocks]
        parts += [f"w=0: {' '.join(map(str, block))}" for block in self.flat]
        parts += [f"zero: {' '.join(map(str, self.zero))}"] if self.zero else []
        return " | ".join(parts)


@known_keywords
def canonical(partition: Partition) -> Partition:
    """The same partition in canonical form.

    Args:
        partition: with blocks and neurons in any order.

    Example:
        >>> str(cs.manifolds.canonical(cs.manifolds.Partition(((2,), (3, -1)))))
        '1 -3 | 2'
    """
    return Partition(
        tuple(sorted(map(_canonical_block, partition.blocks), key=lambda block: block[0])),
        tuple(sorted(map(abs, partition.zero))),
        tuple(sorted(tuple(sorted(map(abs, block))) for block in partition.flat)),
    )


def _canonical_block(block: Block) -> Block:
    ordered = sorted(block, key=abs)
    return tuple(ordered) if ordered[0] > 0 else tuple(-neuron for neuron in ordered)


@known_keywords
def partitions(symmetry: Symmetry, width: int) -> Iterator[Partition]:
    """All partitions of a class, one after another: memory does not grow with their number.

    Neuron by neuron, each joins a block (with either sign, where signs count), opens one, or is set to zero.

    Args:
        symmetry: the class of the activation.
        width: neurons, at least one.

    Example:
        >>> sum(1 for _ in cs.manifolds.partitions("odd", 4)) == cs.manifolds.count("odd", 4)
        True
    """
    signs = (1, -1) if symmetry in ("odd", "even") else (1,)

    def extended(partial: Partition, neuron: int) -> Iterator[Partition]:
        if neuron > width:
            yield partial
            return
        for grown in _with(partial, neuron):
            yield from extended(grown, neuron + 1)

    def _with(partial: Partition, neuron: int) -> Iterator[Partition]:
        blocks, zero, flat = partial
        for index, block in enumerate(blocks):
            for sign in signs:
                yield Partition((*blocks[:index], (*block, sign * neuron), *blocks[index + 1 :]), zero, flat)
        yield Partition((*blocks, (neuron,)), zero, flat)
        if symmetry in ("odd", "vanishing"):
            yield Partition(blocks, (*zero, neuron), flat)
        if symmetry == "even":
            for index, block in enumerate(flat):
                yield Partition(blocks, zero, (*flat[:index], (*block, neuron), *flat[index + 1 :]))
            yield Partition(blocks, zero, (*flat, (neuron,)))

    return extended(Partition(()), 1)


@known_keywords
def coarsenings(partition: Partition, symmetry: Symmetry) -> Iterator[Partition]:
    """The partitions one step coarser: two blocks become one, or a block is set to zero (its w, if even).

    Args:
        partition: in canonical form.
        symmetry: the class of the activation.

    Returns:
        An iterator over partitions in canonical form.

    Example:
        >>> [str(coarser) for coarser in cs.manifolds.coarsenings(partition, "odd")]
        ['2 | zero: 1 3', '1 2 -3', '1 -2 -3', '1 -3 | zero: 2']
    """
    blocks, zero, flat = partition
    for first, block in enumerate(blocks):
        rest = blocks[:first] + blocks[first + 1 :]
        if symmetry in ("odd", "vanishing"):
            yield canonical(Partition(rest, zero + block, flat))
        if symmetry == "even":
            yield canonical(Partition(rest, zero, (*flat, block)))
        for second in range(first + 1, len(blocks)):
            others = blocks[:first] + blocks[first + 1 : second] + blocks[second + 1 :]
            yield canonical(Partition((*others, block + blocks[second]), zero, flat))
            if symmetry in ("odd", "even"):
                mirrored = tuple(-neuron for neuron in blocks[second])
                yield canonical(Partition((*others, block + mirrored), zero, flat))
    for first, block in enumerate(flat):
        for second in range(first + 1, len(flat)):
            others = flat[:first] + flat[first + 1 : second] + flat[second + 1 :]
            yield canonical(Partition(blocks, zero, (*others, block + flat[second])))


@known_keywords
def effective_width(partition: Partition, activation: ActivationClass) -> int:
    """Neurons of the narrowest network that computes the same: its nonzero blocks, and one for a constant.

    Args:
        partition: of the neurons.
        activation: its class.

    Example:
        >>> cs.manifolds.effective_width(partition, kind)
        2
    """
    return len(partition.blocks) + bool(partition.flat and activation.constant_neurons)


@known_keywords
def symmetry_induced(partition: Partition, activation: ActivationClass) -> bool:
    """Whether the manifold is fixed by orthogonal symmetries; else it is invariant for another reason.

    Args:
        partition: of the neurons.
        activation: its class.

    Example:
        >>> cs.manifolds.symmetry_induced(partition, kind)
        True
    """
    return not (partition.zero and activation.symmetry == "vanishing")
