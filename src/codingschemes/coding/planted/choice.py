"""Random populations of a scheme."""

import numpy as np

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
    classes = int(labels.max()) + 1
    noise = float(np.exp(rng.uniform(np.log(NOISE_LEVELS["low"]), np.log(NOISE_LEVELS["high"]))))
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
