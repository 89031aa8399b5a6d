"""Cross-condition generalization performance and shattering dimensionality (Bernardi et al., Cell 183:954, 2020).

Both are accuracies of a linear decoder (`decoding`), so both follow from the kernel of the activities.
"""

import numpy as np
from jaxtyping import Float, Int, Real, Shaped

from codingschemes.calls import known_keywords
from codingschemes.errors import InvalidInput
from codingschemes.representation.arrays import (
    Classes,
    checked_kernel,
    classes_of,
    labelled_activity,
    several_classes,
)
from codingschemes.representation.decoding import decoding_accuracy, decoding_kernel
from codingschemes.representation.dichotomies import (
    balanced_dichotomy_count,
    check_dichotomies,
    check_factors,
    factor_contexts,
    side_pairs,
)
from codingschemes.representation.kernels import representational_kernel
from codingschemes.representation.score import Score

SAME_ACTIVITY = "the activities are the same for every sample, so nothing can be decoded"


@known_keywords
def ccgp(
    activity: Real[np.ndarray, "P N"],
    labels: Shaped[np.ndarray, " P"],
    factors: Float[np.ndarray, "G F"],
    *,
    max_splits: int = 16,
    seed: int = 0,
) -> Score:
    """Cross-condition generalization performance (CCGP) by contexts.

    A context of a factor is a combination of the other factors. The decoder of the factor is trained on all classes
    but the two of one context and tested on those two; the accuracy is averaged over the held-out contexts, at most
    `max_splits` random ones a factor. It is 1 for a factorised code and can fall below one half where the coding
    direction turns round between contexts.

    Args:
        activity: (sample, neuron).
        labels: the class of each sample: whole numbers, text or booleans.
        factors: the factors -1/+1 of each class, (class, factor), classes in the sorted order of their labels.
        max_splits: most contexts to hold out, a factor.
        seed: of their random choice.

    Returns:
        A score with one part a factor; `used` and `available` count splits. A factor with fewer than two contexts has
        no score.

    Raises:
        InvalidInput: activities and labels do not belong together, a single class, or factors that do not tell the
            classes apart.

    Example:
        >>> cs.representation.ccgp(activity, labels, factors).value
        1.0
    """
    phi, classes = labelled_activity(activity, labels)
    return _ccgp(representational_kernel(phi), classes, factors, max_splits, seed)


@known_keywords
def ccgp_from_kernel(
    kernel: Real[np.ndarray, "P P"],
    labels: Shaped[np.ndarray, " P"],
    factors: Float[np.ndarray, "G F"],
    *,
    max_splits: int = 16,
    seed: int = 0,
) -> Score:
    """`ccgp` from a representational kernel, measured or predicted.

    Args:
        kernel: (sample, sample), such as `representational_kernel` gives.
        labels: the class of each sample: whole numbers, text or booleans.
        factors, max_splits, seed: as in `ccgp`.

    Raises:
        InvalidInput: the kernel is not square, finite and symmetric, there is not one label a sample, a single class,
            or factors that do not tell the classes apart.

    Example:
        >>> kernel = cs.representation.representational_kernel(activity)
        >>> cs.representation.ccgp_from_kernel(kernel, labels, factors).value
        1.0
    """
    matrix = checked_kernel(kernel)
    return _ccgp(matrix, classes_of(labels, len(matrix)), factors, max_splits, seed)


def _ccgp(
    kernel: Float[np.ndarray, "P P"], classes: Classes, factors: Float[np.ndarray, "G F"], max_splits: int, seed: int
) -> Score:
    several_classes(classes, "CCGP")
    factors = check_factors(factors, len(classes.sizes))
    contexts = [factor_contexts(factors, factor) for factor in range(factors.shape[1])]
    reason = SAME_ACTIVITY
    for factor, held_out in enumerate(contexts):
        if len(held_out) < 2:
            reason = f"factor {factor} has fewer than two contexts, so none can be held out"
    parts, used = _generalization(kernel, classes.numbers, factors.T, contexts, max_splits, seed)
    return Score.mean(parts, reason, used, sum(map(len, contexts)))


