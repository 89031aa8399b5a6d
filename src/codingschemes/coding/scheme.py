"""Which coding scheme a population of neurons uses: analog, redundant, sparse, or none of them with confidence.

Definitions after van Meegen & Sompolinsky (2025). In the space of class-mean activities and readouts neurons form

- one Gaussian cloud: **analog**, every neuron answers to all classes in graded strength;
- a few sharp clusters, the codes, each shared by many neurons: **redundant**;
- one unselective bulk and a few much stronger neurons, each for one class, that carry the class-specific output:
  **sparse**.

Six questions are asked of every draw, each answered by a number in 0..1 that passes 1/2 at the threshold stated in
`probabilities_of`:

| question | what decides |
| --- | --- |
| `outliers` | are there class-selective outliers? |
| `dominant` | do they carry nearly all of the class-specific output? |
| `clustered` | does the bulk fall into separate modes, or into sharp clusters and a background? |
| `sharp` | are these modes that have codes, and is the background negligible? |
| `cloud` | is the bulk one cloud: neither modes nor neighbours closer than in a Gaussian? |
| `graded` | is this cloud selective and Gaussian, and do many neurons carry the output? |

    P(sparse)    = outliers dominant cloud
    P(redundant) = (1 - outliers) clustered sharp
    P(analog)    = (1 - outliers) cloud graded

and what remains is `undecided`: evidence of two schemes at once leaves no scheme a high probability. These are
degrees of evidence, validated on planted populations (`experiments/scheme_classifier.py`), not frequencies. Over
several draws they are averaged, and the label is the scheme with a probability of at least .9.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Literal

import numpy as np
from jaxtyping import Float, Int
from scipy.special import expit

from codingschemes.coding.clusters import (
    MEANINGFUL,
    Mixture,
    background_share,
    best_mixture,
    crowding,
    features,
    fit_mixture,
    modes,
)
from codingschemes.coding.codes import name_clusters
from codingschemes.coding.outliers import find_outliers, output_parts
from codingschemes.coding.population import Population
from codingschemes.networks.activations import Family

type Label = Literal["analog", "redundant", "sparse", "undecided"]

LABELS: tuple[Label, ...] = ("analog", "redundant", "sparse", "undecided")
CONFIDENT = 0.9
"""Least probability of a scheme that is named."""


@dataclass(frozen=True)
class Evidence:
    """What the decision rests on, for one draw; for several draws the mean over them.

    Attributes:
        outliers: number of outlier neurons whose activity for their class is at least twice that for any other.
        unclear_gap: 1 where a gap of at least 4 below neurons of at least 4 times the median strength was not counted
            as outliers, because the rest might explain it or because the neurons above are not selective.
        outlier_gap: strength (activity norm times readout norm) of the weakest outlier over that of the strongest
            other neuron; without outliers the largest ratio of successive strengths.
        outlier_share: part of the class-specific output that these outliers carry.
        participation: effective number of neurons that carry the class-specific output.
        clusters: number of Gaussian components with a common covariance that BIC chooses for the bulk (the neurons
            that are no outliers).
        modes: number of separate modes these components form.
        minor_share: share of the bulk outside the largest mode.
        bic_gain: BIC of that mixture (or of the one with a broad background, where it is better) less that of a
            single Gaussian, per neuron.
        separation: Mahalanobis distance to the nearest component of another mode, exceeded for 90 % of the neurons;
            0 for one mode.
        background: share of the bulk in no sharp cluster.
        coded: share of the bulk that carries a code.
        codes: number of different codes.
        crowding: how much closer nearest neighbours in the bulk are than in a Gaussian with the same covariance, in
            nats.
        crowding_error: its standard error for a Gaussian sample.
        kurtosis: Mardia's kurtosis of the bulk over its value for a Gaussian.
        kurtosis_error: its standard error for a Gaussian sample.
        neurons: number of neurons in the bulk.
        selectivity: variance over neurons of class-specific activity (class mean less the mean over classes), over
            the variance that the errors of class means alone produce: 1 for unselective neurons.
    """

    outliers: float
    unclear_gap: float
    outlier_gap: float
    outlier_share: float
    participation: float
    clusters: float
    modes: float
    minor_share: float
    bic_gain: float
    separation: float
    background: float
    coded: float
    codes: float
    crowding: float
    crowding_error: float
    kurtosis: float
    kurtosis_error: float
    neurons: float
    selectivity: float


@dataclass(frozen=True)
class Scheme:
    """The verdict on a population.

    Attributes:
        label: the scheme with a probability of at least .9, else `undecided`.
        probability: of the label.
        probabilities: of all four labels; they sum to one.
        evidence: means over the draws looked at.
        by_draw: probabilities of every draw looked at in the order of `LABELS`, (*draws, label).
    """

    label: Label
    probability: float
    probabilities: dict[Label, float]
    evidence: Evidence
    by_draw: Float[np.ndarray, "*draws label"]

    @property
    def scores(self) -> dict[str, float]:
        """Of the three schemes: the support for each. Only a label that is decided has a probability to be told."""
        return {name: self.probabilities[name] for name in LABELS if name != "undecided"}

    @property
    def words(self) -> str:
        """See `scheme_words`."""
        return scheme_words(self.label, self.probability, self.scores)


def scheme_words(label: str, probability: float, scores: Mapping[str, float]) -> str:
    """`sparse (probability 0.98)`, or `undecided (analog .10, redundant .06, sparse .84)`: where no scheme is named
    there is no one number to be confident of."""
    if label != "undecided":
        return f"{label} (probability {probability:.2f})"
    return f"undecided ({score_words(scores)})"


def score_words(scores: Mapping[str, float]) -> str:
    """`analog .10, redundant .06, sparse .84`."""
    return ", ".join(f"{name} {value:.2f}".replace(" 0.", " .") for name, value in scores.items())


def classify(neurons: Population, family: Family, draws_per_chain: int = 3) -> Scheme:
    """The coding scheme of one draw or of many.

    Args:
        neurons: of one draw, of several (draw,), or of several chains (chain, draw).
        family: of the activation; it says where a neuron counts as active.
        draws_per_chain: number of evenly spaced draws that are looked at, the last one among them.
    """
    neurons = neurons.thinned(draws_per_chain)
    found = [evidence_of(neurons[index], family) for index in np.ndindex(neurons.draws)]
    by_draw = np.array([probabilities_of(evidence) for evidence in found])
    mean = by_draw.mean(0)
    best = int(mean[:3].argmax())
    label = LABELS[best] if mean[best] >= CONFIDENT else "undecided"
    average = Evidence(*(float(np.mean([getattr(each, field.name) for each in found])) for field in fields(Evidence)))
    return Scheme(
        label,
        float(mean[LABELS.index(label)]),
        {name: float(value) for name, value in zip(LABELS, mean, strict=True)},
        average,
        by_draw.reshape(*neurons.draws, len(LABELS)),
    )


def evidence_of(neurons: Population, family: Family) -> Evidence:
    """The evidence of one draw."""
    found = find_outliers(neurons)
    selective = found.selectivity >= 0.5
    parts = output_parts(neurons)
    bulk = neurons.neurons(np.setdiff1d(np.arange(neurons.size), found.neurons))
    coordinates = features(bulk)
    points = coordinates(bulk)
    mixture = best_mixture(points)
    single = fit_mixture(points, np.zeros(len(points), int))
    background, bic = background_share(points, mixture)
    codes = name_clusters(bulk, bulk, coordinates, mixture, family)
    mode = modes(points, mixture, codes.cluster_code)
    crowded, crowding_error = crowding(bulk)
    kurtosis, kurtosis_error = _kurtosis(points)
    return Evidence(
        outliers=float(selective.sum()),
        unclear_gap=float(not selective.any() and found.unclear),
        outlier_gap=found.gap,
        outlier_share=float(parts[found.neurons[selective]].sum()),
        participation=found.participation,
        clusters=float(mixture.count),
        modes=float(mode.max() + 1),
        minor_share=1 - float(np.bincount(mode, mixture.weights).max() / mixture.weights.sum()),
        bic_gain=float((bic - single.bic) / bulk.size),
        separation=_separation(mixture, mode),
        background=background,
        coded=float(np.mean(codes.assignment >= 0)),
        codes=float(len(codes.names)),
        crowding=crowded,
        crowding_error=crowding_error,
        kurtosis=kurtosis,
        kurtosis_error=kurtosis_error,
        neurons=float(bulk.size),
        selectivity=_selectivity(bulk),
    )


def probabilities_of(evidence: Evidence) -> Float[np.ndarray, " label"]:
    """Probabilities of one draw in the order of `LABELS`."""
    outliers = 1.0 if evidence.outliers else 0.5 * evidence.unclear_gap
    dominant = _passes(evidence.outlier_share, 0.78, 0.02)

    # A second mode is worth a few neurons in a hundred, or two of them where it is far away.
    far = _passes(evidence.separation, 15.0, 1.0)
    separate = max(_passes(evidence.minor_share, 0.035, 0.004), far * _passes(evidence.minor_share, 0.012, 0.002))
    in_background = _passes(evidence.background, 0.15, 0.02) * _passes(-evidence.background, -0.9, 0.01)
    structure = evidence.bic_gain / 0.55 * max(separate, in_background)
    clustered = _passes(structure, 1.0, 0.05)
    sharp = separate * _passes(-evidence.background, -0.15, 0.02) * _passes(evidence.coded, 0.8, 0.03)

    # In few neurons crowding is the only trace of clusters inside a cloud, and it is diluted: tolerate less of it.
    tolerated = np.clip(5.5 * evidence.crowding_error, 0.15, 0.6) * min(1.0, (evidence.neurons / 100) ** 0.75)
    irregular = structure + max(0.0, evidence.crowding) / tolerated
    cloud = _passes(-irregular, -1.1, 0.06) * _passes(evidence.neurons, 12.0, 1.0)
    tails = abs(evidence.kurtosis - 1) - 3 * evidence.kurtosis_error
    graded = (
        _passes(-tails, -0.25, 0.04)
        * _passes(evidence.selectivity, 1.3, 0.08)
        * _passes(evidence.participation / max(evidence.neurons, 1.0), 0.17, 0.01)
        * _passes(evidence.neurons, 30.0, 2.0)
    )

    sparse = outliers * dominant * cloud
    redundant = (1 - outliers) * clustered * sharp
    analog = (1 - outliers) * cloud * graded
    return np.array([analog, redundant, sparse, 1 - analog - redundant - sparse])


def _passes(value: float, threshold: float, width: float) -> float:
    """Logistic step: 1/2 at the threshold, 95 % three widths above it."""
    return float(expit((value - threshold) / width))


def _separation(mixture: Mixture, mode: Int[np.ndarray, " K"]) -> float:
    if mode.max() == 0:
        return 0.0
    nearest = np.where(mode[:, None] != mode, mixture.distances(), np.inf).min(1)
    order = np.argsort(nearest)
    below = np.cumsum(mixture.weights[order]) / mixture.weights.sum()
    return float(nearest[order][np.searchsorted(below, 0.1)])


def _kurtosis(points: Float[np.ndarray, "N D"]) -> tuple[float, float]:
    """Mardia's kurtosis of the `MEANINGFUL` principal components, over its mean for a Gaussian sample; its error."""
    variance = points.var(0)
    kept = variance > MEANINGFUL * variance.sum()
    if not kept.any():
        return 1.0, 0.0
    size, dimension = len(points), int(kept.sum())
    squared = np.sum((points[:, kept] - points[:, kept].mean(0)) ** 2 / variance[kept], axis=1)
    expected = dimension * (dimension + 2)
    ratio = float(np.mean(squared**2) / expected * (size + 1) / (size - 1))
    return ratio, float(np.sqrt(8 / (expected * size)))


def _selectivity(neurons: Population) -> float:
    contrast = neurons.activity - neurons.activity.mean(-1, keepdims=True)
    classes = contrast.shape[-1]
    error = float(np.mean(neurons.activity_error**2)) * (1 - 1 / classes)
    return float(contrast.var(0).mean() / max(error, np.finfo(float).tiny))
