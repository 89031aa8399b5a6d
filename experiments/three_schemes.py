"""The figure of the README: analog, redundant and sparse coding on the same task, three networks side by side.

Orthogonal inputs, random labels with ratios 1/2 : 1/4 : 1/4, N = P = 60, T = 1e-3. About two minutes on 2 cores;
writes docs/three_schemes.png.
"""

from pathlib import Path

import matplotlib
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

import codingschemes as cs

matplotlib.rcParams.update({"font.size": 11})
task = cs.tasks.orthogonal(samples=60, ratios=[0.5, 0.25, 0.25])
figure = Figure(figsize=(10, 6.2), layout="constrained")
panels = figure.subplots(2, 3, height_ratios=[1.25, 1])
for (top, bottom), activation in zip(panels.T, ("linear", "sigmoid", "relu"), strict=True):
    posterior = cs.Posterior(task, cs.Network(activation, width=60), temperature=1e-3)
    summary = cs.summarize(cs.sample(posterior, warmup=150, draws=100))
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

output = Path(__file__).parent.parent / "docs" / "three_schemes.png"
figure.savefig(output, dpi=110)
print(output)
