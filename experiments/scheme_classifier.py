"""How often the verdict on a population is right, and whether its probabilities are frequencies.

    python experiments/scheme_classifier.py

About 2 minutes on one core; writes benchmarks/scheme_classifier.md and the figure beside it. Four sets of populations,
none of which the calibration has seen (scheme_calibration.py): the table's planted ones (3 or 4 classes, 20 to 1,000
neurons, three levels of noise), planted ones over the whole range that is met (2 to 10 classes), shapes of no scheme
that it knows nothing of, and draws of sampled networks (benchmarks/sampled_populations.npz, made by
sampled_populations.py).
"""

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from entry import ROOT, Entry
from matplotlib.figure import Figure
from scheme_calibration import planted_populations
from scipy.stats import beta

from codingschemes.coding import ClassMeans, Scheme, classify
from codingschemes.coding.planted import FOREIGN, NOISE_LEVELS, TRUTHS, Planted, plant, plant_foreign
from codingschemes.networks import ACTIVATIONS
from codingschemes.reports.schemes import draw_corners
from codingschemes.reports.style import CODE_COLORS, styled
from codingschemes.schemes import Label

COUNTS = {
    "low": {20: 40, 50: 40, 100: 40, 300: 12, 1000: 4},
    "moderate": {20: 100, 50: 100, 100: 200, 300: 50, 1000: 15},
    "high": {20: 40, 50: 40, 100: 40, 300: 12, 1000: 4},
}
"""Noise level -> number of neurons -> populations a truth."""
HELD_OUT_SEED = 2
OUTCOMES = ("right", "undecided", "wrong", "confidently wrong")
SCHEMES: dict[str, Label] = {"linear": "analog", "sigmoid": "redundant", "relu": "sparse"}
BINS = np.array([0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0])


class Case(NamedTuple):
    """A verdict and the truth."""

    truth: str
    kind: str
    scheme: Scheme


def outcome(truth: str, scheme: Scheme) -> str:
    """Wrong: another scheme than the planted one is the most probable. Confidently: with at least .9."""
    if scheme.label == truth:
        return "right"
    if scheme.label != "undecided":
        return "confidently wrong"
    favourite = _favourite(scheme)[0]
    return "undecided" if favourite in ("undecided", truth) else "wrong"


def interval(hits: int, count: int) -> tuple[float, float]:
    """Exact 95 % binomial interval (Clopper-Pearson), in percent."""
    low = beta.ppf(0.025, hits, count - hits + 1) if hits else 0.0
    high = beta.ppf(0.975, hits + 1, count - hits) if hits < count else 1.0
    return 100 * float(low), 100 * float(high)


def sampled() -> tuple[dict[str, ClassMeans], dict[str, float]]:
    """By the name of the run the last draw of both chains, (2,), and the largest R-hat where it was kept."""
    kept = dict(np.load(ROOT / "benchmarks" / "sampled_populations.npz"))
    names = sorted({key.partition("/")[0] for key in kept})
    fields = ("activity", "activity_error", "norm", "readout")
    found = {name: ClassMeans(*(kept[f"{name}/{field}"].astype(float) for field in fields)) for name in names}
    return found, {name: float(kept[f"{name}/rhat"]) for name in names if f"{name}/rhat" in kept}


def activation_of(name: str) -> str:
    return next(activation for activation in SCHEMES if f"-{activation}-" in name)


def main() -> None:
    entry = Entry(__doc__, quick={"count": 10, "share": 0.02})
    entry.add_argument("--seed", type=int, default=2030, help="of the table")
    entry.add_argument("--count", type=int, default=500, help="held-out planted populations of every truth")
    entry.add_argument("--share", type=float, default=1.0, help="of the populations of the table")
    options, out = entry.begin()
    began = time.perf_counter()
    cells: dict[tuple[str, int, str], Counter[str]] = {}
    kinds: dict[tuple[str, str], Counter[str]] = {}
    for level, counts in COUNTS.items():
        for truth in TRUTHS:
            for size, count in counts.items():
                for index in range(round(options.share * count)):
                    key = [options.seed, list(COUNTS).index(level), TRUTHS.index(truth), size, index]
                    planted = plant(truth, np.random.default_rng(key), size, NOISE_LEVELS[level])
                    verdict = outcome(truth, judged(planted).scheme)
                    cells.setdefault((truth, size, level), Counter())[verdict] += 1
                    if truth == "undecided":
                        kinds.setdefault((planted.kind, level), Counter())[verdict] += 1
    held_out = [judged(planted) for planted in planted_populations(HELD_OUT_SEED, options.count)]
    populations, rhat = sampled()
    networks = {
        name: classify(found, ACTIVATIONS[activation_of(name)].bounds, draws_per_chain=found.draws[0])
        for name, found in populations.items()
    }
    single = [
        Case(SCHEMES[activation_of(name)], name, classify(found[chain], ACTIVATIONS[activation_of(name)].bounds))
        for name, found in populations.items()
        for chain in range(found.draws[0])
    ]
    command = f"    python experiments/scheme_classifier.py --seed {options.seed} --count {options.count}"
    text = "\n".join(
        [
            *heading(command, time.perf_counter() - began),
            *calibrated(held_out, single),
            *grid_table({name: scheme for name, scheme in networks.items() if name in rhat}, rhat),
            *sampled_table({name: scheme for name, scheme in networks.items() if name not in rhat}),
            *planted_tables(cells, kinds),
            *held_out_table(held_out),
            *foreign_table(),
            LIMITS,
        ]
    )
    out.path("benchmarks/scheme_classifier.md").write_text(text)
    draw(held_out, networks, out.path("benchmarks/scheme_classifier.png"))
    print(text)


