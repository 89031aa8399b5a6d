"""Do networks trained from small weights condense on a manifold? Directions align, neurons do not become equal.

    python experiments/condensation.py

Thirty tanh neurons with a bias learn sin 3x at 20 points by gradient descent from weights of three sizes. Writes
results/condensation.md, .json and .png: loss, strict effective width and width by direction along training.
"""

import jax.numpy as jnp
import numpy as np
from claims import Claim
from entry import Entry, Table
from figures import redraw

from codingschemes.manifolds import LOSSES, Detection, Neurons, Problem, classify, descend, detect, random_neurons
from codingschemes.networks import ACTIVATIONS
from codingschemes.studies.manifolds.training import at_snapshot

SIZES = {"from 1e-4": 1e-4, "from 1e-2": 1e-2, "from 1": 1.0}
TOLERANCES = np.array([0.02, 0.05, 0.1, 0.3])
WIDTH, SHOWN = 30, (0, 3, 5, 10, 30, 100, 300)

entry = Entry(__doc__, quick={"steps": 200, "snapshots": 10})
entry.add_argument("--steps", type=int, default=30_000)
entry.add_argument("--snapshots", type=int, default=300)
options, out = entry.begin()

rng = np.random.default_rng(0)
x = np.sort(rng.uniform(-1, 1, size=(20, 1)), axis=0)
problem = Problem(
    jnp.asarray(np.hstack([x, np.ones_like(x)])), jnp.asarray(np.sin(3 * x)), ACTIVATIONS["tanh"], LOSSES["squared"]
)
kind = classify(ACTIVATIONS["tanh"])
begin = random_neurons(rng, WIDTH, 2, 1)


at = " / ".join(f"{each:g}".lstrip("0") for each in TOLERANCES)
table = Table("size", "step", "loss", f"strict at {at}", f"direction at {at}", "nearest manifold")
passed: dict[str, list[Detection]] = {}
losses: dict[str, np.ndarray] = {}
for name, size in SIZES.items():
    start = Neurons(size * begin.readout, size * begin.weight)
    path = descend(problem, start, "gd", rate=0.005, steps=options.steps, snapshots=options.snapshots)
    series = [detect(at_snapshot(path, index), kind, tolerances=TOLERANCES) for index in range(len(path.loss))]
    passed[name] = series
    losses[name] = np.asarray(path.loss)
    steps = np.asarray(path.step)
    for index in (each for each in SHOWN if each <= options.snapshots):
        found = series[index]
        widths = [" / ".join(map(str, each)) for each in (found.strict, found.direction)]
        table.row(f"{size:g}", f"{steps[index]:.0f}", f"{losses[name][index]:.4f}", *widths, f"{found.nearest:.1e}")
tenth = int(np.flatnonzero(TOLERANCES == 0.1)[0])
kept = {
    name: {
        "loss": losses[name],
        "strict": [each.strict[tenth] for each in series],
        "direction": [each.direction[tenth] for each in series],
    }
    for name, series in passed.items()
}
values = {"step": steps, "tolerance": TOLERANCES[tenth], "series": kept}
out.numbers("results/condensation.json", values)
redraw("condensation", out.root)
out.page(
    "results/condensation.md",
    f"""# Condensation from small weights

`python experiments/condensation.py`: {WIDTH} tanh neurons with a bias, 20 samples of sin 3x, gradient descent, rate
0.005. Clusters of neurons at a relative tolerance: strict on (a, w), and of the directions of w.

{table}

The nearest manifold is where two neurons agree or one is zero: with 30 neurons in three dimensions, some two of them
are close by chance. From 1, the rate is at times beyond what the curvature allows, and the loss spikes.

![along training](condensation.png)
""",
)
fewest = min(passed["from 1e-4"][1:], key=lambda each: (each.direction[tenth], each.strict[tenth]))
out.claims(
    [
        Claim(
            f"Training {WIDTH} tanh neurons from weights of 1e-4: fewest directions passed, at tolerance 0.1",
            "Zhao, Luo & Zhang",
            f"below {WIDTH}",
            f"{fewest.direction[tenth]}",
            note=f"no manifold is reached: {fewest.strict[tenth]} distinct neurons",
        )
    ]
)
