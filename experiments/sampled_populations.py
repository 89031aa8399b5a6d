"""Class-mean summaries of really sampled populations, which the verdict is tested on.

    python experiments/sampled_populations.py [--folder FOLDER] [--minutes M]

Short runs with the `codes` sampler, two chains each, in two sets:

- the grid: toy task, digits, MNIST and CIFAR-10, three choices of classes each, linear, sigmoid and ReLU networks, five
  seeds, which choose data and chain; P = 50, N = 60, T = 1e-4. Five seconds of processor time each, and half a minute
  to compile each number of classes and activation: inputs count through their kernel alone, so that those of all tasks
  are given P coordinates, and one compiled program serves them all. Seeds come last: cut off after M minutes, the grid
  is covered as widely as can be.
- single runs at P = N = 60, with two and ten classes among them.

Runs that FOLDER or benchmarks/sampled_populations.npz holds already are not made again, unless `--again`; those of ReLU
networks on three classes of images were, by `--only digits-012-relu-50-60 --again --warmup 600 --draws 400` and so on.
That file keeps class means, their errors, norms and readouts of the first and the last draw of each chain (of the last
alone in the older runs), in half precision, and the largest R-hat of the run's invariants.
"""

import itertools
import time
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from entry import Entry

import codingschemes as cs
from codingschemes.coding.neurons import read_neurons
from codingschemes.convergence import INVARIANTS, moving, rhat
from codingschemes.tasks import Task, make_task

KEPT = "benchmarks/sampled_populations.npz"
TRUTHS = {"linear": "analog", "sigmoid": "redundant", "relu": "sparse"}
SEEDS = range(5)
#: Draws of each chain that are kept.
LOOKS = 2
GRID_CLASSES = ([0, 1, 2], [3, 5, 8], [0, 1, 2, 3, 4, 5])
GRID_RATIOS = ([0.5, 0.25, 0.25], [0.4, 0.3, 0.3], [1 / 6] * 6)
TOY: list[tuple[str, dict[str, Any]]] = [
    ("orthogonal", {"ratios": [0.5, 0.25, 0.25]}),
    ("orthogonal", {"ratios": [0.6, 0.4]}),
    ("orthogonal", {"ratios": [0.25, 0.25, 0.25, 0.25]}),
]
IMAGES: list[tuple[str, dict[str, Any]]] = [
    (name, {"classes": classes})
    for classes in ([0, 1, 2], [3, 5, 8], [4, 7, 9], [0, 1, 2, 3, 4, 5], [3, 8], list(range(10)))
    for name in ("digits", "mnist", "cifar10")
    if name == "digits" or len(classes) < 10
    if name != "cifar10" or classes == [0, 1, 2]
]


class Case(NamedTuple):
    """One run; those of the grid have a seed."""

    task: str
    options: dict[str, Any]
    activation: str
    samples: int
    width: int
    temperature: float
    seed: int | None = None

    @property
    def name(self) -> str:
        chosen = "".join(f"{number:.3g}" for number in next(iter(self.options.values())))
        seed = "" if self.seed is None else f"-seed{self.seed}"
        return f"{self.task}-{chosen}-{self.activation}-{self.samples}-{self.width}-{self.temperature:g}{seed}"


def grid() -> list[Case]:
    """All tasks, choices of classes and activations with the first seed, then with the next."""
    chosen = [
        (name, {"ratios": ratios} if name == "orthogonal" else {"classes": classes})
        for classes, ratios in zip(GRID_CLASSES, GRID_RATIOS, strict=True)
        for name in ("orthogonal", "digits", "mnist", "cifar10")
    ]
    return [
        Case(task, options, activation, 50, 60, 1e-4, seed)
        for seed, activation, (task, options) in itertools.product(SEEDS, ("relu", "sigmoid", "linear"), chosen)
    ]


def single_runs() -> list[Case]:
    """P = N = 60, T = 1e-4, all activations; and one at a higher temperature."""
    cold = [
        Case(task, options, activation, 60, 60, 1e-4)
        for (task, options), activation in itertools.product([*TOY, *IMAGES], TRUTHS)
    ]
    return [*cold, Case("mnist", {"classes": [3, 5, 8]}, "relu", 60, 60, 1e-3)]


def in_coordinates(task: Task) -> Task:
    """The same task with as many input features as samples: the principal coordinates of its inputs, with the same
    input kernel."""
    count, features = task.inputs.shape
    left, singular, _ = np.linalg.svd(task.inputs, full_matrices=False)
    inputs = np.zeros((count, count))
    inputs[:, : len(singular)] = left * singular * np.sqrt(count / features)
    nothing: dict[str, Any] = {
        "test_inputs": inputs[:0],
        "test_targets": task.targets[:0],
        "test_labels": task.labels[:0],
    }
    return replace(task, inputs=inputs, **nothing)


def draw(case: Case, options: Namespace) -> dict[str, Any]:
    """The first and the last draw of each chain."""
    gridded = case.seed is not None
    seed = {"seed": case.seed} if gridded else {}
    task = make_task(case.task, samples=case.samples, **case.options, **seed)
    posterior = cs.Posterior(
        in_coordinates(task) if gridded else task,
        cs.Network(case.activation, width=case.width),
        temperature=case.temperature,
    )
    warmup, draws = (options.warmup, options.draws) if gridded else (120, 60)
    run = cs.sample(
        posterior, sampler="codes", chains=2, warmup=warmup, draws=draws, seed=case.seed or 0, progress=False
    )
    looked = read_neurons(run).populations.thin(LOOKS)
    worst = max(np.nanmax(rhat(moving(run.values("posterior", name)))) for name in INVARIANTS if name != "outputs")
    found = {name: getattr(looked, name) for name in ("activity", "activity_error", "norm", "readout")}
    return {name: np.asarray(values, np.float16) for name, values in (found | {"rhat": worst}).items()}


def main() -> None:
    quick = {"only": "orthogonal-0.50.250.25-linear-60", "again": True}
    entry = Entry(__doc__, quick)
    entry.add_argument("--folder", type=Path, help="where new runs are kept one by one; runs/sampled_populations")
    entry.add_argument("--again", action="store_true", help="make runs that are kept, too")
    entry.add_argument("--only", default="", help="cases whose name has this in it")
    entry.add_argument("--warmup", type=int, default=300, help="of the grid")
    entry.add_argument("--draws", type=int, default=100, help="of the grid")
    entry.add_argument("--minutes", type=float, default=np.inf, help="of processor time")
    options, out = entry.begin()
    folder: Path = options.folder or out.path("runs/sampled_populations")
    folder.mkdir(parents=True, exist_ok=True)
    kept = dict(np.load(out.kept(KEPT)))
    for case in [*grid(), *single_runs()]:
        path = folder / f"{case.name}.npz"
        made = path.exists() or f"{case.name}/norm" in kept
        if options.only in case.name and (options.again or not made) and time.process_time() < 60 * options.minutes:
            np.savez(path, **draw(case, options))
            print(f"{time.process_time():.0f} s {case.name}", flush=True)
    for path in sorted(folder.glob("*.npz")):
        kept |= {f"{path.stem}/{name}": values for name, values in np.load(path).items()}
    np.savez_compressed(out.path(KEPT), **kept)


if __name__ == "__main__":
    main()
