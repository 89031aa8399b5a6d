"""When does a wide student recover a narrow teacher from fewer samples than it has weights?

    python experiments/target_recovery.py

Teacher: two tanh neurons, five inputs (12 weights). Student: thirty (180 weights), trained by gradient descent from
small and from large weights on growing numbers of samples. Writes results/target_recovery.md, .json and .png: test
error and effective widths at the end, and the widths that training passes.
"""

import jax.numpy as jnp
import numpy as np
from claims import Claim
from entry import Entry, Table
from figures import redraw

import codingschemes as cs
from codingschemes.manifolds import (
    LOSSES,
    Neurons,
    Problem,
    classify,
    descend,
    detect,
    direction_widths,
    random_neurons,
)
from codingschemes.networks import ACTIVATIONS

SAMPLES, SIZES = (6, 9, 12, 16, 24, 48), (1e-6, 0.5)
INPUTS, TEACHER, WIDTH = 5, 2, 30
AT = np.array([0.1])

entry = Entry(__doc__, quick={"teachers": 1, "steps": 200})
entry.add_argument("--teachers", type=int, default=3)
entry.add_argument("--steps", type=int, default=50_000)
options, out = entry.begin()
SEEDS = range(options.teachers)

tanh, kind = ACTIVATIONS["tanh"], classify(ACTIVATIONS["tanh"])


def problem(inputs: np.ndarray, targets: np.ndarray) -> Problem:
    return Problem(jnp.asarray(inputs), jnp.asarray(targets), tanh, LOSSES["squared"], jnp.ones(()))


def last(path: cs.manifolds.Path, index: int = -1) -> Neurons:
    return Neurons(*(np.asarray(part[index]) for part in path.neurons))


def outputs(neurons: Neurons, inputs: np.ndarray) -> np.ndarray:
    return np.tanh(inputs @ neurons.weight.T) @ neurons.readout


table = Table("initial size", "samples", "training error", "test error", "strict", "direction", "fewest")
curves: dict[float, list[float]] = {size: [] for size in SIZES}
passing: dict[float, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}
for size in SIZES:
    for count in SAMPLES:
        rows = []
        for seed in SEEDS:
            rng = np.random.default_rng(seed)
            teacher = random_neurons(rng, TEACHER, INPUTS, 1)
            test, inputs = rng.normal(size=(2000, INPUTS)), rng.normal(size=(48, INPUTS))[:count]
            begin = random_neurons(rng, WIDTH, INPUTS, 1)
            begin = Neurons(size * begin.readout, size * begin.weight)
            snapshots = 100
            path = descend(
                problem(inputs, outputs(teacher, inputs)),
                begin,
                "gd",
                rate=0.3 / count,
                steps=options.steps,
                snapshots=snapshots,
            )
            found = detect(last(path), kind, tolerances=AT)
            target = outputs(teacher, test)
            error = np.mean((outputs(last(path), test) - target) ** 2) / np.var(target)
            fewest = min(direction_widths(last(path, index).weight, kind, AT)[0] for index in range(1, snapshots + 1))
            training = 2 * float(path.loss[-1]) / count / np.var(target)
            rows.append([training, error, found.strict[0], found.direction[0], fewest])
            if count == SAMPLES[-1] and seed == SEEDS[0]:
                series = [detect(last(path, index), kind, tolerances=AT) for index in range(snapshots + 1)]
                passing[size] = (
                    np.asarray(path.step),
                    np.array([each.strict[0] for each in series]),
                    np.array([each.direction[0] for each in series]),
                )
        means = np.mean(rows, axis=0)
        curves[size].append(float(means[1]))
        table.row(f"{size:g}", count, f"{means[0]:.1e}", f"{means[1]:.3f}", *(f"{mean:.1f}" for mean in means[2:]))

kept = {
    f"{size:g}": {"test_error": curves[size], **dict(zip(("step", "strict", "direction"), passing[size], strict=True))}
    for size in SIZES
}
values = {
    "samples": SAMPLES,
    "teachers": len(SEEDS),
    "weights": TEACHER * (INPUTS + 1),
    "tolerance": AT[0],
    "from": kept,
}
out.numbers("results/target_recovery.json", values)
redraw("target_recovery", out.root)
out.page(
    "results/target_recovery.md",
    f"""# Recovery of a narrow teacher

`python experiments/target_recovery.py`: teacher of {TEACHER} tanh neurons and {INPUTS} inputs
({TEACHER * (INPUTS + 1)} weights), student of {WIDTH} ({WIDTH * (INPUTS + 1)} weights), gradient descent,
{options.steps} steps at rate 0.3 / samples. Means over {len(SEEDS)} teachers; errors relative to the variance of the
target; effective widths at tolerance 0.1, strict on (a, w) and of the directions of w, and the fewest directions that
training passes.

{table}

![test error and widths](target_recovery.png)
""",
)
few = SAMPLES.index(24)
out.claims(
    [
        Claim(
            f"A student of {WIDTH * (INPUTS + 1)} weights recovers a teacher of {TEACHER * (INPUTS + 1)} from "
            f"{SAMPLES[few]} samples if it starts small (relative test error)",
            "Zhao, Luo & Zhang",
            "below 1",
            f"{curves[SIZES[0]][few]:.3f}",
            note=f"from large weights: {curves[SIZES[1]][few]:.1f}",
        )
    ]
)
