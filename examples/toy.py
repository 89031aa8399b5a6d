"""One task, three activations, three coding schemes. About two minutes; figures go to runs/toy-example.

    python examples/toy.py

Inputs are orthogonal and labels random, so that nothing in the data prefers one code to another: what differs is the
activation alone.
"""

from itertools import combinations
from pathlib import Path

import numpy as np

import codingschemes as cs

folder = Path("runs/toy-example")
folder.mkdir(parents=True, exist_ok=True)

# Three classes, the first twice as large as the others.
task = cs.tasks.orthogonal(samples=40, ratios=[0.5, 0.25, 0.25])

kernels = {}
for activation in ("linear", "sigmoid", "relu"):
    # The posterior of all weights: the regularised loss, read as a negative log density at temperature T.
    posterior = cs.Posterior(task, cs.Network(activation, width=40), temperature=1e-3)

    # Four chains, which end by themselves: converged, or with a word why not.
    run = cs.sample(posterior)
    summary = cs.summarize(run)
    print(f"{activation}: {summary.scheme.words}. To be trusted: {summary.diagnostics.trust}")

    # Which neurons answer to which classes: 110 is a neuron that answers to the first two of three.
    print("  codes:", ", ".join(f"{code.code} {code.fraction:.0%}" for code in summary.codes[:4]))

    # A figure for each: neurons are rows, sorted by code, and inputs are columns, sorted by class.
    cs.plot.activity(run, summary).savefig(folder / f"{activation}.png", dpi=120)
    kernels[activation] = cs.representation.class_kernel(summary.layers[-1].kernels.full, task.labels)

# The kernels, all that an analysis of representational similarity sees, are alike.
for one, other in combinations(kernels, 2):
    alignment = cs.representation.linear_cka_from_kernel(kernels[one], kernels[other])
    print(f"kernels of {one} and {other}: centred alignment {alignment:.3f}")

# Theory says the same of the sigmoid network without sampling: codes, with their numbers of neurons.
prediction = cs.predict(cs.Posterior(task, cs.Network("sigmoid", width=40), temperature=1e-3))
assert prediction.scheme is not None
print(f"mean field of the sigmoid network: {prediction.scheme.label}; {prediction.certificate.words}")
for group in prediction.codes[:4]:
    print(f"  {group.name}: {group.count:.1f} of 40 neurons, readout {np.round(group.readout, 2)}")
print(f"figures: {folder}")
