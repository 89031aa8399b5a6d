"""The parallelism score: whether a distinction is coded along the same direction in every context.

Coding directions are differences of class means, and their inner products follow from the G x G kernel of the class
means (`kernels.class_kernel`), so measured activities and predicted kernels go through the same lines.
"""

import itertools

import numpy as np
from jaxtyping import Float, Int, Real, Shaped

from codingschemes.calls import known_keywords
from codingschemes.errors import InvalidInput
from codingschemes.representation.arrays import checked_kernel
from codingschemes.representation.dichotomies import (
    balanced_dichotomy_count,
    check_dichotomies,
    check_factors,
    factor_contexts,
    side_pairs,
)
from codingschemes.representation.kernels import class_means, representational_kernel
from codingschemes.representation.score import Score

MATCHING_CLASS_LIMIT = 12
"""Most classes for which all matchings of two halves are tried: 6! = 720."""

SAME_MEAN = 1e-12
"""Two class means coincide where their squared distance is below this fraction of the largest squared mean."""


def difference_cosines(
    class_kernel: Float[np.ndarray, "G G"], pairs: Int[np.ndarray, "A 2"]
) -> Float[np.ndarray, "A A"]:
    """Cosines between the differences r(plus) - r(minus) of pairs of classes; NaN where a difference is zero.

    With N_ab = K(+a,+b) - K(+a,-b) - K(-a,+b) + K(-a,-b), the cosine is N_ab / sqrt(N_aa N_bb).
    """
    plus, minus = pairs.T
    half = class_kernel[plus] - class_kernel[minus]
    products = half[:, plus] - half[:, minus]
    squares = np.diagonal(products)
    smallest = SAME_MEAN * np.max(np.diagonal(class_kernel))
    lengths = np.sqrt(np.where(squares > smallest, squares, np.nan))
    return np.clip(products / np.outer(lengths, lengths), -1.0, 1.0)


@known_keywords
def parallelism_score(
    activity: Real[np.ndarray, "P N"], labels: Shaped[np.ndarray, " P"], factors: Float[np.ndarray, "G F"]
) -> Score:
    """Parallelism by contexts.

    A context of factor k is a combination of the other factors, and delta_k(context) = r(y_k = +1) - r(y_k = -1) the
    difference of the class means there. PS_k is the mean cosine between the delta_k of two different contexts, over
    all pairs of contexts, and the score is the mean of PS_k over factors: 1 for a factorised code, 0 on average for
    unrelated class means.

    Args:
        activity: (sample, neuron).
        labels: the class of each sample: whole numbers, text or booleans.
        factors: the factors -1/+1 of each class, (class, factor), classes in the sorted order of their labels.

    Returns:
        A score with one part a factor. A factor with fewer than two contexts, or with a context whose two class means
        coincide, has no score.

    Raises:
        InvalidInput: activities and labels do not belong together, or factors do not tell the classes apart.

    Example:
        >>> cs.representation.parallelism_score(activity, labels, factors).value > 0.99
        True
    """
    return parallelism_score_from_kernel(representational_kernel(class_means(activity, labels)), factors)


@known_keywords
def parallelism_score_from_kernel(class_kernel: Real[np.ndarray, "G G"], factors: Float[np.ndarray, "G F"]) -> Score:
    """`parallelism_score` from the kernel of the class means (`kernels.class_kernel`), measured or predicted.

    Args:
        class_kernel: of the class means, (class, class).
        factors: as in `parallelism_score`.

    Raises:
        InvalidInput: the kernel is not square, finite and symmetric, or factors do not tell the classes apart.

    Example:
        >>> kernel = cs.representation.representational_kernel(activity)
        >>> classes = cs.representation.class_kernel(kernel, labels)
        >>> cs.representation.parallelism_score_from_kernel(classes, factors).value > 0.99
        True
    """
    class_kernel = checked_kernel(class_kernel)
    factors = check_factors(factors, len(class_kernel))
    parts: list[float | None] = []
    reason = None
    for factor in range(factors.shape[1]):
        contexts = factor_contexts(factors, factor)
        if len(contexts) < 2:
            parts.append(None)
            reason = f"factor {factor} has fewer than two contexts, so no two coding directions can be compared"
            continue
        cosines = difference_cosines(class_kernel, contexts)
        part = float(np.mean(cosines[np.triu_indices(len(contexts), 1)]))
        parts.append(part if np.isfinite(part) else None)
        if not np.isfinite(part):
            reason = f"factor {factor} has a context in which both classes have the same mean activity"
    return Score.mean(parts, reason, len(parts), len(parts))


