"""What single neurons do beyond the geometry of the population: the null is the same geometry along other axes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from codingschemes.coding.bits import levels
from codingschemes.coding.population import ClassMeans
from codingschemes.populations.geometry import Samples
from codingschemes.populations.resampling import Measured, null_of
from codingschemes.progress import tracked

ROTATED = "axes rotated: the same geometry along random directions of the space of neurons"


@dataclass(frozen=True)
class Axes:
    """How far the axes of single neurons stand out among all directions.

    Rotations of the space of neurons leave kernel, parallelism, CCGP and dimensions as they are, and turn every coding
    scheme into an analog one. So these say whether codes and outliers are more than what a geometry brings with it.

    Attributes:
        two_levels: share of the variance of class-mean activities (less each neuron's mean) that two levels for each
            class explain: 2/pi along random directions of many neurons, 1 for codes.
        concentration: how few neurons tell classes apart, 1 - (sum s)^2 / (N sum s^2) of their variances s over
            classes: 0 where all do as much, 1 - 1/N where one does.

    Example:
        >>> axes = description.structure.axes
        >>> 0 < axes.concentration.nulls[0].p <= 1
        True
    """

    two_levels: Measured
    concentration: Measured

    @property
    def scores(self) -> dict[str, Measured]:
        """By name."""
        return {"two_levels": self.two_levels, "concentration": self.concentration}

    @property
    def words(self) -> str:
        """Both in a line."""
        return f"two levels {self.two_levels}; concentration {self.concentration}"

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {name: score.to_json() for name, score in self.scores.items()}


def axes_of(samples: Samples, shuffles: int, seed: int) -> Axes:
    """Both scores, and the same along random axes."""
    means = (samples.sums(np.ones(len(samples.labels))) / samples.sizes[:, None]).T
    contrast = means - means.mean(1, keepdims=True)
    rng = np.random.default_rng(seed)
    rotated = np.array([_scores(rotate(contrast, rng)) for _ in tracked(range(shuffles), "rotating axes")])
    found = _scores(contrast)
    nulls = [null_of(found[place], rotated.reshape(-1, 2)[:, place].tolist(), ROTATED) for place in range(2)]
    return Axes(
        *(
            Measured(value, value, nulls=() if null is None else (null,))
            for value, null in zip(found, nulls, strict=True)
        )
    )


def rotate(contrast: Float[np.ndarray, "N G"], rng: np.random.Generator) -> Float[np.ndarray, "N G"]:
    """The same vectors in the space of neurons, turned by a random rotation (Haar's law)."""
    _, strengths, axes = np.linalg.svd(contrast, full_matrices=False)
    turned, signs = np.linalg.qr(rng.standard_normal((len(contrast), len(strengths))))
    return turned * np.sign(np.diag(signs)) * strengths @ axes


def _scores(contrast: Float[np.ndarray, "N G"]) -> tuple[float, float]:
    size = len(contrast)
    neurons = ClassMeans(contrast, np.zeros_like(contrast), np.ones(size), np.zeros((size, 0)))
    variances = np.sum(contrast**2, axis=1)
    squares = float(np.sum(variances**2))
    return levels(neurons, None).explained, 1 - float(variances.sum()) ** 2 / (size * squares) if squares > 0 else 0.0
