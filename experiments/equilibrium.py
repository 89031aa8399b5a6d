"""Do chains from different starts meet? One row a posterior, over activations, tasks, classes, depths and temperatures.

    python experiments/equilibrium.py [--minutes M] [--runs FOLDER] [CELL ...]

Four chains begin annealed, quenched and from the prior (`start="mixed"`); the warm-up ends by itself, and sampling at
R-hat 1.02 and 400 effective draws of every invariant, or after M minutes (10). Cells are those of CELLS; without one,
all are sampled. Results are kept in benchmarks/equilibrium.json, of which the table of
benchmarks/equilibrium.md is made.
"""

import json
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from entry import Entry, Output

import codingschemes as cs
from codingschemes.convergence import rhat

KEPT, TABLE = "benchmarks/equilibrium.json", "benchmarks/equilibrium.md"
COLUMNS = {
    "cell": "posterior", "trust": "trusted", "rhat": "R-hat", "ess": "ESS", "codes": "R-hat of codes",
    "kernels": "of kernels", "norms": "of norms", "schemes": "scheme, by layer", "minutes": "minutes",
    "processor": "of processor", "warmup": "warm-up", "draws": "draws",
}  # fmt: skip


class Cell(NamedTuple):
    """One posterior; widths equal the number of samples."""

    task: str
    classes: tuple[int, ...]
    activation: str
    depth: int
    size: int
    temperature: float

    @property
    def name(self) -> str:
        """`mnist 3,5,8 relu L=1 N=P=100 T=1e-3`."""
        classes = ",".join(str(each) for each in self.classes) if self.task != "orthogonal" else len(self.classes)
        exponent = f"{self.temperature:.0e}".replace("e-0", "e-")
        return f"{self.task} {classes} {self.activation} L={self.depth} N=P={self.size} T={exponent}"

    def posterior(self) -> cs.Posterior:
        classes = len(self.classes) if self.task == "orthogonal" else list(self.classes)
        task = getattr(cs.tasks, self.task)(classes=classes, samples=self.size)
        network = cs.Network(self.activation, width=self.size, depth=self.depth)
        return cs.Posterior(task, network, temperature=self.temperature)


CELLS = {
    cell.name: cell
    for cell in [
        *(Cell("orthogonal", (0, 1, 2), activation, depth, 60, 1e-4)
          for depth in (2, 3) for activation in ("sigmoid", "linear", "relu")),
        *(Cell("mnist", (3, 5, 8), activation, 1, 100, temperature)
          for activation in ("sigmoid", "relu") for temperature in (1e-3, 1e-4)),
        *(Cell("cifar10", (0, 1, 2), activation, 1, 100, temperature)
          for activation in ("sigmoid", "relu") for temperature in (1e-3, 1e-4)),
        *(Cell("digits", tuple(range(classes)), activation, 1, 200, 1e-3)
          for classes in (6, 10) for activation in ("sigmoid", "relu")),
        Cell("orthogonal", (0, 1, 2, 3, 4), "tanh", 2, 40, 1e-3),
        Cell("orthogonal", (0, 1, 2), "relu", 3, 60, 1e-5),
        Cell("mnist", (3, 5, 8), "linear", 1, 100, 1e-3),
        Cell("cifar10", (0, 1, 2), "linear", 1, 100, 1e-3),
        Cell("digits", (0, 1, 2, 3, 4, 5), "linear", 1, 200, 1e-3),
    ]
}  # fmt: skip


def measured(cell: Cell, minutes: float, draws: int, out: Path | None = None) -> dict[str, Any]:
    """The row of one posterior, its run kept in the folder `out` where that is given."""
    began, processor_began = time.monotonic(), time.process_time()
    run = cs.sample(
        cell.posterior(),
        start="mixed",
        until_rhat=1.02,
        until_ess=400,
        draws=draws,
        time_limit=60 * minutes,
        seed=1,
        out=out,
        progress=False,
    )
    minutes, processor = (time.monotonic() - began) / 60, (time.process_time() - processor_began) / 60
    summary = cs.summarize(run)
    eigenvalues = run.values("posterior", "kernel_eigenvalue")
    norms = run.values("posterior", "activity_norm_quantile")
    found = summary.diagnostics.convergence
    return {
        "trust": summary.diagnostics.trust,
        "rhat": f"{found.rhat_max:.3f}",
        "ess": f"{found.ess_min:.0f}",
        "codes": " ".join(f"{layer.code_rhat:.2f}" for layer in summary.layers),
        "kernels": " ".join(f"{rhat(eigenvalues[:, :, layer, :5]).max():.2f}" for layer in range(cell.depth)),
        "norms": " ".join(f"{np.nanmax(rhat(norms[:, :, layer])):.2f}" for layer in range(cell.depth)),
        "schemes": " / ".join(f"{layer.scheme.label} {layer.scheme.probability:.2f}" for layer in summary.layers),
        "minutes": f"{minutes:.1f}",
        "processor": f"{processor:.1f}",
        "warmup": run.provenance["warmup_steps"],
        "draws": run.draw_count,
    }


def write(kept: dict[str, dict[str, Any]], out: Output) -> None:
    """The kept rows as JSON, and as the first table of the page, in the order of CELLS."""
    rows = {name: kept[name] for name in CELLS if name in kept}
    out.path(KEPT).write_text(json.dumps(rows, indent=1) + "\n")
    lines = [list(COLUMNS.values()), ["---"] * len(COLUMNS)]
    lines += [[name, *(str(row.get(column, "-")) for column in list(COLUMNS)[1:])] for name, row in rows.items()]
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    page = out.kept(TABLE)
    parts = page.read_text().split("\n\n")
    first = next(index for index, part in enumerate(parts) if part.startswith("|"))
    page.write_text("\n\n".join([*parts[:first], table, *parts[first + 1 :]]).rstrip() + "\n")


def main() -> None:
    entry = Entry(__doc__, quick={"cells": ["orthogonal 5 tanh L=2 N=P=40 T=1e-3"], "draws": 50, "minutes": 30.0})
    entry.add_argument("cells", nargs="*", metavar="CELL", default=list(CELLS))
    entry.add_argument("--minutes", type=float, default=10.0)
    entry.add_argument("--draws", type=int, default=10_000, help="at most, a chain")
    entry.add_argument("--runs", type=Path, metavar="FOLDER", help="keep each run in a folder of its own in FOLDER")
    chosen, out = entry.begin()
    kept = json.loads(out.kept(KEPT).read_text())
    for name in chosen.cells:
        folder = chosen.runs and chosen.runs / name.replace(" ", "_").replace(",", "")
        kept[name] = measured(CELLS[name], chosen.minutes, chosen.draws, folder)
        print(name, kept[name], flush=True)
        write(kept, out)


if __name__ == "__main__":
    main()