@known_keywords
def dichotomy_parallelism(
    activity: Real[np.ndarray, "P N"], labels: Shaped[np.ndarray, " P"], dichotomies: Float[np.ndarray, "D G"]
) -> Score:
    """Parallelism of Bernardi et al. (Cell 183:954, 2020), for balanced dichotomies of classes without factors.

    The classes of one side are matched with those of the other, each pair giving a difference of class means. The
    score of a dichotomy is the mean cosine between two of these differences, maximised over all matchings; because of
    the maximum it is above 0 for unrelated class means. The objective is quadratic in the matching, so all of them are
    tried. The value is the largest over dichotomies.

    Args:
        activity: (sample, neuron).
        labels: the class of each sample: whole numbers, text or booleans.
        dichotomies: the side -1/+1 of each class, (dichotomy, class), such as `balanced_dichotomies` gives.

    Returns:
        A score with one part a dichotomy. A matching that pairs two coinciding class means is left out; a dichotomy
        with no other matching has no score.

    Raises:
        InvalidInput: there are more than 12 classes, fewer than 4, or a dichotomy is not balanced.

    Example:
        >>> dichotomies = cs.representation.balanced_dichotomies(4)
        >>> len(cs.representation.dichotomy_parallelism(activity, labels, dichotomies).parts)
        3
    """
    return dichotomy_parallelism_from_kernel(representational_kernel(class_means(activity, labels)), dichotomies)


@known_keywords
def dichotomy_parallelism_from_kernel(
    class_kernel: Real[np.ndarray, "G G"], dichotomies: Float[np.ndarray, "D G"]
) -> Score:
    """`dichotomy_parallelism` from the kernel of the class means (`kernels.class_kernel`), measured or predicted.

    Args:
        class_kernel: of the class means, (class, class).
        dichotomies: as in `dichotomy_parallelism`.

    Raises:
        InvalidInput: the kernel is not square, finite and symmetric, there are more than 12 classes, fewer than 4, or a
            dichotomy is not balanced.

    Example:
        >>> dichotomies = cs.representation.balanced_dichotomies(4)
        >>> len(cs.representation.dichotomy_parallelism_from_kernel(np.eye(4), dichotomies).parts)
        3
    """
    class_kernel = checked_kernel(class_kernel)
    dichotomies = check_dichotomies(dichotomies, len(class_kernel))
    class_count = dichotomies.shape[1]
    if not 4 <= class_count <= MATCHING_CLASS_LIMIT or np.any(dichotomies.sum(axis=1) != 0):
        raise InvalidInput(
            f"parallelism over matchings takes balanced dichotomies of 4 to {MATCHING_CLASS_LIMIT} classes, "
            f"not of {class_count}: choose fewer classes, or give factors"
        )
    half = class_count // 2
    matchings = np.array(list(itertools.permutations(range(half))))
    chosen = matchings + half * np.arange(half)
    parts: list[float | None] = []
    for dichotomy in dichotomies:
        cosines = difference_cosines(class_kernel, side_pairs(dichotomy))
        means = (cosines[chosen[:, :, None], chosen[:, None, :]].sum(axis=(1, 2)) - half) / (half * (half - 1))
        defined = means[np.isfinite(means)]
        parts.append(float(defined.max()) if len(defined) else None)
    reason = "in every matching two matched classes have the same mean activity"
    return Score.largest(parts, reason, len(parts), balanced_dichotomy_count(class_count))
