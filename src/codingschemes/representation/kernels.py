"""The representational kernel and what is read off it: class blocks, dimensionality, alignment.

Activities are (sample, neuron) arrays Phi; the representational kernel is K = Phi Phi^T / N, (sample, sample). Nothing
in it changes when neurons are rotated or permuted.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, Real, Shaped

from codingschemes.calls import known_keywords
from codingschemes.errors import InvalidInput
from codingschemes.representation.arrays import (
    Classes,
    checked_activity,
    checked_kernel,
    classes_of,
    labelled_activity,
    same_samples,
)


class BlockMeans(NamedTuple):
    """Means of a kernel over blocks of classes.

    Attributes:
        within: mean over pairs of distinct samples of the same class, (class,); NaN for a class with one sample.
        between: mean over pairs of distinct samples of two classes, (class, class); its diagonal is `within`.
        diagonal: mean of K_mumu over the samples of a class, (class,).

    Example:
        >>> kernel = cs.representation.representational_kernel(activity)
        >>> cs.representation.block_means(kernel, labels).diagonal.shape
        (4,)
    """

    within: Float[np.ndarray, " G"]
    between: Float[np.ndarray, "G G"]
    diagonal: Float[np.ndarray, " G"]


@known_keywords
def representational_kernel(activity: Real[np.ndarray, "P N"]) -> Float[np.ndarray, "P P"]:
    """K = Phi Phi^T / N of activities (sample, neuron), in double precision.

    Args:
        activity: (sample, neuron).

    Raises:
        InvalidInput: the activities are no finite real numbers (sample, neuron).

    Example:
        >>> kernel = cs.representation.representational_kernel(activity)
        >>> kernel.shape
        (40, 40)
    """
    phi = checked_activity(activity)
    return phi @ phi.T / phi.shape[1]


def class_sizes(labels: Shaped[np.ndarray, " P"], sample_count: int) -> Int[np.ndarray, " G"]:
    """Number of samples of each class, in the sorted order of the labels.

    Args:
        labels: the class of each sample: whole numbers, text or booleans.
        sample_count: how many samples there should be.

    Raises:
        InvalidInput: there is not one label a sample, or labels are neither whole numbers, text nor booleans.
    """
    return classes_of(labels, sample_count).sizes


def _averages(classes: Classes) -> Float[np.ndarray, "P G"]:
    """The matrix that averages samples over classes from the right."""
    return np.eye(len(classes.sizes))[classes.numbers] / classes.sizes


@known_keywords
def class_means(activity: Real[np.ndarray, "P N"], labels: Shaped[np.ndarray, " P"]) -> Float[np.ndarray, "G N"]:
    """Mean activity of each neuron over the samples of each class, (class, neuron), classes in sorted order.

    Args:
        activity: (sample, neuron).
        labels: the class of each sample: whole numbers, text or booleans.

    Raises:
        InvalidInput: activities and labels do not belong together.

    Example:
        >>> cs.representation.class_means(activity, labels).shape
        (4, 12)
    """
    phi, classes = labelled_activity(activity, labels)
    return _averages(classes).T @ phi


@known_keywords
def class_kernel(kernel: Real[np.ndarray, "P P"], labels: Shaped[np.ndarray, " P"]) -> Float[np.ndarray, "G G"]:
    """The kernel of the class-mean activities, M M^T / N with M = `class_means`, from the kernel of the samples.

    Each entry is the mean over the whole block of two classes, a sample's pair with itself included; `block_means`
    leaves those pairs out.

    Args:
        kernel: (sample, sample), such as `representational_kernel` gives.
        labels: the class of each sample: whole numbers, text or booleans.

    Raises:
        InvalidInput: the kernel is not square, finite and symmetric, or there is not one label a sample.

    Example:
        >>> kernel = cs.representation.representational_kernel(activity)
        >>> cs.representation.class_kernel(kernel, labels).shape
        (4, 4)
    """
    matrix = checked_kernel(kernel)
    averaging = _averages(classes_of(labels, len(matrix)))
    return averaging.T @ matrix @ averaging


@known_keywords
def block_means(kernel: Real[np.ndarray, "P P"], labels: Shaped[np.ndarray, " P"]) -> BlockMeans:
    """Means of the kernel within classes, between classes and on its diagonal; classes in the labels' sorted order.

    Args:
        kernel: (sample, sample), such as `representational_kernel` gives.
        labels: the class of each sample: whole numbers, text or booleans.

    Raises:
        InvalidInput: the kernel is not square, finite and symmetric, or there is not one label a sample.

    Example:
        >>> kernel = cs.representation.representational_kernel(activity)
        >>> means = cs.representation.block_means(kernel, labels)
        >>> means.within.shape, means.between.shape
        ((4,), (4, 4))
    """
    matrix = checked_kernel(kernel)
    classes = classes_of(labels, len(matrix))
    averaging = _averages(classes)
    between = averaging.T @ matrix @ averaging
    diagonal = np.bincount(classes.numbers, weights=np.diagonal(matrix)) / classes.sizes
    within = np.full(len(classes.sizes), np.nan)
    many = classes.sizes > 1
    np.divide(classes.sizes * np.diagonal(between) - diagonal, classes.sizes - 1, out=within, where=many)
    np.fill_diagonal(between, within)
    return BlockMeans(within, between, diagonal)


@known_keywords
def eigenvalues(kernel: Real[np.ndarray, "P P"]) -> Float[np.ndarray, " P"]:
    """Eigenvalues of a symmetric kernel, largest first.

    Args:
        kernel: (sample, sample).

    Raises:
        InvalidInput: the kernel is not square, finite and symmetric.

    Example:
        >>> cs.representation.eigenvalues(np.diag([1.0, 3.0, 2.0]))
        array([3., 2., 1.])
    """
    return np.linalg.eigvalsh(checked_kernel(kernel))[::-1]


def center(kernel: Float[np.ndarray, "P P"]) -> Float[np.ndarray, "P P"]:
    """H K H, H = I - 11^T / P: the kernel after subtracting every neuron's mean over samples."""
    half = kernel - kernel.mean(axis=0)
    return half - half.mean(axis=1, keepdims=True)


