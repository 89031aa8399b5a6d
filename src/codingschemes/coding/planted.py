"""Planted populations: activities and readouts whose coding scheme is known, to validate the classifier on.

Shapes and sizes follow posterior draws for the orthogonal task of van Meegen & Sompolinsky (2025) (N = P = 100,
classes in ratios 1/2 : 1/4 : 1/4): `noise = 1` is the spread found there, within classes and between the neurons of
one code; .5 and 3 are called low and high. Single samples are planted, not class means, so that the standard errors
are what an experiment would find.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import norm

from codingschemes.coding.outliers import carriers, output_parts
from codingschemes.coding.population import Population, population

type Truth = Literal["analog", "redundant", "sparse", "undecided"]
type Scaling = Literal["sigmoidal", "odd", "unbounded"]

NOISE_LEVELS = {"low": 0.5, "moderate": 1.0, "high": 3.0}
TRUTHS: tuple[Truth, ...] = ("analog", "redundant", "sparse", "undecided")
SCALINGS: tuple[Scaling, ...] = ("sigmoidal", "odd", "unbounded")
BULK_ACTIVITY = 0.87
"""Norm of the class-mean activities of a bulk neuron of a rectified network."""
BULK_READOUT = (0.31, 0.17, 0.17)
"""Its readouts for classes in ratios 1/2 : 1/4 : 1/4."""


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

    truth: Truth
    kind: str
    scaling: Scaling
    activity: Float[np.ndarray, "N P"]
    readout: Float[np.ndarray, "N C"]
    labels: Int[np.ndarray, " P"]
    codes: tuple[str, ...]
    outliers: Int[np.ndarray, " K"]

    @property
    def population(self) -> Population:
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


def plant_analog(
    rng: np.random.Generator,
    size: int,
    noise: float = 1.0,
    scaling: Scaling = "unbounded",
    classes: int = 3,
    rank: int | None = None,
    condition: float | None = None,
    labels: Int[np.ndarray, " P"] | None = None,
) -> Planted:
    """Class means and readouts jointly Gaussian across neurons, with a random covariance.

    Args:
        labels: of the samples; `planted_labels(classes)` by default, here and below.
        rank: of the joint covariance, 1 .. 2 G; random by default.
        condition: largest over smallest standard deviation of the latent directions; random in 1 .. 10 by default.
        scaling: bounded activations are driven in their nearly linear range.
    """
    labels, classes = _classes(labels, classes)
    latent = _gaussian_latents(rng, size, classes, rank, condition)
    mean, readout = latent[:, :classes], latent[:, classes:]
    drive = mean[:, labels] + 0.7 * noise * rng.standard_normal((size, len(labels)))
    squash: dict[Scaling, Callable[[np.ndarray], np.ndarray]] = {
        "sigmoidal": lambda z: norm.cdf(z / 3),
        "odd": lambda z: np.tanh(z / 3),
        "unbounded": lambda z: z,
    }
    return _planted("analog", "analog", scaling, _any_unit(rng, scaling, squash[scaling](drive)), readout, labels)


def plant_redundant(
    rng: np.random.Generator,
    size: int,
    noise: float = 1.0,
    scaling: Scaling = "sigmoidal",
    classes: int = 3,
    code_count: int | None = None,
    counts: tuple[int, ...] | None = None,
    labels: Int[np.ndarray, " P"] | None = None,
) -> Planted:
    """Every neuron carries one of a few codes: high activity and positive readout for the classes of its code.

    Args:
        code_count: number of distinct codes, 2 .. 7; random by default.
        counts: neurons in each code; by default shares from a Dirichlet distribution, at least one neuron each. Codes
            of a tenth of the neurons or more tell classes apart: where only few neurons do, the code is sparse.
    """
    labels, classes = _classes(labels, classes)
    if counts is None:
        code_count = int(rng.integers(2, min(8, 2**classes))) if code_count is None else code_count
        share = rng.dirichlet(np.full(code_count, 2.0))
        counts = tuple(1 + rng.multinomial(size - code_count, share))
    while True:
        bits = _random_codes(rng, len(counts), classes)
        member = rng.permutation(np.repeat(np.arange(len(counts)), counts))
        if np.mean(bits[member].min(1) < bits[member].max(1)) >= 0.1:
            break
    level, readout = _coded_neurons(rng, bits, member, labels, noise)
    kind = f"redundant, {len(counts)} codes"
    activity = _any_unit(rng, scaling, _ranged(level, scaling))
    return _planted("redundant", kind, scaling, activity, readout, labels, codes=_strings(bits[member]))


def plant_many_codes(
    rng: np.random.Generator,
    size: int,
    noise: float = 1.0,
    scaling: Scaling = "sigmoidal",
    classes: int = 6,
    active: int | None = None,
    labels: Int[np.ndarray, " P"] | None = None,
) -> Planted:
    """Every neuron answers to classes of its own choice, so that few neurons or none share a code.

    Args:
        active: number of classes a neuron answers to, half of them by default.
    """
    labels, classes = _classes(labels, classes)
    active = max(1, classes // 2) if active is None else active
    bits = (rng.random((size, classes)).argsort(1) < active).astype(int)
    level, readout = _levelled_neurons(rng, bits, *_levels(rng, (1, classes)), labels, noise)
    activity = _any_unit(rng, scaling, _ranged(level, scaling))
    return _planted("redundant", "redundant, many codes", scaling, activity, readout, labels, codes=_strings(bits))


def plant_sparse(
    rng: np.random.Generator,
    size: int,
    noise: float = 1.0,
    classes: int = 3,
    outlier_count: int | None = None,
    labels: Int[np.ndarray, " P"] | None = None,
) -> Planted:
    """A bulk of rectified, weakly selective neurons and outliers 4 to 20 times stronger, each for one class.

    Outliers carry at least 85 % of the class-specific output; in a wide bulk they are scaled up until they do.
    """
    labels, classes = _classes(labels, classes)
    count = int(rng.integers(1, 6)) if outlier_count is None else outlier_count
    factor = np.exp(rng.uniform(np.log(4), np.log(20), count))
    # The bulk's class-specific output is about N x (half the tilt) x the variance of its readouts.
    outlier_output = np.sum(factor**2) * BULK_ACTIVITY * np.linalg.norm(BULK_READOUT)
    tilt = min(1.2, 0.15 * outlier_output / (0.5 * size * (0.13 * noise) ** 2))
    drive, readout = _bulk(rng, size, noise, classes, float(tilt))
    activity = np.maximum(drive[:, labels] + rng.standard_normal((size, len(labels))), 0)
    outliers = rng.choice(size, count, replace=False)
    preferred = np.resize(rng.permutation(classes), count)
    while True:
        activity[outliers], readout[outliers] = _outlier_neurons(rng, factor, preferred, labels, noise)
        if _outlier_share(activity, readout, labels, outliers) >= 0.85:
            break
        factor *= 1.1
    activity = _any_unit(rng, "unbounded", activity)
    return _planted("sparse", f"sparse, {count} outliers", "unbounded", activity, readout, labels, outliers=outliers)


def plant_sparse_without_gap(
    rng: np.random.Generator,
    size: int,
    noise: float = 1.0,
    classes: int = 3,
    labels: Int[np.ndarray, " P"] | None = None,
) -> Planted:
    """A rectified population in which strengths fall off continuously, from 20 times the bulk to the bulk itself, and
    at most a fifth of the neurons carries nearly all of the output: as sampled on images."""
    labels, classes = _classes(labels, classes)
    while True:
        count = max(3, round(rng.uniform(0.1, 0.4) * size))
        factor = np.exp(rng.uniform(0, np.log(20), count))
        drive, readout = _bulk(rng, size, noise, classes, 0.2)
        activity = np.maximum(drive[:, labels] + rng.standard_normal((size, len(labels))), 0)
        outliers = rng.choice(size, count, replace=False)
        preferred = np.resize(rng.permutation(classes), count)
        activity[outliers], readout[outliers] = _outlier_neurons(rng, factor, preferred, labels, noise)
        if carriers(output_parts(population(activity, readout, labels))) <= size / 5:
            activity = _any_unit(rng, "unbounded", activity)
            kind = "sparse, without a gap"
            return _planted("sparse", kind, "unbounded", activity, readout, labels, outliers=outliers)


def plant_analog_and_redundant(
    rng: np.random.Generator,
    size: int,
    noise: float = 1.0,
    classes: int = 3,
    analog_share: float | None = None,
    scaling: Scaling = "sigmoidal",
    labels: Int[np.ndarray, " P"] | None = None,
) -> Planted:
    """One part of the neurons is a Gaussian cloud of the same extent as the codes that the other part carries."""
    share = float(rng.uniform(0.3, 0.7)) if analog_share is None else analog_share
    labels, classes = _classes(labels, classes)
    bits = _random_codes(rng, int(rng.integers(2, min(8, 2**classes))), classes)
    member = rng.integers(0, len(bits), size)
    level, readout = _coded_neurons(rng, bits, member, labels, noise)
    graded = rng.permutation(size)[: round(share * size)]
    latent = _gaussian_latents(rng, len(graded), classes, None, None)
    drive = latent[:, :classes][:, labels] + 0.7 * noise * rng.standard_normal((len(graded), len(labels)))
    level[graded] = norm.cdf(0.7 * drive)
    readout[graded] = readout.mean(0) + readout.std() * latent[:, classes:]
    activity = _any_unit(rng, scaling, _ranged(level, scaling))
    return _planted("undecided", "analog + redundant", scaling, activity, readout, labels)


def plant_redundant_and_outliers(
    rng: np.random.Generator,
    size: int,
    noise: float = 1.0,
    classes: int = 3,
    labels: Int[np.ndarray, " P"] | None = None,
) -> Planted:
    """Codes shared by many neurons, and one to three selective outliers up to 20 times stronger.

    Outliers and coded neurons both carry at least a quarter of the class-specific output: where outliers carry nearly
    all of it the population is sparse, whatever the others do.
    """
    base = plant_redundant(rng, size, noise, "unbounded", classes, labels=labels)
    classes = int(base.labels.max()) + 1
    while True:
        count = int(rng.integers(1, 4))
        factor = np.exp(rng.uniform(np.log(2), np.log(20), count))
        outliers = rng.choice(size, count, replace=False)
        activity, readout = base.activity.copy(), base.readout.copy()
        preferred = rng.integers(0, classes, count)
        stronger, weight = _outlier_neurons(rng, factor, preferred, base.labels, noise)
        activity[outliers] = stronger * np.sqrt(classes * np.mean(base.activity**2)) / BULK_ACTIVITY
        readout[outliers] = weight * np.sqrt(classes * np.mean(base.readout**2)) / np.linalg.norm(BULK_READOUT)
        if 0.25 <= _outlier_share(activity, readout, base.labels, outliers) <= 0.75:
            kind = "redundant + outliers"
            return _planted("undecided", kind, "unbounded", activity, readout, base.labels, outliers=outliers)


def plant_analog_and_outliers(
    rng: np.random.Generator,
    size: int,
    noise: float = 1.0,
    classes: int = 3,
    labels: Int[np.ndarray, " P"] | None = None,
) -> Planted:
    """A selective Gaussian bulk beside one to three outliers 4 to 20 times stronger.

    Outliers and bulk both carry at least a quarter of the class-specific output.
    """
    labels, classes = _classes(labels, classes)
    while True:
        # Loosely coupled readouts give a wide bulk little output, so that few outliers can be a share of it.
        coupling = np.exp(rng.uniform(np.log(0.02), 0))
        mean = rng.standard_normal((size, classes))
        readout = coupling * mean + np.sqrt(1 - coupling**2) * rng.standard_normal((size, classes))
        count = int(rng.integers(1, 4))
        factor = np.exp(rng.uniform(np.log(4), np.log(20), count))
        outliers = rng.choice(size, count, replace=False)
        preferred = np.resize(rng.permutation(classes), count)
        activity = mean[:, labels] + 0.7 * noise * rng.standard_normal((size, len(labels)))
        stronger, weight = _outlier_neurons(rng, factor, preferred, labels, noise)
        activity[outliers] = stronger * np.sqrt(classes) / BULK_ACTIVITY
        readout[outliers] = weight * np.sqrt(classes) / np.linalg.norm(BULK_READOUT)
        if 0.25 <= _outlier_share(activity, readout, labels, outliers) <= 0.75:
            return _planted("undecided", "analog + outliers", "unbounded", activity, readout, labels, outliers=outliers)


def plant_unselective(
    rng: np.random.Generator,
    size: int,
    noise: float = 1.0,
    classes: int = 3,
    scaling: Scaling = "unbounded",
    labels: Int[np.ndarray, " P"] | None = None,
) -> Planted:
    """Neurons that differ but do not tell classes apart: the prior."""
    labels, classes = _classes(labels, classes)
    drive = rng.standard_normal((size, 1)) + 0.7 * noise * rng.standard_normal((size, len(labels)))
    activity = np.maximum(drive, 0) if scaling == "unbounded" else _ranged(norm.cdf(drive), scaling)
    readout = rng.standard_normal((size, classes))
    return _planted("undecided", "unselective", scaling, _any_unit(rng, scaling, activity), readout, labels)


def plant_rectified(
    rng: np.random.Generator,
    size: int,
    noise: float = 1.0,
    classes: int = 3,
    labels: Int[np.ndarray, " P"] | None = None,
) -> Planted:
    """One Gaussian cloud of drives, rectified a quarter to one and a half standard deviations above its mean, so that
    many neurons are silent for a class and the others answer in graded strength: between analog and sparse, as more
    than a fifth of the neurons carry the output."""
    labels, classes = _classes(labels, classes)
    while True:
        coupled = rng.random() < 0.5
        latent = _gaussian_latents(rng, size, classes, 2 * classes, None if coupled else 1.0)
        mean, readout = latent[:, :classes] - rng.uniform(0.25, 1.5), latent[:, classes:]
        if coupled:
            readout = readout + rng.uniform(0, 2) * np.maximum(mean, 0)
        spread = 0.7 * noise * rng.random()
        activity = np.maximum(mean[:, labels] + spread * rng.standard_normal((size, len(labels))), 0)
        if carriers(output_parts(population(activity, readout, labels))) > size / 5:
            activity = _any_unit(rng, "unbounded", activity)
            return _planted("undecided", "rectified cloud", "unbounded", activity, readout, labels)


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
    samples, noise from low to high, any scaling, few codes or many, and mixtures, rectified clouds or unselective
    neurons for `undecided`."""
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
        case "undecided" if chance < 0.85:
            return plant_rectified(rng, size, noise, labels=labels)
        case "undecided":
            return plant_unselective(rng, size, noise, scaling=scaling, labels=labels)
    raise ValueError(f"there is no planted population {truth!r}")


