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

import numpy as np
from entry import ROOT, Entry
from matplotlib.figure import Figure
from scheme_calibration import planted_populations
from scheme_classifier_page import (
    LIMITS,
    SCHEMES,
    Case,
    activation_of,
    calibrated,
    calibration_error,
    foreign_table,
    grid_table,
    heading,
    held_out_table,
    interval,
    outcome,
    planted_tables,
    reliability,
    sampled_table,
)

from codingschemes.coding import ClassMeans, Scheme, classify
from codingschemes.coding.planted import FOREIGN, NOISE_LEVELS, TRUTHS, Planted, plant, plant_foreign
from codingschemes.networks import ACTIVATIONS
from codingschemes.reports.schemes import draw_corners
from codingschemes.reports.style import CODE_COLORS, styled

COUNTS = {
    "low": {20: 40, 50: 40, 100: 40, 300: 12, 1000: 4},
    "moderate": {20: 100, 50: 100, 100: 200, 300: 50, 1000: 15},
    "high": {20: 40, 50: 40, 100: 40, 300: 12, 1000: 4},
}
"""Noise level -> number of neurons -> populations a truth."""
HELD_OUT_SEED = 2


def sampled() -> tuple[dict[str, ClassMeans], dict[str, float]]:
    """By the name of the run draws of both chains, (2,) or (2, draw), and the largest R-hat where it was kept."""
    kept = dict(np.load(ROOT / "benchmarks" / "sampled_populations.npz"))
    names = sorted({key.partition("/")[0] for key in kept})
    fields = ("activity", "activity_error", "norm", "readout")
    found = {name: ClassMeans(*(kept[f"{name}/{field}"].astype(float) for field in fields)) for name in names}
    return found, {name: float(kept[f"{name}/rhat"]) for name in names if f"{name}/rhat" in kept}


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
        name: classify(found, ACTIVATIONS[activation_of(name)].bounds, draws_per_chain=found.draws[-1])
        for name, found in populations.items()
    }
    single = [
        Case(SCHEMES[activation_of(name)], name, classify(found[index], ACTIVATIONS[activation_of(name)].bounds))
        for name, found in populations.items()
        for index in np.ndindex(found.draws)
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
            *foreign_table(foreign()),
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


def foreign(count: int = 60) -> dict[str, list[Scheme]]:
    """Verdicts on shapes that the verdict was not fitted to, by kind."""
    verdicts: dict[str, list[Scheme]] = {kind: [] for kind in FOREIGN}
    for place, (kind, found) in enumerate(verdicts.items()):
        for index in range(count):
            rng = np.random.default_rng([HELD_OUT_SEED, place, index])
            size = round(float(np.exp(rng.uniform(np.log(20), np.log(400)))))
            found.append(classify(plant_foreign(kind, rng, size).population, None))
    return verdicts


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


if __name__ == "__main__":
    main()