def judged(planted: Planted) -> Case:
    """The verdict on a planted population."""
    kind = planted.kind.split(", ")[-1 if "many" in planted.kind or "gap" in planted.kind else 0]
    return Case(planted.truth, kind, classify(planted.population, planted.bounds))


def heading(command: str, seconds: float) -> list[str]:
    return [
        "# Error rates and calibration of the verdict",
        "",
        command,
        "",
        f"In {seconds:.0f} s on one core. No population here was seen by the calibration. For the truth *undecided* "
        "(mixtures of schemes, unselective neurons) the answer undecided is right. *Wrong*: a wrong scheme is the most "
        "probable but stays below .9, so that the label is undecided; *confidently wrong*: it is the label. Intervals "
        "are exact 95 % binomial ones.",
        "",
        "![reliability and map](scheme_classifier.png)",
        "",
        "Left: share of planted populations whose likeliest scheme is the true one, against its probability. Right: "
        "draws of sampled networks on the map of the three coordinates.",
        "",
    ]


class Bin(NamedTuple):
    """Verdicts whose likeliest scheme has a probability in some range."""

    low: float
    high: float
    verdicts: int
    probability: float
    right: int


def reliability(cases: Sequence[Case]) -> list[Bin]:
    found = [_favourite(case.scheme) for case in cases]
    probability = np.array([chance for _, chance in found])
    right = np.array([label == case.truth for (label, _), case in zip(found, cases, strict=True)])
    place = np.clip(np.searchsorted(BINS, probability, side="right") - 1, 0, len(BINS) - 2)
    return [
        Bin(
            BINS[index],
            BINS[index + 1],
            int((place == index).sum()),
            float(probability[place == index].mean()),
            int(right[place == index].sum()),
        )
        for index in np.unique(place)
    ]


def calibration_error(bins: Sequence[Bin]) -> float:
    """Expected calibration error: mean distance between probability and frequency, over verdicts."""
    return sum(abs(each.verdicts * each.probability - each.right) for each in bins) / sum(
        each.verdicts for each in bins
    )


def calibrated(held_out: Sequence[Case], single: Sequence[Case]) -> list[str]:
    lines = ["## Are probabilities frequencies?", ""]
    for name, cases in (("planted populations", held_out), ("draws of sampled networks", single)):
        bins = reliability(cases)
        lines += [
            f"{len(cases)} {name}, the likeliest of the four answers. Expected calibration error "
            f"**{calibration_error(bins):.3f}**.",
            "",
            "| probability | count | mean probability | share that is right | 95 % interval |",
            "| --- | --- | --- | --- | --- |",
        ]
        for each in bins:
            low, high = interval(each.right, each.verdicts)
            lines.append(
                f"| {each.low:g} to {each.high:g} | {each.verdicts} | {100 * each.probability:.1f} % | "
                f"{100 * each.right / each.verdicts:.1f} % | {low:.1f} to {high:.1f} |"
            )
        lines.append("")
    return lines


