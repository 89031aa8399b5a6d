"""Fit the verdict's last step to planted populations: src/codingschemes/coding/calibration.json and calibration.npz.

    python experiments/scheme_calibration.py

About 2 minutes on one core. Analog, redundant and sparse populations and those between them in equal numbers, 20 to
1,000 neurons, 2 to 10 classes, low to high noise (codingschemes.coding.planted.plant_any). The regression is fitted to
all; traits of those of a scheme are kept as what the verdict knows of it (codingschemes.coding.support). No sampled
network is among them: how far probabilities hold there and on other planted populations is what scheme_classifier.py
finds.
"""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
from entry import Entry
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from codingschemes.coding.planted import Planted, plant_any
from codingschemes.coding.scheme import LABELS, evidence_of, regressors, traits

NEURONS = (20, 1000)
PENALTY = 1e-3


def planted_populations(seed: int, count: int) -> Iterator[Planted]:
    """`count` populations of every truth; numbers of neurons are uniform in their logarithm."""
    for truth in LABELS:
        for index in range(count):
            rng = np.random.default_rng([seed, LABELS.index(truth), index])
            yield plant_any(truth, rng, round(float(np.exp(rng.uniform(*np.log(NEURONS))))))


def main() -> None:
    entry = Entry(__doc__, quick={"count": 10})
    entry.add_argument("--seed", type=int, default=1)
    entry.add_argument("--count", type=int, default=1000, help="populations of every truth")
    options, out = entry.begin()
    planted = list(planted_populations(options.seed, options.count))
    found = [evidence_of(each.population, each.bounds) for each in planted]
    seen = np.array([regressors(each) for each in found])
    truth = [LABELS.index(each.truth) for each in planted]
    scaler = StandardScaler().fit(seen[:, 1:])
    fitted = LogisticRegression(C=1 / PENALTY, max_iter=10_000).fit(scaler.transform(seen[:, 1:]), truth)
    slopes = fitted.coef_ / scaler.scale_
    constant = fitted.intercept_ - slopes @ scaler.mean_
    kept = {
        "made_by": f"experiments/scheme_calibration.py --seed {options.seed} --count {options.count}",
        "labels": LABELS,
        "coefficients": np.round(np.vstack([constant, slopes.T]), 4).tolist(),
    }
    path = out.path("src/codingschemes/coding/calibration.json")
    path.write_text(json.dumps(kept, indent=1) + "\n")
    shapes = {
        label: np.array([traits(each) for each, own in zip(found, truth, strict=True) if LABELS[own] == label])
        for label in LABELS[:3]
    }
    known: dict[str, Any] = {label: each.astype(np.float32) for label, each in shapes.items()}
    np.savez_compressed(path.with_suffix(".npz"), **known)
    print(path.read_text())


if __name__ == "__main__":
    main()
