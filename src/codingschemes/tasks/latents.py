"""Latent variables that people bring beside their inputs: from factors of samples to classes and their factors."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float, Shaped

from codingschemes.errors import InvalidInput
from codingschemes.tasks.selection import Labelling

MOST_LEVELS = 10
"""Most values of a factor: a class is named by one digit a factor."""


def label_by_factors(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The arrays, with combinations of factors for `y` and `test_y` where these are left out.

    Raises:
        InvalidInput: the factors are not as described, or there is not one row an input.
    """
    if "factors" not in arrays:
        return arrays
    factors = read_factors(arrays["factors"], "factors")
    inputs = arrays.get("x", arrays.get("inputs", factors))
    if inputs.ndim and len(inputs) != len(factors):
        raise InvalidInput(f"factors has {len(factors)} rows for {len(inputs)} inputs: give one row an input")
    levels = [np.unique(column) for column in factors.T]
    for index, values in enumerate(levels):
        if not 2 <= len(values) <= MOST_LEVELS:
            raise InvalidInput(
                f"factor {index + 1} takes {len(values)} values, not 2 to {MOST_LEVELS}: make groups of its values, or "
                "leave it out"
            )
    found = {**arrays, "factors": factors}
    if {"y", "labels"} & set(arrays):
        return found
    found["y"] = combinations_of(factors, levels)
    if "test_x" in arrays and "test_y" not in arrays:
        if "test_factors" not in arrays:
            raise InvalidInput("there is test_x but neither test_factors nor test_y: add one, one row a test sample")
        held_out = read_factors(arrays["test_factors"], "test_factors")
        if held_out.shape[1] != len(levels) or not all(map(np.all, map(np.isin, held_out.T, levels))):
            raise InvalidInput("test_factors must hold the factors that `factors` has, and no other values of them")
        found["test_y"] = combinations_of(held_out, levels)
    return found


def read_factors(values: np.ndarray, name: str) -> Float[np.ndarray, "n F"]:
    """Whole numbers, (sample, factor); one factor may come without that axis."""
    factors = values[:, None] if values.ndim == 1 else values
    whole = factors.dtype.kind in "bui" or (
        factors.dtype.kind == "f" and bool(np.all(np.isfinite(factors) & (factors == np.trunc(factors))))
    )
    if factors.ndim != 2 or not factors.size or not whole:
        raise InvalidInput(
            f"{name} must hold whole numbers, (sample, factor), not {values.dtype} of shape {values.shape}"
        )
    return factors.astype(np.float64)


def combinations_of(factors: Float[np.ndarray, "n F"], levels: list[np.ndarray]) -> Shaped[np.ndarray, " n"]:
    """Labels that say the rank of each factor's value: `01`."""
    ranks = [np.searchsorted(values, column) for column, values in zip(factors.T, levels, strict=True)]
    return np.array(["".join(map(str, row)) for row in zip(*ranks, strict=True)])


def with_factors(labelling: Labelling, labels: np.ndarray, factors: Float[np.ndarray, "n F"]) -> Labelling:
    """The labelling with the factors of its classes, a column -1/+1 for every step between values of a factor.

    Args:
        labelling: without them, or with those of its targets.
        labels: an index into the label set, (sample,).
        factors: of every sample.

    Raises:
        InvalidInput: samples of one class have different factors, or two classes the same.
    """
    classes = labelling.class_of[labels]
    used, first = np.unique(classes, return_index=True)
    rows = factors[first[used >= 0]]
    differ = (classes >= 0) & np.any(rows[classes] != factors, axis=1)
    instead = "leave y out, so that classes are the combinations of factors, and give what is learned as targets"
    if np.any(differ):
        name = labelling.class_names[classes[differ][0]]
        raise InvalidInput(f"samples of class {name} have different factors: {instead}")
    if len(np.unique(rows, axis=0)) < len(rows):
        raise InvalidInput(f"two classes have the same factors: {instead}")
    steps = [(index, value) for index, column in enumerate(rows.T) for value in np.unique(column)[:-1]]
    if not steps:
        return replace(labelling, factors=None, factor_names=())
    return replace(
        labelling,
        factors=np.column_stack([np.where(rows[:, index] > value, 1.0, -1.0) for index, value in steps]),
        factor_names=tuple(
            f"factor {index + 1}" + (f" above {value:g}" if len(np.unique(rows[:, index])) > 2 else "")
            for index, value in steps
        ),
    )
