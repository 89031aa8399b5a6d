"""Which scheme do described populations get whose scheme was planted? Recordings have few trials and no readout.

    python experiments/population_verdicts.py [--repeats K]

About 3 minutes on one core. Analog, redundant (few codes or many), sparse (with a gap or without) and mixed
populations of 30 to 2,000 neurons, 2 to 16 classes and 5 to 100 trials of each or unequal numbers, low to high noise,
described with the readout they were planted with and without any; neat ones of a few equal codes; and shapes of no
scheme. Nothing is known of the activation. Writes results/population_verdicts.md.
"""

from collections import Counter
from itertools import pairwise

import numpy as np
from entry import Entry, Table
from scheme_classifier_page import Case, calibration_error, reliability

from codingschemes.coding import Scheme, classify, population
from codingschemes.coding.planted import (
    FOREIGN,
    NOISE_LEVELS,
    SCALINGS,
    TRUTHS,
    Planted,
    plant_analog,
    plant_analog_and_redundant,
    plant_foreign,
    plant_many_codes,
    plant_redundant,
    plant_sparse,
    plant_sparse_without_gap,
)

SIZES: tuple[tuple[int, int, tuple[int, int]], ...] = (
    (30, 4, (10, 10)),
    (100, 2, (20, 20)),
    (100, 4, (5, 5)),
    (100, 4, (5, 40)),
    (100, 4, (100, 100)),
    (100, 16, (10, 10)),
    (500, 8, (5, 20)),
    (2000, 4, (20, 20)),
    (2000, 16, (5, 5)),
)
"""Neurons, classes, least and most trials of a class."""
BINS = (0.0, 0.5, 0.7, 0.9, 0.98, 1.001)


PAIRS = np.array([[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0], [0, 1, 0, 1], [1, 0, 0, 1], [0, 1, 1, 0]])
NEAT_NOISE, NEAT_CODES = (0.02, 0.05, 0.3), (2, 3, 4, 6)


def planted(truth: str, rng: np.random.Generator, size: int, labels: np.ndarray) -> Planted:
    classes = int(labels.max()) + 1
    noise = float(np.exp(rng.uniform(np.log(NOISE_LEVELS["low"]), np.log(NOISE_LEVELS["high"]))))
    scaling = SCALINGS[rng.integers(len(SCALINGS))]
    first = bool(rng.integers(2))
    if truth == "analog":
        return plant_analog(rng, size, noise, scaling, labels=labels)
    if truth == "redundant" and first and classes > 2:
        return plant_many_codes(rng, size, noise, scaling, labels=labels)
    if truth == "redundant":
        count = int(rng.integers(2, min(2**classes, 8)))
        return plant_redundant(rng, size, noise, scaling, code_count=count, labels=labels)
    if truth == "sparse" and first:
        return plant_sparse_without_gap(rng, size, noise, labels=labels)
    if truth == "sparse":
        return plant_sparse(rng, size, noise, labels=labels)
    return plant_analog_and_redundant(rng, size, noise, scaling=scaling, labels=labels)


def verdict(each: Planted, *, readout: bool) -> Case:
    return Case(each.truth, each.kind, judged(each.activity, each.labels, each.readout if readout else None))


def judged(activity: np.ndarray, labels: np.ndarray, readout: np.ndarray | None = None) -> Scheme:
    """What `describe` says of activities (neuron, sample), without all else that it says."""
    known = readout is not None
    neurons = population(activity, np.zeros((len(activity), 1)) if readout is None else readout, labels)
    return classify(neurons, None, readout_known=known)


def neat(repeats: int) -> Table:
    """Codes at 0 and 1, of as many neurons each, and next to no noise: four classes of 20 samples, no readout."""
    table = Table("noise", *(f"{count} codes" for count in NEAT_CODES))
    labels = np.repeat(np.arange(4), 20)
    for noise in NEAT_NOISE:
        cells = []
        for count in NEAT_CODES:
            named = 0
            for repeat in range(repeats):
                rng = np.random.default_rng([count, repeat])
                codes = PAIRS[:count][np.arange(int(rng.integers(30, 300))) % count]
                activity = codes.T[labels] + noise * rng.standard_normal((len(labels), len(codes)))
                named += judged(activity.T, labels).label == "redundant"
            cells.append(f"{named} of {repeats}")
        table.row(noise, *cells)
    return table


