"""Which coding scheme a population of neurons uses: analog, redundant, sparse, or none of them with confidence.

Definitions after van Meegen & Sompolinsky (2025). In the space of class-mean activities and readouts neurons form

- one Gaussian cloud: **analog**, every neuron answers to all classes in graded strength;
- sharp codes, sets of classes that neurons answer to fully while they are silent for the others: **redundant**;
- one unselective bulk and a few neurons that carry the class-specific output: **sparse**.

Three coordinates place a draw between them, 0..1 each; with `unspecific` they sum to one:

- `concentrated`: how few neurons carry nearly all (90 %) of the class-specific output, one less their number over that
  in a Gaussian population of the same size and moments;
- `binary`: how far class means are at two levels: 0 where two explain what they do of a Gaussian, 1 for two points;
- `graded`: how far they are not;
- `unspecific`: how far class means differ by no more than their errors.

The last three share what concentration leaves, in proportion to the variance of class means over all neurons that are
no outliers. So a bulk has a say only as far as it carries output. Sparse, redundant and analog populations are the
corners of this map, mixtures lie between them.

The probability of a scheme is a calibrated frequency: a multinomial logistic regression on the coordinates and their
products, on the effective number of neurons that carry the output against the Gaussian one, and on crowding, which
sees codes that hide in a cloud. It is fitted to planted populations of all schemes and of mixtures
(`experiments/scheme_calibration.py`) and tested on others and on sampled networks (`benchmarks/scheme_classifier.md`).
A scheme whose populations are nowhere like this one (`support.py`) leaves its probability to *undecided*: of shapes far
from all planted ones a probability says nothing. Several draws are populations of one posterior: the verdict is on the
mean of their evidence, in which what a single one has by chance is averaged out; only where single draws are named
differently are their probabilities averaged instead. The label is the scheme with a probability of at least .9.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from importlib import resources

import numpy as np
from jaxtyping import Float
from scipy.special import softmax

from codingschemes.calls import checked
from codingschemes.coding.bits import GAUSSIAN, BitRule, levels
from codingschemes.coding.crowding import crowding
from codingschemes.coding.outliers import are_outliers, carriers, effective_neurons, gaussian_reference, output_parts
from codingschemes.coding.population import ClassMeans
from codingschemes.coding.support import balance, is_like, log_kurtosis
from codingschemes.networks.activations import Bounds
from codingschemes.schemes import Label

LABELS: tuple[Label, ...] = ("analog", "redundant", "sparse", "undecided")
CONFIDENT = 0.9
"""Least probability of a scheme that is named."""
WITH_READOUT, WITHOUT_READOUT = "calibration", "calibration_without_readout"
"""What probabilities rest on, by name of the files."""
FEWEST_NEURONS = 20
"""Fewer are undecided: the regression has not seen them."""


@dataclass(frozen=True)
class SchemeEvidence:
    """What the decision rests on, for one draw; for several draws the mean over them.

    Attributes:
        concentrated: 1 - carriers / gaussian_carriers, or 0.
        binary, graded, unspecific: what is left, divided by `two_levels` and `selectivity`; the four sum to one.
        carriers: the least number of neurons that carry 90 % of the class-specific output.
        gaussian_carriers: the same for a Gaussian population of this size with the same moments.
        effective_neurons: how many neurons carry the class-specific output, (sum |c|)^2 / sum c^2.
        gaussian_neurons: the same for that Gaussian population.
        outliers: number of neurons that carry more than such a population explains.
        outlier_share: part of the class-specific output that they carry.
        two_levels: share of the variance of class means over the other neurons that two levels explain: 2/pi for a
            Gaussian, 1 for two points.
        selectivity: variance over the other neurons of class-specific activity (class mean less the mean over
            classes), over the variance that the errors of class means alone produce: 1 for unselective neurons.
        crowding: how much closer nearest neighbours among the other neurons are than in a Gaussian with the same
            covariance, in nats.
        activity_kurtosis, readout_kurtosis: log of the kurtosis over all neurons of class means, and of readouts: log 3
            for one Gaussian cloud.
        balance: correlation over neurons of how strongly they tell classes apart and how strongly they are read out.
        decided: share of the bits of all neurons that are decided.
        coded: share of the neurons that have a code.
        codes: number of different codes.
        neurons: number of neurons.

    Example:
        >>> neurons = cs.coding.population(activity.T, rng.normal(size=(12, 4)), labels)
        >>> 0 <= cs.coding.classify(neurons, (-1.0, 1.0)).evidence.graded <= 1
        True
    """

    concentrated: float
    binary: float
    graded: float
    unspecific: float
    carriers: float
    gaussian_carriers: float
    effective_neurons: float
    gaussian_neurons: float
    outliers: float
    outlier_share: float
    two_levels: float
    selectivity: float
    crowding: float
    activity_kurtosis: float
    readout_kurtosis: float
    balance: float
    decided: float
    coded: float
    codes: float
    neurons: float

    @property
    def place(self) -> tuple[float, float]:
        """Where the population is on the map: binary less graded in -1..1, and concentrated in 0..1. Analog is near
        (-1, 0), redundant near (1, 0), sparse near (0, 1)."""
        return self.binary - self.graded, self.concentrated


@dataclass(frozen=True)
class Scheme:
    """The verdict on a population.

    Attributes:
        label: the scheme with a probability of at least .9, else `undecided`.
        probability: of the label.
        probabilities: of all four labels; they sum to one.
        evidence: means over the draws looked at.
        by_draw: probabilities of every draw looked at by itself, in the order of `LABELS`, (*draws, label).
        places: where each of these draws is on the map, see `SchemeEvidence.place`, (*draws, 2).
        unlike: the scheme that would be named, were the population not unlike all that are known of it; else None.

    Example:
        >>> neurons = cs.coding.population(activity.T, rng.normal(size=(12, 4)), labels)
        >>> sorted(cs.coding.classify(neurons, (-1.0, 1.0)).probabilities)
        ['analog', 'redundant', 'sparse', 'undecided']
    """

    label: Label
    probability: float
    probabilities: dict[Label, float]
    evidence: SchemeEvidence
    by_draw: Float[np.ndarray, "*draws label"]
    places: Float[np.ndarray, "*draws 2"]
    unlike: Label | None = None

    @property
    def scores(self) -> dict[str, float]:
        """Of the three schemes: the support for each. Only a label that is decided has a probability to be told."""
        return {name: self.probabilities[name] for name in LABELS if name != "undecided"}

    @property
    def words(self) -> str:
        """`sparse (probability 0.98)`, or `undecided` and the `reason`."""
        if self.label == "undecided":
            return f"undecided ({self.reason})"
        return scheme_words(self.label, self.probability, self.scores)

    @property
    def reason(self) -> str:
        """Why no scheme is named: `nearest to sparse, but unlike all sparse populations that the verdict knows`; where
        one of the three has a chance, their scores; else where the population is among them, `concentrated .44, binary
        .10, graded .46`."""
        if self.unlike is not None:
            return f"nearest to {self.unlike}, but unlike all {self.unlike} populations that the verdict knows"
        if sum(self.scores.values()) >= 1 - CONFIDENT:
            return score_words(self.scores)
        return score_words({name: getattr(self.evidence, name) for name in ("concentrated", "binary", "graded")})


def scheme_words(label: str, probability: float, scores: Mapping[str, float]) -> str:
    """`sparse (probability 0.98)`, or `undecided (analog .10, redundant .06, sparse .84)`: where no scheme is named
    there is no one number to be confident of."""
    if label != "undecided":
        return f"{label} (probability {probability_words(probability)})"
    return f"undecided ({score_words(scores)})"


def probability_words(value: float) -> str:
    """Two decimals, without claiming certainty."""
    return "above 0.99" if value > 0.995 else "below 0.01" if value < 0.005 else f"{value:.2f}"


def score_words(scores: Mapping[str, float]) -> str:
    """`analog .10, redundant .06, sparse .84`."""
    return ", ".join(f"{name} {value:.2f}".replace(" 0.", " .") for name, value in scores.items())


@checked
def classify(neurons: ClassMeans, bounds: Bounds, draws_per_chain: int = 3, *, readout_known: bool = True) -> Scheme:
    """The coding scheme of one draw or of many.

    Args:
        neurons: of one draw, of several (draw,), or of several chains (chain, draw).
        bounds: of the activation (`Activation.bounds`): at which levels a neuron is silent and active.
        draws_per_chain: number of evenly spaced draws that are looked at, the last one among them.
        readout_known: whether readouts were learned or fitted; without it they are taken to be class-mean activities,
            whatever `neurons` holds, and probabilities are those of populations of which no more is known.

    Example:
        >>> neurons = cs.coding.population(activity.T, rng.normal(size=(12, 4)), labels)
        >>> cs.coding.classify(neurons, (-1.0, 1.0)).label
        'undecided'
    """
    neurons = neurons.thin(draws_per_chain)
    neurons = neurons if readout_known else read_by_class_means(neurons)
    calibration = WITH_READOUT if readout_known else WITHOUT_READOUT
    found = [evidence_of(neurons[index], bounds) for index in np.ndindex(neurons.draws)]
    average = SchemeEvidence(
        *(float(np.mean([getattr(each, field.name) for each in found])) for field in fields(SchemeEvidence))
    )
    regressed, by_draw = _judged(found, calibration)
    if len({_label_of(each) for each in by_draw} - {"undecided"}) <= 1:
        (regressed,), (judged,) = _judged([average], calibration)
    else:
        regressed, judged = regressed.mean(0), by_draw.mean(0)
    label, else_named = _label_of(judged), _label_of(regressed)
    return Scheme(
        label,
        float(judged[LABELS.index(label)]),
        {name: float(value) for name, value in zip(LABELS, judged, strict=True)},
        average,
        by_draw.reshape(*neurons.draws, len(LABELS)),
        np.array([evidence.place for evidence in found]).reshape(*neurons.draws, 2),
        None if label == else_named else else_named,
    )


def _judged(
    found: Sequence[SchemeEvidence], calibration: str
) -> tuple[Float[np.ndarray, "draw label"], Float[np.ndarray, "draw label"]]:
    """What the regression says, and what is left of it where populations are known."""
    regressed = np.array([probabilities_of(evidence, calibration) for evidence in found])
    return regressed, np.array([_where_known(*each, calibration) for each in zip(regressed, found, strict=True)])


def _label_of(probabilities: Float[np.ndarray, " label"]) -> Label:
    """The scheme with a probability of at least .9."""
    best = int(probabilities[:3].argmax())
    return LABELS[best] if probabilities[best] >= CONFIDENT else "undecided"


def read_by_class_means(neurons: ClassMeans) -> ClassMeans:
    """With the readout of each neuron that needs no more than its own activity: its class means, less their mean.

    Weights that minimise a regularised loss are a_i = R^T phi_i, with the same residual errors R for all neurons. Where
    nothing is known of these they are those of an untrained readout, the labels: ridge regression in the limit of a
    strong penalty. A weaker penalty sets neurons of one code apart by their noise.
    """
    contrast = neurons.activity - neurons.activity.mean(-1, keepdims=True)
    return ClassMeans(neurons.activity, neurons.activity_error, neurons.norm, contrast)


def _where_known(
    probabilities: Float[np.ndarray, " label"], evidence: SchemeEvidence, calibration: str
) -> Float[np.ndarray, " label"]:
    """With the probability of every scheme whose populations are unlike this one left to *undecided*."""
    if probabilities[3] == 1:
        return probabilities
    seen = traits(evidence, calibration)
    known = np.array([*(is_like(seen, label, calibration) for label in LABELS[:3]), True])
    return np.where(known, probabilities, 0.0) + np.where(np.arange(4) == 3, probabilities[~known].sum(), 0.0)


def evidence_of(neurons: ClassMeans, bounds: Bounds) -> SchemeEvidence:
    """The evidence of one draw."""
    parts = output_parts(neurons)
    outlying = are_outliers(parts)
    bulk = neurons.neurons(~outlying)
    found = levels(bulk, bounds)
    reference = gaussian_reference(neurons)
    carrying = carriers(parts)
    concentrated = max(0.0, 1 - carrying / reference.carriers)
    outlier_share = float(parts[outlying].sum())
    selectivity = _selectivity(bulk, centred=bounds is None)
    specific = (1 - concentrated) * max(0.0, 1 - 1 / max(selectivity, 1.0))
    two_levelled = float(np.clip((found.explained - GAUSSIAN) / (1 - GAUSSIAN), 0, 1))
    bits, decided, coded = BitRule(bounds, found, outlier_share > 0.5 and bounds is None)(neurons)
    return SchemeEvidence(
        concentrated=concentrated,
        binary=specific * two_levelled,
        graded=specific * (1 - two_levelled),
        unspecific=1 - concentrated - specific,
        carriers=float(carrying),
        gaussian_carriers=reference.carriers,
        effective_neurons=effective_neurons(parts),
        gaussian_neurons=reference.effective_neurons,
        outliers=float(outlying.sum()),
        outlier_share=outlier_share,
        two_levels=found.explained,
        selectivity=selectivity,
        crowding=crowding(bulk),
        activity_kurtosis=log_kurtosis(neurons.activity),
        readout_kurtosis=log_kurtosis(neurons.readout),
        balance=balance(neurons),
        decided=float(decided.mean()),
        coded=float(coded.mean()),
        codes=float(len(np.unique(bits[coded], axis=0))),
        neurons=float(neurons.size),
    )


def probabilities_of(evidence: SchemeEvidence, calibration: str) -> Float[np.ndarray, " label"]:
    """Calibrated probabilities of one draw in the order of `LABELS`; undecided where there is no class-specific output
    or where there are too few neurons."""
    if evidence.neurons < FEWEST_NEURONS or evidence.effective_neurons == 0:
        return np.array([0.0, 0.0, 0.0, 1.0])
    return softmax(regressors(evidence) @ _coefficients(calibration))


def regressors(evidence: SchemeEvidence) -> Float[np.ndarray, " F"]:
    """What the logistic regression sees, a constant first."""
    place = np.array([evidence.concentrated, evidence.binary, evidence.graded])
    products = np.outer(place, place)[np.triu_indices(3)]
    return np.array([1.0, *place, *products, _log_effective(evidence), evidence.crowding])


def traits(evidence: SchemeEvidence, calibration: str) -> Float[np.ndarray, " T"]:
    """What tells whether a population is like others, see `support`."""
    crowded = (1 - evidence.concentrated) * evidence.crowding
    of_readouts = (evidence.readout_kurtosis, evidence.balance) if calibration == WITH_READOUT else ()
    own = evidence.binary, crowded, _log_effective(evidence), evidence.activity_kurtosis
    return np.array([*own, *of_readouts])


def _log_effective(evidence: SchemeEvidence) -> float:
    return float(np.log(evidence.effective_neurons / evidence.gaussian_neurons))


@cache
def _coefficients(calibration: str) -> Float[np.ndarray, "F label"]:
    text = resources.files("codingschemes.coding").joinpath(f"{calibration}.json").read_text()
    return np.array(json.loads(text)["coefficients"])


def _selectivity(neurons: ClassMeans, centred: bool) -> float:
    contrast = neurons.activity - neurons.activity.mean(-1, keepdims=True)
    classes = contrast.shape[-1]
    if centred:
        contrast = contrast - contrast.mean(0)
    error = float(np.mean(neurons.activity_error**2)) * (1 - 1 / classes)
    return float(np.mean(contrast**2) / max(error, np.finfo(float).tiny))
