"""What every measure is given: activities with samples first, kernels, labels of any kind. Checked here, once."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, Real, Shaped

from codingschemes.errors import InvalidInput

ASYMMETRY = 1e-5
"""A kernel is symmetric where no entry differs from its mirror image by more than this fraction of the largest."""


class Classes(NamedTuple):
    """Labels as numbers.

    Attributes:
        numbers: the class of each sample, 0..G-1, in the sorted order of the labels, (sample,).
        names: the label of each class, (class,).
        sizes: number of samples of each class, (class,).
    """

    numbers: Int[np.ndarray, " P"]
    names: Shaped[np.ndarray, " G"]
    sizes: Int[np.ndarray, " G"]


def checked_activity(activity: Real[np.ndarray, "P N"]) -> Float[np.ndarray, "P N"]:
    """Activities (sample, neuron) in double precision.

    Raises:
        InvalidInput: they are no finite real numbers in two dimensions, or there are none.
    """
    found = np.asarray(activity)
    if found.dtype.kind not in "buif" or found.ndim != 2 or not found.size:
        raise InvalidInput(
            f"activities are real numbers (sample, neuron), samples first, not {found.dtype} of shape {found.shape}"
        )
    phi = found.astype(np.float64)
    if not np.all(np.isfinite(phi)):
        raise InvalidInput("the activities hold NaN or infinite values: leave those samples or neurons out")
    return phi


def labelled_activity(
    activity: Real[np.ndarray, "P N"], labels: Shaped[np.ndarray, " P"]
) -> tuple[Float[np.ndarray, "P N"], Classes]:
    """Activities (sample, neuron) and the class of each sample.

    Raises:
        InvalidInput: see `checked_activity` and `classes_of`; activities that come with one label a column are
            transposed.
    """
    phi = checked_activity(activity)
    labelled = np.shape(labels)
    if len(phi) not in labelled and phi.shape[1:] == labelled:
        raise InvalidInput(
            f"activities of shape {phi.shape} came with {len(labels)} labels and look transposed: samples come first, "
            "(sample, neuron), so give activity.T"
        )
    return phi, classes_of(labels, len(phi))


def same_samples(
    activity: Real[np.ndarray, "P N"], other: Real[np.ndarray, "P M"]
) -> tuple[Float[np.ndarray, "P N"], Float[np.ndarray, "P M"]]:
    """Two activities of the same samples, (sample, neuron) each.

    Raises:
        InvalidInput: their numbers of samples differ.
    """
    first, second = checked_activity(activity), checked_activity(other)
    if len(first) != len(second):
        hint = (
            "samples come first, (sample, neuron), so transpose what is transposed"
            if first.shape[1] in second.shape or second.shape[1] == len(first)
            else "give the activities of one set of samples"
        )
        raise InvalidInput(f"activities of {len(first)} samples are compared with those of {len(second)}: {hint}")
    return first, second


def checked_kernel(kernel: Real[np.ndarray, "P P"]) -> Float[np.ndarray, "P P"]:
    """A kernel (sample, sample) in double precision.

    Raises:
        InvalidInput: it is not a finite symmetric matrix, as activities are not.
    """
    found = np.asarray(kernel)
    square = found.ndim == 2 and found.shape[0] == found.shape[1] and found.size > 0
    if not square or found.dtype.kind not in "buif":
        raise InvalidInput(
            f"a kernel is a symmetric matrix (sample, sample), not {found.dtype} of shape {found.shape}: "
            "representational_kernel(activity) makes one of activities"
        )
    matrix = found.astype(np.float64)
    if not np.all(np.isfinite(matrix)):
        raise InvalidInput("the kernel holds NaN or infinite values: leave those samples out")
    if np.max(np.abs(matrix - matrix.T)) > ASYMMETRY * np.max(np.abs(matrix)):
        raise InvalidInput(
            "the kernel is not symmetric: if these are activities, representational_kernel(activity) makes one of them"
        )
    return matrix


def classes_of(labels: Shaped[np.ndarray, " P"], sample_count: int) -> Classes:
    """The classes of labels of any kind: whole numbers, text or booleans; their sorted order numbers the classes.

    Raises:
        InvalidInput: there is not one label a sample, or labels are of no such kind.
    """
    found = np.asarray(labels)
    if found.ndim != 1:
        raise InvalidInput(f"labels are one a sample, of shape (samples,), not {found.shape}: of one-hot rows, argmax")
    if len(found) != sample_count or not sample_count:
        raise InvalidInput(f"{sample_count} samples came with {len(found)} labels: give exactly one label a sample")
    if found.dtype.kind == "O" and all(isinstance(label, str) for label in found):
        found = found.astype(np.str_)
    whole = found.dtype.kind == "f" and np.all(np.isfinite(found)) and np.all(found == np.round(found))
    if found.dtype.kind not in "buiUS" and not whole:
        raise InvalidInput(f"labels are whole numbers, text or booleans, not {found.dtype}: name each class by one")
    names, index, sizes = np.unique(found, return_inverse=True, return_counts=True)
    return Classes(index.astype(np.int64), names, sizes)


def several_classes(classes: Classes, what: str) -> None:
    """Refuse a single class where classes are compared.

    Raises:
        InvalidInput: there is one class.
    """
    if len(classes.sizes) < 2:
        raise InvalidInput(f"{what} compares classes: give samples of at least two classes")
