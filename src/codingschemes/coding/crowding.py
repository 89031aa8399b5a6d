"""Do neurons crowd together? What one Gaussian cloud does not explain, however few neurons there are."""

import numpy as np
from jaxtyping import Float
from scipy.spatial import cKDTree

from codingschemes.coding.population import ClassMeans

MEANINGFUL = 0.02
"""Directions with less than this share of the variance are left out: weak nonlinearities bend the cloud there."""


def crowding(neurons: ClassMeans, repeats: int = 20) -> float:
    """How much closer neighbours are than in a Gaussian with the same covariance, in nats.

    The mean log distance to the nearest neighbour in Gaussian samples of the same size and the same sample covariance,
    less that of the population, in the `MEANINGFUL` principal components. It sees codes that hide in a broad cloud.
    """
    blocks = [neurons.activity - neurons.activity.mean(0), neurons.readout - neurons.readout.mean(0)]
    scaled = np.hstack([block / max(float(np.linalg.norm(block)), 1e-300) for block in blocks])
    left, singular, _ = np.linalg.svd(scaled, full_matrices=False)
    kept = singular**2 > MEANINGFUL * max(float(np.sum(singular**2)), 1e-300)
    points = left[:, kept] * singular[kept]
    if not kept.any() or len(points) <= kept.sum() + 1:
        return 0.0
    rng = np.random.default_rng(0)
    expected = []
    for _ in range(max(5, min(repeats, 5000 // len(points)))):
        sample = rng.standard_normal((len(points), int(kept.sum())))
        expected.append(_log_neighbour_distance(np.linalg.qr(sample - sample.mean(0))[0] * singular[kept]))
    return float(np.mean(expected)) - _log_neighbour_distance(points)


def _log_neighbour_distance(points: Float[np.ndarray, "N D"]) -> float:
    nearest = cKDTree(points).query(points, k=2)[0][:, 1]
    return float(np.mean(np.log(np.maximum(nearest, 1e-12))))