def grid_table(networks: dict[str, Scheme], rhat: dict[str, float]) -> list[str]:
    """One row a task, choice of classes and activation, over seeds."""
    rows: dict[tuple[str, str, str], list[str]] = {}
    for name in networks:
        task, classes, activation, *_ = name.split("-")
        rows.setdefault((activation, task, classes), []).append(name)
    outcomes = {name: outcome(SCHEMES[activation_of(name)], scheme) for name, scheme in networks.items()}
    count = Counter(outcomes.values())
    low, high = interval(count["right"], len(networks))
    lines = [
        "## Sampled networks: the grid",
        "",
        f"{len(networks)} of 180 runs: four tasks, three choices of classes (ratios), three activations, up to five "
        "seeds of data and chain; P = 50, N = 60, T = 1e-4, two chains, 300 steps of warm-up and 100 draws. "
        f"**{count['right']} right, {count['undecided']} undecided, {count['wrong'] + count['confidently wrong']} "
        f"wrong** (right in {low:.0f} to {high:.0f} %). Linear networks should be analog, sigmoid ones redundant, ReLU "
        "sparse. R-hat: the largest of all recorded invariants but outputs, median over seeds; not all of these short "
        "chains have forgotten their starts.",
        "",
        "| activation | task | classes | seeds | right | undecided | wrong | least probability | R-hat |",
        "| --- " * 9 + "|",
    ]
    for (activation, task, classes), names in sorted(rows.items()):
        found = Counter(outcomes[name] for name in names)
        least = min(networks[name].probabilities[SCHEMES[activation]] for name in names)
        lines.append(
            f"| {activation} | {task} | {classes} | {len(names)} | {found['right']} | {found['undecided']} | "
            f"{found['wrong'] + found['confidently wrong']} | {least:.3f} | "
            f"{np.median([rhat[name] for name in names]):.2f} |"
        )
    return [*lines, ""]


def foreign_table(count: int = 60) -> list[str]:
    """How often shapes that the verdict was not fitted to are named."""
    lines = [
        "## Shapes that the verdict was not fitted to",
        "",
        "20 to 400 neurons, 3 classes. None is a scheme by definition; of *two sizes* (a cloud in which 5 to 40 % of "
        "the neurons are six times as large in activity and readout) few neurons do carry the output. *Unlike*: the "
        "regression is certain, and the population is unlike all that are known of that scheme.",
        "",
        "| shape | populations | undecided | of these unlike | named analog | redundant | sparse |",
        "| --- " * 7 + "|",
    ]
    for kind in FOREIGN:
        found = []
        for index in range(count):
            rng = np.random.default_rng([HELD_OUT_SEED, FOREIGN.index(kind), index])
            size = round(float(np.exp(rng.uniform(np.log(20), np.log(400)))))
            found.append(classify(plant_foreign(kind, rng, size).population, None))
        named = Counter(scheme.label for scheme in found)
        unlike = sum(scheme.unlike is not None for scheme in found)
        lines.append(
            f"| {kind} | {count} | {named['undecided']} | {unlike} | {named['analog']} | {named['redundant']} | "
            f"{named['sparse']} |"
        )
    return [*lines, ""]


def sampled_table(networks: dict[str, Scheme]) -> list[str]:
    right = Counter(
        (activation_of(name), outcome(SCHEMES[activation_of(name)], scheme)) for name, scheme in networks.items()
    )
    lines = [
        "## Sampled networks: single runs",
        "",
        "Short runs, two chains, the last draw of each; names are task, classes (or ratios), activation, P, N, T. None "
        "was seen by the calibration. Linear networks should be analog, sigmoid ones redundant, ReLU sparse.",
        "",
        "| activation | runs | " + " | ".join(OUTCOMES) + " |",
        "| --- " * (2 + len(OUTCOMES)) + "|",
    ]
    for activation in SCHEMES:
        counts = [right[activation, name] for name in OUTCOMES]
        lines.append(f"| {activation} | {sum(counts)} | " + " | ".join(map(str, counts)) + " |")
    lines += [
        "",
        "| run | verdict | concentrated | binary | graded | effective neurons (Gaussian) | carry 90 % | coded |",
        "| --- " * 8 + "|",
    ]
    for name, scheme in networks.items():
        found = scheme.evidence
        lines.append(
            f"| {name} | {scheme.words} | {found.concentrated:.2f} | {found.binary:.2f} | {found.graded:.2f} | "
            f"{found.effective_neurons:.1f} ({found.gaussian_neurons:.0f}) | {found.carriers:.1f} | "
            f"{100 * found.coded:.0f} % |"
        )
    return [*lines, ""]


