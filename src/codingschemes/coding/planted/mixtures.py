"""Populations between schemes, and populations without one."""

import numpy as np
from jaxtyping import Int
from scipy.stats import norm

from codingschemes.coding.planted.labelled import ActivityScale, Planted, any_unit, class_labels, on_scale, planted
from codingschemes.coding.planted.neurons import (
    BULK_ACTIVITY,
    BULK_READOUT,
    coded_neurons,
    gaussian_latents,
    outlier_neurons,
    outlier_share,
    random_codes,
)
from codingschemes.coding.planted.schemes import plant_redundant


def plant_analog_and_redundant(
    rng: np.random.Generator,
    size: int,
    noise: float = 1.0,
    classes: int = 3,
    analog_share: float | None = None,
    scaling: ActivityScale = "sigmoidal",
    labels: Int[np.ndarray, " P"] | None = None,
) -> Planted:
    """One part of the neurons is a Gaussian cloud of the same extent as the codes that the other part carries."""
    share = float(rng.uniform(0.3, 0.7)) if analog_share is None else analog_share
    labels, classes = class_labels(labels, classes)
    bits = random_codes(rng, int(rng.integers(2, min(8, 2**classes))), classes)
    member = rng.integers(0, len(bits), size)
    level, readout = coded_neurons(rng, bits, member, labels, noise)
    graded = rng.permutation(size)[: round(share * size)]
    latent = gaussian_latents(rng, len(graded), classes, None, None)
    drive = latent[:, :classes][:, labels] + 0.7 * noise * rng.standard_normal((len(graded), len(labels)))
    level[graded] = norm.cdf(0.7 * drive)
    readout[graded] = readout.mean(0) + readout.std() * latent[:, classes:]
    activity = any_unit(rng, scaling, on_scale(level, scaling))
    return planted("undecided", "analog + redundant", scaling, activity, readout, labels)


def plant_redundant_and_outliers(
    rng: np.random.Generator,
    size: int,
    noise: float = 1.0,
    classes: int = 3,
    labels: Int[np.ndarray, " P"] | None = None,
) -> Planted:
    """Codes shared by many neurons, and one to three selective outliers up to 20 times stronger.

    Outliers and coded neurons both carry at least a quarter of the class-specific output: where outliers carry nearly
    all of it the population is sparse, whatever the others do.
    """
    base = plant_redundant(rng, size, noise, "unbounded", classes, labels=labels)
    classes = int(base.labels.max()) + 1
    while True:
        count = int(rng.integers(1, 4))
        factor = np.exp(rng.uniform(np.log(2), np.log(20), count))
        outliers = rng.choice(size, count, replace=False)
        activity, readout = base.activity.copy(), base.readout.copy()
        preferred = rng.integers(0, classes, count)
        stronger, weight = outlier_neurons(rng, factor, preferred, base.labels, noise)
        activity[outliers] = stronger * np.sqrt(classes * np.mean(base.activity**2)) / BULK_ACTIVITY
        readout[outliers] = weight * np.sqrt(classes * np.mean(base.readout**2)) / np.linalg.norm(BULK_READOUT)
        if 0.25 <= outlier_share(activity, readout, base.labels, outliers) <= 0.75:
            kind = "redundant + outliers"
            return planted("undecided", kind, "unbounded", activity, readout, base.labels, outliers=outliers)


def plant_analog_and_outliers(
    rng: np.random.Generator,
    size: int,
    noise: float = 1.0,
    classes: int = 3,
    labels: Int[np.ndarray, " P"] | None = None,
) -> Planted:
    """A selective Gaussian bulk beside one to three outliers 4 to 20 times stronger.

    Outliers and bulk both carry at least a quarter of the class-specific output.
    """
    labels, classes = class_labels(labels, classes)
    while True:
        # Loosely coupled readouts give a wide bulk little output, so that few outliers can be a share of it.
        coupling = np.exp(rng.uniform(np.log(0.02), 0))
        mean = rng.standard_normal((size, classes))
        readout = coupling * mean + np.sqrt(1 - coupling**2) * rng.standard_normal((size, classes))
        count = int(rng.integers(1, 4))
        factor = np.exp(rng.uniform(np.log(4), np.log(20), count))
        outliers = rng.choice(size, count, replace=False)
        preferred = np.resize(rng.permutation(classes), count)
        activity = mean[:, labels] + 0.7 * noise * rng.standard_normal((size, len(labels)))
        stronger, weight = outlier_neurons(rng, factor, preferred, labels, noise)
        activity[outliers] = stronger * np.sqrt(classes) / BULK_ACTIVITY
        readout[outliers] = weight * np.sqrt(classes) / np.linalg.norm(BULK_READOUT)
        if 0.25 <= outlier_share(activity, readout, labels, outliers) <= 0.75:
            return planted("undecided", "analog + outliers", "unbounded", activity, readout, labels, outliers=outliers)


def plant_unselective(
    rng: np.random.Generator,
    size: int,
    noise: float = 1.0,
    classes: int = 3,
    scaling: ActivityScale = "unbounded",
    labels: Int[np.ndarray, " P"] | None = None,
) -> Planted:
    """Neurons that differ but do not tell classes apart: the prior."""
    labels, classes = class_labels(labels, classes)
    drive = rng.standard_normal((size, 1)) + 0.7 * noise * rng.standard_normal((size, len(labels)))
    activity = np.maximum(drive, 0) if scaling == "unbounded" else on_scale(norm.cdf(drive), scaling)
    readout = rng.standard_normal((size, classes))
    return planted("undecided", "unselective", scaling, any_unit(rng, scaling, activity), readout, labels)
