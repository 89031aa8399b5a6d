"""Fit the verdict's last step to planted populations: calibration.json and .npz in src/codingschemes/coding.

    python experiments/scheme_calibration.py [--only with|without]

About 5 minutes on one core. Analog, redundant and sparse populations and those between them in equal numbers, 20 to
1,000 neurons. With readouts: 2 to 10 classes, low to high noise (codingschemes.coding.planted.plant_any). Without: 2 to
16 classes of 5 to 100 samples, noise from next to nothing on, the activation known of every other one; readouts are
class means, the files calibration_without_readout (plant_recording). The regression is fitted to all; traits of those
of a scheme are kept as what the verdict knows of it (codingschemes.coding.support). No sampled network is among them:
how far probabilities hold there and on other planted populations is what scheme_classifier.py and
population_verdicts.py find.
"""

import json
from argparse import Namespace
from collections.abc import Iterator
from typing import Any

import numpy as np
from entry import Entry, Output
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from codingschemes.coding.planted import Planted, plant_any, plant_recording
from codingschemes.coding.scheme import (
    LABELS,
    WITH_READOUT,
    WITHOUT_READOUT,
    SchemeEvidence,
    evidence_of,
    read_by_class_means,
    regressors,
    traits,
)
from codingschemes.networks.activations import Bounds
from codingschemes.schemes import Label

NEURONS = (20, 1000)
PENALTY = 1e-3


def planted_populations(seed: int, count: int) -> Iterator[Planted]:
    """`count` populations of every truth; numbers of neurons are uniform in their logarithm."""
    for truth in LABELS:
        for index in range(count):
            rng = np.random.default_rng([seed, LABELS.index(truth), index])
            yield plant_any(truth, rng, round(float(np.exp(rng.uniform(*np.log(NEURONS))))))


def recordings(seed: int, count: int) -> Iterator[tuple[Planted, Bounds]]:
    """`count` populations of every truth, and what is known of their activation."""
    for truth in LABELS:
        for index in range(count):
            rng = np.random.default_rng([seed, LABELS.index(truth), index])
            each = plant_recording(truth, rng, round(float(np.exp(rng.uniform(*np.log(NEURONS))))))
            yield each, each.bounds if rng.random() < 0.5 else None


def main() -> None:
    entry = Entry(__doc__, quick={"count": 10})
    entry.add_argument("--seed", type=int, default=1)
    entry.add_argument("--count", type=int, default=1000, help="populations of every truth")
    entry.add_argument("--only", choices=["with", "without"], help="readouts")
    options, out = entry.begin()
    if options.only in (None, "with"):
        planted = list(planted_populations(options.seed, options.count))
        found = [evidence_of(each.population, each.bounds) for each in planted]
        fit(out, options, WITH_READOUT, [each.truth for each in planted], found)
    if options.only in (None, "without"):
        recorded = list(recordings(options.seed, options.count))
        found = [evidence_of(read_by_class_means(each.population), bounds) for each, bounds in recorded]
        fit(out, options, WITHOUT_READOUT, [each.truth for each, _ in recorded], found)


def fit(out: Output, options: Namespace, name: str, truths: list[Label], found: list[SchemeEvidence]) -> None:
    """The regression, and the traits of populations of every scheme."""
    seen = np.array([regressors(each) for each in found])
    truth = [LABELS.index(each) for each in truths]
    scaler = StandardScaler().fit(seen[:, 1:])
    fitted = LogisticRegression(C=1 / PENALTY, max_iter=10_000).fit(scaler.transform(seen[:, 1:]), truth)
    slopes = fitted.coef_ / scaler.scale_
    constant = fitted.intercept_ - slopes @ scaler.mean_
    kept = {
        "made_by": f"experiments/scheme_calibration.py --seed {options.seed} --count {options.count}",
        "labels": LABELS,
        "coefficients": np.round(np.vstack([constant, slopes.T]), 4).tolist(),
    }
    path = out.path(f"src/codingschemes/coding/{name}.json")
    path.write_text(json.dumps(kept, indent=1) + "\n")
    shapes = {
        label: np.array([traits(each, name) for each, own in zip(found, truths, strict=True) if own == label])
        for label in LABELS[:3]
    }
    known: dict[str, Any] = {label: each.astype(np.float32) for label, each in shapes.items()}
    np.savez_compressed(path.with_suffix(".npz"), **known)
    print(path.read_text())


if __name__ == "__main__":
    main()
