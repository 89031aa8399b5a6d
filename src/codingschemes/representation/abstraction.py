"""The abstraction scores of a representation in one call: parallelism, CCGP and shattering dimensionality."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Real, Shaped

from codingschemes.calls import known_keywords
from codingschemes.representation.arrays import checked_kernel, classes_of, labelled_activity
from codingschemes.representation.dichotomies import (
    balanced_dichotomies,
    balanced_dichotomy_count,
    dichotomy_name,
)
from codingschemes.representation.generalization import (
    ccgp_from_kernel,
    dichotomy_ccgp_from_kernel,
    shattering_dimensionality_from_kernel,
)
from codingschemes.representation.kernels import class_kernel, representational_kernel
from codingschemes.representation.parallelism import (
    MATCHING_CLASS_LIMIT,
    dichotomy_parallelism_from_kernel,
    parallelism_score_from_kernel,
)
from codingschemes.representation.score import Score

BY_CONTEXTS = (
    "factors: parallelism is the mean cosine between a factor's coding directions (differences of class means) in two "
    "contexts, CCGP the accuracy of a factor's linear decoder in a context held out from its training, and both are "
    "means over factors"
)
BY_DICHOTOMIES = (
    "balanced dichotomies (Bernardi et al. 2020): parallelism is maximised over matchings of the two halves, CCGP "
    "holds one class of either half out, and each is that of the dichotomy where it is largest"
)
#: The scores that are one number.
SCORES = ("parallelism", "ccgp", "shattering")
UNDEFINED = "none: abstraction needs factors, or an even number of at least 4 classes"


@dataclass(frozen=True)
class AbstractionScores:
    """Abstraction scores; each is None where it is undefined, and `reasons` says why.

    Attributes:
        definition: which definition of parallelism and CCGP applies, in words.
        parallelism, ccgp: means over factors; where the task has no factors, the largest over dichotomies, which for
            unrelated class means lies above 0 and one half.
        parallelism_by_factor, ccgp_by_factor: one number a factor, or one an entry of `dichotomies`.
        shattering: mean cross-validated decoding accuracy over balanced dichotomies.
        shattering_by_dichotomy: one number an entry of `dichotomies`.
        dichotomies: the balanced dichotomies used, one character a class: 1 for one side, 0 for the other.
        reasons: a sentence for every score that is None, by its name.
        dichotomies_available: how many balanced dichotomies there are.
        splits_used, splits_available: train-test splits behind CCGP.

    Example:
        >>> scores = cs.representation.abstraction_scores(activity, labels, factors)
        >>> len(scores.parallelism_by_factor)
        2
    """

    definition: str
    parallelism: float | None
    parallelism_by_factor: tuple[float | None, ...]
    ccgp: float | None
    ccgp_by_factor: tuple[float | None, ...]
    shattering: float | None
    shattering_by_dichotomy: tuple[float | None, ...]
    dichotomies: tuple[str, ...]
    reasons: dict[str, str]
    dichotomies_available: int
    splits_used: int
    splits_available: int


@known_keywords
def abstraction_scores(
    activity: Real[np.ndarray, "P N"],
    labels: Shaped[np.ndarray, " P"],
    factors: Float[np.ndarray, "G F"] | None = None,
    seed: int = 0,
    *,
    max_dichotomies: int = 35,
    max_splits: int = 16,
) -> AbstractionScores:
    """Parallelism, CCGP and shattering dimensionality of a representation.

    With factors, parallelism and CCGP are those by contexts (`parallelism_score`, `ccgp`). Without factors and with an
    even number of at least 4 classes they are the ones of Bernardi et al. (2020) over balanced dichotomies
    (`dichotomy_parallelism`, `dichotomy_ccgp`). Shattering dimensionality always goes over balanced dichotomies. In
    every other case the scores are None.

    Args:
        activity: (sample, neuron).
        labels: the class of each sample: whole numbers, text or booleans; their sorted order is that of the classes.
        factors: the factors -1/+1 of each class, (class, factor), or None.
        seed: of the random subsets and folds.
        max_dichotomies: most balanced dichotomies to use; all of 8 classes by default.
        max_splits: most train-test splits of CCGP for one factor or dichotomy.

    Raises:
        InvalidInput: activities are not finite or transposed, there is not one label a sample, or factors do not tell
            the classes apart.

    Example:
        >>> scores = cs.representation.abstraction_scores(activity, labels, factors)
        >>> scores.ccgp, scores.parallelism > 0.99
        (1.0, True)
    """
    phi, classes = labelled_activity(activity, labels)
    return abstraction_scores_from_kernel(
        representational_kernel(phi),
        classes.numbers,
        factors,
        seed,
        max_dichotomies=max_dichotomies,
        max_splits=max_splits,
    )


@known_keywords
def abstraction_scores_from_kernel(
    kernel: Real[np.ndarray, "P P"],
    labels: Shaped[np.ndarray, " P"],
    factors: Float[np.ndarray, "G F"] | None = None,
    seed: int = 0,
    *,
    max_dichotomies: int = 35,
    max_splits: int = 16,
) -> AbstractionScores:
    """`abstraction_scores` from a representational kernel, measured or predicted: they depend on nothing else.

    Args:
        kernel: (sample, sample), such as `representational_kernel` gives.
        labels: the class of each sample: whole numbers, text or booleans.
        factors, seed, max_dichotomies, max_splits: as in `abstraction_scores`.

    Raises:
        InvalidInput: the kernel is not square, finite and symmetric, there is not one label a sample, or factors do not
            tell the classes apart.

    Example:
        >>> kernel = cs.representation.representational_kernel(activity)
        >>> cs.representation.abstraction_scores_from_kernel(kernel, labels, factors).ccgp
        1.0
    """
    kernel = checked_kernel(kernel)
    classes = classes_of(labels, len(kernel))
    class_count = len(classes.sizes)
    dichotomous = class_count >= 4 and class_count % 2 == 0
    sides = balanced_dichotomies(class_count, max_dichotomies, seed) if dichotomous else np.zeros((0, class_count))
    no_dichotomy = Score.undefined(
        f"{class_count} classes have no balanced dichotomies to compare: this takes an even number of at least 4"
    )
    if factors is not None:
        definition = BY_CONTEXTS
        parallelism = parallelism_score_from_kernel(class_kernel(kernel, labels), factors)
        generalization = ccgp_from_kernel(kernel, labels, factors, max_splits=max_splits, seed=seed)
    elif dichotomous:
        definition = BY_DICHOTOMIES
        parallelism = _matched_parallelism(class_kernel(kernel, labels), sides)
        generalization = dichotomy_ccgp_from_kernel(kernel, labels, sides, max_splits=max_splits, seed=seed)
    else:
        definition = UNDEFINED
        parallelism = generalization = no_dichotomy
    shattering = (
        shattering_dimensionality_from_kernel(kernel, labels, sides, seed=seed) if dichotomous else no_dichotomy
    )
    scores = {"parallelism": parallelism, "ccgp": generalization, "shattering": shattering}
    return AbstractionScores(
        definition=definition,
        parallelism=parallelism.value,
        parallelism_by_factor=parallelism.parts,
        ccgp=generalization.value,
        ccgp_by_factor=generalization.parts,
        shattering=shattering.value,
        shattering_by_dichotomy=shattering.parts,
        dichotomies=tuple(dichotomy_name(side) for side in sides),
        reasons={name: score.reason for name, score in scores.items() if score.reason is not None},
        dichotomies_available=balanced_dichotomy_count(class_count) if dichotomous else 0,
        splits_used=generalization.used,
        splits_available=generalization.available,
    )


@known_keywords
def average_scores(scores: Sequence[AbstractionScores]) -> tuple[AbstractionScores, dict[str, float]]:
    """Mean over networks of the same task, and the standard deviation over them of each score that is defined.

    A score that is undefined for one of the networks is undefined, for that network's reason.

    Args:
        scores: of each network.

    Returns:
        The means, and by name of the score its standard deviation.

    Example:
        >>> scores = cs.representation.abstraction_scores(activity, labels, factors)
        >>> mean, count = cs.representation.average_scores([scores, scores])
        >>> mean.ccgp == scores.ccgp
        True
    """
    averaged: dict[str, Any] = {}
    for name in ("parallelism_by_factor", "ccgp_by_factor", "shattering_by_dichotomy"):
        averaged[name] = tuple(_mean(parts) for parts in zip(*(getattr(each, name) for each in scores), strict=True))
    spread = {}
    for name in SCORES:
        values = [getattr(each, name) for each in scores]
        averaged[name] = _mean(values)
        if averaged[name] is not None:
            spread[name] = float(np.std(values))
    reasons = {name: reason for each in scores for name, reason in each.reasons.items()}
    return replace(scores[0], **averaged, reasons=reasons), spread


def _mean(values: Sequence[float | None]) -> float | None:
    defined = [value for value in values if value is not None]
    return float(np.mean(defined)) if len(defined) == len(values) else None


def _matched_parallelism(class_means_kernel: Float[np.ndarray, "G G"], sides: Float[np.ndarray, "D G"]) -> Score:
    if sides.shape[1] > MATCHING_CLASS_LIMIT:
        return Score.undefined(
            f"{sides.shape[1]} classes have too many matchings: the limit is {MATCHING_CLASS_LIMIT}", len(sides)
        )
    return dichotomy_parallelism_from_kernel(class_means_kernel, sides)