def planted_tables(
    cells: dict[tuple[str, int, str], Counter[str]], kinds: dict[tuple[str, str], Counter[str]]
) -> list[str]:
    wide = {
        truth: sum(
            (c for (t, size, level), c in cells.items() if (t, level) == (truth, "moderate") and size >= 100),
            Counter[str](),
        )
        for truth in TRUTHS
    }
    lines = [
        "## Planted: N >= 100, moderate noise (the spread of real draws), 3 or 4 classes",
        "",
        "| truth | populations | right | 95 % interval | confidently wrong |",
        "| --- | --- | --- | --- | --- |",
    ]
    for truth, counter in wide.items():
        lines.append(f"| {truth} | {counter.total()} | {_percent(counter)} | {counter['confidently wrong']} |")
    lines += [
        "",
        "## All cells",
        "",
        "| truth | N | noise | populations | right | 95 % interval | undecided | wrong | confidently wrong |",
        "| --- " * 9 + "|",
    ]
    for (planted, size, level), counter in sorted(cells.items(), key=lambda cell: TRUTHS.index(cell[0][0])):
        rest = " | ".join(str(counter[name]) for name in OUTCOMES[1:])
        lines.append(f"| {planted} | {size} | {level} | {counter.total()} | {_percent(counter)} | {rest} |")
    lines += [
        "",
        "## Mixtures by kind",
        "",
        "| mixture | noise | populations | right | 95 % interval | wrong | confidently wrong |",
        "| --- " * 7 + "|",
    ]
    for (kind, level), counter in sorted(kinds.items()):
        lines.append(
            f"| {kind} | {level} | {counter.total()} | {_percent(counter)} | {counter['wrong']} | "
            f"{counter['confidently wrong']} |"
        )
    return [*lines, ""]


def held_out_table(cases: Sequence[Case]) -> list[str]:
    counters: dict[tuple[str, str], Counter[str]] = {}
    for case in cases:
        counters.setdefault((case.truth, case.kind), Counter())[outcome(case.truth, case.scheme)] += 1
    lines = [
        "## Planted: 20 to 1,000 neurons, 2 to 10 classes in random ratios, low to high noise",
        "",
        "| truth | kind | populations | right | 95 % interval | undecided | wrong | confidently wrong |",
        "| --- " * 8 + "|",
    ]
    for (truth, kind), counter in sorted(counters.items(), key=lambda cell: TRUTHS.index(cell[0][0])):
        rest = " | ".join(str(counter[name]) for name in OUTCOMES[1:])
        lines.append(f"| {truth} | {kind} | {counter.total()} | {_percent(counter)} | {rest} |")
    return [*lines, ""]


@styled()
def draw(held_out: Sequence[Case], networks: dict[str, Scheme], path: Path) -> None:
    """Reliability diagram, and the map."""
    figure = Figure(figsize=(10, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    bins = reliability(held_out)
    share = np.array([each.right / each.verdicts for each in bins])
    ends = np.array([interval(each.right, each.verdicts) for each in bins]).T / 100
    left.plot([0.3, 1], [0.3, 1], color="#B8B8B8", zorder=0)
    left.errorbar(
        [each.probability for each in bins], share, [share - ends[0], ends[1] - share], fmt="o", color=CODE_COLORS[0]
    )
    left.set(xlabel="probability of the likeliest answer", ylabel="share that is right")
    left.set_title(f"{len(held_out):,} planted populations, error {calibration_error(bins):.3f}")
    draw_corners(right)
    for color, marker, activation in zip(CODE_COLORS, "o^s", SCHEMES, strict=False):
        places = [found.evidence.place for name, found in networks.items() if activation_of(name) == activation]
        right.scatter(*np.array(places).T, color=color, marker=marker, s=28, alpha=0.8, label=activation)
    right.set_title(f"{len(networks)} sampled networks")
    right.legend(loc="upper right")
    figure.savefig(path)


def _favourite(scheme: Scheme) -> tuple[str, float]:
    return max(scheme.probabilities.items(), key=lambda item: item[1])


def _percent(counter: Counter[str]) -> str:
    count = counter.total()
    low, high = interval(counter["right"], count)
    return f"{100 * counter['right'] / count:.1f} % | {low:.1f} to {high:.1f}"


LIMITS = """## Where it fails

- **Truths are planted.** A probability is the frequency among populations like the planted ones, where analog,
  redundant, sparse and in-between populations are equally many. Shapes unlike all of a scheme are not named after it;
  of shapes that are like them in the six traits that are looked at (`coding/support.py`) and in nothing else, it is not
  known how often they are.
- **High noise** (three times the spread of real draws) with many classes: codes blur until they pass for a mixture.
- **Few neurons.** Below 20 nothing is named; at 20 and high noise mixtures are now and then taken for a scheme (the
  table's cell), as a probability of .9 or more allows.
- **Rectified networks at high noise with hundreds of neurons**: the noise of many bulk neurons adds up beside the
  outliers, and the verdict is undecided.
- **Rectified networks on images that have not condensed**: where a tenth to a third of the neurons still share the
  output, in short runs and above all for two classes, the verdict stays undecided.
- **Few neurons that tell classes apart at the level of all others** (codes beside a majority that answers to every
  class): they carry the whole output, and the verdict leans to sparse.
- The verdict describes shapes and output. It does not ask whether the network has learned: graded features of the
  prior on images, whose classes differ, look analog.
"""

if __name__ == "__main__":
    main()
