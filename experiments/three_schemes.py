"""The activation decides the coding scheme, and the kernel does not show it (van Meegen & Sompolinsky 2025).

    python experiments/three_schemes.py

Orthogonal inputs, random labels with ratios 1/2 : 1/4 : 1/4, N = P = 60, T = 1e-3: linear networks are analog,
sigmoidal ones redundant, ReLU networks sparse. About two minutes on 2 cores; writes results/three_schemes.json,
docs/three_schemes.png from it (drawn by figures.py), and what was predicted and sampled to docs/claims.md.
"""

import json
from itertools import combinations
from typing import Any

import numpy as np
from claims import Claim
from entry import Entry
from figures import redraw

import codingschemes as cs
from codingschemes.reports.figures import pooled_neurons
from codingschemes.representation.kernels import class_kernel

SOURCE = "van Meegen & Sompolinsky"
entry = Entry(__doc__, quick={"size": 16, "draws": 20})
entry.add_argument("--size", type=int, default=60, help="neurons, samples")
entry.add_argument("--draws", type=int, default=100)
options, out = entry.begin()
task = cs.tasks.orthogonal(samples=options.size, ratios=[0.5, 0.25, 0.25])
claims: list[Claim] = []
kernels: dict[str, list[np.ndarray]] = {"predicted": [], "sampled": []}
kept: dict[str, dict[str, Any]] = {}


def alignment(kernels: list[np.ndarray]) -> float:
    """The smallest cosine between two of the kernels of class means, centred."""
    centred = [each - each.mean(0) - each.mean(1)[:, None] + each.mean() for each in kernels]
    units = [each / np.linalg.norm(each) for each in centred]
    return min(float(np.sum(one * other)) for one, other in combinations(units, 2))


def rounded(values: np.ndarray) -> Any:
    """Three digits of each number, which is more than a figure shows."""
    return np.vectorize(lambda value: float(f"{value:.3g}"))(values).tolist()


for activation in ("linear", "sigmoid", "relu"):
    posterior = cs.Posterior(task, cs.Network(activation, width=options.size), temperature=1e-3)
    run = cs.sample(posterior, warmup=150, draws=options.draws)
    summary = cs.summarize(run)
    prediction = cs.predict(posterior)
    assert prediction.scheme is not None
    assert prediction.kernel is not None
    assert prediction.neurons is not None
    claims.append(
        Claim(
            f"The code of {activation} networks",
            SOURCE,
            prediction.scheme.label,
            f"{summary.scheme.label}",
            note=f"probability {summary.scheme.probability:.3f}",
        )
    )
    kernels["predicted"].append(class_kernel(prediction.kernel, task.labels))
    kernels["sampled"].append(class_kernel(summary.kernels[-1].full, task.labels))
    by_class = np.argsort(task.labels, kind="stable")
    shown = summary.portraits[0]
    pooled = pooled_neurons(run).activity[:, 0]
    # Edges of both: theory puts other classes' outliers at 0, just below all that is sampled.
    theory, weight = prediction.neurons.activity[:, 0], prediction.neurons.weight
    edges = np.histogram_bin_edges(np.concatenate([pooled, theory]), bins=60)
    expected, _ = np.histogram(theory, edges, weights=len(pooled) / options.size * weight)
    kept[activation] = {
        "scheme": summary.scheme.label,
        "theory": prediction.theory,
        "class_sizes": np.bincount(task.labels).tolist(),
        "activity": rounded(shown.activity[shown.order][:, by_class]),
        "class_activity": rounded(np.concatenate([each.class_activity[:, :2] for each in summary.portraits])),
        "edges": rounded(edges),
        "sampled": np.histogram(pooled, edges)[0].tolist(),
        "predicted": rounded(expected),
    }
claims.append(
    Claim(
        "Kernels of the three networks are alike (smallest cosine of two, centred class means)",
        SOURCE,
        f"{alignment(kernels['predicted']):.3f}",
        f"{alignment(kernels['sampled']):.3f}",
    )
)
out.claims(claims)
lines = [f'"{name}": {json.dumps(found, separators=(",", ":"))}' for name, found in kept.items()]
out.path("results/three_schemes.json").write_text("{" + ",\n".join(lines) + "}\n")
print(redraw("three_schemes", out.root))
