"""Which code does a ReLU network use on three classes of CIFAR-10? Two minutes; figures go to runs/cifar10-example.

    python examples/cifar10.py

Image files are looked for in the folder that CODINGSCHEMES_DATA names, else downloaded once and checked.
"""

from pathlib import Path

import codingschemes as cs

folder = Path("runs/cifar10-example")
folder.mkdir(parents=True, exist_ok=True)
try:
    task = cs.tasks.cifar10(classes=["airplane", "automobile", "bird"], samples=60, test=500)
except cs.InvalidInput as missing:
    raise SystemExit(str(missing)) from None

# Colour images of natural scenes: labels explain little of what differs between inputs.
posterior = cs.Posterior(task, cs.Network("relu", width=60), temperature=1e-3)
run = cs.sample(posterior, until_ess=100, time_limit=300)
summary = cs.summarize(run)
print(f"scheme: {summary.scheme.words}. To be trusted: {summary.diagnostics.trust}")

# A sparse code is carried by few neurons far outside the bulk of all others: a few of each class carry most of it.
for outlier in summary.outliers:
    print(f"  outlier for class {task.class_names[outlier.class_index]}: norm {outlier.norm:.1f}")
print(f"  neurons that carry the class-specific output: {summary.layers[-1].effective_neurons:.1f} of 60")

assert summary.test is not None
print(f"test error of the mean predictor: {summary.test.error:.1%} (guessing: 66.7%)")

# Who carries the output, and where this network lies on the map of coding schemes.
cs.plot.contributions(run, summary).savefig(folder / "contributions.png", dpi=120)
cs.plot.map(run, summary).savefig(folder / "map.png", dpi=120)
print(f"figures: {folder}")