@known_keywords
def participation_ratio(activity: Real[np.ndarray, "P N"]) -> float:
    """Effective number of dimensions, (sum lam)^2 / sum lam^2 over the covariance eigenvalues lam (Gao et al. 2017).

    It lies between 1 and the rank of the centred activities (sample, neuron), and is 0 where the samples do not differ.

    Args:
        activity: (sample, neuron).

    Raises:
        InvalidInput: activities that are not finite numbers (sample, neuron).

    Example:
        >>> round(cs.representation.participation_ratio(activity), 1)
        1.8
    """
    return participation_ratio_from_kernel(representational_kernel(activity))


@known_keywords
def participation_ratio_from_kernel(kernel: Real[np.ndarray, "P P"]) -> float:
    """`participation_ratio` from a representational kernel, measured or predicted.

    Args:
        kernel: (sample, sample).

    Raises:
        InvalidInput: the kernel is not square, finite and symmetric.

    Example:
        >>> round(cs.representation.participation_ratio_from_kernel(np.diag([1.0, 1.0, 0.0])), 3)
        1.6
    """
    within = center(checked_kernel(kernel))
    total = float(np.sum(within**2))
    return float(np.trace(within)) ** 2 / total if total > 0 else 0.0


@known_keywords
def linear_cka(activity: Real[np.ndarray, "P N"], other: Real[np.ndarray, "P M"], *, debiased: bool = False) -> float:
    """Centred kernel alignment of two representations of the same samples (Kornblith et al. 2019), (sample, neuron).

    The plain estimate, <HKH, HLH> / (||HKH|| ||HLH||), is positive even for independent representations of few
    samples. The debiased one replaces each inner product by the unbiased estimate of Song et al. (2012), has mean near
    0 for independent representations, and can be negative.

    Args:
        activity: (sample, neuron).
        other: the same samples in the same order; any number of neurons.
        debiased: whether to take the estimate that is 0 on average for independent representations.

    Raises:
        InvalidInput: a representation is constant, the numbers of samples differ, or `debiased` with fewer than four
            samples.

    Example:
        >>> round(cs.representation.linear_cka(activity, 2 * activity), 6)
        1.0
    """
    kernels = map(representational_kernel, same_samples(activity, other))
    return linear_cka_from_kernel(*kernels, debiased=debiased)


@known_keywords
def linear_cka_from_kernel(
    kernel: Real[np.ndarray, "P P"], other: Real[np.ndarray, "P P"], *, debiased: bool = False
) -> float:
    """`linear_cka` from the kernels of the two representations.

    Args:
        kernel, other: (sample, sample), of the same samples in the same order.
        debiased: as in `linear_cka`.

    Raises:
        InvalidInput: a kernel is constant, their sizes differ, or `debiased` with fewer than four samples.

    Example:
        >>> kernel = cs.representation.representational_kernel(activity)
        >>> round(cs.representation.linear_cka_from_kernel(kernel, kernel), 6)
        1.0
    """
    first, second = checked_kernel(kernel), checked_kernel(other)
    if len(first) != len(second):
        raise InvalidInput(f"kernels of {len(first)} and {len(second)} samples: give those of the same samples")
    if debiased and len(first) < 4:
        raise InvalidInput(f"the debiased CKA needs at least 4 samples, not {len(first)}: use debiased=False")
    without_means = _u_center if debiased else center
    first, second = without_means(first), without_means(second)
    norms = float(np.linalg.norm(first) * np.linalg.norm(second))
    if norms == 0:
        raise InvalidInput("CKA is undefined for a representation that is the same for every sample: leave it out")
    return float(np.sum(first * second)) / norms


def _u_center(kernel: Float[np.ndarray, "P P"]) -> Float[np.ndarray, "P P"]:
    """U-centring: <result(K), result(L)> / (P (P - 3)) is the unbiased estimate of HSIC (Szekely & Rizzo 2014)."""
    count = len(kernel)
    hollow = kernel - np.diag(np.diagonal(kernel))
    rows = hollow.sum(axis=0) / (count - 2)
    result = hollow - rows[:, None] - rows[None, :] + hollow.sum() / ((count - 1) * (count - 2))
    np.fill_diagonal(result, 0.0)
    return result
