"""Codes bit by bit: to which classes does a neuron answer, and are neurons at two levels at all?

A bit of a neuron is decided by its own class mean m and the error of that mean:

    |m - midpoint| > max(.2 range, 2 standard errors).

| activation | midpoint and range |
| --- | --- |
| bounded | halfway between its bounds and their distance |
| every other | halfway between the two levels of the population and their distance |
| every other, outlier | halfway between its largest class mean and the mean of all other neurons, and their distance |

Class means of a cloud can be cut in two at any midpoint; that names no code. A neuron has a code where all its bits are
decided **and** the population is at two levels: where cutting class means in two explains significantly more of their
variance than of any law with one mode. That is 3/4 for bounded activations, whose clouds are
symmetric about it (2/pi for a Gaussian, 3/4 for a uniform law). Class means of all others may be skewed, as a rectified
cloud is, and the bound is 8/9. Of unbounded neurons outliers have codes, too, where they carry most of the
class-specific output; the neurons beside them then carry next to nothing and have none.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from codingschemes.coding.outliers import are_outliers, output_parts
from codingschemes.coding.population import ClassMeans
from codingschemes.networks.activations import Bounds
from codingschemes.unimodal import GAUSSIAN, SINGLE_MODE, SYMMETRIC_MODE

LEAST_DISTANCE = 0.2
"""Of a decided class mean from the midpoint, over the range."""
STANDARD_ERRORS = 2.0
"""What counts as significant."""


@dataclass(frozen=True)
class Levels:
    """The two levels that class means are at, if they are.

    Attributes:
        midpoint, extent: what separates an active class from a silent one, and the distance of the levels: of the
            activation where it is bounded, else of the population.
        explained: share of the variance of class means that two levels explain: 2/pi for a Gaussian (and where there
            is no variance), 1 for two points.
        error: its standard error over neurons.
        bound: the largest share of the variance that two levels explain of one cloud.
    """

    midpoint: float
    extent: float
    explained: float
    error: float
    bound: float

    @property
    def are_two(self) -> bool:
        """Whether two levels explain significantly more than of any law with one mode."""
        return bool(self.explained - STANDARD_ERRORS * self.error > self.bound)


def levels(neurons: ClassMeans, bounds: Bounds, repeats: int = 1) -> Levels:
    """The levels of one population.

    Bounded activations have the same two levels for every class, so that all class means are cut at once; of unbounded
    ones each class is cut for itself, which takes away what all neurons have in common.

    Args:
        neurons: of a single draw, or pooled.
        bounds: of the activation.
        repeats: how many draws of each neuron are pooled: they count as one neuron in the error.
    """
    activity = neurons.activity
    bounded = bounds is not None
    spread = activity - (activity.mean() if bounded else activity.mean(0))
    residual = spread - (_halves(activity.reshape(-1, 1)).reshape(activity.shape) if bounded else _halves(activity))
    total, rest = np.sum(spread**2, axis=1), np.sum(residual**2, axis=1)
    power = float(total.sum())
    unexplained = float(rest.sum()) / power if power > 0 else 1 - GAUSSIAN
    error = float(np.sqrt(repeats * np.sum((rest - unexplained * total) ** 2))) / power if power > 0 else 0.0
    low, high = bounds or np.unique(_halves(activity.reshape(-1, 1)))[[0, -1]] + activity.mean()
    midpoint, extent = float(low + high) / 2, float(high - low)
    return Levels(midpoint, extent, 1 - unexplained, error, SYMMETRIC_MODE if bounded else SINGLE_MODE)


def _halves(values: Float[np.ndarray, "M K"]) -> Float[np.ndarray, "M K"]:
    """Every value replaced by the mean of its part, where each column is cut in the two parts that explain most of its
    variance; less the column's mean."""
    size = len(values)
    if size < 2:
        return np.zeros_like(values)
    centred = values - values.mean(0)
    order = np.argsort(centred, axis=0)
    below = np.cumsum(np.take_along_axis(centred, order, axis=0), axis=0)[:-1]
    count = np.arange(1, size)[:, None]
    cut = np.argmax(below**2 / (count * (size - count)), axis=0)
    sum_below = np.take_along_axis(below, cut[None], axis=0)[0]
    is_below = np.argsort(order, axis=0) <= cut
    return np.where(is_below, sum_below / (cut + 1), -sum_below / (size - cut - 1))


@dataclass(frozen=True)
class BitRule:
    """How the bits of neurons are decided in one network.

    Attributes:
        bounds: of the activation.
        levels: of the neurons that are no outliers.
        concentrated: whether outliers carry most of the class-specific output of unbounded neurons.
    """

    bounds: Bounds
    levels: Levels
    concentrated: bool

    def __call__(
        self, neurons: ClassMeans
    ) -> tuple[Bool[np.ndarray, "*draws N G"], Bool[np.ndarray, "*draws N G"], Bool[np.ndarray, "*draws N"]]:
        """Bits, which of them are decided, and which neurons have a code."""
        activity = neurons.activity
        midpoint = np.full(activity.shape[:-1], self.levels.midpoint)
        extent = np.full(activity.shape[:-1], self.levels.extent)
        may = np.full(activity.shape[:-1], self.levels.are_two)
        level = may | (self.bounds is not None)
        if self.concentrated:
            outlying = are_outliers(output_parts(neurons))
            others = np.mean(activity, axis=(-2, -1), where=~outlying[..., None])[..., None]
            largest = activity.max(-1)
            midpoint = np.where(outlying, (largest + others) / 2, midpoint)
            extent = np.where(outlying, np.maximum(largest - others, 0), extent)
            may, level = may | outlying, level | outlying
        distance = np.maximum(LEAST_DISTANCE * extent[..., None], STANDARD_ERRORS * neurons.activity_error)
        offset = activity - midpoint[..., None]
        decided = (np.abs(offset) > distance) & level[..., None]
        return offset > 0, decided, may & decided.all(-1)


def bit_rule(neurons: ClassMeans, bounds: Bounds) -> BitRule:
    """The rule for a network of which draws are given, (*draws, neuron, ...)."""
    repeats = neurons.draws[-1] if neurons.draws else 1
    concentrated = False
    inner = np.ones(neurons.norm.shape, bool)
    if bounds is None:
        parts = output_parts(neurons)
        outlying = are_outliers(parts)
        concentrated = float(np.mean(np.sum(parts, axis=-1, where=outlying))) > 0.5
        inner = ~outlying
    return BitRule(bounds, levels(neurons.select(inner), bounds, repeats), concentrated)
