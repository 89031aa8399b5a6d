"""Bring your own arrays."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from codingschemes.errors import InvalidInput
from codingschemes.tasks.archives import read_arrays, require
from codingschemes.tasks.downloads import sha256_of
from codingschemes.tasks.latents import label_by_factors, with_factors
from codingschemes.tasks.levels import level_edges, level_names, levels_of
from codingschemes.tasks.options import ClassChoice, reads_options
from codingschemes.tasks.preprocessing import preprocess as preprocess_task
from codingschemes.tasks.selection import LabelledSamples, Labelling, choose_labels, draw_task, one_hot_labelling
from codingschemes.tasks.task import Task


@reads_options
def npz(
    data: str | os.PathLike[str],
    samples: int | None = None,
    classes: ClassChoice | None = None,
    test: int | None = None,
    preprocess: str = "center,scale",
    seed: int = 0,
) -> Task:
    """Your own inputs and labels, from an .npz file as numpy.savez writes it.

    The file holds `x` (or `inputs`), numbers of any real type with samples first, flattened to one row a sample; and
    `y` (or `labels`), one whole number or text a sample. It may hold `targets`, (sample, output), to be learned
    instead of one output a class; and `test_x`, `test_y` and `test_targets` likewise. Nothing is unpickled.

    It may also hold `factors`, (sample, factor): latent variables of a few values each, learned or not, that
    abstraction scores are asked of. Classes are then the combinations of factors, named by the ranks of their values
    (`01`), and `y` may be left out. A factor of m ordered values is scored as m - 1 binary ones, one a step up. Where
    there is no such array, and the targets are -1/+1 and the classes are all their combinations, the targets are the
    factors.

    With `targets` and neither `y` nor `factors` the task is a regression: inputs are sorted into low, middle and high
    values of the first target, thirds of the file, in the place of classes.

    Args:
        data: the file.
        samples: training samples, drawn evenly from the classes; all that are not held out, if left out.
        classes: labels, or how many of them in sorted order; all if left out. A regression has none.
        test: held-out samples: from `test_x` if the file has it, else from those not trained on. If left out, all
            of `test_x`.
        preprocess: steps applied to the inputs; see `preprocessing`.
        seed: fixes which samples are drawn.

    Raises:
        InvalidInput: the file is not as described, or holds fewer samples than are asked for.

    Example:
        >>> np.savez("stimuli.npz", x=activity, y=labels)
        >>> cs.tasks.npz("stimuli.npz", samples=32, test=8)
        Task(npz, 32 samples of 12 features in 4 classes, 8 held out)
    """
    path = Path(data)
    arrays = read_arrays(path)
    regression = "targets" in arrays and not {"y", "labels", "factors"} & set(arrays)
    if regression and classes is not None:
        raise InvalidInput(f"{path} has targets without labels, so there are no `classes` to choose: leave it out")
    arrays = label_by_levels(arrays, path) if regression else label_by_factors(arrays)
    values = require(arrays, ("y", "labels"), path)
    check_labels(values, "y")
    label_values = np.unique(values)
    train = read_samples(arrays, path, "", label_values)
    held_out = read_samples(arrays, path, "test_", label_values) if {"test_x", "test_y"} & set(arrays) else None
    names = level_names(len(label_values)) if regression else tuple(str(value) for value in label_values)
    chosen = choose_labels(len(names) if classes is None else classes, names)
    labelling = one_hot_labelling(names, chosen)
    if train.targets is not None:
        labelling = describe_targets(labelling, train)
        if held_out is not None and held_out.targets is None:
            raise no_test_targets(path)
    if "factors" in arrays:
        labelling = with_factors(labelling, train.labels, arrays["factors"])
    if test is None:
        test = 0 if held_out is None else int(np.isin(held_out.labels, chosen).sum())
    provenance = {
        "files": {path.name: sha256_of(path)},
        "input_shape": list(train.inputs.shape[1:]),
        "original_labels": [names[index] for index in chosen],
    }
    task = draw_task("npz", train, held_out, labelling, samples, test, seed, provenance)
    return preprocess_task(replace(task, levels=regression), preprocess)


def label_by_levels(arrays: dict[str, np.ndarray], path: Path) -> dict[str, np.ndarray]:
    """The arrays, with levels of the first target for `y` and `test_y`."""
    if "test_x" in arrays and "test_targets" not in arrays:
        raise no_test_targets(path)
    sides = {prefix: arrays[f"{prefix}targets"] for prefix in ("", "test_") if f"{prefix}targets" in arrays}
    for prefix, targets in sides.items():
        if targets.dtype.kind not in "buif" or targets.ndim not in (1, 2) or not targets.size:
            raise InvalidInput(
                f"{prefix}targets must hold real numbers, a row a sample, not {targets.dtype} {targets.shape}"
            )
        if not np.all(np.isfinite(targets)):
            raise InvalidInput(f"{prefix}targets hold NaN or infinite values: give finite targets for every sample")
    first = {prefix: targets.reshape(len(targets), -1)[:, 0].astype(np.float64) for prefix, targets in sides.items()}
    edges = level_edges(first[""])
    return {**arrays, **{f"{prefix}y": levels_of(values, edges) for prefix, values in first.items()}}


def no_test_targets(path: Path) -> InvalidInput:
    """What is said where there is something to test on, but not what it should be."""
    return InvalidInput(f"{path} has targets and test_x but no test_targets: add them, one row a test sample")


def read_samples(arrays: dict[str, np.ndarray], path: Path, prefix: str, label_values: np.ndarray) -> LabelledSamples:
    """The samples under the names with `prefix`; labels become indices into `label_values`."""
    spellings = ("x", "inputs") if not prefix else (f"{prefix}x",)
    inputs = require(arrays, spellings, path)
    values = require(arrays, ("y", "labels") if not prefix else (f"{prefix}y",), path)
    check_labels(values, f"{prefix}y")
    if inputs.dtype.kind not in "buif" or inputs.ndim == 0:
        raise InvalidInput(f"{prefix}x must hold real numbers, one row a sample, not {inputs.dtype} {inputs.shape}")
    if len(inputs) != len(values):
        raise InvalidInput(
            f"{path} has {len(inputs)} rows in {prefix}x and {len(values)} labels in {prefix}y: "
            "give exactly one label for every input"
        )
    if (values.dtype.kind == "U") != (label_values.dtype.kind == "U") or not np.all(np.isin(values, label_values)):
        raise InvalidInput(f"{prefix}y holds labels that y does not: test samples need labels that are trained on")
    targets = arrays.get(f"{prefix}targets")
    if targets is not None:
        if targets.dtype.kind not in "buif" or targets.ndim not in (1, 2) or len(targets) != len(inputs):
            raise InvalidInput(
                f"{prefix}targets must hold {len(inputs)} rows of real numbers like {prefix}x, "
                f"not {targets.dtype} {targets.shape}"
            )
        targets = targets.reshape(len(targets), -1).astype(np.float64)
    return LabelledSamples(inputs, np.searchsorted(label_values, values), path.name, targets)


def check_labels(values: np.ndarray, name: str) -> None:
    """Raises InvalidInput unless `values` holds one whole number or text a sample."""
    if values.dtype.kind not in "buiU":
        raise InvalidInput(f"{name} must hold whole numbers or text, not {values.dtype}: try {name}.astype(int)")
    if values.ndim != 1:
        raise InvalidInput(f"{name} must have one label a sample, shape (samples,), not {values.shape}")
    if len(values) == 0:
        raise InvalidInput(f"{name} is empty: give at least one labelled sample")


def describe_targets(labelling: Labelling, train: LabelledSamples) -> Labelling:
    """The labelling with the names of the given targets, and with factors where the targets are all combinations."""
    assert train.targets is not None
    outputs = train.targets.shape[1]
    rows = np.flatnonzero(labelling.class_of[train.labels] >= 0)
    classes, targets = labelling.class_of[train.labels[rows]], train.targets[rows]
    of_class = targets[np.unique(classes, return_index=True)[1]]
    factorised = (
        np.all(np.abs(of_class) == 1)
        and np.array_equal(of_class[classes], targets)
        and len(np.unique(of_class, axis=0)) == len(of_class) == 2**outputs
    )
    return Labelling(
        labelling.class_of,
        labelling.class_names,
        names := tuple(f"target {index + 1}" for index in range(outputs)),
        of_class,
        of_class if factorised else None,
        names if factorised else (),
    )
