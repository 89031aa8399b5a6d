"""Clusters of neurons in the space of class-mean activities and readouts, their number chosen by BIC.

The model is a mixture of K Gaussians with one common covariance. A common covariance lets a single neuron be a
cluster of its own, and makes one Gaussian with full covariance (an analog population) the case K = 1 of the same
family, so that K = 1 against K > 1 is the question of one broad code against several sharp ones. A further broad
Gaussian with the moments of the whole population can be added: its weight is the share of neurons in no cluster.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.linalg import solve_triangular
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from codingschemes.coding.population import Population

SMALLEST_VARIANCE = 1e-4
"""Directions that hold less than this share of the variance show no structure."""
MEANINGFUL = 0.02
"""Tests of the Gaussian shape leave out directions with less than this share: weak nonlinearities bend the cloud."""
RESOLVED = 5.0
"""Mahalanobis distance from which two clusters with a common covariance are apart: 2.5 sigma on either side."""
LOOSE = 6.0
"""Ratio of scatters (variances) beyond which two clusters are not of one kind."""


@dataclass(frozen=True)
class Features:
    """Affine coordinates of neurons: readouts and class means in units of their spread, then principal components."""

    centre: Float[np.ndarray, " S"]
    scale: Float[np.ndarray, " S"]
    components: Float[np.ndarray, "S D"]

    def __call__(self, neurons: Population) -> Float[np.ndarray, "*draws N D"]:
        raw = np.concatenate([neurons.activity, neurons.readout], axis=-1)
        return (raw - self.centre) / self.scale @ self.components


def features(neurons: Population) -> Features:
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
    """K Gaussians with a common covariance, and perhaps a broad one beside them.

    Attributes:
        means: (cluster, dimension).
        weights: shares of the clusters, (cluster,); with `background` they sum to one.
        cholesky: Cholesky factor of the common covariance, (dimension, dimension).
        background: weight of the broad Gaussian, 0 where the model has none.
        responsibilities: probability of each cluster for each neuron fitted, (neuron, cluster); rows sum to one less
            the probability of the background.
        bic: log likelihood less half the number of parameters times the log of the number of neurons: higher is better.
    """

    means: Float[np.ndarray, "K D"]
    weights: Float[np.ndarray, " K"]
    cholesky: Float[np.ndarray, "D D"]
    background: float
    responsibilities: Float[np.ndarray, "N K"]
    bic: float

    @property
    def count(self) -> int:
        """Number of clusters K."""
        return len(self.weights)

    def distances(self) -> Float[np.ndarray, "K K"]:
        """Mahalanobis distances between the cluster means."""
        white = solve_triangular(self.cholesky, self.means.T, lower=True).T
        return np.linalg.norm(white[:, None] - white, axis=-1)

    def log_densities(self, points: Float[np.ndarray, "M D"]) -> Float[np.ndarray, "M K"]:
        """Log of weight times density of every cluster."""
        return _log_gaussians(points, self.means, self.cholesky) + np.log(np.maximum(self.weights, 1e-300))


def fit_mixture(
    points: Float[np.ndarray, "N D"],
    start: Int[np.ndarray, " N"],
    observations: float | None = None,
    background: Bool[np.ndarray, " N"] | None = None,
    iterations: int = 60,
) -> Mixture:
    """Expectation maximisation from a hard partition, with a weak conjugate prior on the covariance.

    Args:
        start: cluster of every point, 0..K-1.
        observations: number of independent neurons that the points stand for; less than their number where several
            draws of the same neurons are pooled.
        background: the points that start in the broad Gaussian; left out, the model has none.
    """
    size, dimension = points.shape
    count = int(start.max()) + 1
    effective = float(size if observations is None else observations)
    share = effective / size
    broad_mean = points.mean(0)
    total = np.cov(points.T, bias=True).reshape(dimension, dimension)
    floor = 1e-9 * max(float(np.trace(total)), 1e-3) * np.eye(dimension)
    total = total + floor
    broad_cholesky = np.linalg.cholesky(total)
    # Fraley & Raftery (2007): the prior keeps likelihoods finite where clusters have few neurons.
    prior = total / count ** (2 / dimension) if count > 1 else np.zeros_like(total)
    prior_weight = dimension + 2 if count > 1 else 0
    broad = _log_gaussians(points, broad_mean[None], broad_cholesky)[:, 0]
    responsibility = (start[:, None] == np.arange(count)).astype(float)
    if background is not None:
        responsibility = 0.95 * responsibility * ~background[:, None]
    broad_weight = 0.0
    previous = -np.inf
    for _ in range(iterations):
        mass = responsibility.sum(0)
        means = responsibility.T @ points / np.maximum(mass, 1e-9)[:, None]
        weights = mass / size
        broad_weight = max(0.0, 1 - float(weights.sum())) if background is not None else 0.0
        scatter = (points.T * responsibility.sum(1)) @ points - (means.T * mass) @ means
        covariance = (prior + share * scatter) / (share * mass.sum() + prior_weight)
        cholesky = np.linalg.cholesky((covariance + covariance.T) / 2 + floor)
        joint = _log_gaussians(points, means, cholesky) + np.log(np.maximum(weights, 1e-300))
        background_joint = broad + np.log(max(broad_weight, 1e-300))
        largest = np.maximum(joint.max(1), background_joint)
        responsibility = np.exp(joint - largest[:, None])
        total_density = responsibility.sum(1) + np.exp(background_joint - largest)
        responsibility /= total_density[:, None]
        evidence = np.log(total_density) + largest
        likelihood = share * float(evidence.sum())
        if likelihood - previous < 1e-2:
            break
        previous = likelihood
    parameters = count * dimension + (count - 1) + dimension * (dimension + 1) / 2 + (background is not None)
    bic = likelihood - parameters / 2 * np.log(effective)
    return Mixture(means, weights, cholesky, broad_weight, responsibility, bic)


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
    """The mixture without background that has the highest BIC; the search stops `patience` counts after it."""
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


def background_share(points: Float[np.ndarray, "N D"], mixture: Mixture) -> tuple[float, float]:
    """Share of neurons that are in no sharp cluster, 0 where all clusters are equally sharp; and the best BIC.

    The share is the larger of two estimates: the share of neurons in loose clusters, and the weight of a broad
    Gaussian fitted beside the clusters, which counts only where BIC prefers a mixture that has it. A cluster is loose
    where its median squared distance from its centre is above `LOOSE` times that of the tightest cluster which holds
    at least 2 % of the neurons (and five of them).
    """
    member = mixture.responsibilities.argmax(1)
    size = np.bincount(member, minlength=mixture.count)
    sizeable = size >= max(5, 0.02 * len(points))
    if mixture.count == 1 or not sizeable.any():
        return 0.0, mixture.bic
    centres = np.stack([np.median(points[member == k], axis=0) if n else mixture.means[k] for k, n in enumerate(size)])
    squared = np.sum((points - centres[member]) ** 2, axis=1)
    scatter = np.array([np.median(squared[member == k]) if n else 0.0 for k, n in enumerate(size)])
    loose = scatter > LOOSE * scatter[sizeable].min()
    outside = loose[member] | (squared > LOOSE * scatter[member])
    cores = np.unique(member[~outside])
    start = np.searchsorted(cores, np.where(outside, cores[0], member))
    fits = [
        fit_mixture(points, member, background=np.zeros(len(points), bool)),
        fit_mixture(points, start, background=outside),
    ]
    best = max(fits, key=lambda fit: fit.bic)
    broad = best.background if best.bic > mixture.bic else 0.0
    return max(broad, float(loose[member].mean())), max(best.bic, mixture.bic)


def modes(points: Float[np.ndarray, "N D"], mixture: Mixture, name: Int[np.ndarray, " K"]) -> Int[np.ndarray, " K"]:
    """Clusters grouped into modes: the mode, 0.., of every cluster.

    Two clusters belong to one mode where they carry the same name (0, 1, ..; -1 is none), where they are not
    `RESOLVED`, or where there is no valley between them: along the line through their means, in the metric of the
    common covariance, the middle third holds more than half of what a flat density would put there. Mixtures of
    Gaussians describe every unimodal non-Gaussian population by several overlapping components; these are one mode.
    """
    member = mixture.responsibilities.argmax(1)
    white = solve_triangular(mixture.cholesky, points.T, lower=True).T
    centres = solve_triangular(mixture.cholesky, mixture.means.T, lower=True).T
    distance = mixture.distances()
    joined = (name[:, None] == name) & (name >= 0)
    for first in range(mixture.count):
        for second in range(first + 1, mixture.count):
            if distance[first, second] < 2.5 * RESOLVED and not joined[first, second]:
                joined[first, second] = distance[first, second] < RESOLVED or _no_valley(
                    white[(member == first) | (member == second)], centres[first], centres[second]
                )
    return connected_components(joined, directed=False)[1]


def crowding(neurons: Population, repeats: int = 20) -> tuple[float, float]:
    """How much closer neighbours are than in a Gaussian with the same covariance, in nats, and its standard error.

    The mean log distance to the nearest neighbour in Gaussian samples of the same size and the same sample covariance,
    less that of the population, in the `MEANINGFUL` principal components. It sees sharp clusters that BIC cannot afford
    to name: few neurons, many codes, or codes inside a broad cloud.
    """
    blocks = [neurons.activity - neurons.activity.mean(0), neurons.readout - neurons.readout.mean(0)]
    scaled = np.hstack([block / max(float(np.linalg.norm(block)), 1e-300) for block in blocks])
    left, singular, _ = np.linalg.svd(scaled, full_matrices=False)
    kept = singular**2 > MEANINGFUL * max(float(np.sum(singular**2)), 1e-300)
    points = left[:, kept] * singular[kept]
    if not kept.any() or len(points) <= kept.sum() + 1:
        return 0.0, 0.0
    rng = np.random.default_rng(0)
    expected = []
    for _ in range(max(5, min(repeats, 5000 // len(points)))):
        sample = rng.standard_normal((len(points), int(kept.sum())))
        expected.append(_log_neighbour_distance(np.linalg.qr(sample - sample.mean(0))[0] * singular[kept]))
    return float(np.mean(expected)) - _log_neighbour_distance(points), float(np.std(expected, ddof=1))


def _log_neighbour_distance(points: Float[np.ndarray, "N D"]) -> float:
    nearest = cKDTree(points).query(points, k=2)[0][:, 1]
    return float(np.mean(np.log(np.maximum(nearest, 1e-12))))


def _no_valley(
    points: Float[np.ndarray, "M D"], first: Float[np.ndarray, " D"], second: Float[np.ndarray, " D"]
) -> bool:
    direction = second - first
    position = (points - first) @ direction / (direction @ direction)
    between = (position > 0) & (position < 1)
    middle = np.abs(position - 0.5) < 1 / 6
    return bool(middle.sum() > between.sum() / 6)


def _log_gaussians(
    points: Float[np.ndarray, "N D"], means: Float[np.ndarray, "K D"], cholesky: Float[np.ndarray, "D D"]
) -> Float[np.ndarray, "N K"]:
    white = solve_triangular(cholesky, points.T, lower=True)
    centres = solve_triangular(cholesky, means.T, lower=True)
    squared = np.sum(white**2, 0)[:, None] - 2 * white.T @ centres + np.sum(centres**2, 0)
    return -0.5 * np.maximum(squared, 0) - np.log(np.diag(cholesky)).sum() - 0.5 * len(cholesky) * np.log(2 * np.pi)
