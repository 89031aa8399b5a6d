"""Outlier neurons: few neurons that carry far more of the class-specific output than a Gaussian population explains.

What counts is a neuron's part of the output, not its strength: strengths may fall off without a gap while parts, which
are products of activity, readout and their agreement with the whole network, do not.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.stats import chi2

from codingschemes.calls import checked
from codingschemes.coding.population import ClassMeans
from codingschemes.schemes import class_specific_parts

SIGNIFICANCE = 1e-3
"""Probability that a Gaussian population of any size has an outlier, at most."""
LARGEST_SHARE = 0.2
"""Outliers are few: at most this share of the neurons (and at least `_AT_LEAST` of them) is looked at."""
NEARLY_ALL = 0.9
"""The share of the class-specific output whose carriers are counted."""
_AT_LEAST = 5
_REFERENCE_NEURONS = 4096


@dataclass(frozen=True)
class Outliers:
    """The outlier neurons of one draw, strongest first.

    Attributes:
        neurons: their indices, (outlier,).
        classes: the class of the largest mean activity, (outlier,).
        strength: root-mean-square activity times readout norm, over the median of all neurons, (outlier,).
        norm: root-mean-square activity over the median of all neurons, (outlier,).
        selectivity: largest class mean less the next largest one, over the largest, (outlier,); 1 for a neuron silent
            in all other classes.
        share: the part of the class-specific output that outliers carry.
        participation: how many neurons carry the class-specific output, see `effective_neurons`.

    Example:
        >>> neurons = cs.coding.population(activity.T, rng.normal(size=(12, 4)), labels)
        >>> 1 <= cs.coding.find_outliers(neurons).participation <= 12
        True
    """

    neurons: Int[np.ndarray, " K"]
    classes: Int[np.ndarray, " K"]
    strength: Float[np.ndarray, " K"]
    norm: Float[np.ndarray, " K"]
    selectivity: Float[np.ndarray, " K"]
    share: float
    participation: float

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.neurons)


def output_parts(neurons: ClassMeans) -> Float[np.ndarray, "*draws N"]:
    """The part of the class-specific output that each neuron carries, see `class_specific_parts`."""
    return class_specific_parts(neurons.activity, neurons.readout)


def effective_neurons(parts: Float[np.ndarray, " N"]) -> float:
    """(sum |c|)^2 / sum c^2: N where all neurons carry the same part, 1 where one carries all, 0 for no output."""
    squares = float(np.sum(parts**2))
    return float(np.abs(parts).sum() ** 2) / squares if squares > 0 else 0.0


def carriers(parts: Float[np.ndarray, " N"]) -> int:
    """The least number of neurons that carry nearly all (`NEARLY_ALL` of sum |c|) of the class-specific output."""
    ranked = np.cumsum(-np.sort(-np.abs(parts)))
    return int(np.argmax(ranked >= NEARLY_ALL * ranked[-1])) + 1


class GaussianReference(NamedTuple):
    """What a Gaussian population of the same size with the same first and second moments has.

    Attributes:
        effective_neurons: of its class-specific output; between N/3 (activity and readout along one direction) and N.
        carriers: neurons that carry nearly all of it.
    """

    effective_neurons: float
    carriers: float


def gaussian_reference(neurons: ClassMeans) -> GaussianReference:
    """The reference that effective numbers of this population are to be judged by."""
    contrast = neurons.activity - neurons.activity.mean(-1, keepdims=True)
    projection = contrast @ (contrast.T @ neurons.readout)
    blocks = [
        block / max(float(np.linalg.norm(block)), np.finfo(float).tiny) for block in (projection, neurons.readout)
    ]
    joint = np.hstack(blocks)
    centre = joint.mean(0)
    _, singular, axes = np.linalg.svd(joint - centre, full_matrices=False)
    latent = np.random.default_rng(0).standard_normal((_REFERENCE_NEURONS, len(singular)))
    projections, weights = np.hsplit(centre + latent * singular / np.sqrt(neurons.size) @ axes, 2)
    parts = np.sum(projections * weights, axis=1)
    scale = neurons.size / _REFERENCE_NEURONS
    return GaussianReference(effective_neurons(parts) * scale, carriers(parts) * scale)


def are_outliers(parts: Float[np.ndarray, "*draws N"]) -> Bool[np.ndarray, "*draws N"]:
    """Which neurons carry more than a Gaussian population explains.

    The part of a Gaussian neuron is a quadratic form; the heaviest tail that such a form has for its mean is that of
    one square, chi^2 with one degree of freedom. The largest number k of neurons is looked for such that the weakest
    of them exceeds the mean of all weaker ones by the quantile `SIGNIFICANCE` / N of that law (outward testing after
    Rosner, Technometrics 25, 165, 1983: outliers do not mask each other).
    """
    size = parts.shape[-1]
    most = min(max(_AT_LEAST, int(LARGEST_SHARE * size)), size - 4)
    if most < 1:
        return np.zeros(parts.shape, bool)
    order = np.argsort(-np.abs(parts), axis=-1)
    ranked = np.take_along_axis(np.abs(parts), order, axis=-1)
    count = np.arange(1, most + 1)
    weaker = (ranked.sum(-1, keepdims=True) - np.cumsum(ranked, axis=-1)[..., :most]) / (size - count)
    # weaker neurons that carry nothing at all make no other one an outlier by rounding alone
    least = np.finfo(float).eps * ranked[..., :1]
    foreign = ranked[..., :most] > chi2.isf(SIGNIFICANCE / size, 1) * np.maximum(weaker, least)
    found = np.where(foreign, count, 0).max(-1)
    rank = np.argsort(order, axis=-1)
    return rank < found[..., None]


@checked
def find_outliers(neurons: ClassMeans) -> Outliers:
    """Outliers of one draw, see `are_outliers`.

    Args:
        neurons: of one draw.

    Example:
        >>> neurons = cs.coding.population(activity.T, rng.normal(size=(12, 4)), labels)
        >>> outliers = cs.coding.find_outliers(neurons)
        >>> 0 <= outliers.share <= 1
        True
    """
    parts = output_parts(neurons)
    strength = neurons.norm * np.linalg.norm(neurons.readout, axis=-1)
    chosen = np.flatnonzero(are_outliers(parts))
    chosen = chosen[np.argsort(-strength[chosen])]
    tiny = np.finfo(float).tiny
    activity = neurons.activity[chosen]
    highest = np.sort(activity, axis=-1)[:, ::-1]
    return Outliers(
        neurons=chosen,
        classes=activity.argmax(-1),
        strength=strength[chosen] / max(float(np.median(strength)), tiny),
        norm=neurons.norm[chosen] / max(float(np.median(neurons.norm)), tiny),
        selectivity=1 - highest[:, 1] / np.maximum(np.abs(highest[:, 0]), tiny),
        share=float(parts[chosen].sum()),
        participation=effective_neurons(parts),
    )
