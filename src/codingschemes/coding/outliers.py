"""Outlier neurons: few neurons much stronger than the bulk, each selective for one class.

The strength of a neuron is its root-mean-square activity times the norm of its readout, the size of its contribution
to the output. Scales of activity and readout drop out: only ratios of strengths are used.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import f as f_distribution

from codingschemes.coding.population import Population

SMALLEST_GAP = 1.5
"""The weakest outlier is at least this much stronger than the strongest neuron of the bulk."""
SMALLEST_RATIO = 4.0
"""The weakest outlier is at least this much stronger than the median neuron: twice in activity, twice in readout."""


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
        gap: strength of the weakest outlier over that of the strongest other neuron; without outliers, the largest
            ratio of successive strengths among those that could have been outliers.
        unclear: whether there is a gap of at least 4 below neurons of at least `SMALLEST_RATIO` times the median
            strength, be it counted or not.
        share: the part of the class-specific output that outliers carry.
        participation: (sum |c|)^2 / sum c^2 of the neurons' parts c of the class-specific output: how many neurons
            carry it.
    """

    neurons: Int[np.ndarray, " K"]
    classes: Int[np.ndarray, " K"]
    strength: Float[np.ndarray, " K"]
    norm: Float[np.ndarray, " K"]
    selectivity: Float[np.ndarray, " K"]
    gap: float
    unclear: bool
    share: float
    participation: float

    @property
    def count(self) -> int:
        return len(self.neurons)


def output_parts(neurons: Population) -> Float[np.ndarray, " N"]:
    """The part of the class-specific output that each neuron carries; they sum to one.

    The output of a neuron for a class is its class-mean activity times its readouts. Class-specific is what remains
    after its mean over classes is taken off; the part is the projection on the same quantity of the whole network.
    """
    contrast = neurons.activity - neurons.activity.mean(-1, keepdims=True)
    total = contrast.T @ neurons.readout
    power = float(np.sum(total**2))
    if power == 0:
        return np.zeros(neurons.size)
    return np.einsum("ng,gc,nc->n", contrast, total, neurons.readout) / power


def find_outliers(neurons: Population) -> Outliers:
    """Outliers of one draw: neurons above a gap in the sorted strengths that the others do not explain.

    At most a fifth of the neurons (and at least five) can be outliers. Among the gaps of at least `SMALLEST_GAP` below
    neurons of at least `SMALLEST_RATIO` times the median strength, the lowest one counts for which every neuron above
    it is foreign to the Gaussian that those below form, p < 1e-3 after Bonferroni's correction for the number of
    neurons.
    """
    strength = neurons.norm * np.linalg.norm(neurons.readout, axis=-1)
    order = np.argsort(-strength)
    median = max(float(np.median(strength)), np.finfo(float).tiny)
    most = min(max(5, neurons.size // 5), neurons.size - 4)
    ranked = np.maximum(strength[order], 1e-12 * median)
    ratios = ranked[:most] / ranked[1 : most + 1] if most > 0 else np.ones(1)
    count = 0
    for position in np.flatnonzero((ratios >= SMALLEST_GAP) & (ranked[: len(ratios)] >= SMALLEST_RATIO * median))[::-1]:
        if _foreign(neurons, order[: position + 1], order[position + 1 :]):
            count = int(position) + 1
            break
    chosen = order[:count]
    activity = np.sort(neurons.activity[chosen], axis=-1)
    parts = output_parts(neurons)
    return Outliers(
        neurons=chosen,
        classes=neurons.activity[chosen].argmax(-1),
        strength=strength[chosen] / median,
        norm=neurons.norm[chosen] / max(float(np.median(neurons.norm)), np.finfo(float).tiny),
        selectivity=1 - activity[:, -2] / np.maximum(np.abs(activity[:, -1]), np.finfo(float).tiny),
        gap=float(ratios[count - 1] if count else ratios.max()),
        unclear=bool(np.any((ratios >= 4) & (ranked[: len(ratios)] >= SMALLEST_RATIO * median))),
        share=float(parts[chosen].sum()),
        participation=float(np.abs(parts).sum() ** 2 / max(np.sum(parts**2), np.finfo(float).tiny)),
    )


def _foreign(neurons: Population, above: Int[np.ndarray, " K"], below: Int[np.ndarray, " M"]) -> bool:
    """Whether no neuron above is a plausible further draw of the Gaussian that those below form.

    Each is compared with the others along the line from their centre to itself. The squared distance in units of
    their spread there is at most of the size of Hotelling's T^2 and, unlike it, needs no full covariance.
    """
    blocks = [neurons.activity, neurons.readout]
    scaled = [(b - b[below].mean(0)) / max(float(b[below].std(0).max()), np.finfo(float).tiny) for b in blocks]
    points = np.hstack(scaled)
    dimension, size = points.shape[1], len(below)
    lines = points[above] / np.linalg.norm(points[above], axis=1, keepdims=True)
    spread = (points[below] @ lines.T).std(0, ddof=1)
    squared = np.sum(points[above] ** 2, axis=1) / np.maximum(spread**2 * (1 + 1 / size), np.finfo(float).tiny)
    return bool(np.all(f_distribution.sf(squared / dimension, dimension, size - 1) * neurons.size < 1e-3))
