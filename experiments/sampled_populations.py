"""Class-mean summaries of really sampled populations, which the verdict is calibrated and tested on.

    python experiments/sampled_populations.py --folder FOLDER

Short runs with the `codes` sampler, two chains each: toy task, digits, MNIST and CIFAR-10, two to ten classes, linear,
sigmoid and ReLU networks. About half an hour on one core; runs that FOLDER holds already are not made again. Class
means, their errors, norms and readouts of each chain's last draw go to benchmarks/sampled_populations.npz, in half
precision.
"""

import argparse
import itertools
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import codingschemes as cs
from codingschemes.coding.neurons import read_neurons
from codingschemes.tasks import make_task

FOLDER = Path(__file__).parents[1] / "benchmarks"
TRUTHS = {"linear": "analog", "sigmoid": "redundant", "relu": "sparse"}
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
    """One run."""

    task: str
    options: dict[str, Any]
    activation: str
    samples: int
    width: int
    temperature: float

    @property
    def name(self) -> str:
        chosen = "".join(str(number) for number in next(iter(self.options.values())))
        return f"{self.task}-{chosen}-{self.activation}-{self.samples}-{self.width}-{self.temperature:g}"


def cases() -> list[Case]:
    """P = N = 60, T = 1e-4, all activations; and one at a higher temperature."""
    cold = [
        Case(task, options, activation, 60, 60, 1e-4)
        for (task, options), activation in itertools.product([*TOY, *IMAGES], TRUTHS)
    ]
    return [*cold, Case("mnist", {"classes": [3, 5, 8]}, "relu", 60, 60, 1e-3)]


def draw(case: Case, seed: int) -> dict[str, np.ndarray]:
    """The last draw of each chain."""
    posterior = cs.Posterior(
        make_task(case.task, samples=case.samples, **case.options),
        cs.Network(case.activation, width=case.width),
        temperature=case.temperature,
    )
    run = cs.sample(posterior, sampler="codes", chains=2, warmup=120, draws=60, seed=seed, progress=False)
    last = read_neurons(run).populations[:, -1]
    return {name: getattr(last, name).astype(np.float32) for name in ("activity", "activity_error", "norm", "readout")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="where single runs are kept until all are made")
    parser.add_argument("--only", default="", help="cases whose name has this in it")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    for seed, case in enumerate(cases()):
        path = options.folder / f"{case.name}.npz"
        if options.only in case.name and not path.exists():
            np.savez(path, **draw(case, seed))
            print(case.name, flush=True)
    kept = {
        f"{path.stem}/{name}": values.astype(np.float16)
        for path in sorted(options.folder.glob("*.npz"))
        for name, values in np.load(path).items()
    }
    np.savez_compressed(FOLDER / "sampled_populations.npz", **kept)


if __name__ == "__main__":
    main()
