"""Random labels on orthogonal inputs: nothing about the inputs tells the classes apart."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from codingschemes.errors import InvalidInput
from codingschemes.tasks.options import ClassChoice, reads_options
from codingschemes.tasks.preprocessing import preprocess as preprocess_task
from codingschemes.tasks.rotations import random_orthogonal
from codingschemes.tasks.task import Task, one_hot_targets


@reads_options
def orthogonal(
    samples: int = 100,
    classes: ClassChoice | None = None,
    ratios: Sequence[float] | None = None,
    test: int = 0,
    preprocess: str = "none",
    seed: int = 0,
) -> Task:
    """Random labels on orthogonal inputs, X X^T / N0 = I with N0 = samples + test features.

    Inputs are the rows of sqrt(N0) times a random orthogonal matrix, test inputs the rows that are left: they are
    orthogonal to every training input. Such inputs are exchangeable, so random labels may be sorted: classes are
    contiguous blocks. Ratios .5,.25,.25 give the toy task of van Meegen and Sompolinsky (Nature Communications 16,
    3354, 2025).

    Args:
        samples: training inputs P.
        classes: how many classes; as many as there are ratios, or else 3, if left out.
        ratios: the share of each class, summing to 1; equal if left out. Counts are rounded by largest remainder,
            and every class gets at least one training sample.
        test: held-out inputs, labelled with the same ratios.
        preprocess: steps applied to the inputs; see `preprocessing`.
        seed: fixes the orthogonal matrix.

    Raises:
        InvalidInput: fewer samples than classes, or another number of ratios than of classes.

    Example:
        >>> cs.tasks.orthogonal(samples=12, ratios=[0.5, 0.25, 0.25])
        Task(orthogonal, 12 samples of 12 features in 3 classes)
    """
    if classes is None:
        classes = 3 if ratios is None else len(ratios)
    if not isinstance(classes, int):
        raise InvalidInput(f"`classes` of the orthogonal task is how many classes there are, not {classes!r}")
    if ratios is not None and len(ratios) != classes:
        raise InvalidInput(f"`ratios` has {len(ratios)} numbers for {classes} classes: give one a class")
    if samples < classes:
        raise InvalidInput(f"{samples} samples cannot cover {classes} classes: raise `samples` or lower `classes`")
    features = samples + test
    rows = np.sqrt(features) * random_orthogonal(features, np.random.default_rng(seed))
    shares = np.full(classes, 1 / classes) if ratios is None else np.array(ratios)
    labels = np.repeat(np.arange(classes), class_counts(samples, shares, smallest=1))
    test_labels = np.repeat(np.arange(classes), class_counts(test, shares, smallest=0))
    names = tuple(str(index) for index in range(classes))
    task = Task(
        name="orthogonal",
        inputs=rows[:samples],
        targets=one_hot_targets(labels, classes),
        labels=labels,
        class_names=names,
        target_names=names,
        factors=None,
        test_inputs=rows[samples:],
        test_targets=one_hot_targets(test_labels, classes),
        test_labels=test_labels,
        provenance={"source": "random labels on orthogonal inputs, X X^T / N0 = I"},
    )
    return preprocess_task(task, preprocess)


def class_counts(samples: int, shares: np.ndarray, smallest: int) -> Int[np.ndarray, " G"]:
    """Splits `samples` by `shares` with the largest-remainder method, then lifts every class to `smallest`.

    Ties go to the first class.
    """
    quotas = samples * shares / shares.sum()
    counts = np.floor(quotas + 1e-9).astype(np.int64)
    remainders = np.round(quotas - counts, 9)
    counts[np.argsort(-remainders, kind="stable")[: samples - counts.sum()]] += 1
    for index in np.flatnonzero(counts < smallest):
        counts[np.argmax(counts)] -= smallest - counts[index]
        counts[index] = smallest
    return counts