@known_keywords
def dichotomy_ccgp(
    activity: Real[np.ndarray, "P N"],
    labels: Shaped[np.ndarray, " P"],
    dichotomies: Float[np.ndarray, "D G"],
    *,
    max_splits: int = 16,
    seed: int = 0,
) -> Score:
    """Cross-condition generalization performance (CCGP) for dichotomies of classes without factors.

    One class of either side is held out, the decoder of the dichotomy is trained on all others, and the accuracy on
    the two held-out classes is averaged over all pairs to hold out, at most `max_splits` random ones a dichotomy.
    The value is the largest over dichotomies. The mean over all balanced dichotomies says nothing: two that differ by
    swapping the held-out classes share their training set, so that mean is one half for every code.

    With two classes a side half of the pairs are diagonal: the four corners of a square reach 0.75 for either factor,
    because those splits leave the held-out corners on the boundary.

    Args:
        activity: (sample, neuron).
        labels: the class of each sample: whole numbers, text or booleans.
        dichotomies: the side -1/+1 of each class, (dichotomy, class).
        max_splits: most pairs to hold out, a dichotomy.
        seed: of their random choice.

    Returns:
        A score with one part a dichotomy; `used` and `available` count splits.

    Raises:
        InvalidInput: a dichotomy has fewer than two classes on one side.

    Example:
        >>> dichotomies = cs.representation.balanced_dichotomies(4)
        >>> len(cs.representation.dichotomy_ccgp(activity, labels, dichotomies).parts)
        3
    """
    phi, classes = labelled_activity(activity, labels)
    return _dichotomy_ccgp(representational_kernel(phi), classes, dichotomies, max_splits, seed)


@known_keywords
def dichotomy_ccgp_from_kernel(
    kernel: Real[np.ndarray, "P P"],
    labels: Shaped[np.ndarray, " P"],
    dichotomies: Float[np.ndarray, "D G"],
    *,
    max_splits: int = 16,
    seed: int = 0,
) -> Score:
    """`dichotomy_ccgp` from a representational kernel, measured or predicted.

    Args:
        kernel: (sample, sample), such as `representational_kernel` gives.
        labels: the class of each sample: whole numbers, text or booleans.
        dichotomies, max_splits, seed: as in `dichotomy_ccgp`.

    Raises:
        InvalidInput: the kernel is not square, finite and symmetric, there is not one label a sample, or a dichotomy
            has fewer than two classes on one side.

    Example:
        >>> kernel = cs.representation.representational_kernel(activity)
        >>> dichotomies = cs.representation.balanced_dichotomies(4)
        >>> len(cs.representation.dichotomy_ccgp_from_kernel(kernel, labels, dichotomies).parts)
        3
    """
    matrix = checked_kernel(kernel)
    return _dichotomy_ccgp(matrix, classes_of(labels, len(matrix)), dichotomies, max_splits, seed)


def _dichotomy_ccgp(
    kernel: Float[np.ndarray, "P P"],
    classes: Classes,
    dichotomies: Float[np.ndarray, "D G"],
    max_splits: int,
    seed: int,
) -> Score:
    dichotomies = check_dichotomies(dichotomies, len(classes.sizes))
    if np.any((dichotomies > 0).sum(axis=1) < 2) or np.any((dichotomies < 0).sum(axis=1) < 2):
        raise InvalidInput("CCGP holds one class of either side out: give dichotomies with two classes or more a side")
    pairs = [side_pairs(dichotomy) for dichotomy in dichotomies]
    parts, used = _generalization(kernel, classes.numbers, dichotomies, pairs, max_splits, seed)
    return Score.largest(parts, SAME_ACTIVITY, used, sum(map(len, pairs)))


@known_keywords
def shattering_dimensionality(
    activity: Real[np.ndarray, "P N"],
    labels: Shaped[np.ndarray, " P"],
    dichotomies: Float[np.ndarray, "D G"],
    *,
    folds: int = 5,
    seed: int = 0,
) -> Score:
    """Mean cross-validated accuracy of a linear decoder over dichotomies of the classes.

    Each class's samples are dealt at random to min(folds, samples of the smallest class) folds, the same for all
    dichotomies; the decoder is trained on all folds but one and tested on that one. Noise-free repeats thus give
    accuracy 1 exactly where a dichotomy is linearly separable.

    Args:
        activity: (sample, neuron).
        labels: the class of each sample: whole numbers, text or booleans.
        dichotomies: from `balanced_dichotomies`, all or a random subset.
        folds: most parts that the samples of a class are dealt to.
        seed: of the dealing.

    Returns:
        A score with one part a dichotomy; `used` and `available` count balanced dichotomies. A class with a single
        sample leaves nothing to test on: no score.

    Raises:
        InvalidInput: activities and labels do not belong together, or dichotomies do not give every class a side.

    Example:
        >>> dichotomies = cs.representation.balanced_dichotomies(4)
        >>> score = cs.representation.shattering_dimensionality(activity, labels, dichotomies)
        >>> 0.5 < score.value <= 1
        True
    """
    phi, classes = labelled_activity(activity, labels)
    return _shattering(representational_kernel(phi), classes, dichotomies, folds, seed)


