"""Which coding scheme a theory predicts, from its measure over single neurons.

In the limit of many neurons and samples the schemes are three kinds of measures (van Meegen & Sompolinsky, Nature
Communications 16, 3354, 2025): a Gaussian (analog), a few points of finite weight, the codes (redundant), a bulk beside
outliers that hold a finite share of the output (sparse). At finite temperature and size each is told by a majority or a
bound:

- selective: share of the variance over neurons of class-specific activity (class means less their mean) that finite
  classes do not leave by chance. Below one half the measure is that of a network that has not learned.
- carried: share of the class-specific output that condensed neurons carry. Above one half they carry the output.
- binary: share of the variance of class means that is between the two sides of a bit. No density with a single mode
  exceeds 8/9, wherever it is cut (`unimodal.SINGLE_MODE`).
"""

import numpy as np
from jaxtyping import Bool, Float, Int

from codingschemes.posterior import Posterior
from codingschemes.schemes import Label, class_specific_parts
from codingschemes.theory.prediction import NeuronSample, PredictedScheme
from codingschemes.unimodal import SINGLE_MODE

MAJORITY = 1 / 2
_SHARED = 2.0
"""Neurons that a code must have in the network to be shared, and all codes but the first for there to be several."""


def scheme_of(posterior: Posterior, neurons: NeuronSample, *, condensed: int = 0) -> PredictedScheme:
    """The scheme of the measure from which neurons were drawn.

    Args:
        posterior: what they are neurons of. That of a linear network is Gaussian.
        neurons: with their responses, condensed ones last.
        condensed: how many of these hold a share of the output each.
    """
    activation = posterior.network.activation
    selective = _selective(neurons, posterior.task.labels)
    parts = class_specific_parts(neurons.activity, neurons.weight[:, None] * neurons.readout)
    carried = float(parts[len(parts) - condensed :].sum())
    effective = 1 / float(np.sum(parts**2 / neurons.weight)) if parts.any() else 0.0
    binary, shared, several = None, 0, False
    if activation.bounded:
        bits = neurons.activity > activation.midpoint
        binary = _binary(neurons, bits)
        counts = _counts(bits, neurons.weight)
        shared, several = int(np.sum(counts >= _SHARED)), bool(counts.sum() - counts.max() >= _SHARED)

    def named(label: Label, reason: str) -> PredictedScheme:
        return PredictedScheme(label, reason, selective, carried, effective, binary)

    if not selective > MAJORITY:
        return named(
            "undecided",
            f"Only {max(selective, 0):.0%} of what class means of neurons vary in is more than finite classes leave by "
            "chance: single neurons have hardly learned.",
        )
    if activation.family == "linear":
        return named(
            "analog", "The density of single neurons is Gaussian: all answer to all classes, in graded strength."
        )
    if carried > MAJORITY and condensed < MAJORITY * neurons.weight.sum():
        return named(
            "sparse",
            f"{condensed} condensed neuron{' carries' if condensed == 1 else 's carry'} {carried:.0%} of the "
            f"class-specific output beside a bulk: it rests on effectively {effective:.3g} of "
            f"{neurons.weight.sum():.0f} neurons.",
        )
    if binary is None:
        said = f"{condensed} condensed neurons carry {carried:.0%} of the class-specific output"
        return named("undecided", f"{said if condensed else 'No neurons condense'}, and the bulk is not Gaussian.")
    if binary > SINGLE_MODE and several:
        return named(
            "redundant",
            f"Neurons have different codes, {shared or 'none'} of them shared by several: bits make up {binary:.1%} of "
            f"the variance of class means, and a density with a single mode at most {SINGLE_MODE:.1%}.",
        )
    if not several:
        return named(
            "undecided",
            f"All neurons but fewer than {_SHARED:.0f} have the same code: codes do not tell them apart.",
        )
    return named(
        "undecided",
        f"Bits make up {binary:.1%} of the variance of class means, not more than a density with a single mode may "
        f"have ({SINGLE_MODE:.1%}): codes are not apart from each other, and the density is not Gaussian.",
    )


def _contrast(activity: Float[np.ndarray, "S G"]) -> Float[np.ndarray, "S G"]:
    return activity - activity.mean(axis=1, keepdims=True)


def _selective(neurons: NeuronSample, labels: Int[np.ndarray, " P"]) -> float:
    """Chance is the variance within classes over their sizes; unknown, and taken for none, at one sample a class."""
    share = neurons.weight / neurons.weight.sum()
    contrast = _contrast(neurons.activity)
    total = float(np.sum(share @ (contrast - share @ contrast) ** 2))
    sizes = np.bincount(labels)
    scatter = np.bincount(labels, share @ (neurons.response - neurons.activity[:, labels]) ** 2)
    several = sizes > 1
    if not total > 0 or not several.any():
        return float(total > 0)
    chance = np.mean(scatter[several] / (sizes[several] * (sizes[several] - 1)))
    return float(1 - chance * (len(sizes) - 1) / total)


def _binary(neurons: NeuronSample, bits: Bool[np.ndarray, "S G"]) -> float:
    within = total = 0.0
    for activity, bit in zip(neurons.activity.T, bits.T, strict=True):
        total += _scatter(activity, neurons.weight)
        within += sum(_scatter(activity[side], neurons.weight[side]) for side in (bit, ~bit) if side.any())
    return 1 - within / total if total > 0 else 0.0


def _scatter(values: Float[np.ndarray, " S"], weight: Float[np.ndarray, " S"]) -> float:
    return float(weight @ (values - np.average(values, weights=weight)) ** 2)


def _counts(bits: Bool[np.ndarray, "S G"], weight: Float[np.ndarray, " S"]) -> Float[np.ndarray, " K"]:
    """Neurons with each code."""
    group = np.unique(bits, axis=0, return_inverse=True)[1].ravel()
    return np.bincount(group, weights=weight)
