"""The representational kernel and what is read off it: class blocks, dimensionality, alignment.

Activities are (neuron, sample) arrays Phi; the representational kernel is K = Phi^T Phi / N, (sample, sample). Nothing
in it changes when neurons are rotated or permuted.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from codingschemes.errors import InvalidInput


class BlockMeans(NamedTuple):
    """Means of a kernel over blocks of classes.

    Attributes:
        within: mean over pairs of distinct samples of the same class, (class,); NaN for a class with one sample.
        between: mean over pairs of distinct samples of two classes, (class, class); its diagonal is `within`.
        diagonal: mean of K_mumu over the samples of a class, (class,).
    """

    within: Float[np.ndarray, " G"]
    between: Float[np.ndarray, "G G"]
    diagonal: Float[np.ndarray, " G"]


def checked_activity(activity: Float[np.ndarray, "N P"]) -> Float[np.ndarray, "N P"]:
    """The activities in double precision.

    Raises:
        InvalidInput: they hold NaN or infinite values.
    """
    phi = np.asarray(activity, dtype=np.float64)
    if not np.all(np.isfinite(phi)):
        raise InvalidInput("the activities hold NaN or infinite values: check that the run did not diverge")
    return phi


def representational_kernel(activity: Float[np.ndarray, "N P"]) -> Float[np.ndarray, "P P"]:
    """K = Phi^T Phi / N in double precision.

    Raises:
        InvalidInput: the activities hold NaN or infinite values.
    """
    phi = checked_activity(activity)
    return phi.T @ phi / len(phi)


def class_sizes(labels: Int[np.ndarray, " P"], sample_count: int) -> Int[np.ndarray, " G"]:
    """Number of samples of each class, G being the largest label plus one.

    Raises:
        InvalidInput: there is not one label a sample, a label is negative, or a class between 0 and the largest label
            has no sample.
    """
    if len(labels) != sample_count:
        raise InvalidInput(f"{sample_count} samples came with {len(labels)} labels: give exactly one label a sample")
    if sample_count == 0 or labels.min() < 0:
        raise InvalidInput("labels must be integers from 0 on, at least one: number the classes 0..G-1")
    sizes = np.bincount(labels)
    if np.any(sizes == 0):
        raise InvalidInput(
            f"no sample belongs to class {int(np.argmin(sizes))}: number the classes 0..G-1 without gaps"
        )
    return sizes


def _averaging(labels: Int[np.ndarray, " P"], sample_count: int) -> Float[np.ndarray, "P G"]:
    """The matrix that averages samples over classes from the right."""
    sizes = class_sizes(labels, sample_count)
    return np.eye(len(sizes))[labels] / sizes


def class_means(activity: Float[np.ndarray, "N P"], labels: Int[np.ndarray, " P"]) -> Float[np.ndarray, "N G"]:
    """Mean activity of each neuron over the samples of each class."""
    phi = checked_activity(activity)
    return phi @ _averaging(labels, phi.shape[1])


def class_kernel(kernel: Float[np.ndarray, "P P"], labels: Int[np.ndarray, " P"]) -> Float[np.ndarray, "G G"]:
    """The kernel of the class-mean activities, M^T M / N with M = `class_means`, from the kernel of the samples.

    Each entry is the mean over the whole block of two classes, a sample's pair with itself included; `block_means`
    leaves those pairs out.
    """
    averaging = _averaging(labels, len(kernel))
    return averaging.T @ kernel @ averaging


def block_means(kernel: Float[np.ndarray, "P P"], labels: Int[np.ndarray, " P"]) -> BlockMeans:
    """Means of the kernel within classes, between classes and on its diagonal."""
    sizes = class_sizes(labels, len(kernel))
    between = class_kernel(kernel, labels)
    diagonal = np.bincount(labels, weights=np.diagonal(kernel)) / sizes
    within = np.full(len(sizes), np.nan)
    np.divide(sizes * np.diagonal(between) - diagonal, sizes - 1, out=within, where=sizes > 1)
    np.fill_diagonal(between, within)
    return BlockMeans(within, between, diagonal)


def eigenvalues(kernel: Float[np.ndarray, "P P"]) -> Float[np.ndarray, " P"]:
    """Eigenvalues of a symmetric kernel, largest first."""
    return np.linalg.eigvalsh(kernel)[::-1]


def centered(kernel: Float[np.ndarray, "P P"]) -> Float[np.ndarray, "P P"]:
    """H K H, H = I - 11^T / P: the kernel after subtracting every neuron's mean over samples."""
    half = kernel - kernel.mean(axis=0)
    return half - half.mean(axis=1, keepdims=True)


def participation_ratio(kernel: Float[np.ndarray, "P P"]) -> float:
    """Effective number of dimensions, (sum lam)^2 / sum lam^2 over the covariance eigenvalues lam (Gao et al. 2017).

    It lies between 1 and the rank of the centred kernel, and is 0 where the samples do not differ.
    """
    within = centered(kernel)
    total = float(np.sum(within**2))
    return float(np.trace(within)) ** 2 / total if total > 0 else 0.0


def linear_cka(kernel: Float[np.ndarray, "P P"], other: Float[np.ndarray, "P P"], *, debiased: bool = False) -> float:
    """Centred kernel alignment of two representations of the same samples (Kornblith et al. 2019), from their kernels.

    The plain estimate, <HKH, HLH> / (||HKH|| ||HLH||), is positive even for independent representations of few
    samples. The debiased one replaces each inner product by the unbiased estimate of Song et al. (2012), has mean near
    0 for independent representations, and can be negative.

    Raises:
        InvalidInput: a kernel is constant, or `debiased` with fewer than four samples.
    """
    if debiased and len(kernel) < 4:
        raise InvalidInput(f"the debiased CKA needs at least 4 samples, not {len(kernel)}: use debiased=False")
    center = _u_centered if debiased else centered
    first, second = center(kernel), center(other)
    norms = float(np.linalg.norm(first) * np.linalg.norm(second))
    if norms == 0:
        raise InvalidInput("CKA is undefined for a representation that is the same for every sample: leave it out")
    return float(np.sum(first * second)) / norms


def _u_centered(kernel: Float[np.ndarray, "P P"]) -> Float[np.ndarray, "P P"]:
    """U-centring: <result(K), result(L)> / (P (P - 3)) is the unbiased estimate of HSIC (Szekely & Rizzo 2014)."""
    count = len(kernel)
    hollow = kernel - np.diag(np.diagonal(kernel))
    rows = hollow.sum(axis=0) / (count - 2)
    result = hollow - rows[:, None] - rows[None, :] + hollow.sum() / ((count - 1) * (count - 2))
    np.fill_diagonal(result, 0.0)
    return result
