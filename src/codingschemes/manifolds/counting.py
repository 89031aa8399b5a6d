"""How many symmetric manifolds a two-layer network has, in exact integers, for any width.

A neuron joins one of r blocks (in two ways where signs count), or the zero block, or opens a block. So the number
c(m, r) of partitions of m neurons with r nonzero blocks obeys

    c(m, r) = (q r + z) c(m-1, r) + c(m-1, r-1),

q = 2 with signs and 1 without, z = 1 with a zero block and 0 without: Stirling numbers S(m, r) (generic),
S(m+1, r+1) (vanishing), Whitney numbers of type B (odd). Even activations have a second kind of block, without signs.
Derived here.
"""

from collections import Counter
from typing import get_args

from codingschemes.calls import known_keywords
from codingschemes.errors import InvalidInput
from codingschemes.manifolds.activation_class import ActivationClass
from codingschemes.networks.shape import Symmetry
from codingschemes.registry import unknown

#: Neurons whose manifolds are counted in a second or two.
_WIDEST, _WIDEST_EVEN = 1000, 150


def counts_by_blocks(symmetry: Symmetry, width: int) -> dict[tuple[int, int], int]:
    """Partitions by (nonzero blocks, blocks with w = 0); the second is 0 unless the activation is even.

    Raises:
        InvalidInput: no such class of activations, no neurons, or so many that counting takes minutes.
    """
    if symmetry not in (known := get_args(Symmetry.__value__)):
        raise unknown("symmetry", symmetry, list(known))
    if width < 1:
        raise InvalidInput(f"`width` is {width}: give at least one neuron")
    if width > (most := _WIDEST_EVEN if symmetry == "even" else _WIDEST):
        raise InvalidInput(f"manifolds of {width} neurons are too many to count: give a `width` of at most {most}")
    ways = 2 if symmetry in ("odd", "even") else 1
    zero = int(symmetry in ("odd", "vanishing"))
    counts: dict[tuple[int, int], int] = {(0, 0): 1}
    for _ in range(width):
        grown: Counter[tuple[int, int]] = Counter()
        for (blocks, flat), count in counts.items():
            grown[blocks, flat] += (ways * blocks + zero + flat) * count
            grown[blocks + 1, flat] += count
            if symmetry == "even":
                grown[blocks, flat + 1] += count
        counts = {key: count for key, count in grown.items() if count}
    return counts


@known_keywords
def counts_by_effective_width(activation: ActivationClass, width: int) -> dict[int, int]:
    """Number of manifolds of each effective width, ascending.

    Args:
        activation: its class.
        width: neurons, at least one.

    Returns:
        Effective width -> number of manifolds.

    Raises:
        InvalidInput: no neurons.

    Example:
        >>> cs.manifolds.counts_by_effective_width(kind, 3)
        {0: 1, 1: 13, 2: 9, 3: 1}
    """
    counts: Counter[int] = Counter()
    for (blocks, flat), count in counts_by_blocks(activation.symmetry, width).items():
        counts[blocks + bool(flat and activation.constant_neurons)] += count
    return dict(sorted(counts.items()))


@known_keywords
def count(symmetry: Symmetry, width: int) -> int:
    """Number of manifolds: Bell(m), Bell(m+1), the type-B Dowling numbers, or for even activations m! times the
    coefficient of x^m in exp((e^x - 1) + (e^{2x} - 1)/2).

    Args:
        symmetry: the class of the activation.
        width: neurons, at least one.

    Raises:
        InvalidInput: no such class of activations, or no neurons.

    Example:
        >>> cs.manifolds.count("odd", 4)
        116
    """
    return sum(counts_by_blocks(symmetry, width).values())
