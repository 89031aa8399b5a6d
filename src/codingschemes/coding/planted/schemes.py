"""Populations of one scheme: analog, redundant, sparse."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Int
from scipy.stats import norm

from codingschemes.coding.outliers import carriers, output_parts
from codingschemes.coding.planted.labelled import (
    ActivityScale,
    Planted,
    any_unit,
    class_labels,
    on_scale,
    planted,
)
from codingschemes.coding.planted.neurons import (
    BULK_ACTIVITY,
    BULK_READOUT,
    bulk_neurons,
    code_levels,
    code_strings,
    coded_neurons,
    gaussian_latents,
    levelled_neurons,
    outlier_neurons,
    outlier_share,
    random_codes,
)
from codingschemes.coding.population import population


def plant_analog(
    rng: np.random.Generator,
    size: int,
    noise: float = 1.0,
    scaling: ActivityScale = "unbounded",
    classes: int = 3,
    rank: int | None = None,
    condition: float | None = None,
    labels: Int[np.ndarray, " P"] | None = None,
) -> Planted:
    """Class means and readouts jointly Gaussian across neurons, with a random covariance.

    Args:
        labels: of the samples; `planted_labels(classes)` by default, here and below.
        rank: of the joint covariance, 1 .. 2 G; random by default.
        condition: largest over smallest standard deviation of the latent directions; random in 1 .. 10 by default.
        scaling: bounded activations are driven in their nearly linear range.
    """
    labels, classes = class_labels(labels, classes)
    latent = gaussian_latents(rng, size, classes, rank, condition)
    mean, readout = latent[:, :classes], latent[:, classes:]
    drive = mean[:, labels] + 0.7 * noise * rng.standard_normal((size, len(labels)))
    squash: dict[ActivityScale, Callable[[np.ndarray], np.ndarray]] = {
        "sigmoidal": lambda z: norm.cdf(z / 3),
        "odd": lambda z: np.tanh(z / 3),
        "unbounded": lambda z: z,
    }
    return planted("analog", "analog", scaling, any_unit(rng, scaling, squash[scaling](drive)), readout, labels)


def plant_redundant(
    rng: np.random.Generator,
    size: int,
    noise: float = 1.0,
    scaling: ActivityScale = "sigmoidal",
    classes: int = 3,
    code_count: int | None = None,
    counts: tuple[int, ...] | None = None,
    labels: Int[np.ndarray, " P"] | None = None,
) -> Planted:
    """Every neuron carries one of a few codes: high activity and positive readout for the classes of its code.

    Args:
        code_count: number of distinct codes, 2 .. 7; random by default.
        counts: neurons in each code; by default shares from a Dirichlet distribution, at least one neuron each. Codes
            of a tenth of the neurons or more tell classes apart: where only few neurons do, the code is sparse.
    """
    labels, classes = class_labels(labels, classes)
    if counts is None:
        code_count = int(rng.integers(2, min(8, 2**classes))) if code_count is None else code_count
        share = rng.dirichlet(np.full(code_count, 2.0))
        counts = tuple(1 + rng.multinomial(size - code_count, share))
    while True:
        bits = random_codes(rng, len(counts), classes)
        member = rng.permutation(np.repeat(np.arange(len(counts)), counts))
        if np.mean(bits[member].min(1) < bits[member].max(1)) >= 0.1:
            break
    level, readout = coded_neurons(rng, bits, member, labels, noise)
    kind = f"redundant, {len(counts)} codes"
    activity = any_unit(rng, scaling, on_scale(level, scaling))
    return planted("redundant", kind, scaling, activity, readout, labels, codes=code_strings(bits[member]))


def plant_many_codes(
    rng: np.random.Generator,
    size: int,
    noise: float = 1.0,
    scaling: ActivityScale = "sigmoidal",
    classes: int = 6,
    active: int | None = None,
    labels: Int[np.ndarray, " P"] | None = None,
) -> Planted:
    """Every neuron answers to classes of its own choice, so that few neurons or none share a code.

    Args:
        active: number of classes a neuron answers to, half of them by default.
    """
    labels, classes = class_labels(labels, classes)
    active = max(1, classes // 2) if active is None else active
    bits = (rng.random((size, classes)).argsort(1) < active).astype(int)
    level, readout = levelled_neurons(rng, bits, *code_levels(rng, (1, classes)), labels, noise)
    activity = any_unit(rng, scaling, on_scale(level, scaling))
    return planted("redundant", "redundant, many codes", scaling, activity, readout, labels, codes=code_strings(bits))


def plant_sparse(
    rng: np.random.Generator,
    size: int,
    noise: float = 1.0,
    classes: int = 3,
    outlier_count: int | None = None,
    labels: Int[np.ndarray, " P"] | None = None,
) -> Planted:
    """A bulk of rectified, weakly selective neurons and outliers 4 to 20 times stronger, each for one class.

    Outliers carry at least 85 % of the class-specific output; in a wide bulk they are scaled up until they do.
    """
    labels, classes = class_labels(labels, classes)
    count = int(rng.integers(1, 6)) if outlier_count is None else outlier_count
    factor = np.exp(rng.uniform(np.log(4), np.log(20), count))
    # The bulk's class-specific output is about N x (half the tilt) x the variance of its readouts.
    outlier_output = np.sum(factor**2) * BULK_ACTIVITY * np.linalg.norm(BULK_READOUT)
    tilt = min(1.2, 0.15 * outlier_output / (0.5 * size * (0.13 * noise) ** 2))
    drive, readout = bulk_neurons(rng, size, noise, classes, float(tilt))
    activity = np.maximum(drive[:, labels] + rng.standard_normal((size, len(labels))), 0)
    outliers = rng.choice(size, count, replace=False)
    preferred = np.resize(rng.permutation(classes), count)
    while True:
        activity[outliers], readout[outliers] = outlier_neurons(rng, factor, preferred, labels, noise)
        if outlier_share(activity, readout, labels, outliers) >= 0.85:
            break
        factor *= 1.1
    activity = any_unit(rng, "unbounded", activity)
    return planted("sparse", f"sparse, {count} outliers", "unbounded", activity, readout, labels, outliers=outliers)


def plant_sparse_without_gap(
    rng: np.random.Generator,
    size: int,
    noise: float = 1.0,
    classes: int = 3,
    labels: Int[np.ndarray, " P"] | None = None,
) -> Planted:
    """A rectified population in which strengths fall off continuously, from 20 times the bulk to the bulk itself, and
    at most a fifth of the neurons carries nearly all of the output: as sampled on images."""
    labels, classes = class_labels(labels, classes)
    while True:
        count = max(3, round(rng.uniform(0.1, 0.4) * size))
        factor = np.exp(rng.uniform(0, np.log(20), count))
        drive, readout = bulk_neurons(rng, size, noise, classes, 0.2)
        activity = np.maximum(drive[:, labels] + rng.standard_normal((size, len(labels))), 0)
        outliers = rng.choice(size, count, replace=False)
        preferred = np.resize(rng.permutation(classes), count)
        activity[outliers], readout[outliers] = outlier_neurons(rng, factor, preferred, labels, noise)
        if carriers(output_parts(population(activity, readout, labels))) <= size / 5:
            activity = any_unit(rng, "unbounded", activity)
            kind = "sparse, without a gap"
            return planted("sparse", kind, "unbounded", activity, readout, labels, outliers=outliers)
