"""Neurons of every kind that populations are planted with."""

import itertools

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import norm

from codingschemes.coding.population import population

BULK_ACTIVITY = 0.87
"""Norm of the class-mean activities of a bulk neuron of a rectified network."""
BULK_READOUT = (0.31, 0.17, 0.17)
"""Its readouts for classes in ratios 1/2 : 1/4 : 1/4."""


def gaussian_latents(
    rng: np.random.Generator, size: int, classes: int, rank: int | None, condition: float | None
) -> Float[np.ndarray, "N two_G"]:
    """Gaussian class means and readouts with a random covariance, mean square 1."""
    rank = int(rng.integers(1, 2 * classes + 1)) if rank is None else rank
    condition = float(np.exp(rng.uniform(0, np.log(10)))) if condition is None else condition
    directions = np.linalg.qr(rng.standard_normal((2 * classes, rank)))[0].T
    spectrum = np.geomspace(1, 1 / condition, rank)
    spectrum *= np.sqrt(2 * classes / np.sum(spectrum**2))
    return (rng.standard_normal((size, rank)) * spectrum) @ directions


def random_codes(rng: np.random.Generator, count: int, classes: int) -> Int[np.ndarray, "K G"]:
    """Distinct codes without the silent one; the classes differ in at least one code."""
    every = np.array(list(itertools.product([0, 1], repeat=classes)))[1:]
    while True:
        bits = every[rng.choice(len(every), count, replace=False)]
        if np.any(bits.min(1) < bits.max(1)):
            return bits


def coded_neurons(
    rng: np.random.Generator,
    bits: Int[np.ndarray, "K G"],
    member: Int[np.ndarray, " N"],
    labels: Int[np.ndarray, " P"],
    noise: float,
) -> tuple[Float[np.ndarray, "N P"], Float[np.ndarray, "N G"]]:
    """Activities in [0, 1], high for the classes of the code, and readouts of the same sign pattern; each code has
    levels of its own."""
    drive, on, off = code_levels(rng, bits.shape)
    return levelled_neurons(rng, bits[member], drive[member], on[member], off[member], labels, noise)


def code_levels(
    rng: np.random.Generator, shape: tuple[int, int]
) -> tuple[Float[np.ndarray, "K G"], Float[np.ndarray, "K G"], Float[np.ndarray, "K G"]]:
    """Sizes of drives and of readouts where a bit is on and off."""
    return rng.uniform(1.2, 2.2, shape), rng.uniform(1.2, 2.4, shape), rng.uniform(0.5, 1.5, shape)


def levelled_neurons(
    rng: np.random.Generator,
    bits: Int[np.ndarray, "N G"],
    drive: Float[np.ndarray, "M G"],
    on: Float[np.ndarray, "M G"],
    off: Float[np.ndarray, "M G"],
    labels: Int[np.ndarray, " P"],
    noise: float,
) -> tuple[Float[np.ndarray, "N P"], Float[np.ndarray, "N G"]]:
    sign = 2 * bits - 1
    neuron = sign * drive + 0.1 * noise * rng.standard_normal(bits.shape)
    sample = neuron[:, labels] + 0.6 * noise * rng.standard_normal((len(bits), len(labels)))
    return norm.cdf(sample), sign * np.where(bits == 1, on, off) + 0.12 * noise * rng.standard_normal(bits.shape)


def bulk_neurons(
    rng: np.random.Generator, size: int, noise: float, classes: int, tilt: float
) -> tuple[Float[np.ndarray, "N G"], Float[np.ndarray, "N G"]]:
    """Mean drive and readouts of bulk neurons of a rectified network."""
    typical = np.full(classes, BULK_READOUT[1])
    typical[0] = BULK_READOUT[0]
    readout = typical + 0.13 * noise * rng.standard_normal((size, classes))
    drive = 0.9 * typical + 0.1 * noise * rng.standard_normal((size, classes)) + tilt * (readout - typical)
    return drive, readout


def outlier_neurons(
    rng: np.random.Generator,
    factor: Float[np.ndarray, " K"],
    preferred: Int[np.ndarray, " K"],
    labels: Int[np.ndarray, " P"],
    noise: float,
) -> tuple[Float[np.ndarray, "K P"], Float[np.ndarray, "K G"]]:
    """Neurons for one class each, `factor` times stronger than the bulk in activity and in readout."""
    chosen = preferred[:, None] == np.arange(labels.max() + 1)
    strength = factor[:, None]
    drive = np.where(chosen[:, labels], strength * BULK_ACTIVITY, -1.5)
    drive = drive + (0.4 + 0.3 * noise) * rng.standard_normal(drive.shape)
    size = strength * np.linalg.norm(BULK_READOUT)
    readout = size * np.where(chosen, 1, -0.1) + 0.13 * noise * rng.standard_normal(chosen.shape)
    return np.maximum(drive, 0), readout


def outlier_share(
    activity: Float[np.ndarray, "N P"],
    readout: Float[np.ndarray, "N C"],
    labels: Int[np.ndarray, " P"],
    outliers: Int[np.ndarray, " K"],
) -> float:
    mean = population(activity, readout, labels).activity
    total = mean.T @ readout
    total = total - total.mean(0)
    return float(np.sum(total * (mean[outliers].T @ readout[outliers])) / np.sum(total**2))


def code_strings(bits: Int[np.ndarray, "N G"]) -> tuple[str, ...]:
    return tuple("".join("01"[bit] for bit in row) for row in bits)