def foreign(repeats: int) -> Table:
    """Shapes of no scheme: how many get one."""
    table = Table("shape", "readout known: analog, redundant, sparse", "not known")
    for place, kind in enumerate(FOREIGN):
        counts: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
        for repeat in range(repeats):
            rng = np.random.default_rng([9, place, repeat])
            labels = np.repeat(np.arange(int(rng.integers(2, 9))), int(rng.integers(5, 40)))
            each = plant_foreign(kind, rng, round(float(np.exp(rng.uniform(*np.log((30, 400)))))), labels=labels)
            for readout, count in counts.items():
                count[verdict(each, readout=readout).scheme.label] += 1
        cells = [", ".join(str(count[name]) for name in TRUTHS[:3]) for count in counts.values()]
        table.row(f"{kind}, {repeats}", *cells)
    return table


def shares(found: list[Case]) -> str:
    """Right, undecided and wrong, of populations of a scheme."""
    pure = [each for each in found if each.truth != "undecided"]
    right = np.mean([each.scheme.label == each.truth for each in pure])
    wrong = np.mean([each.scheme.label not in (each.truth, "undecided") for each in pure])
    return f"{right:.0%}, {1 - right - wrong:.0%}, {wrong:.0%}"


def named(found: list[Case]) -> str:
    """Mixtures that got a scheme."""
    return f"{np.mean([each.scheme.label != 'undecided' for each in found if each.truth == 'undecided']):.0%}"


def calibration(found: list[Case]) -> Table:
    table = Table("probability", "mean of it", "was planted", "of")
    pairs = np.array(
        [
            (value, name == each.truth)
            for each in found
            for name, value in each.scheme.scores.items()
            if name != "undecided"
        ]
    )
    for low, high in pairwise(BINS):
        inside = pairs[(pairs[:, 0] >= low) & (pairs[:, 0] < high)]
        if len(inside):
            mean, held = inside.mean(0)
            table.row(f"{low:g} to {min(high, 1):g}", f"{mean:.3f}", f"{held:.3f}", len(inside))
    return table


def main() -> None:
    entry = Entry(__doc__, quick={"repeats": 1})
    entry.add_argument("--repeats", type=int, default=10, help="populations of every truth and size")
    options, out = entry.begin()
    head = ("neurons", "classes", "trials of each")
    table = Table(*head, "readout known: right, undecided, wrong", "not known", "mixtures named: known", "not known")
    every: dict[bool, list[Case]] = {True: [], False: []}
    for place, (neurons, classes, (least, most)) in enumerate(SIZES):
        found: dict[bool, list[Case]] = {True: [], False: []}
        for truth in TRUTHS:
            for repeat in range(options.repeats):
                rng = np.random.default_rng([place, TRUTHS.index(truth), repeat])
                labels = np.repeat(np.arange(classes), rng.integers(least, most + 1, classes))
                each = planted(truth, rng, neurons, labels)
                for readout, verdicts in found.items():
                    verdicts.append(verdict(each, readout=readout))
        trials = f"{least}" if least == most else f"{least} to {most}"
        cells = [*(shares(found[known]) for known in (True, False)), *(named(found[known]) for known in (True, False))]
        table.row(neurons, classes, trials, *cells)
        for known, verdicts in found.items():
            every[known] += verdicts
    table.row("all", "", "", *(shares(every[known]) for known in every), *(named(every[known]) for known in every))
    text = f"""# Verdicts on planted populations

Populations whose scheme was planted, {options.repeats} of each scheme and as many mixtures of an analog and a redundant
part at every size (`python experiments/population_verdicts.py --repeats {options.repeats}`), noise from half to three
times that of sampled networks, activation not known. Undecided is no error: it is said below a probability of .9.

{table}

How often what got a probability was planted, readout known. Expected calibration error of the likeliest of the four
answers: {calibration_error(reliability(every[True])):.3f}.

{calibration(every[True])}

Readout not known, as of recordings. Expected calibration error: {calibration_error(reliability(every[False])):.3f}.

{calibration(every[False])}

Neat populations of a few equal codes without a readout, how many are named redundant:

{neat(options.repeats)}

Shapes of no scheme (`plant_foreign`), which the verdict was not fitted to: how many get a name. What nobody knows of
readouts guards less: rectified or heavy-tailed clouds in which few neurons tell classes apart are sparse by their
activity alone, whatever reads them.

{foreign(options.repeats)}
"""
    out.page("results/population_verdicts.md", text)


if __name__ == "__main__":
    main()
