"""Activities of your own, recorded or of a trained network: which code, how abstract? Seconds; nothing is sampled.

    python examples/own_data.py

The recording is simulated here: 80 neurons, four stimuli of two factors (place and kind), 15 trials of each. Put your
own arrays in its place, samples first.
"""

from pathlib import Path

import numpy as np

import codingschemes as cs

folder = Path("runs/own-data")
folder.mkdir(parents=True, exist_ok=True)

# Half of the neurons answer to a place, half to a kind, each with noise of its own.
rng = np.random.default_rng(0)
stimuli = ["left face", "left house", "right face", "right house"]
factors = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
labels = np.repeat(stimuli, 15)
preferred = rng.integers(2, size=80)
answers = factors[:, np.arange(80) % 2] == preferred
activity = np.repeat(answers, 15, axis=0) + 0.4 * rng.normal(size=(60, 80))

# Description: codes, coding scheme, geometry, each with an interval and a null that says what chance would give.
population = cs.Population(activity, labels, factors=factors)
description = cs.describe(population, bootstraps=20, shuffles=39)
print(description)

# Single metrics take plain arrays.
print(f"participation ratio: {cs.representation.participation_ratio(activity):.1f} dimensions")

# How far is it from another population? Turning the neurons' space leaves shapes as they are (Procrustes), but not
# which neuron does what (permutation).
rotation = np.linalg.qr(rng.normal(size=(80, 80)))[0]
rotated = cs.Population(activity @ rotation, labels, factors=factors)
distances = cs.populations.distances([population, rotated]).values
for name in ("procrustes", "permutation"):
    print(f"{name} distance after a rotation: {distances[name][0, 1]:.2f}")

# Figures as those of sampled networks; `codingschemes describe FILE --out DIR` writes a page of them all.
for name in ("activity", "codes", "map"):
    getattr(cs.plot, name)(description).savefig(folder / f"{name}.png", dpi=120)
print(f"figures: {folder}")
