"""Measures of how alike two populations are, by name."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from codingschemes.registry import Registry
from codingschemes.representation import linear_cka, permutation_distance, rsa, shape_distance


@dataclass(frozen=True)
class Measure:
    """How alike two populations are.

    Attributes:
        function: of two matrices with the same rows, (row, neuron) each.
        same: what it is for a population and itself: 0 for distances, 1 for similarities.
        title: in figures, with its unit.
        fewest: rows below which it is undefined.
    """

    function: Callable[..., float]
    same: float
    title: str
    fewest: int = 0


MEASURES: Registry[Measure] = Registry("measure")
"""Distances are angles in radians, 0 for the same; CKA and RSA are similarities, 1 for the same. Rotations of the
neurons leave all but RSA and the permutation distance as they are: that one sees whether a code is shared by many
neurons or held by one."""
MEASURES.register("procrustes", Measure(partial(shape_distance, alpha=1.0), 0.0, "Procrustes (rad)"))
MEASURES.register("whitened", Measure(partial(shape_distance, alpha=0.0), 0.0, "whitened shape (rad)"))
MEASURES.register("permutation", Measure(permutation_distance, 0.0, "permutation (rad)"))
MEASURES.register("cka", Measure(linear_cka, 1.0, "CKA"))
MEASURES.register("cka_debiased", Measure(partial(linear_cka, debiased=True), 1.0, "CKA, debiased", fewest=4))
MEASURES.register("rsa", Measure(rsa, 1.0, "RSA"))
