"""Distances and similarities between two representations of the same samples, (neuron, sample) each.

The two representations may differ in their number of neurons.
"""

import numpy as np
from jaxtyping import Float
from scipy.optimize import linear_sum_assignment
from scipy.stats import spearmanr

from codingschemes.errors import InvalidInput
from codingschemes.representation.kernels import checked_activity

SMALLEST = 1e-12
"""Relative size below which a variation is rounding error."""


def shape_distance(activity: Float[np.ndarray, "N P"], other: Float[np.ndarray, "M P"], *, alpha: float = 1.0) -> float:
    """Angular shape distance, in radians, minimised over rotations of the neurons (Williams et al. 2021).

    Both representations are centred and partially whitened, X_a = X V diag(alpha + (1 - alpha) lam^-1/2) V^T with lam
    and V the eigenvalues and eigenvectors of X^T X; the distance is arccos(||X_a^T Y_a||_* / (||X_a||_F ||Y_a||_F)).

    Args:
        alpha: 1 leaves the shape as it is (Procrustes), 0 whitens it (all canonical correlations weigh the same).

    Raises:
        InvalidInput: alpha is outside [0, 1], or a representation is the same for every sample.
    """
    if not 0 <= alpha <= 1:
        raise InvalidInput(f"alpha = {alpha} is not between 0 (whitened) and 1 (Procrustes): choose one between")
    first, second = _padded(_whitened(_prepared(activity), alpha), _whitened(_prepared(other), alpha))
    left, _, right = np.linalg.svd(first @ second.T)
    return _angle((left @ right).T @ first, second)


def permutation_distance(activity: Float[np.ndarray, "N P"], other: Float[np.ndarray, "M P"]) -> float:
    """Angular distance, in radians, of centred activities, minimised over permutations of the neurons.

    The narrower representation is filled up with silent neurons: arccos(max_pi sum_i <x_i, y_pi(i)> / (||X|| ||Y||)).

    Unlike `shape_distance` it tells codes apart that are rotations of each other, such as one neuron from two half as
    strong copies of it.

    Raises:
        InvalidInput: a representation is the same for every sample.
    """
    first, second = _padded(_prepared(activity), _prepared(other))
    rows, columns = linear_sum_assignment(first @ second.T, maximize=True)
    return _angle(first[rows], second[columns])


def rsa(activity: Float[np.ndarray, "N P"], other: Float[np.ndarray, "M P"]) -> float:
    """Representational similarity: rank correlation of two dissimilarity matrices (Kriegeskorte et al. 2008).

    The dissimilarity of two samples is one minus the correlation over neurons of their activities, as they are; the
    upper triangles are compared by Spearman's rank correlation.

    Raises:
        InvalidInput: a sample's activity, or all dissimilarities, are constant, so that a correlation is undefined.
    """
    triangles = []
    for phi in (checked_activity(activity), checked_activity(other)):
        patterns = phi - phi.mean(axis=0)
        norms = np.linalg.norm(patterns, axis=0)
        if np.any(norms <= SMALLEST * np.linalg.norm(phi, axis=0)):
            raise InvalidInput("RSA is undefined where a sample has equal activity in all neurons: leave it out")
        correlations = (patterns / norms).T @ (patterns / norms)
        triangle = 1 - correlations[np.triu_indices(len(norms), 1)]
        if np.ptp(triangle) < SMALLEST:
            raise InvalidInput("RSA is undefined where all samples are equally dissimilar: use more samples or neurons")
        triangles.append(triangle)
    return float(spearmanr(*triangles).statistic)


def _prepared(activity: Float[np.ndarray, "N P"]) -> Float[np.ndarray, "N P"]:
    """Centred activities in double precision."""
    phi = checked_activity(activity)
    centred = phi - phi.mean(axis=1, keepdims=True)
    if np.linalg.norm(centred) <= SMALLEST * np.linalg.norm(phi):
        raise InvalidInput("a representation that is the same for every sample has no shape: leave it out")
    return centred


def _whitened(activity: Float[np.ndarray, "N P"], alpha: float) -> Float[np.ndarray, "N P"]:
    """Partial whitening; directions without variance, to rounding, stay empty."""
    directions, singular, samples = np.linalg.svd(activity, full_matrices=False)
    kept = singular > SMALLEST * singular[0]
    scaled = alpha * singular[kept] + (1 - alpha)
    return (directions[:, kept] * scaled) @ samples[kept]


def _padded(
    first: Float[np.ndarray, "N P"], second: Float[np.ndarray, "M P"]
) -> tuple[Float[np.ndarray, "K P"], Float[np.ndarray, "K P"]]:
    """Both with the larger number of neurons, the missing ones silent."""
    missing = len(second) - len(first)
    silent = ((0, max(missing, 0)), (0, 0)), ((0, max(-missing, 0)), (0, 0))
    return np.pad(first, silent[0]), np.pad(second, silent[1])


def _angle(first: Float[np.ndarray, "K P"], second: Float[np.ndarray, "K P"]) -> float:
    """Angle between two aligned arrays; unlike the arccosine it is accurate near 0 (Kahan)."""
    first, second = first / np.linalg.norm(first), second / np.linalg.norm(second)
    return float(2 * np.arctan2(np.linalg.norm(first - second), np.linalg.norm(first + second)))
