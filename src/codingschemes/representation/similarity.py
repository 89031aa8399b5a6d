"""Distances and similarities between two representations of the same samples, (sample, neuron) each.

The two representations may differ in their number of neurons.
"""

import numpy as np
from jaxtyping import Float, Real
from scipy.optimize import linear_sum_assignment
from scipy.stats import spearmanr

from codingschemes.calls import known_keywords
from codingschemes.errors import InvalidInput
from codingschemes.representation.arrays import same_samples

SMALLEST = 1e-12
"""Relative size below which a variation is rounding error."""


@known_keywords
def shape_distance(activity: Real[np.ndarray, "P N"], other: Real[np.ndarray, "P M"], *, alpha: float = 1.0) -> float:
    """Angular shape distance, in radians, minimised over rotations of the neurons (Williams et al. 2021).

    Both representations are centred and partially whitened, X_a = X V diag(alpha + (1 - alpha) lam^-1/2) V^T with lam
    and V the eigenvalues and eigenvectors of X^T X; the distance is arccos(||X_a^T Y_a||_* / (||X_a||_F ||Y_a||_F)).

    Args:
        activity, other: (sample, neuron), the same samples in the same order.
        alpha: 1 leaves the shape as it is (Procrustes), 0 whitens it (all canonical correlations weigh the same).

    Raises:
        InvalidInput: alpha is outside [0, 1], or a representation is the same for every sample.

    Example:
        >>> round(cs.representation.shape_distance(activity, activity[:, ::-1]), 3)
        0.0
    """
    if not 0 <= alpha <= 1:
        raise InvalidInput(f"`alpha` is {alpha}: give a number between 0 (whitened) and 1 (Procrustes)")
    first, second = (_whiten(_centre(each), alpha) for each in same_samples(activity, other))
    first, second = _pad(first, second)
    left, _, right = np.linalg.svd(first.T @ second)
    return _angle(first @ left @ right, second)


@known_keywords
def permutation_distance(activity: Real[np.ndarray, "P N"], other: Real[np.ndarray, "P M"]) -> float:
    """Angular distance, in radians, of centred activities, minimised over permutations of the neurons.

    The narrower representation is filled up with silent neurons: arccos(max_pi sum_i <x_i, y_pi(i)> / (||X|| ||Y||)).

    Unlike `shape_distance` it tells codes apart that are rotations of each other, such as one neuron from two half as
    strong copies of it.

    Args:
        activity, other: (sample, neuron), the same samples in the same order.

    Raises:
        InvalidInput: a representation is the same for every sample.

    Example:
        >>> round(cs.representation.permutation_distance(activity, activity[:, ::-1]), 6)
        0.0
    """
    first, second = _pad(*map(_centre, same_samples(activity, other)))
    ours, theirs = linear_sum_assignment(first.T @ second, maximize=True)
    return _angle(first[:, ours], second[:, theirs])


@known_keywords
def rsa(activity: Real[np.ndarray, "P N"], other: Real[np.ndarray, "P M"]) -> float:
    """Representational similarity: rank correlation of two dissimilarity matrices (Kriegeskorte et al. 2008).

    The dissimilarity of two samples is one minus the correlation over neurons of their activities, as they are; the
    upper triangles are compared by Spearman's rank correlation.

    Args:
        activity, other: (sample, neuron), the same samples in the same order.

    Raises:
        InvalidInput: a sample's activity, or all dissimilarities, are constant, so that a correlation is undefined.

    Example:
        >>> round(cs.representation.rsa(activity, 2 * activity), 6)
        1.0
    """
    triangles = []
    for phi in same_samples(activity, other):
        patterns = phi - phi.mean(axis=1, keepdims=True)
        norms = np.linalg.norm(patterns, axis=1, keepdims=True)
        if np.any(norms <= SMALLEST * np.linalg.norm(phi, axis=1, keepdims=True)):
            raise InvalidInput("RSA is undefined where a sample has equal activity in all neurons: leave it out")
        correlations = (patterns / norms) @ (patterns / norms).T
        triangle = 1 - correlations[np.triu_indices(len(norms), 1)]
        if not triangle.size or np.ptp(triangle) < SMALLEST:
            raise InvalidInput("RSA is undefined where all samples are equally dissimilar: use more samples or neurons")
        triangles.append(triangle)
    return float(spearmanr(*triangles).statistic)


def _centre(phi: Float[np.ndarray, "P N"]) -> Float[np.ndarray, "P N"]:
    """Every neuron's mean over samples taken off."""
    centred = phi - phi.mean(axis=0)
    if np.linalg.norm(centred) <= SMALLEST * np.linalg.norm(phi):
        raise InvalidInput("a representation that is the same for every sample has no shape: leave it out")
    return centred


def _whiten(activity: Float[np.ndarray, "P N"], alpha: float) -> Float[np.ndarray, "P N"]:
    """Partial whitening; directions without variance, to rounding, stay empty."""
    samples, singular, directions = np.linalg.svd(activity, full_matrices=False)
    kept = singular > SMALLEST * singular[0]
    scaled = alpha * singular[kept] + (1 - alpha)
    return (samples[:, kept] * scaled) @ directions[kept]


def _pad(
    first: Float[np.ndarray, "P N"], second: Float[np.ndarray, "P M"]
) -> tuple[Float[np.ndarray, "P K"], Float[np.ndarray, "P K"]]:
    """Both with the larger number of neurons, the missing ones silent."""
    missing = second.shape[1] - first.shape[1]
    silent = ((0, 0), (0, max(missing, 0))), ((0, 0), (0, max(-missing, 0)))
    return np.pad(first, silent[0]), np.pad(second, silent[1])


def _angle(first: Float[np.ndarray, "P K"], second: Float[np.ndarray, "P K"]) -> float:
    """Angle between two aligned arrays; unlike the arccosine it is accurate near 0 (Kahan)."""
    first, second = first / np.linalg.norm(first), second / np.linalg.norm(second)
    return float(2 * np.arctan2(np.linalg.norm(first - second), np.linalg.norm(first + second)))
