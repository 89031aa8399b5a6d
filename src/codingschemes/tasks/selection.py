"""Drawing a training and a test set from labelled samples, as balanced as they allow and without overlap."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Shaped

from codingschemes.errors import InvalidInput
from codingschemes.tasks.options import ClassChoice
from codingschemes.tasks.task import Task

MOST_CLASSES = 1000


@dataclass(frozen=True)
class LabelledSamples:
    """Labelled samples to draw from.

    Attributes:
        inputs: numbers of any real type and shape, samples first.
        labels: an index into the label set, (sample,).
        source: where they come from, in words.
        targets: given targets, (sample, output), or None where the targets follow from the class.
    """

    inputs: Shaped[np.ndarray, "n ..."]
    labels: Int[np.ndarray, " n"]
    source: str
    targets: Float[np.ndarray, "n C"] | None = None


@dataclass(frozen=True)
class Labelling:
    """Which class each original label belongs to, and what is learned of a class.

    Attributes:
        class_of: the class of every original label, -1 where the label is left out, (label,).
        class_names: one name a class.
        target_names: one name an output.
        targets: the targets of each class, (class, output).
        factors: binary factors of each class, or None.
        factor_names: one name a factor.
    """

    class_of: Int[np.ndarray, " labels"]
    class_names: tuple[str, ...]
    target_names: tuple[str, ...]
    targets: Float[np.ndarray, "G C"]
    factors: Float[np.ndarray, "G F"] | None = None
    factor_names: tuple[str, ...] = ()


def choose_labels(classes: ClassChoice, *spellings: tuple[str, ...]) -> list[int]:
    """The indices of the labels that `classes` asks for, in that order.

    Args:
        classes: a count C, for the first C labels, or labels.
        spellings: the names of all labels, once for every way in which they can be named.

    Raises:
        InvalidInput: there are not so many labels, or a label is unknown.
    """
    names = spellings[0]
    known = ", ".join(names[:20]) + (", ..." if len(names) > 20 else "")
    if isinstance(classes, int):
        if classes > len(names):
            raise InvalidInput(f"`classes` asks for {classes} classes, but there are {len(names)}: {known}")
        return list(range(classes))
    chosen = []
    for label in map(str, classes):
        spelling = next((spelling for spelling in spellings if label in spelling), None)
        if spelling is None:
            raise InvalidInput(f"`classes` asks for {label!r}, which is not a label: choose from {known}")
        chosen.append(spelling.index(label))
    if len(set(chosen)) < len(chosen):
        raise InvalidInput("`classes` names a label twice: name each label once")
    return chosen


def one_hot_labelling(names: tuple[str, ...], chosen: list[int]) -> Labelling:
    """Each chosen label is a class of its own, with one output.

    Raises:
        InvalidInput: there are so many classes that the labels are hardly meant as classes.
    """
    if len(chosen) > MOST_CLASSES:
        raise InvalidInput(f"{len(chosen)} classes are too many: choose at most {MOST_CLASSES} with `classes`")
    class_of = np.full(len(names), -1)
    class_of[chosen] = np.arange(len(chosen))
    class_names = tuple(names[index] for index in chosen)
    return Labelling(class_of, class_names, class_names, np.eye(len(chosen)))


def draw_task(
    name: str,
    train: LabelledSamples,
    held_out: LabelledSamples | None,
    labelling: Labelling,
    samples: int | None,
    test: int,
    seed: int,
    provenance: dict[str, Any],
) -> Task:
    """A task of balanced training and test samples, each sorted by class; inputs flattened, not preprocessed.

    Args:
        name: the task's registered name.
        train: where training samples are drawn from.
        held_out: where test samples are drawn from; if None, from the rows of `train` that are not trained on.
        labelling: the classes.
        samples: training samples; None takes all that are not held out.
        test: test samples.
        seed: fixes the draw. The training set does not depend on `test` unless `samples` is None.
        provenance: recorded with the task, beside the sources and the row numbers of all samples drawn.

    Raises:
        InvalidInput: more samples are asked for than there are, or fewer than classes.
    """
    generator = np.random.default_rng(seed)
    classes = labelling.class_of[train.labels]
    test_pool = train if held_out is None else held_out
    test_classes = labelling.class_of[test_pool.labels]
    class_count = len(labelling.class_names)
    if samples is not None and samples < class_count:
        raise InvalidInput(
            f"{samples} samples cannot cover {class_count} classes: raise `samples` or leave classes out"
        )
    rows = None if samples is None else draw_balanced(classes, samples, class_count, "training", generator)
    left = test_classes.copy()
    if held_out is None and rows is not None:
        left[rows] = -1
    test_rows = draw_balanced(left, test, class_count, "test", generator)
    if rows is None:
        unused = classes.copy()
        if held_out is None:
            unused[test_rows] = -1
        rows = draw_balanced(unused, int(np.sum(unused >= 0)), class_count, "training", generator)
    return Task(
        name=name,
        inputs=flatten(train.inputs[rows]),
        targets=labelling.targets[classes[rows]] if train.targets is None else train.targets[rows],
        labels=classes[rows],
        class_names=labelling.class_names,
        target_names=labelling.target_names,
        factors=labelling.factors,
        factor_names=labelling.factor_names,
        test_inputs=flatten(test_pool.inputs[test_rows]),
        test_targets=(
            labelling.targets[test_classes[test_rows]] if test_pool.targets is None else test_pool.targets[test_rows]
        ),
        test_labels=test_classes[test_rows],
        provenance={
            "source": train.source,
            "test_source": test_pool.source if test else None,
            "train_rows": rows.tolist(),
            "test_rows": test_rows.tolist(),
            **provenance,
        },
    )


def draw_balanced(
    classes: Int[np.ndarray, " n"], samples: int, class_count: int, purpose: str, generator: np.random.Generator
) -> Int[np.ndarray, " samples"]:
    """Rows drawn without replacement, sorted by class; rows of class -1 are left alone.

    Raises:
        InvalidInput: there are fewer rows than `samples`.
    """
    available = np.bincount(classes[classes >= 0], minlength=class_count)
    if samples > available.sum():
        raise InvalidInput(
            f"{samples} {purpose} samples were asked for, but only {available.sum()} are there: "
            f"lower {'`test`' if purpose == 'test' else '`samples`'} or use more classes"
        )
    counts = balanced_counts(samples, available)
    shuffled = generator.permutation(np.flatnonzero(classes >= 0))
    rows = shuffled[np.argsort(classes[shuffled], kind="stable")]
    place_in_class = np.arange(len(rows)) - np.repeat(np.cumsum(available) - available, available)
    return rows[place_in_class < np.repeat(counts, available)]


def balanced_counts(samples: int, available: Int[np.ndarray, " G"]) -> Int[np.ndarray, " G"]:
    """Splits `samples` over classes as evenly as the samples available in each allow; what is left goes to the first.

    Needs samples <= available.sum().
    """
    counts = np.zeros_like(available)
    while left := samples - int(counts.sum()):
        unfilled = np.flatnonzero(counts < available)[:left]
        counts[unfilled] = np.minimum(available[unfilled], counts[unfilled] + left // len(unfilled))
    return counts


def flatten(inputs: Shaped[np.ndarray, "n ..."]) -> Float[np.ndarray, "n D"]:
    """One row of float64 a sample."""
    return inputs.reshape(len(inputs), math.prod(inputs.shape[1:])).astype(np.float64)
