"""Random populations of a scheme."""

import numpy as np
from jaxtyping import Int

from codingschemes.coding.planted.labelled import NOISE_LEVELS, SCALINGS, Planted, random_labels
from codingschemes.coding.planted.mixtures import (
    plant_analog_and_outliers,
    plant_analog_and_redundant,
    plant_redundant_and_outliers,
    plant_unselective,
)
from codingschemes.coding.planted.schemes import (
    plant_analog,
    plant_many_codes,
    plant_redundant,
    plant_sparse,
    plant_sparse_without_gap,
)

NEAT = 0.1
"""Noise of neurons that hardly differ from others of their code."""


def plant(truth: str, rng: np.random.Generator, size: int, noise: float = 1.0) -> Planted:
    """A random population of a scheme, or a mixture for `undecided`: 3 or 4 classes, any scaling that fits."""
    classes = int(rng.integers(3, 5))
    scaling = SCALINGS[rng.integers(len(SCALINGS))]
    match truth:
        case "analog":
            return plant_analog(rng, size, noise, scaling, classes)
        case "redundant":
            return plant_redundant(rng, size, noise, scaling, classes)
        case "sparse":
            return plant_sparse(rng, size, noise, classes)
        case "undecided":
            mixture = (plant_analog_and_redundant, plant_redundant_and_outliers, plant_analog_and_outliers)
            return mixture[rng.integers(len(mixture))](rng, size, noise, classes)
    raise ValueError(f"there is no planted population {truth!r}")


def plant_any(truth: str, rng: np.random.Generator, size: int) -> Planted:
    """A random population of a scheme over the whole range that is met: 2 to 10 classes in random ratios, 60 to 200
    samples, noise from low to high, any scaling, few codes or many; mixtures or unselective neurons for `undecided`."""
    labels = random_labels(rng, int(rng.integers(2, 11)))
    return _plant(truth, rng, size, labels, NOISE_LEVELS["low"])


def plant_recording(truth: str, rng: np.random.Generator, size: int) -> Planted:
    """The same with what recordings and trained networks have: 2 to 16 classes of 5 to 100 samples each, as many of
    every class or not, and neurons from next to noiseless ones on."""
    classes = int(rng.integers(2, 1 + min(16, size // 3)))  # few neurons for many classes leave no room for mixtures
    least = 5 * float(np.exp(rng.uniform(0, np.log(8))))
    most = least * (float(np.exp(rng.uniform(0, np.log(2.5)))) if rng.random() < 0.5 else 1.0)
    labels = np.repeat(np.arange(classes), rng.integers(round(least), round(most) + 1, classes))
    return _plant(truth, rng, size, labels, NEAT)


def _plant(
    truth: str, rng: np.random.Generator, size: int, labels: Int[np.ndarray, " P"], least_noise: float
) -> Planted:
    classes = int(labels.max()) + 1
    noise = float(np.exp(rng.uniform(np.log(least_noise), np.log(NOISE_LEVELS["high"]))))
    scaling = SCALINGS[rng.integers(len(SCALINGS))]
    chance = rng.random()
    match truth:
        case "analog":
            return plant_analog(rng, size, noise, scaling, labels=labels)
        case "redundant" if chance < 0.5:
            active = int(rng.integers(1, classes))
            return plant_many_codes(rng, size, noise, scaling, active=active, labels=labels)
        case "redundant":
            count = int(rng.integers(2, min(2**classes, 12)))
            return plant_redundant(rng, size, noise, scaling, code_count=count, labels=labels)
        case "sparse" if chance < 0.4:
            return plant_sparse_without_gap(rng, size, noise, labels=labels)
        case "sparse":
            count = int(rng.integers(1, 1 + min(2 * classes, max(2, size // 8))))
            return plant_sparse(rng, size, noise, outlier_count=count, labels=labels)
        case "undecided" if chance < 0.4:
            share = float(rng.uniform(0.25, 0.75))
            return plant_analog_and_redundant(rng, size, noise, analog_share=share, scaling=scaling, labels=labels)
        case "undecided" if chance < 0.55:
            return plant_redundant_and_outliers(rng, size, noise, labels=labels)
        case "undecided" if chance < 0.7:
            return plant_analog_and_outliers(rng, size, noise, labels=labels)
        case "undecided":
            return plant_unselective(rng, size, noise, scaling=scaling, labels=labels)
    raise ValueError(f"there is no planted population {truth!r}")