@known_keywords
def shattering_dimensionality_from_kernel(
    kernel: Real[np.ndarray, "P P"],
    labels: Shaped[np.ndarray, " P"],
    dichotomies: Float[np.ndarray, "D G"],
    *,
    folds: int = 5,
    seed: int = 0,
) -> Score:
    """`shattering_dimensionality` from a representational kernel, measured or predicted.

    Args:
        kernel: (sample, sample), such as `representational_kernel` gives.
        labels: the class of each sample: whole numbers, text or booleans.
        dichotomies, folds, seed: as in `shattering_dimensionality`.

    Raises:
        InvalidInput: the kernel is not square, finite and symmetric, there is not one label a sample, or dichotomies do
            not give every class a side.

    Example:
        >>> kernel = cs.representation.representational_kernel(activity)
        >>> dichotomies = cs.representation.balanced_dichotomies(4)
        >>> score = cs.representation.shattering_dimensionality_from_kernel(kernel, labels, dichotomies)
        >>> 0.5 < score.value <= 1
        True
    """
    matrix = checked_kernel(kernel)
    return _shattering(matrix, classes_of(labels, len(matrix)), dichotomies, folds, seed)


def _shattering(
    kernel: Float[np.ndarray, "P P"], classes: Classes, dichotomies: Float[np.ndarray, "D G"], folds: int, seed: int
) -> Score:
    dichotomies = check_dichotomies(dichotomies, len(classes.sizes))
    labels, sizes = classes.numbers, classes.sizes
    fold_count = min(folds, int(sizes.min()))
    if fold_count < 2:
        return Score.undefined(
            f"class {classes.names[sizes.argmin()]} has a single sample, so none is left to test a decoder on",
            len(dichotomies),
        )
    gram = decoding_kernel(kernel)
    if gram is None:
        return Score.undefined(SAME_ACTIVITY, len(dichotomies))
    fold = deal_folds(labels, fold_count, np.random.default_rng(seed))
    parts = [
        float(
            np.mean(
                [decoding_accuracy(gram, labels, dichotomy, fold != held, fold == held) for held in range(fold_count)]
            )
        )
        for dichotomy in dichotomies
    ]
    return Score.mean(parts, "there are no dichotomies", len(parts), balanced_dichotomy_count(dichotomies.shape[1]))


def deal_folds(labels: Int[np.ndarray, " P"], fold_count: int, rng: np.random.Generator) -> Int[np.ndarray, " P"]:
    """The fold of each sample, (sample,): every class's samples in random order, dealt round the folds."""
    fold = np.empty(len(labels), dtype=np.int64)
    for label in range(int(labels.max()) + 1):
        members = rng.permutation(np.flatnonzero(labels == label))
        fold[members] = np.arange(len(members)) % fold_count
    return fold


def _generalization(
    kernel: Float[np.ndarray, "P P"],
    labels: Int[np.ndarray, " P"],
    dichotomies: Float[np.ndarray, "D G"],
    held_out: list[Int[np.ndarray, "_ 2"]],
    max_splits: int,
    seed: int,
) -> tuple[list[float | None], int]:
    """Mean accuracy of each dichotomy over its pairs of classes to hold out, and the number of splits behind all.

    A dichotomy with fewer than two pairs leaves nothing to train on, and activities without variance nothing to
    decode: None.
    """
    gram = decoding_kernel(kernel)
    rng = np.random.default_rng(seed)
    parts: list[float | None] = []
    used = 0
    for dichotomy, pairs in zip(dichotomies, held_out, strict=True):
        if gram is None or len(pairs) < 2:
            parts.append(None)
            continue
        splits = pairs if len(pairs) <= max_splits else rng.choice(pairs, max_splits, replace=False)
        tests = [np.isin(labels, pair) for pair in splits]
        parts.append(float(np.mean([decoding_accuracy(gram, labels, dichotomy, ~test, test) for test in tests])))
        used += len(splits)
    return parts, used
