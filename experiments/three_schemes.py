"""The activation decides the coding scheme, and the kernel does not show it (van Meegen & Sompolinsky 2025).

    python experiments/three_schemes.py

Orthogonal inputs, random labels with ratios 1/2 : 1/4 : 1/4, N = P = 60, T = 1e-3: linear networks are analog,
sigmoidal ones redundant, ReLU networks sparse. About two minutes on 2 cores; writes docs/three_schemes.png, and what
was predicted and sampled to the README.
"""

from itertools import combinations
from pathlib import Path

import matplotlib
import numpy as np
from claims import Claim, record
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

import codingschemes as cs
from codingschemes.reports.figures import pooled_neurons
from codingschemes.reports.theory import draw_density, predicted_handle
from codingschemes.representation.kernels import class_kernel

SOURCE = "van Meegen & Sompolinsky"
matplotlib.rcParams.update({"font.size": 11})
task = cs.tasks.orthogonal(samples=60, ratios=[0.5, 0.25, 0.25])
figure = Figure(figsize=(10, 8.2), layout="constrained")
panels = figure.subplots(3, 3, height_ratios=[1.25, 1, 0.8])
claims: list[Claim] = []
kernels: dict[str, list[np.ndarray]] = {"predicted": [], "sampled": []}


def alignment(kernels: list[np.ndarray]) -> float:
    """The smallest cosine between two of the kernels of class means, centred."""
    centred = [each - each.mean(0) - each.mean(1)[:, None] + each.mean() for each in kernels]
    units = [each / np.linalg.norm(each) for each in centred]
    return min(float(np.sum(one * other)) for one, other in combinations(units, 2))


for (top, bottom, last), activation in zip(panels.T, ("linear", "sigmoid", "relu"), strict=True):
    posterior = cs.Posterior(task, cs.Network(activation, width=60), temperature=1e-3)
    run = cs.sample(posterior, warmup=150, draws=100)
    summary = cs.summarize(run)
    prediction = cs.predict(posterior)
    claims.append(
        Claim(
            f"The code of {activation} networks",
            SOURCE,
            prediction.scheme or "none",
            f"{summary.scheme.label}",
            f"probability {summary.scheme.probability:.3f}",
        )
    )
    kernels["predicted"].append(class_kernel(prediction.kernel, task.labels))
    kernels["sampled"].append(class_kernel(summary.kernels[-1].full, task.labels))
    portrait = summary.portraits[0]
    activity = portrait.activity[portrait.order]
    limit = abs(activity).max()
    norm = PowerNorm(0.5, 0, limit) if activity.min() >= 0 else matplotlib.colors.Normalize(-limit, limit)
    image = top.imshow(activity, aspect="auto", norm=norm, cmap="viridis" if activity.min() >= 0 else "PuOr_r")
    top.set_title(f"{activation}: {summary.scheme.label}", weight="bold")
    top.set(xlabel="input, sorted by class", ylabel="neuron, sorted", xticks=[], yticks=[])
    for boundary in (29.5, 44.5):
        top.axvline(boundary, color="white" if activity.min() >= 0 else "black", linewidth=1)
    figure.colorbar(image, ax=top, label="activity")
    for other in summary.portraits:
        bottom.scatter(*other.class_activity[:, :2].T, s=9, color="#0072B2", alpha=0.5, linewidths=0)
    bottom.set(xlabel="mean activity, class 0", ylabel="mean activity, class 1")
    sampled = pooled_neurons(run).activity[:, 0]
    edges = np.histogram_bin_edges(sampled, bins=60)
    last.hist(sampled, bins=edges, color="#0072B2", log=bool(summary.outliers), histtype="stepfilled", label="sampled")
    draw_density(last, prediction, "activity", 0, edges, len(sampled) / 60)
    last.set_xlabel("mean activity, class 0")
panels[2, 0].set_ylabel("neurons × draws")
handles = [panels[2, 1].patches[0], predicted_handle(prediction, dashed=False)]
panels[2, 1].legend(handles=handles, frameon=False, fontsize=9, loc="upper center")
claims.append(
    Claim(
        "Kernels of the three networks are alike (smallest cosine of two, centred class means)",
        SOURCE,
        f"{alignment(kernels['predicted']):.3f}",
        f"{alignment(kernels['sampled']):.3f}",
        f"{abs(alignment(kernels['sampled']) / alignment(kernels['predicted']) - 1):.1%}",
    )
)
record(__file__, claims)
output = Path(__file__).parent.parent / "docs" / "three_schemes.png"
figure.savefig(output, dpi=110)
print(output)
