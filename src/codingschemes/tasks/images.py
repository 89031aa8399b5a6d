"""What the image tasks share: which classes, which labels, and what is recorded."""

import numpy as np

from codingschemes.errors import InvalidInput
from codingschemes.tasks.options import ClassChoice
from codingschemes.tasks.preprocessing import preprocess as preprocess_task
from codingschemes.tasks.selection import LabelledSamples, Labelling, choose_labels, draw_task, one_hot_labelling
from codingschemes.tasks.task import Task

DIGITS = tuple("0123456789")


def image_task(
    name: str,
    train: LabelledSamples,
    held_out: LabelledSamples | None,
    label_names: tuple[str, ...],
    *,
    samples: int,
    classes: ClassChoice | None,
    test: int,
    labels: str,
    preprocess: str,
    seed: int,
    files: dict[str, str] | None = None,
) -> Task:
    """A task from labelled images; `labels`, `classes` and the rest are the options of the image tasks.

    Args:
        name: the task's registered name.
        train: images to train on.
        held_out: images to test on, or None to test on images of `train` that are not trained on.
        label_names: one name an original label; labels can also be named by their number.
        samples: training images, balanced over the classes.
        classes: original labels, or how many; if left out the first three, or all for factorised labels.
        test: test images, balanced over the classes.
        labels: "classes" for one output a class, "parity-magnitude" for the two binary factors of a digit.
        preprocess: steps applied to the inputs; see `preprocessing`.
        seed: fixes which images are drawn.
        files: sha256 checksums of the files that were read, by name.

    Raises:
        InvalidInput: unknown labels, a combination of factors without images, or more images than there are.
    """
    if labels not in ("classes", "parity-magnitude"):
        raise InvalidInput(f"`labels` of the {name} task is classes or parity-magnitude, not {labels}")
    if classes is None:
        classes = 3 if labels == "classes" else len(label_names)
    chosen = choose_labels(classes, label_names, tuple(str(index) for index in range(len(label_names))))
    labelling = parity_magnitude(chosen) if labels == "parity-magnitude" else one_hot_labelling(label_names, chosen)
    provenance = {
        "files": files or {},
        "image_shape": list(train.inputs.shape[1:]),
        "original_labels": [label_names[index] for index in chosen],
    }
    task = draw_task(name, train, held_out, labelling, samples, test, seed, provenance)
    return preprocess_task(task, preprocess)


def parity_magnitude(chosen: list[int]) -> Labelling:
    """Two binary labels of the digits `chosen`: parity (odd +1, even -1) and magnitude (5 to 9 +1, 0 to 4 -1).

    Raises:
        InvalidInput: one of the four combinations has no digit among those chosen.
    """
    factors = np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
    names = ("even low", "even high", "odd low", "odd high")
    class_of = np.full(len(DIGITS), -1)
    for digit in chosen:
        class_of[digit] = 2 * (digit % 2) + (digit >= 5)
    missing = [name for index, name in enumerate(names) if index not in class_of]
    if missing:
        raise InvalidInput(f"`classes` has no {missing[0]} digit: parity and magnitude need all four combinations")
    outputs = ("parity", "magnitude")
    return Labelling(class_of, names, outputs, factors, factors, outputs)
