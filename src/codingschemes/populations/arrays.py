"""What people bring as a matrix: NumPy, pandas, xarray and AnnData-like objects, known by what they can do."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int, Real, Shaped

from codingschemes.errors import InvalidInput
from codingschemes.representation.arrays import Classes, classes_of

NEURON_NAMES = frozenset({"neuron", "neurons", "unit", "units", "cell", "cells"})
"""Names of the dimension of neurons in labelled arrays."""
TIME_NAMES = frozenset({"time", "times", "t", "bin", "time_bin"})


class Brought(NamedTuple):
    """A matrix as it was brought.

    Attributes:
        activity: samples first, (sample, neuron) or (sample, neuron, time).
        labels: one a sample, or what the user gave for them.
        times: of the last axis, where it has them.
        missing: conditions that are named without a sample.
    """

    activity: Real[np.ndarray, "..."]
    labels: Any
    times: Float[np.ndarray, " T"] | None
    missing: tuple[str, ...]


def read_activity(activity: Any, labels: Any) -> Brought:
    """The activity and labels as arrays.

    AnnData-like objects have `X` and `obs`, xarray's `dims`, pandas' `columns`. Labels given by a name are a column of
    `obs` or of the table, which is then taken out, or a coordinate.

    Raises:
        InvalidInput: labels are given by a name that is none of the object's.
    """
    times = None
    if hasattr(activity, "X") and hasattr(activity, "obs"):
        labels = _by_name(labels, activity.obs, "column of obs")
        activity = activity.X
    elif hasattr(activity, "dims") and hasattr(activity, "coords"):
        labels = _by_name(labels, activity.coords, "coordinate")
        activity, times = _samples_first(activity)
    elif hasattr(activity, "columns") and isinstance(labels, str):
        found = _by_name(labels, activity, "column")
        activity, labels = activity.drop(columns=labels), found
    if hasattr(activity, "toarray"):
        activity = activity.toarray()
    missing = _without_samples(labels)
    return Brought(np.asarray(activity), None if labels is None else np.asarray(labels), times, missing)


def _by_name(labels: Any, table: Any, what: str) -> Any:
    if not isinstance(labels, str):
        return labels
    if labels not in table:
        raise InvalidInput(f"there is no {what} {labels!r} to take labels from: it has {', '.join(map(str, table))}")
    return table[labels]


def _samples_first(array: Any) -> tuple[Any, Float[np.ndarray, " T"] | None]:
    """A labelled array with neurons after samples, and time last, where dimensions say so by their names."""
    dims = list(array.dims)
    time = [name for name in dims if str(name).lower() in TIME_NAMES] if len(dims) == 3 else []
    neuron = [name for name in dims if str(name).lower() in NEURON_NAMES]
    if len(neuron) == 1:
        rest = [name for name in dims if name not in (*neuron, *time)]
        array = array.transpose(*rest, *neuron, *time)
    last = array.dims[-1]
    times = np.asarray(array.coords[last], float) if time and last in array.coords else None
    return array.values, times


def _without_samples(labels: Any) -> tuple[str, ...]:
    """Categories of categorical labels that no sample has."""
    kinds = getattr(getattr(labels, "cat", labels), "categories", None)
    if kinds is None:
        return ()
    held = set(np.asarray(labels).tolist())
    return tuple(str(kind) for kind in kinds if kind not in held)


def over_time(
    activity: Real[np.ndarray, "P N T"],
    times: Float[np.ndarray, " T"] | None,
    window: Any,
) -> tuple[Real[np.ndarray, "P N"], str]:
    """Activity averaged over the bins of a time window, and a sentence that says so.

    Args:
        times: of the bins; their numbers 0..T-1 if left out.
        window: first time, and the time before which it ends; all bins if left out.

    Raises:
        InvalidInput: no bin lies in the window.
    """
    times = np.arange(activity.shape[2], dtype=float) if times is None else times
    inside = np.ones(len(times), bool)
    if window is not None:
        if np.shape(window) != (2,):
            raise InvalidInput("a `window` is two times, first and end: give for example (0.1, 0.5)")
        window = tuple(map(float, window))
        inside = (times >= window[0]) & (times < window[1])
    if not inside.any():
        raise InvalidInput(
            f"no time bin lies in the window {tuple(window or ())}: choose one between {times.min():g} and "
            f"{times.max():g}"
        )
    return activity[:, :, inside].mean(axis=2), f"activity is the mean over {inside.sum()} of {len(times)} time bins"


def read_factors(factors: Any, sample_count: int) -> Float[np.ndarray, "R F"]:
    """Factors as -1/+1, one row a class or a sample as they were given: the two values of each, whatever they are, in
    sorted order.

    Raises:
        InvalidInput: a factor does not take exactly two values.
    """
    found = np.asarray(factors)
    if found.ndim == 1 and len(found) == sample_count:
        found = found[:, None]
    if found.ndim != 2 or not found.size:
        raise InvalidInput(
            f"factors are (class, factor) or (sample, factor), not of shape {found.shape}: give a column a factor"
        )
    signs = np.empty(found.shape)
    found = found.astype(np.str_) if found.dtype.kind == "O" else found
    for index, column in enumerate(found.T):
        values = np.unique(column)
        if len(values) != 2:
            raise InvalidInput(
                f"factor {index} takes {len(values)} values, not two: make two groups of its values, or leave it out"
            )
        signs[:, index] = np.where(column == values[1], 1.0, -1.0)
    return signs


def factors_of_classes(
    factors: Real[np.ndarray, "R F"], numbers: Int[np.ndarray, " P"], names: Sequence[str]
) -> Real[np.ndarray, "G F"]:
    """One row of factors a class, from rows of classes (as they are) or of samples.

    Raises:
        InvalidInput: samples of one class have different factors.
    """
    if len(factors) != len(numbers) or len(factors) == len(names):
        return factors
    _, first = np.unique(numbers, return_index=True)
    rows = factors[first]
    differ = np.any(rows[numbers] != factors, axis=1)
    if differ.any():
        name = names[int(numbers[differ][0])]
        raise InvalidInput(
            f"samples of class {name} have different factors: give labels that are the combinations of factors"
        )
    return rows


def combinations_of(factors: Real[np.ndarray, "P F"]) -> Shaped[np.ndarray, " P"]:
    """Labels that are the combinations of the factors of every sample, as `01`."""
    return np.array(["".join("1" if value > 0 else "0" for value in row) for row in factors])


def read_classes(labels: Any, sample_count: int, names: Any) -> tuple[Classes, tuple[str, ...]]:
    """Classes of the labels, and what each is called.

    Raises:
        InvalidInput: labels are not one a sample of a known kind, or there is not one name a class.
    """
    classes = classes_of(labels, sample_count)
    if len(classes.sizes) < 2:
        raise InvalidInput("all samples have the same label: codes tell classes apart, give samples of two at least")
    if names is None:
        return classes, tuple(str(name) for name in classes.names)
    if isinstance(names, dict):
        return classes, tuple(str(names.get(name, name)) for name in classes.names.tolist())
    if isinstance(names, str) or len(names) != len(classes.sizes):
        raise InvalidInput(
            f"{len(classes.sizes)} classes came with {len(names)} `names`: give one a class, in the sorted order of "
            "the labels"
        )
    return classes, tuple(str(name) for name in names)