def _classes(labels: Int[np.ndarray, " P"] | None, classes: int) -> tuple[Int[np.ndarray, " P"], int]:
    return (planted_labels(classes), classes) if labels is None else (labels, int(labels.max()) + 1)


def _ranged(level: Float[np.ndarray, "N P"], scaling: Scaling) -> Float[np.ndarray, "N P"]:
    """Levels in [0, 1] on the scale of the activities."""
    return {"sigmoidal": level, "odd": 2 * level - 1, "unbounded": 4 * level}[scaling]


def _strings(bits: Int[np.ndarray, "N G"]) -> tuple[str, ...]:
    return tuple("".join("01"[bit] for bit in row) for row in bits)


def _planted(
    truth: Truth,
    kind: str,
    scaling: Scaling,
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


def _any_unit(rng: np.random.Generator, scaling: Scaling, activity: Float[np.ndarray, "N P"]) -> np.ndarray:
    """Unbounded activities come in any unit."""
    return activity * np.exp(rng.uniform(-2, 2)) if scaling == "unbounded" else activity


def _gaussian_latents(
    rng: np.random.Generator, size: int, classes: int, rank: int | None, condition: float | None
) -> Float[np.ndarray, "N two_G"]:
    """Gaussian class means and readouts with a random covariance, mean square 1."""
    rank = int(rng.integers(1, 2 * classes + 1)) if rank is None else rank
    condition = float(np.exp(rng.uniform(0, np.log(10)))) if condition is None else condition
    directions = np.linalg.qr(rng.standard_normal((2 * classes, rank)))[0].T
    spectrum = np.geomspace(1, 1 / condition, rank)
    spectrum *= np.sqrt(2 * classes / np.sum(spectrum**2))
    return (rng.standard_normal((size, rank)) * spectrum) @ directions


def _random_codes(rng: np.random.Generator, count: int, classes: int) -> Int[np.ndarray, "K G"]:
    """Distinct codes without the silent one; the classes differ in at least one code."""
    every = np.array(list(itertools.product([0, 1], repeat=classes)))[1:]
    while True:
        bits = every[rng.choice(len(every), count, replace=False)]
        if np.any(bits.min(1) < bits.max(1)):
            return bits


def _coded_neurons(
    rng: np.random.Generator,
    bits: Int[np.ndarray, "K G"],
    member: Int[np.ndarray, " N"],
    labels: Int[np.ndarray, " P"],
    noise: float,
) -> tuple[Float[np.ndarray, "N P"], Float[np.ndarray, "N G"]]:
    """Activities in [0, 1], high for the classes of the code, and readouts of the same sign pattern; each code has
    levels of its own."""
    drive, on, off = _levels(rng, bits.shape)
    return _levelled_neurons(rng, bits[member], drive[member], on[member], off[member], labels, noise)


def _levels(
    rng: np.random.Generator, shape: tuple[int, int]
) -> tuple[Float[np.ndarray, "K G"], Float[np.ndarray, "K G"], Float[np.ndarray, "K G"]]:
    """Sizes of drives and of readouts where a bit is on and off."""
    return rng.uniform(1.2, 2.2, shape), rng.uniform(1.2, 2.4, shape), rng.uniform(0.5, 1.5, shape)


def _levelled_neurons(
    rng: np.random.Generator,
    bits: Int[np.ndarray, "N G"],
    drive: Float[np.ndarray, "M G"],
    on: Float[np.ndarray, "M G"],
    off: Float[np.ndarray, "M G"],
    labels: Int[np.ndarray, " P"],
    noise: float,
) -> tuple[Float[np.ndarray, "N P"], Float[np.ndarray, "N G"]]:
    sign = 2 * bits - 1
    neuron = sign * drive + 0.1 * noise * rng.standard_normal(bits.shape)
    sample = neuron[:, labels] + 0.6 * noise * rng.standard_normal((len(bits), len(labels)))
    return norm.cdf(sample), sign * np.where(bits == 1, on, off) + 0.12 * noise * rng.standard_normal(bits.shape)


def _bulk(
    rng: np.random.Generator, size: int, noise: float, classes: int, tilt: float
) -> tuple[Float[np.ndarray, "N G"], Float[np.ndarray, "N G"]]:
    """Mean drive and readouts of bulk neurons of a rectified network."""
    typical = np.full(classes, BULK_READOUT[1])
    typical[0] = BULK_READOUT[0]
    readout = typical + 0.13 * noise * rng.standard_normal((size, classes))
    drive = 0.9 * typical + 0.1 * noise * rng.standard_normal((size, classes)) + tilt * (readout - typical)
    return drive, readout


def _outlier_neurons(
    rng: np.random.Generator,
    factor: Float[np.ndarray, " K"],
    preferred: Int[np.ndarray, " K"],
    labels: Int[np.ndarray, " P"],
    noise: float,
) -> tuple[Float[np.ndarray, "K P"], Float[np.ndarray, "K G"]]:
    """Neurons for one class each, `factor` times stronger than the bulk in activity and in readout."""
    chosen = preferred[:, None] == np.arange(labels.max() + 1)
    strength = factor[:, None]
    drive = np.where(chosen[:, labels], strength * BULK_ACTIVITY, -1.5)
    drive = drive + (0.4 + 0.3 * noise) * rng.standard_normal(drive.shape)
    size = strength * np.linalg.norm(BULK_READOUT)
    readout = size * np.where(chosen, 1, -0.1) + 0.13 * noise * rng.standard_normal(chosen.shape)
    return np.maximum(drive, 0), readout


def _outlier_share(
    activity: Float[np.ndarray, "N P"],
    readout: Float[np.ndarray, "N C"],
    labels: Int[np.ndarray, " P"],
    outliers: Int[np.ndarray, " K"],
) -> float:
    mean = population(activity, readout, labels).activity
    total = mean.T @ readout
    total = total - total.mean(0)
    return float(np.sum(total * (mean[outliers].T @ readout[outliers])) / np.sum(total**2))
