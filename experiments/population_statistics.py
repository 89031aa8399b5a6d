"""Do the error bars and nulls of described populations hold? Simulations with known truth.

    python experiments/population_statistics.py [--simulations K] [--decoded D] [--only intervals|decoders|alarms]

About 15 minutes on one core. Two to four factors along random directions of many neurons, and a direction of its own
for each class, q times as strong: parallelism is 1 / (1 + q^2 / 2), and the dimensions of class means follow from the
eigenvalues of their covariance, G + q^2 for each factor and q^2 else, whatever the noise. Accuracies of decoders have
no such formula: their truth is the mean over simulations. Writes the tables of results/population_statistics.md.
"""

from collections.abc import Callable
from itertools import product
from typing import NamedTuple

import numpy as np
from entry import Entry, Table

import codingschemes as cs
from codingschemes.populations.abstraction import SCALES
from codingschemes.populations.axes import axes_of
from codingschemes.populations.decoders import decoders
from codingschemes.populations.geometry import Halves, Samples, dimensions, parallelism_of
from codingschemes.populations.nulls import break_geometry
from codingschemes.populations.resampling import PLAIN, STEP, draws, interval, null_of, standard_error
from codingschemes.representation import balanced_dichotomies

BOOTSTRAPS, SHUFFLES, OWN = 20, 39, 0.8
NO_SIDES = np.zeros((0, 4))


class Condition(NamedTuple):
    """Of a simulated recording.

    Attributes:
        neurons: their number.
        factors: two to the power of them are the classes.
        trials: least and most of a class.
        noise: standard deviation of a trial, where that of a factor's direction is 1.
        shared: the part of its variance that goes along one direction of all neurons.
    """

    neurons: int
    factors: int
    trials: tuple[int, int]
    noise: float
    shared: float = 0.0

    @property
    def name(self) -> str:
        least, most = self.trials
        trials = f"{least}" if least == most else f"{least} to {most}"
        shared = f", {self.shared:.0%} of it shared" if self.shared else ""
        return f"{self.neurons} neurons, {2**self.factors} classes, {trials} trials, noise {self.noise:g}{shared}"

    @property
    def signs(self) -> np.ndarray:
        return np.array(list(product([-1.0, 1.0], repeat=self.factors)))

    @property
    def sizes(self) -> np.ndarray:
        return np.linspace(*self.trials, 2**self.factors).round().astype(int)

    @property
    def truth(self) -> dict[str, float]:
        classes = 2**self.factors
        values = np.repeat([classes + OWN**2, OWN**2], [self.factors, classes - 1 - self.factors])
        return {"parallelism": 1 / (1 + OWN**2 / 2), "dimensions": float(values.sum() ** 2 / np.sum(values**2))}


GEOMETRY = (
    Condition(30, 2, (5, 5), 1.0),
    Condition(100, 2, (10, 10), 2.0),
    Condition(100, 2, (4, 30), 2.0),
    Condition(100, 2, (10, 10), 1.0, 0.5),
    Condition(100, 2, (5, 100), 2.0),
    Condition(100, 4, (5, 5), 1.0),
    Condition(2000, 2, (5, 5), 2.0),
)
DECODED = (Condition(60, 2, (6, 12), 4.0), Condition(60, 1, (10, 10), 4.0))
GAINS = {"equal gains": 0.0, "gains over a factor of 20 (95 %)": 0.75}
#: How often each trial, and each neuron, was drawn.
Drawn = tuple[np.ndarray, np.ndarray]
#: A plain score and the one that is shown.
Score = Callable[[Samples, Drawn], tuple[float, float]]


def factorised(rng: np.random.Generator, condition: Condition) -> Samples:
    signs, neurons = condition.signs, condition.neurons
    means = np.hstack([signs, OWN * np.eye(len(signs))]) @ rng.standard_normal((sum(signs.shape), neurons))
    labels = np.repeat(np.arange(len(signs)), condition.sizes)
    own, common = rng.standard_normal((len(labels), neurons)), rng.standard_normal((len(labels), 1))
    mixed = np.sqrt(1 - condition.shared) * own + np.sqrt(condition.shared) * common * rng.standard_normal(neurons)
    return Samples(means[labels] + condition.noise * mixed, labels)


def parallelism(signs: np.ndarray) -> Score:
    def score(samples: Samples, drawn: Drawn) -> tuple[float, float]:
        plain, corrected = samples.kernels(*drawn)
        return parallelism_of(plain, signs, NO_SIDES), parallelism_of(corrected, signs, NO_SIDES)

    return score


