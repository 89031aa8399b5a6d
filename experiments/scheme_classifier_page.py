"""The tables of scheme_classifier.py, and the frequencies that they hold."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import beta

from codingschemes.coding import Scheme
from codingschemes.coding.planted import TRUTHS
from codingschemes.schemes import Label

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


def activation_of(name: str) -> str:
    return next(activation for activation in SCHEMES if f"-{activation}-" in name)


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
        "seeds of data and chain; P = 50, N = 60, T = 1e-4, two chains, 300 steps of warm-up and 100 draws "
        "(ReLU on three classes of images: 600 and 400). "
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


def foreign_table(verdicts: dict[str, list[Scheme]]) -> list[str]:
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
    for kind, found in verdicts.items():
        named = Counter(scheme.label for scheme in found)
        unlike = sum(scheme.unlike is not None for scheme in found)
        lines.append(
            f"| {kind} | {len(found)} | {named['undecided']} | {unlike} | {named['analog']} | {named['redundant']} | "
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
