"""Do chains of a recurrent network meet? benchmarks/recurrent_equilibrium.md, on the cells of recurrent_abstraction.py.

    python experiments/recurrent_equilibrium.py [--warmup 300] [--draws 600] [CELL ...]

Four chains begin annealed, from the prior and quenched (`start="mixed"`). Each cell is sampled by trajectories alone
(`hmc`) and with rotations of pairs of neurons (`codes`). R-hat and effective draws are the worst of all invariants that
`summarize` judges. A row is kept as soon as it is there.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np

import codingschemes as cs
from codingschemes.convergence import INVARIANTS, ess, moving, rhat
from codingschemes.tasks import make_task

FOLDER = Path(__file__).parent.parent / "benchmarks"
KEPT, TABLE = FOLDER / "recurrent_equilibrium.json", FOLDER / "recurrent_equilibrium.md"
BEGIN, END = "<!-- written by experiments/recurrent_equilibrium.py -->", "<!-- end of the table -->"
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


def write(rows: dict[str, dict[str, str]]) -> None:
    """The table into its place."""
    KEPT.write_text(json.dumps(rows, indent=1) + "\n")
    lines = ["| " + " | ".join(HEADERS.values()) + " |", "| --- " * len(HEADERS) + "|"]
    lines += ["| " + " | ".join(each[key] for key in HEADERS) + " |" for each in rows.values()]
    before, _, rest = TABLE.read_text().partition(BEGIN)
    TABLE.write_text(before + BEGIN + "\n\n" + "\n".join(lines) + "\n\n" + END + rest.partition(END)[2])


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("cells", nargs="*", default=list(CELLS))
    parser.add_argument("--samplers", nargs="*", default=["hmc", "codes"])
    parser.add_argument("--warmup", type=int, default=300)
    parser.add_argument("--draws", type=int, default=600)
    options = parser.parse_args()
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    for cell in options.cells:
        for sampler in options.samplers:
            kept[f"{cell}, {sampler}"] = row(cell, sampler, options.warmup, options.draws)
            order = [f"{each}, {one}" for each in CELLS for one in ("hmc", "codes")]
            kept = {key: kept[key] for key in order if key in kept}
            write(kept)
            print(kept[f"{cell}, {sampler}"], flush=True)
