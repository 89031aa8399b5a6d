"""What a planted population is: activities of single samples with their classes, readouts, and the answer."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from codingschemes.coding.population import ClassMeans, population
from codingschemes.networks.activations import Bounds
from codingschemes.schemes import Label

type ActivityScale = Literal["sigmoidal", "odd", "unbounded"]

NOISE_LEVELS = {"low": 0.5, "moderate": 1.0, "high": 3.0}
TRUTHS: tuple[Label, ...] = ("analog", "redundant", "sparse", "undecided")
SCALINGS: tuple[ActivityScale, ...] = ("sigmoidal", "odd", "unbounded")


@dataclass(frozen=True)
class Planted:
    """A population whose answer is known.

    Attributes:
        truth: the scheme; `undecided` for populations between schemes.
        kind: what was planted, in words.
        scaling: the range of the activities: [0, 1], [-1, 1] or unbounded.
        activity: (neuron, sample).
        readout: (neuron, output).
        labels: the class of each sample.
        codes: the planted code of every neuron where it has one, else the empty string.
        outliers: indices of the planted outlier neurons.
    """

    truth: Label
    kind: str
    scaling: ActivityScale
    activity: Float[np.ndarray, "N P"]
    readout: Float[np.ndarray, "N C"]
    labels: Int[np.ndarray, " P"]
    codes: tuple[str, ...]
    outliers: Int[np.ndarray, " K"]

    @property
    def bounds(self) -> Bounds:
        """Of the activation that the population stands for."""
        return {"sigmoidal": (0.0, 1.0), "odd": (-1.0, 1.0), "unbounded": None}[self.scaling]

    @property
    def population(self) -> ClassMeans:
        """What the classifier gets to see."""
        return population(self.activity, self.readout, self.labels)


def planted_labels(classes: int = 3, samples: int = 100) -> Int[np.ndarray, " P"]:
    """Class 0 holds half of the samples, the others share the rest evenly."""
    return np.concatenate(
        [np.zeros(samples - samples // 2, int), 1 + np.arange(samples // 2) * (classes - 1) // (samples // 2)]
    )


def random_labels(rng: np.random.Generator, classes: int) -> Int[np.ndarray, " P"]:
    """60 to 200 samples in random ratios, at least four of each class."""
    spare = int(rng.integers(60, 201)) - 4 * classes
    return np.repeat(np.arange(classes), 4 + rng.multinomial(spare, rng.dirichlet(np.full(classes, 5.0))))


def class_labels(labels: Int[np.ndarray, " P"] | None, classes: int) -> tuple[Int[np.ndarray, " P"], int]:
    return (planted_labels(classes), classes) if labels is None else (labels, int(labels.max()) + 1)


def on_scale(level: Float[np.ndarray, "N P"], scaling: ActivityScale) -> Float[np.ndarray, "N P"]:
    """Levels in [0, 1] on the scale of the activities."""
    return {"sigmoidal": level, "odd": 2 * level - 1, "unbounded": 4 * level}[scaling]


def planted(
    truth: Label,
    kind: str,
    scaling: ActivityScale,
    activity: Float[np.ndarray, "N P"],
    readout: Float[np.ndarray, "N C"],
    labels: Int[np.ndarray, " P"],
    codes: tuple[str, ...] | None = None,
    outliers: Int[np.ndarray, " K"] | None = None,
) -> Planted:
    return Planted(
        truth,
        kind,
        scaling,
        activity,
        readout,
        labels,
        codes=("",) * len(activity) if codes is None else codes,
        outliers=np.zeros(0, int) if outliers is None else np.asarray(outliers),
    )


def any_unit(rng: np.random.Generator, scaling: ActivityScale, activity: Float[np.ndarray, "N P"]) -> np.ndarray:
    """Unbounded activities come in any unit."""
    return activity * np.exp(rng.uniform(-2, 2)) if scaling == "unbounded" else activity
