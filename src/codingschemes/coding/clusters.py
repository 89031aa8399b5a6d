"""Clusters of neurons in the space of class-mean activities and readouts, their number chosen by BIC.

The model is a mixture of K Gaussians with one common covariance. A common covariance lets a single neuron be a
cluster of its own, and makes one Gaussian with full covariance (an analog population) the case K = 1 of the same
family, so that K = 1 against K > 1 is the question of one broad code against several sharp ones.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.linalg import solve_triangular
from scipy.special import logsumexp

from codingschemes.coding.population import ClassMeans

SMALLEST_VARIANCE = 1e-4
"""Directions that hold less than this share of the variance show no structure."""


@dataclass(frozen=True)
class Features:
    """Affine coordinates of neurons: readouts and class means in units of their spread, then principal components."""

    centre: Float[np.ndarray, " S"]
    scale: Float[np.ndarray, " S"]
    components: Float[np.ndarray, "S D"]

    def __call__(self, neurons: ClassMeans) -> Float[np.ndarray, "*draws N D"]:
        raw = np.concatenate([neurons.activity, neurons.readout], axis=-1)
        return (raw - self.centre) / self.scale @ self.components


def features(neurons: ClassMeans) -> Features:
    """Coordinates in which the neurons of one population have comparable spread in activity and in readout.

    At most one principal component for every eight neurons is kept (and at least two), those above a share of 1e-4.
    """
    blocks = [neurons.activity, neurons.readout]
    centre = np.concatenate([block.mean(0) for block in blocks])
    spread = [np.sqrt(np.sum((block - block.mean(0)) ** 2) / len(block)) for block in blocks]
    scale = np.concatenate([np.full(block.shape[1], s or 1.0) for block, s in zip(blocks, spread, strict=True)])
    _, singular, axes = np.linalg.svd((np.hstack(blocks) - centre) / scale, full_matrices=False)
    kept = int(np.sum(singular**2 > SMALLEST_VARIANCE * np.sum(singular**2)))
    return Features(centre, scale, axes[: max(1, min(kept, max(2, neurons.size // 8)))].T)


@dataclass(frozen=True)
class Mixture:
    """K Gaussians with a common covariance.

    Attributes:
        means: (cluster, dimension).
        weights: shares of the clusters, (cluster,); they sum to one.
        cholesky: Cholesky factor of the common covariance, (dimension, dimension).
        responsibilities: probability of each cluster for each neuron fitted, (neuron, cluster); rows sum to one.
        bic: log likelihood less half the number of parameters times the log of the number of neurons: higher is better.
    """

    means: Float[np.ndarray, "K D"]
    weights: Float[np.ndarray, " K"]
    cholesky: Float[np.ndarray, "D D"]
    responsibilities: Float[np.ndarray, "N K"]
    bic: float

    @property
    def count(self) -> int:
        """Number of clusters K."""
        return len(self.weights)


def fit_mixture(
    points: Float[np.ndarray, "N D"],
    start: Int[np.ndarray, " N"],
    observations: float | None = None,
    iterations: int = 60,
) -> Mixture:
    """Expectation maximisation from a hard partition, with a weak conjugate prior on the covariance.

    Args:
        start: cluster of every point, 0..K-1.
        observations: number of independent neurons that the points stand for; less than their number where several
            draws of the same neurons are pooled.
    """
    size, dimension = points.shape
    count = int(start.max()) + 1
    effective = float(size if observations is None else observations)
    share = effective / size
    total = np.cov(points.T, bias=True).reshape(dimension, dimension)
    floor = 1e-9 * max(float(np.trace(total)), 1e-3) * np.eye(dimension)
    total = total + floor
    # Fraley & Raftery (2007): the prior keeps likelihoods finite where clusters have few neurons.
    prior = total / count ** (2 / dimension) if count > 1 else np.zeros_like(total)
    prior_weight = dimension + 2 if count > 1 else 0
    responsibility = (start[:, None] == np.arange(count)).astype(float)
    previous = -np.inf
    for _ in range(iterations):
        mass = responsibility.sum(0)
        means = responsibility.T @ points / np.maximum(mass, 1e-9)[:, None]
        weights = mass / size
        scatter = (points.T * responsibility.sum(1)) @ points - (means.T * mass) @ means
        covariance = (prior + share * scatter) / (share * mass.sum() + prior_weight)
        cholesky = np.linalg.cholesky((covariance + covariance.T) / 2 + floor)
        joint = _log_gaussians(points, means, cholesky) + np.log(np.maximum(weights, 1e-300))
        evidence = logsumexp(joint, axis=1)
        responsibility = np.exp(joint - evidence[:, None])
        likelihood = share * float(evidence.sum())
        if likelihood - previous < 1e-2:
            break
        previous = likelihood
    parameters = count * dimension + (count - 1) + dimension * (dimension + 1) / 2
    bic = likelihood - parameters / 2 * np.log(effective)
    return Mixture(means, weights, cholesky, responsibility, bic)


def ward_partitions(points: Float[np.ndarray, "N D"], most: int) -> list[Int[np.ndarray, " N"]]:
    """Partitions into 1, 2, .. clusters by Ward's criterion: where expectation maximisation starts."""
    if len(points) < 2:
        return [np.zeros(len(points), int)]
    most = min(most, len(points))
    tree = linkage(points, "ward")
    return [fcluster(tree, count, "maxclust") - 1 for count in range(1, most + 1)]


def best_mixture(
    points: Float[np.ndarray, "N D"],
    most: int = 24,
    observations: float | None = None,
    patience: int = 4,
) -> Mixture:
    """The mixture that has the highest BIC; the search stops `patience` counts after it."""
    best: Mixture | None = None
    waited = 0
    for start in ward_partitions(points, most):
        mixture = fit_mixture(points, start, observations)
        if best is None or mixture.bic > best.bic:
            best, waited = mixture, 0
        else:
            waited += 1
            if waited >= patience:
                break
    assert best is not None
    return best


def _log_gaussians(
    points: Float[np.ndarray, "N D"], means: Float[np.ndarray, "K D"], cholesky: Float[np.ndarray, "D D"]
) -> Float[np.ndarray, "N K"]:
    white = solve_triangular(cholesky, points.T, lower=True)
    centres = solve_triangular(cholesky, means.T, lower=True)
    squared = np.sum(white**2, 0)[:, None] - 2 * white.T @ centres + np.sum(centres**2, 0)
    return -0.5 * np.maximum(squared, 0) - np.log(np.diag(cholesky)).sum() - 0.5 * len(cholesky) * np.log(2 * np.pi)