def with_halves(samples: Samples, drawn: Drawn) -> tuple[float, float]:
    halves = Halves.of(samples, 0)
    return dimensions(samples.kernels(*drawn)[0]), halves.dimensions(halves.moments(samples, drawn[0]), drawn[1])


def decoded(condition: Condition) -> dict[str, Score]:
    """What decoders are trained on, by score."""
    signs, labels = condition.signs, np.repeat(np.arange(len(condition.signs)), condition.sizes)
    sides = balanced_dichotomies(len(signs)) if len(signs) > 2 else np.zeros((0, len(signs)))
    trained = decoders(labels, signs, sides, 8, 0)
    assert trained.fold is not None
    fold = trained.fold

    def scored(function: Callable[[np.ndarray, np.ndarray, np.ndarray], float]) -> Score:
        def score(samples: Samples, drawn: Drawn) -> tuple[float, float]:
            taken = np.repeat(np.arange(len(labels)), drawn[0].astype(int))
            kernel = ((samples.activity * drawn[1] / drawn[1].sum()) @ samples.activity.T)[np.ix_(taken, taken)]
            value = function(kernel, labels[taken], fold[taken])
            return value, value

        return score

    if len(signs) == 2:
        return {"decoding": scored(trained.decoding)}
    return {
        "CCGP": scored(lambda kernel, own, _: trained.ccgp(kernel, own)),
        "shattering": scored(trained.shattering),
        "decoding": scored(trained.decoding),
    }


def measured(
    rng: np.random.Generator, samples: Samples, score: Score, quantity: str
) -> tuple[float, float, tuple[float, float]]:
    """Plain and corrected value, and the interval about the latter, as `describe` has it."""
    low, high = {"parallelism": (-1.0, 1.0), "dimensions": (1.0, np.inf)}.get(quantity, (0.0, 1.0))
    step, scale = (STEP if quantity in ("parallelism", "dimensions") else None), SCALES.get(quantity, PLAIN)
    neurons = samples.activity.shape[1]
    plain, value = score(samples, (np.ones(len(samples.labels)), np.ones(neurons)))
    drawn = draws(samples.labels, neurons, BOOTSTRAPS, rng, step)
    scores = np.array([[score(samples, each)[1] for each in three] for three in drawn])
    error = standard_error(scale.to(scores), step or 1.0)
    cosine = quantity == "parallelism"
    bounds = interval(value, error, BOOTSTRAPS, low, high, cosine=cosine, scale=scale)
    return plain, value, bounds or (np.nan, np.nan)


def row(table: Table, condition: Condition, quantity: str, score: Score, truth: float | None, repeats: int) -> None:
    """How often intervals hold the truth, or the mean where there is none."""
    rng = np.random.default_rng(0)
    found = [measured(rng, factorised(rng, condition), score, quantity) for _ in range(repeats)]
    plain, value, bounds = (np.array(each) for each in zip(*found, strict=True))
    expected = float(np.mean(value)) if truth is None else truth
    inside = (bounds[:, 0] <= expected) & (expected <= bounds[:, 1])
    shown, spread = "mean" if truth is None else f"{truth:.3f}", np.nanstd(value) / np.sqrt(repeats)
    cells = (f"{np.mean(plain):.3f}", f"{np.nanmean(value):.3f} ± {spread:.3f}", f"{inside.mean():.0%} of {repeats}")
    table.row(condition.name, quantity, shown, *cells)


