"""Do the error bars and nulls of described populations hold? Simulations with known truth.

    python experiments/population_statistics.py [--simulations K]

Two factors and their product along random directions of many neurons: parallelism is (1 - q^2) / (1 + q^2) and the
class means have (2 + q^2)^2 / (2 + q^4) dimensions, with q the strength of the product, whatever the noise. Writes
results/population_statistics.md.
"""

from collections.abc import Callable

import numpy as np
from entry import Entry, Table

from codingschemes.populations.decoders import decoders
from codingschemes.populations.geometry import Halves, Samples, dimensions, parallelism_of
from codingschemes.populations.nulls import break_geometry
from codingschemes.populations.resampling import draws, interval, null_of, standard_error

FACTORS = np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
NO_SIDES = np.zeros((0, 4))
BOOTSTRAPS, SHUFFLES, PRODUCT = 30, 39, 0.5
TRUTH = {
    "parallelism": (1 - PRODUCT**2) / (1 + PRODUCT**2),
    "dimensions": (2 + PRODUCT**2) ** 2 / (2 + PRODUCT**4),
}
CONDITIONS = {
    "50 neurons, 5 trials, noise 1": (50, [5] * 4, 1.0, 0.0),
    "100 neurons, 10 trials, noise 2": (100, [10] * 4, 2.0, 0.0),
    "100 neurons, 4 to 30 trials, noise 2": (100, [4, 8, 16, 30], 2.0, 0.0),
    "100 neurons, 10 trials, noise 1, half of it shared": (100, [10] * 4, 1.0, 0.5),
}
GAINS = {"equal gains": 0.0, "gains over a factor of 20 (95 %)": 0.75}
#: How often each trial, and each neuron, was drawn.
Drawn = tuple[np.ndarray, np.ndarray]
Score = Callable[[Samples, Drawn], tuple[float, float]]


def noise_of(rng: np.random.Generator, samples: int, neurons: int, size: float, shared: float) -> np.ndarray:
    """Noise of each neuron, and a part of its variance that goes along one direction of all neurons."""
    own, common = rng.standard_normal((samples, neurons)), rng.standard_normal((samples, 1))
    return size * (np.sqrt(1 - shared) * own + np.sqrt(shared) * common * rng.standard_normal(neurons))


def factorised(rng: np.random.Generator, neurons: int, trials: list[int], noise: float, shared: float) -> Samples:
    labels = np.repeat(np.arange(4), trials)
    means = np.column_stack([FACTORS, PRODUCT * FACTORS.prod(1)]) @ rng.standard_normal((3, neurons))
    return Samples(means[labels] + noise_of(rng, len(labels), neurons, noise, shared), labels)


def parallelism(samples: Samples, drawn: Drawn) -> tuple[float, float]:
    plain, corrected = samples.kernels(*drawn)
    return parallelism_of(plain, FACTORS, NO_SIDES), parallelism_of(corrected, FACTORS, NO_SIDES)


def measured(
    rng: np.random.Generator, samples: Samples, score: Score, low: float, high: float
) -> tuple[float, float, tuple[float, float]]:
    """Plain and corrected value, and the interval about the latter."""
    every = (np.ones(len(samples.labels)), np.ones(samples.activity.shape[1]))
    plain, value = score(samples, every)
    drawn = draws(samples.labels, samples.activity.shape[1], BOOTSTRAPS, rng)
    error = standard_error(np.array([[score(samples, each)[1] for each in three] for three in drawn]))
    return plain, value, interval(value, error, BOOTSTRAPS, low, high) or (np.nan, np.nan)


def coverage(count: int) -> Table:
    table = Table("data", "score", "truth", "uncorrected, mean", "corrected, mean", "95 % interval holds the truth")
    for name, (neurons, trials, noise, shared) in CONDITIONS.items():
        rng = np.random.default_rng(0)
        wanted: list[tuple[str, Score, tuple[float, float], int]] = [("parallelism", parallelism, (-1.0, 1.0), count)]
        if "10 trials" in name:
            wanted.append(("dimensions", with_halves, (1.0, np.inf), count // 3))
        for quantity, score, (low, high), repeats in wanted:
            found = [
                measured(rng, factorised(rng, neurons, trials, noise, shared), score, low, high) for _ in range(repeats)
            ]
            plain, value, bounds = (np.array(each) for each in zip(*found, strict=True))
            truth = TRUTH[quantity]
            inside = int(np.sum((bounds[:, 0] <= truth) & (truth <= bounds[:, 1])))
            corrected = f"{np.nanmean(value):.3f} ± {np.nanstd(value) / np.sqrt(repeats):.3f}"
            held = f"{inside / repeats:.0%} of {repeats}"
            table.row(name, quantity, f"{truth:.3f}", f"{np.mean(plain):.3f}", corrected, held)
    return table


def with_halves(samples: Samples, drawn: Drawn) -> tuple[float, float]:
    return dimensions(samples.kernels(*drawn)[0]), Halves.of(samples, 0).dimensions(samples, *drawn)


def false_alarms(count: int) -> Table:
    """Class means in unrelated directions: geometry says nothing; and no classes at all: labels say nothing."""
    table = Table("data", "null", "false alarms")
    labels = np.repeat(np.arange(4), 10)
    every = (np.ones(40), np.ones(60))
    trained = decoders(labels, FACTORS, NO_SIDES, 8, 0)
    for name, spread in GAINS.items():
        alarms = {"parallelism, geometry broken": 0, "CCGP, geometry broken": 0, "parallelism, labels shuffled": 0}
        rng = np.random.default_rng(1)
        for _ in range(count):
            gains = np.exp(spread * rng.standard_normal(60))
            base = 3 * rng.standard_normal(60)
            means = rng.standard_normal((4, 60))
            unrelated = Samples(base + gains * (means[labels] + 2 * rng.standard_normal((40, 60))), labels)
            nothing = Samples(base + gains * rng.standard_normal((40, 60)), labels)
            broken = [Samples(break_geometry(unrelated, rng), labels) for _ in range(SHUFFLES)]
            shuffled = [Samples(nothing.activity[rng.permutation(40)], labels) for _ in range(SHUFFLES)]
            told = [
                (unrelated, broken, lambda each: parallelism(each, every)[0]),
                (unrelated, broken, lambda each: trained.ccgp(each.activity @ each.activity.T, labels)),
                (nothing, shuffled, lambda each: parallelism(each, every)[0]),
            ]
            for key, (data, without, score) in zip(alarms, told, strict=True):
                null = null_of(score(data), [score(each) for each in without], key)
                alarms[key] += null is not None and null.p <= 0.05
        for key, found in alarms.items():
            table.row(name, key, f"{found / count:.1%} of {count}")
    return table


def main() -> None:
    entry = Entry(__doc__, quick={"simulations": 3})
    entry.add_argument("--simulations", type=int, default=100)
    options, out = entry.begin()
    count = options.simulations
    alarms, intervals = false_alarms(count), coverage(count)
    text = f"""# Error bars and nulls of described populations

Simulations with known truth, four classes of two factors (`python experiments/population_statistics.py`). The standard
error of a frequency of {count} is {np.sqrt(0.95 * 0.05 / count):.1%} at 95 %.

{intervals}

False alarms of the nulls at p <= .05, where there is nothing to find ({SHUFFLES} shuffles; 60 neurons, 10 trials a
class):

{alarms}

Intervals are {BOOTSTRAPS} draws of neurons and trials. Accuracies of decoders have the same intervals; how often these
hold their expectation has not been measured.
"""
    out.page("results/population_statistics.md", text)


if __name__ == "__main__":
    main()
