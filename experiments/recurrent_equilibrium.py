"""Do chains of a recurrent network meet? On the cells of recurrent_abstraction.py.

    python experiments/recurrent_equilibrium.py [--warmup 300] [--draws 600] [CELL ...]

Four chains begin annealed, from the prior and quenched (`start="mixed"`). Each cell is sampled by trajectories alone
(`hmc`) and with rotations of pairs of neurons (`codes`). R-hat and effective draws are the worst of all invariants that
`summarize` judges. A row is kept as soon as it is there, in benchmarks/recurrent_equilibrium.json, and
the table set into the page beside it.
"""

import json
import time

import numpy as np
from entry import Entry, Output, Table

import codingschemes as cs
from codingschemes.convergence import INVARIANTS, ess, moving, rhat
from codingschemes.tasks import make_task

KEPT = "benchmarks/recurrent_equilibrium.json"
#: Inputs, activation, neurons, time steps, temperature.
CELLS = {
    "whitened relu": ("whitened", "relu", 40, 5, 1e-5),
    "clustered relu": ("clustered", "relu", 40, 5, 1e-5),
    "whitened tanh": ("whitened", "tanh", 40, 5, 1e-5),
    "clustered tanh": ("clustered", "tanh", 40, 5, 1e-5),
    "whitened sigmoid": ("whitened", "sigmoid", 40, 5, 1e-4),
}


def posterior_of(inputs: str, activation: str, width: int, steps: int, temperature: float) -> cs.Posterior:
    task = make_task("hypercube", labels_dim=2, repeats=4, inputs=inputs)
    network = cs.Network(activation, width=width, depth=steps, bias=True, scaling="none", recurrent=True)
    return cs.Posterior(task, network, temperature=temperature, penalty1=0.1, penalty2=0.1)


def row(name: str, sampler: str, warmup: int, draws: int) -> dict[str, str]:
    begun = time.process_time()
    run = cs.sample(
        posterior_of(*CELLS[name]), sampler=sampler, start="mixed", warmup=warmup, draws=draws, progress=False
    )
    spent = time.process_time() - begun
    series = {entry: moving(run.values("posterior", entry)) for entry in INVARIANTS}
    worst = {entry: np.nanmax(rhat(values)) for entry, values in series.items() if values.shape[2]}
    effective = min(np.nanmin(ess(values)) for values in series.values() if values.shape[2])
    slowest = max(worst, key=worst.__getitem__)
    energies = run.values("posterior", "energy").mean(axis=1)
    return {
        "cell": f"{name}, T = {CELLS[name][-1]:g}",
        "sampler": sampler,
        "rhat": f"{worst[slowest]:.2f}",
        "slowest": f"`{slowest}`",
        "kernel": f"{worst['kernel_eigenvalue']:.2f}",
        "ess": f"{effective:.0f}",
        "energy": f"{energies.min():.4f} to {energies.max():.4f}",
        "seconds": f"{spent:.0f}",
    }


HEADERS = {
    "cell": "posterior", "sampler": "sampler", "rhat": "R-hat", "slowest": "of", "kernel": "of kernel eigenvalues",
    "ess": "ESS", "energy": "energies of chains", "seconds": "processor s",
}  # fmt: skip


def write(rows: dict[str, dict[str, str]], out: Output) -> None:
    """The table into its place."""
    out.path(KEPT).write_text(json.dumps(rows, indent=1) + "\n")
    table = Table(*HEADERS.values())
    for each in rows.values():
        table.row(*(each[key] for key in HEADERS))
    out.table("benchmarks/recurrent_equilibrium.md", "recurrent_equilibrium.py", table)


if __name__ == "__main__":
    entry = Entry(__doc__, quick={"cells": ["whitened tanh"], "samplers": ["hmc"], "warmup": 20, "draws": 20})
    entry.add_argument("cells", nargs="*", metavar="CELL", default=list(CELLS))
    entry.add_argument("--samplers", nargs="*", default=["hmc", "codes"])
    entry.add_argument("--warmup", type=int, default=300)
    entry.add_argument("--draws", type=int, default=600)
    options, out = entry.begin()
    kept = json.loads(out.kept(KEPT).read_text())
    for cell in options.cells:
        for sampler in options.samplers:
            kept[f"{cell}, {sampler}"] = row(cell, sampler, options.warmup, options.draws)
            order = [f"{each}, {one}" for each in CELLS for one in ("hmc", "codes")]
            kept = {key: kept[key] for key in order if key in kept}
            write(kept, out)
