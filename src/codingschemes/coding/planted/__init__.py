"""Planted populations: activities and readouts whose coding scheme is known, to validate the classifier on.

Shapes and sizes follow posterior draws for the orthogonal task of van Meegen & Sompolinsky (2025) (N = P = 100,
classes in ratios 1/2 : 1/4 : 1/4): `noise = 1` is the spread found there, within classes and between the neurons of
one code; .5 and 3 are called low and high. Single samples are planted, not class means, so that the standard errors
are what an experiment would find.
"""

from codingschemes.coding.planted.choice import plant, plant_any, plant_recording
from codingschemes.coding.planted.foreign import FOREIGN, plant_foreign, plant_rectified
from codingschemes.coding.planted.labelled import (
    NOISE_LEVELS,
    SCALINGS,
    TRUTHS,
    ActivityScale,
    Planted,
    planted_labels,
    random_labels,
)
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

__all__ = [
    "FOREIGN",
    "NOISE_LEVELS",
    "SCALINGS",
    "TRUTHS",
    "ActivityScale",
    "Planted",
    "plant",
    "plant_analog",
    "plant_analog_and_outliers",
    "plant_analog_and_redundant",
    "plant_any",
    "plant_foreign",
    "plant_many_codes",
    "plant_recording",
    "plant_rectified",
    "plant_redundant",
    "plant_redundant_and_outliers",
    "plant_sparse",
    "plant_sparse_without_gap",
    "plant_unselective",
    "planted_labels",
    "random_labels",
]
