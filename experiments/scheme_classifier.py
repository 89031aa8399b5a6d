"""Error rates of the scheme classifier on planted populations, written to benchmarks/scheme_classifier.md.

    python experiments/scheme_classifier.py

About 3 minutes on one core. Every population is random: 3 or 4 classes, bounded or unbounded activities, 2 to 7 codes,
1 to 5 outliers, or one of three mixtures (codingschemes.coding.planted). The thresholds of the classifier were set on
seeds below 10; the table comes from another one.
"""

import argparse
import time
from collections import Counter
from pathlib import Path

import numpy as np
from scipy.stats import beta

from codingschemes.coding import Scheme, classify
from codingschemes.coding.planted import NOISE_LEVELS, TRUTHS, Planted, plant
from codingschemes.networks.activations import Family

COUNTS = {
    "low": {20: 40, 50: 40, 100: 40, 300: 12, 1000: 4},
    "moderate": {20: 100, 50: 100, 100: 200, 300: 50, 1000: 15},
    "high": {20: 40, 50: 40, 100: 40, 300: 12, 1000: 4},
}
"""Noise level -> number of neurons -> populations a truth."""
FAMILIES: dict[str, Family] = {"sigmoidal": "sigmoidal", "odd": "odd", "unbounded": "threshold"}
OUTCOMES = ("right", "undecided", "wrong", "confidently wrong")


def outcome(planted: Planted, scheme: Scheme) -> str:
    """Wrong: another scheme than the planted one is the most probable. Confidently: with at least .9."""
    if scheme.label == planted.truth:
        return "right"
    if scheme.label != "undecided":
        return "confidently wrong"
    favourite = max(scheme.probabilities, key=lambda label: scheme.probabilities[label])
    return "undecided" if favourite in ("undecided", planted.truth) else "wrong"


def interval(hits: int, count: int) -> tuple[float, float]:
    """Exact 95 % binomial interval (Clopper-Pearson), in percent."""
    low = beta.ppf(0.025, hits, count - hits + 1) if hits else 0.0
    high = beta.ppf(0.975, hits + 1, count - hits) if hits < count else 1.0
    return 100 * float(low), 100 * float(high)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=2030)
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "benchmarks" / "scheme_classifier.md")
    options = parser.parse_args()
    began = time.perf_counter()
    cells: dict[tuple[str, int, str], Counter[str]] = {}
    kinds: dict[tuple[str, str], Counter[str]] = {}
    for level, counts in COUNTS.items():
        for truth in TRUTHS:
            for size, count in counts.items():
                for index in range(count):
                    key = [options.seed, list(COUNTS).index(level), TRUTHS.index(truth), size, index]
                    planted = plant(truth, np.random.default_rng(key), size, NOISE_LEVELS[level])
                    verdict = outcome(planted, classify(planted.population, FAMILIES[planted.scaling]))
                    cells.setdefault((truth, size, level), Counter())[verdict] += 1
                    if truth == "undecided":
                        kinds.setdefault((planted.kind, level), Counter())[verdict] += 1
    text = report(cells, kinds, options.seed, time.perf_counter() - began)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(text)
    print(text)


def report(
    cells: dict[tuple[str, int, str], Counter[str]],
    kinds: dict[tuple[str, str], Counter[str]],
    seed: int,
    seconds: float,
) -> str:
    total = sum((counter for counter in cells.values()), Counter[str]())
    wide = {
        truth: sum(
            (c for (t, size, level), c in cells.items() if (t, level) == (truth, "moderate") and size >= 100),
            Counter[str](),
        )
        for truth in TRUTHS
    }
    lines = [
        "# Error rates of the scheme classifier",
        "",
        f"    python experiments/scheme_classifier.py --seed {seed}",
        "",
        f"{total.total()} planted populations, one draw each, in {seconds:.0f} s on one core. Thresholds were set on "
        "other seeds. For the truth *undecided* (mixtures of schemes) the answer undecided is right. *Wrong*: a wrong "
        "scheme is the most probable but stays below .9, so that the label is undecided; *confidently wrong*: it is "
        "the label. Intervals are exact 95 % binomial ones of the share that is right.",
        "",
        "## In short: N >= 100, moderate noise (the spread of real draws)",
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
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for (truth, size, level), counter in sorted(cells.items(), key=lambda cell: TRUTHS.index(cell[0][0])):
        rest = " | ".join(str(counter[name]) for name in OUTCOMES[1:])
        lines.append(f"| {truth} | {size} | {level} | {counter.total()} | {_percent(counter)} | {rest} |")
    lines += [
        "",
        "## Mixtures by kind",
        "",
        "| mixture | noise | populations | right | 95 % interval | wrong | confidently wrong |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for (kind, level), counter in sorted(kinds.items()):
        lines.append(
            f"| {kind} | {level} | {counter.total()} | {_percent(counter)} | {counter['wrong']} | "
            f"{counter['confidently wrong']} |"
        )
    return "\n".join([*lines, "", LIMITS])


def _percent(counter: Counter[str]) -> str:
    count = counter.total()
    low, high = interval(counter["right"], count)
    return f"{100 * counter['right'] / count:.1f} % | {low:.1f} to {high:.1f}"


LIMITS = """## Where it fails

- **Few neurons.** Below about 40 neurons a Gaussian cloud cannot be told from a cloud that hides codes, so *analog* is
  never named with confidence there; with 20 neurons redundant and sparse populations are often left undecided as well.
- **High noise** (three times the spread of real draws): codes blur until bits are undecided, and weak outliers, 4 times
  the bulk, sink into it. Both become undecided.
- **Low-rank analog populations behind a bent activation** (class means and readouts along one or two directions, with
  saturation) form a curve instead of a Gaussian; some are left undecided.
- **Two codes of which one holds a single neuron in a hundred** are undecided, though both codes are found.
- **Outliers without a gap**: where strengths fall off continuously, as in rectified networks on images that have not
  yet merged their collinear outliers, no outlier is counted and the population is undecided.

Planted populations are simpler than sampled ones: within a class samples are independent, and neurons of one code
scatter as Gaussians.

Wrong answers are rare rather than impossible: of 1,150 further analog populations (N = 100 and 300, moderate noise),
which the thresholds had seen, 99.1 % were right; and the probabilities are degrees of evidence, not frequencies.
"""

if __name__ == "__main__":
    main()
