"""How abstract a population is: every score with its noise correction, error bar and null."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Float, Int

from codingschemes.populations.decoders import DECODED, Decoders, decoders
from codingschemes.populations.geometry import Halves, Moments, Samples, dimensions, parallelism_of
from codingschemes.populations.nulls import GEOMETRY, LABELS, break_geometry
from codingschemes.populations.population import Population
from codingschemes.populations.resampling import (
    PLAIN,
    SHARE,
    STEP,
    Measured,
    Resample,
    Scale,
    draws,
    interval,
    null_of,
    scores_of_shuffles,
    standard_error,
)
from codingschemes.progress import tracked
from codingschemes.representation import balanced_dichotomies
from codingschemes.representation.abstraction import BY_CONTEXTS, BY_DICHOTOMIES, UNDEFINED
from codingschemes.representation.parallelism import MATCHING_CLASS_LIMIT

RANGES = {
    "parallelism": (-1.0, 1.0),
    "ccgp": (0.0, 1.0),
    "shattering": (0.0, 1.0),
    "decoding": (0.0, 1.0),
    "participation": (1.0, np.inf),
}
SCALES: dict[str, Scale] = {"shattering": SHARE, "decoding": SHARE}
"""Of scores that are shares of tested samples. CCGP is rather one of geometries: its errors are those of coding
directions, and do not shrink towards 1."""
LOWER = ("participation",)
"""Scores that are small where representations are abstract: p counts shuffles with as small a score."""
MOST_DICHOTOMIES = 35
"""Of which parallelism is the largest where there are no factors: all of 8 classes."""
_QUICKLY_DECODED, _FEWEST_DRAWS = 300, 8
"""Samples up to which decoders are trained in every bootstrap draw; beyond, in fewer, as their cost grows with the
square."""
_SINGLE = "a class has a single sample, so none is left to test a decoder on"
_NO_DICHOTOMY = "{classes} classes have no balanced dichotomies to compare: this takes an even number of at least 4"
_MATCHINGS = f"more than {MATCHING_CLASS_LIMIT} classes have too many matchings: give `factors`"
_NOISE = "differences of class means are no longer than noise makes them"


@dataclass(frozen=True)
class Abstraction:
    """The abstraction of a population.

    Attributes:
        definition: of parallelism and CCGP, in words.
        parallelism: of coding directions, corrected for noise.
        ccgp: cross-condition generalization performance.
        shattering: mean accuracy over balanced dichotomies.
        decoding: accuracy of naming the class; chance is one over the number of classes.
        participation: effective dimensions of the class means, corrected for noise and for the number of neurons; its
            null is that of broken geometry, where dimensions are as many as classes allow.
        samples_decoded: how many samples decoders saw.

    Example:
        >>> sorted(description.abstraction.scores)
        ['ccgp', 'decoding', 'parallelism', 'participation', 'shattering']
    """

    definition: str
    parallelism: Measured
    ccgp: Measured
    shattering: Measured
    decoding: Measured
    participation: Measured
    samples_decoded: int

    @property
    def scores(self) -> dict[str, Measured]:
        """By name."""
        return {name: getattr(self, name) for name in RANGES}


@dataclass(frozen=True)
class _Scorer:
    """All scores of one set of drawn samples and neurons."""

    samples: Samples
    thinned: Samples
    decoders: Decoders
    halves: Halves | None
    factors: Float[np.ndarray, "G F"] | None
    sides: Float[np.ndarray, "D G"]

    def moments(self, weights: Float[np.ndarray, " P"]) -> tuple[Moments, Moments | None]:
        """Of all samples, and of halves of them."""
        halves = None if self.halves is None else self.halves.moments(self.samples, weights)
        return self.samples.moments(weights[None]), halves

    def geometry(
        self, moments: tuple[Moments, Moments | None], neurons: Float[np.ndarray, " N"]
    ) -> Float[np.ndarray, " four"]:
        """Parallelism and dimensions, plain and corrected."""
        whole, halves = moments
        plain, corrected = (kernel[0] for kernel in whole.kernels(neurons[None]))
        parallelism = [parallelism_of(kernel, self.factors, self.sides) for kernel in (plain, corrected)]
        beyond_noise = float("nan") if self.halves is None else self.halves.dimensions(halves, neurons)
        return np.array([*parallelism, dimensions(plain), beyond_noise])

    def decoding_scores(self, drawn: Resample) -> Float[np.ndarray, " three"]:
        """CCGP, shattering and decoding; samples drawn several times are so many samples."""
        taken = np.repeat(np.arange(len(drawn.samples)), drawn.samples.astype(int))
        activity, weights = self.thinned.activity, drawn.neurons / drawn.neurons.sum()
        kernel = ((activity * weights) @ activity.T)[np.ix_(taken, taken)]
        labels, fold = self.thinned.labels[taken], self.decoders.fold
        scores = self._shattering_and_decoding(kernel, labels, None if fold is None else fold[taken])
        return np.array([self.decoders.ccgp(kernel, labels), *scores])

    def without_labels(self, rng: np.random.Generator) -> Float[np.ndarray, " three"]:
        """Plain parallelism, shattering and decoding with labels shuffled."""
        shuffled = Samples(self.samples.activity[rng.permutation(len(self.samples.labels))], self.samples.labels)
        plain, _ = shuffled.kernels(*_all(shuffled))
        few = self.thinned.activity[rng.permutation(len(self.thinned.labels))]
        scores = self._shattering_and_decoding(few @ few.T, self.thinned.labels, self.decoders.fold)
        return np.array([parallelism_of(plain, self.factors, self.sides), *scores])

    def _shattering_and_decoding(
        self, kernel: Float[np.ndarray, "K K"], labels: Int[np.ndarray, " K"], fold: Int[np.ndarray, " K"] | None
    ) -> tuple[float, float]:
        """Shattering and decoding."""
        if fold is None:
            return float("nan"), float("nan")
        return self.decoders.shattering(kernel, labels, fold), self.decoders.decoding(kernel, labels, fold)

    def without_geometry(self, rng: np.random.Generator) -> Float[np.ndarray, " three"]:
        """Plain parallelism, CCGP and dimensions with geometry broken."""
        broken = Samples(break_geometry(self.samples, rng), self.samples.labels)
        plain, _ = broken.kernels(*_all(broken))
        few = break_geometry(self.thinned, rng)
        ccgp = self.decoders.ccgp(few @ few.T / few.shape[1], self.thinned.labels)
        return np.array([parallelism_of(plain, self.factors, self.sides), ccgp, dimensions(plain)])


def _all(samples: Samples) -> Resample:
    """Every sample and neuron once."""
    return Resample(np.ones(len(samples.activity)), np.ones(samples.activity.shape[1]))


def abstraction_of(
    population: Population,
    bootstraps: int,
    shuffles: int,
    seed: int,
    max_samples: int,
    max_dichotomies: int,
    max_splits: int,
) -> Abstraction:
    """Scores, errors and nulls; see `describe` for the arguments."""
    classes = population.class_count
    dichotomous = classes >= 4 and classes % 2 == 0
    none = np.zeros((0, classes))
    sides = balanced_dichotomies(classes, MOST_DICHOTOMIES, seed) if dichotomous else none
    decoded_sides = balanced_dichotomies(classes, max_dichotomies, seed) if dichotomous else none
    few = population.thin(max_samples, seed)
    samples, thinned = Samples(population.activity, population.labels), Samples(few.activity, few.labels)
    scorer = _Scorer(
        samples,
        thinned,
        decoders(thinned.labels, population.factors, decoded_sides, max_splits, seed),
        Halves.of(samples, seed) if samples.sizes.min() >= 4 and population.size > 1 else None,
        population.factors,
        sides,
    )
    every = _all(samples)
    geometry, decoded = (
        scorer.geometry(scorer.moments(every.samples), every.neurons),
        scorer.decoding_scores(_all(thinned)),
    )
    rng = np.random.default_rng(seed)
    errors = _errors(scorer, bootstraps, rng)
    unlabelled = scores_of_shuffles(shuffles, partial(scorer.without_labels, rng), "shuffling labels", 3)
    unrelated = scores_of_shuffles(shuffles, partial(scorer.without_geometry, rng), "breaking geometry", 3)
    nulls = {
        "parallelism": ((unrelated[:, 0], GEOMETRY), (unlabelled[:, 0], LABELS)),
        "ccgp": ((unrelated[:, 1], GEOMETRY),),
        "shattering": ((unlabelled[:, 1], LABELS),),
        "decoding": ((unlabelled[:, 2], LABELS),),
        "participation": ((unrelated[:, 2], GEOMETRY),),
    }
    plain = {
        "parallelism": geometry[0],
        "participation": geometry[2],
        **dict(zip(DECODED, decoded, strict=True)),
    }
    better = {"parallelism": geometry[1], "participation": geometry[3]}
    correctable = {"parallelism": samples.sizes.min() > 1, "participation": scorer.halves is not None}
    measured = {
        name: _score(
            name,
            plain[name],
            better.get(name) if correctable.get(name) else None,
            errors,
            nulls[name],
            decoded_draws(bootstraps, len(thinned.labels)) if name in DECODED else bootstraps,
            _reason(name, population, few, sides),
        )
        for name in RANGES
    }
    return Abstraction(
        BY_CONTEXTS if population.factors is not None else BY_DICHOTOMIES if dichotomous else UNDEFINED,
        samples_decoded=len(thinned.labels),
        **measured,
    )


def decoded_draws(bootstraps: int, samples: int) -> int:
    """In how many bootstrap draws decoders of so many samples are trained."""
    affordable = int(bootstraps * (_QUICKLY_DECODED / samples) ** 2)
    return min(bootstraps, max(_FEWEST_DRAWS, affordable))


def _errors(scorer: _Scorer, bootstraps: int, rng: np.random.Generator) -> dict[tuple[str, bool], float]:
    """Standard errors by score, plain and corrected."""
    neurons = scorer.samples.activity.shape[1]
    whole = draws(scorer.samples.labels, neurons, bootstraps, rng, STEP)
    few = draws(scorer.thinned.labels, neurons, bootstraps, rng)
    once = scorer.moments(np.ones(len(scorer.samples.labels)))
    found = np.full((bootstraps, 3, 7), np.nan)
    trained = decoded_draws(bootstraps, len(scorer.thinned.labels))
    for index, (drawn, decoded) in enumerate(
        tracked(zip(whole, few, strict=True), "drawing neurons and samples anew", bootstraps)
    ):
        anew = scorer.moments(drawn[1].samples)
        for column, moments in enumerate((once, anew, anew)):
            found[index, column, :4] = scorer.geometry(moments, drawn[column].neurons)
            if index < trained:
                found[index, column, 4:] = scorer.decoding_scores(decoded[column])
    columns = [
        ("parallelism", False),
        ("parallelism", True),
        ("participation", False),
        ("participation", True),
        *((name, False) for name in DECODED),
    ]
    return {
        column: standard_error(
            SCALES.get(column[0], PLAIN).to(found[:, :, place]), 1.0 if column[0] in DECODED else STEP
        )
        for place, column in enumerate(columns)
    }


def _score(
    name: str,
    plain: float,
    better: float | None,
    errors: dict[tuple[str, bool], float],
    nulls: tuple[tuple[Float[np.ndarray, " S"], str], ...],
    bootstraps: int,
    reason: str,
) -> Measured:
    """One score.

    Args:
        better: the corrected score; None where too few samples forbid a correction, NaN where nothing is left of the
            effect when noise is taken off.
    """
    low, high = RANGES[name]
    if not np.isfinite(plain):
        return Measured(None, None, reason=reason)
    compared = (null_of(float(plain), each.tolist(), broken, lower=name in LOWER) for each, broken in nulls)
    found = tuple(null for null in compared if null is not None)
    if better is not None and not np.isfinite(better):
        return Measured(None, float(plain), nulls=found, reason=_NOISE)
    corrected = better is not None
    value = float(plain) if better is None else float(np.clip(better, low, high))
    scale, cosine = SCALES.get(name, PLAIN), name == "parallelism"
    bounds = interval(value, errors[name, corrected], bootstraps, low, high, cosine=cosine, scale=scale)
    return Measured(value, float(plain), bounds, found, corrected=corrected)


def _reason(name: str, population: Population, few: Population, sides: Float[np.ndarray, "D G"]) -> str:
    if name in ("shattering", "decoding") and few.class_sizes.min() < 2:
        return _SINGLE
    if name in ("parallelism", "ccgp") and population.factors is not None:
        return "a factor has fewer than two contexts, so no two coding directions can be compared"
    if not len(sides) and name in ("parallelism", "ccgp", "shattering"):
        return _NO_DICHOTOMY.format(classes=population.class_count)
    if name == "parallelism" and population.factors is None and population.class_count > MATCHING_CLASS_LIMIT:
        return _MATCHINGS
    return _NOISE
