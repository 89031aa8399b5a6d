"""Ways to split classes in two: factors with their contexts, balanced dichotomies with their matchings.

A dichotomy gives every class a side, -1 or +1.
"""

import itertools
import math

import numpy as np
from jaxtyping import Float, Int, Real

from codingschemes.calls import known_keywords
from codingschemes.errors import InvalidInput


def check_factors(factors: Real[np.ndarray, "G F"], class_count: int) -> Float[np.ndarray, "G F"]:
    """The factors in double precision; those that do not tell every class apart are refused.

    Raises:
        InvalidInput: the factors are not -1/+1, do not have one row a class, or give two classes the same row.
    """
    factors = _signs(factors, "factors", "(class, factor)")
    if factors.shape[1] == 0:
        raise InvalidInput("there is no factor in the array of factors: give None where classes have no factors")
    if len(factors) != class_count:
        hint = "they look transposed, give factors.T" if factors.shape[1] == class_count else "give one row a class"
        raise InvalidInput(f"{len(factors)} rows of factors came with {class_count} classes: {hint}")
    if not np.all(np.abs(factors) == 1):
        raise InvalidInput("factors must be -1 or +1: recode the two values of every factor")
    if len(np.unique(factors, axis=0)) < class_count:
        raise InvalidInput("two classes have the same factors: make each combination of factors one class")
    return factors


def check_dichotomies(dichotomies: Real[np.ndarray, "D G"], class_count: int) -> Float[np.ndarray, "D G"]:
    """The dichotomies in double precision.

    Raises:
        InvalidInput: they do not give every class a side, -1 or +1, both of them taken.
    """
    dichotomies = _signs(dichotomies, "dichotomies", "(dichotomy, class)")
    if dichotomies.shape[1] != class_count:
        raise InvalidInput(
            f"dichotomies of {dichotomies.shape[1]} classes came with {class_count}: give one column a class"
        )
    if not np.all(np.abs(dichotomies) == 1) or np.any(np.abs(dichotomies.sum(axis=1)) == class_count):
        raise InvalidInput("a dichotomy gives every class a side, -1 or +1, and takes both: correct those that do not")
    return dichotomies


def _signs(values: Real[np.ndarray, "R K"], what: str, axes: str) -> Float[np.ndarray, "R K"]:
    found = np.asarray(values)
    if found.ndim != 2 or found.dtype.kind not in "buif":
        raise InvalidInput(
            f"{what} are numbers {axes}, not {found.dtype} of shape {found.shape}: give -1 or +1 for each"
        )
    return found.astype(np.float64)


def factor_contexts(factors: Float[np.ndarray, "G F"], factor: int) -> Int[np.ndarray, "A 2"]:
    """Pairs of classes (factor +1, factor -1) that agree in every other factor: one row a context.

    A combination of the other factors that occurs with one value only is no context.
    """
    rest = [tuple(row) for row in np.delete(factors, factor, axis=1)]
    side = factors[:, factor] > 0
    minus = {rest[index]: index for index in np.flatnonzero(~side)}
    pairs = [(index, minus[rest[index]]) for index in np.flatnonzero(side) if rest[index] in minus]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def balanced_dichotomy_count(class_count: int) -> int:
    """How many ways there are to split an even number of classes into two halves."""
    return math.comb(class_count, class_count // 2) // 2


@known_keywords
def balanced_dichotomies(class_count: int, limit: int = 35, seed: int = 0) -> Float[np.ndarray, "D G"]:
    """All splits of the classes into two halves, or `limit` random different ones where there are more.

    Class 0 is on the +1 side, so that a dichotomy and its mirror image count once.

    Args:
        class_count: number of classes, even.
        limit: most dichotomies.
        seed: of their random choice.

    Returns:
        The side -1/+1 of each class, (dichotomy, class).

    Raises:
        InvalidInput: the number of classes is odd or below two.

    Example:
        >>> cs.representation.balanced_dichotomies(4)
        array([[ 1.,  1., -1., -1.],
               [ 1., -1.,  1., -1.],
               [ 1., -1., -1.,  1.]])
    """
    if class_count < 2 or class_count % 2:
        raise InvalidInput(f"`class_count` is {class_count}: an even number of classes has balanced dichotomies")
    half = class_count // 2
    if balanced_dichotomy_count(class_count) <= limit:
        chosen = list(itertools.combinations(range(1, class_count), half - 1))
    else:
        rng = np.random.default_rng(seed)
        found: set[tuple[int, ...]] = set()
        while len(found) < limit:
            found.add(tuple(sorted(rng.choice(np.arange(1, class_count), half - 1, replace=False).tolist())))
        chosen = sorted(found)
    sides = -np.ones((len(chosen), class_count))
    sides[:, 0] = 1
    for row, members in zip(sides, chosen, strict=True):
        row[list(members)] = 1
    return sides


def side_pairs(dichotomy: Float[np.ndarray, " G"]) -> Int[np.ndarray, "A 2"]:
    """All pairs of classes from opposite sides, (+1 side, -1 side), the -1 side running fastest."""
    plus, minus = np.flatnonzero(dichotomy > 0), np.flatnonzero(dichotomy < 0)
    return np.array(list(itertools.product(plus, minus)), dtype=np.int64).reshape(-1, 2)


def dichotomy_name(dichotomy: Float[np.ndarray, " G"]) -> str:
    """One character a class in label order: 1 for the +1 side, 0 for the -1 side."""
    return "".join("1" if side > 0 else "0" for side in dichotomy)
