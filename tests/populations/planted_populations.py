"""Populations whose answer is known."""

import numpy as np

FACTORS = np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]])


def factorised(
    rng: np.random.Generator, trials: int, neurons: int = 80, noise: float = 1.0, parity: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Two factors and their product along random directions: parallelism is (1 - parity^2) / (1 + parity^2) in the
    limit of many neurons."""
    directions = rng.standard_normal((3, neurons))
    labels = np.repeat(np.arange(4), trials)
    coordinates = np.column_stack([FACTORS, parity * FACTORS.prod(1)])
    means = coordinates @ directions
    return means[labels] + noise * rng.standard_normal((len(labels), neurons)), labels


def coded(rng: np.random.Generator, neurons: int = 60, trials: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Neurons with the codes 1100, 0011 and 1010, at 0 and 1 with a little noise."""
    codes = np.array([[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0]])[np.arange(neurons) % 3]
    labels = np.repeat(np.arange(4), trials)
    return codes.T[labels] + 0.05 * rng.standard_normal((len(labels), neurons)), labels