def intervals(count: int) -> Table:
    table = Table("data", "score", "truth", "uncorrected, mean", "corrected, mean", "95 % interval holds the truth")
    for condition in GEOMETRY:
        truth = condition.truth
        row(table, condition, "parallelism", parallelism(condition.signs), truth["parallelism"], count)
        if condition.trials == (10, 10):
            row(table, condition, "dimensions", with_halves, truth["dimensions"], max(2, count // 2))
    return table


def accuracies(count: int) -> Table:
    table = Table("data", "score", "truth", "uncorrected, mean", "mean", "95 % interval holds the truth")
    for condition in DECODED:
        for quantity, score in decoded(condition).items():
            row(table, condition, quantity, score, None, count)
    return table


def false_alarms(count: int, few: int) -> Table:
    """Class means in unrelated directions: geometry says nothing; and no classes at all: labels say nothing."""
    table = Table("data", "null", "false alarms")
    labels, signs = np.repeat(np.arange(4), 10), Condition(60, 2, (10, 10), 0).signs
    every = (np.ones(40), np.ones(60))
    trained = decoders(labels, signs, balanced_dichotomies(4), 8, 0)
    assert trained.fold is not None
    fold = trained.fold
    scores: dict[str, tuple[str, Callable[[Samples], float]]] = {
        "parallelism, geometry broken": ("unrelated", lambda each: parallelism(signs)(each, every)[0]),
        "CCGP, geometry broken": ("unrelated", lambda each: trained.ccgp(each.activity @ each.activity.T, labels)),
        "dimensions, geometry broken": ("unrelated", lambda each: dimensions(each.kernels(*every)[0])),
        "parallelism, labels shuffled": ("nothing", lambda each: parallelism(signs)(each, every)[0]),
        "shattering, labels shuffled": (
            "nothing", lambda each: trained.shattering(each.activity @ each.activity.T, labels, fold)
        ),
        "decoding, labels shuffled": (
            "nothing", lambda each: trained.decoding(each.activity @ each.activity.T, labels, fold)
        ),
    }  # fmt: skip
    slow = ("shattering, labels shuffled", "decoding, labels shuffled")
    for name, spread in GAINS.items():
        alarms, told = dict.fromkeys(scores, 0), dict.fromkeys(scores, 0)
        rng = np.random.default_rng(1)
        for place in range(count):
            gains, base = np.exp(spread * rng.standard_normal(60)), 3 * rng.standard_normal(60)
            means = rng.standard_normal((4, 60))
            unrelated = Samples(base + gains * (means[labels] + 2 * rng.standard_normal((40, 60))), labels)
            nothing = Samples(base + gains * rng.standard_normal((40, 60)), labels)
            without = {
                "unrelated": [Samples(break_geometry(unrelated, rng), labels) for _ in range(SHUFFLES)],
                "nothing": [Samples(nothing.activity[rng.permutation(40)], labels) for _ in range(SHUFFLES)],
            }
            data = {"unrelated": unrelated, "nothing": nothing}
            for key, (what, score) in scores.items():
                if key in slow and place >= few:
                    continue
                lower = key.startswith("dimensions")
                null = null_of(score(data[what]), [score(each) for each in without[what]], key, lower=lower)
                alarms[key] += null is not None and null.p <= 0.05
                told[key] += 1
        for key, found in alarms.items():
            table.row(name, key, f"{found / told[key]:.1%} of {told[key]}")
    alone(table, few)
    return table


def alone(table: Table, count: int) -> None:
    """Nulls of groups, levels and states, where there are none."""
    rng, labels, groups, states, levels = np.random.default_rng(2), np.repeat(np.arange(4), 5), 0, 0, 0
    for place in range(count):
        means = rng.standard_normal((4, 4)) @ rng.standard_normal((4, 40))
        population = cs.Population(means[labels] + rng.standard_normal((20, 40)), labels)
        options = {"bootstraps": 0, "shuffles": SHUFFLES, "most": 6, "seed": place}
        null = cs.populations.functional_groups(population, **options).null
        groups += null is not None and null.p <= 0.05
        levels += (
            axes_of(Samples(population.activity, population.labels), SHUFFLES, place).two_levels.nulls[0].p <= 0.05
        )
        apart = np.exp(rng.standard_normal((60, 40)))
        found = cs.populations.recurring_states(apart, shuffles=SHUFFLES, seed=place)
        states += len(found.p) > 0 and found.p[0] <= 0.05
    table.row("40 neurons of one Gaussian", "groups, Gaussian neurons", f"{groups / count:.1%} of {count}")
    table.row("40 neurons of one Gaussian", "two levels, axes rotated", f"{levels / count:.1%} of {count}")
    table.row("40 skewed neurons, 60 samples", "states, neurons shuffled apart", f"{states / count:.1%} of {count}")


def main() -> None:
    entry = Entry(__doc__, quick={"simulations": 3, "decoded": 2})
    entry.add_argument("--simulations", type=int, default=200)
    entry.add_argument("--decoded", type=int, default=130, help="simulations in which decoders or mixtures are trained")
    entry.add_argument("--only", choices=["intervals", "decoders", "alarms"], help="one of the tables")
    options, out = entry.begin()
    tables = {
        "intervals": lambda: intervals(options.simulations),
        "decoders": lambda: accuracies(options.decoded),
        "alarms": lambda: false_alarms(options.simulations, options.decoded),
    }
    for name, made in tables.items():
        if options.only in (None, name):
            out.table("results/population_statistics.md", name, made())


if __name__ == "__main__":
    main()
