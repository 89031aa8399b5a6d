"""Three hidden layers, three activations: what each layer's neurons do, and kernels that do not show it (the main
figure of van Meegen & Sompolinsky 2025).

    python experiments/three_layers.py

Orthogonal inputs, random labels with ratios 1/2 : 1/4 : 1/4, N = P = 100, T = 1e-4; chains begin annealed, quenched and
from the prior, and end at R-hat 1.02 or after so many minutes. Writes benchmarks/three_layers.md and .npz, and
docs/three_layers.png from it (drawn by figures.py). `--width` for other sizes; `--only ACTIVATION` replaces that row
alone; `--runs FOLDER` keeps the runs, and goes on with those that are there up to so many minutes in all.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from entry import Entry
from figures import redraw

import codingschemes as cs
from codingschemes.convergence import rhat

ACTIVATIONS = ("linear", "sigmoid", "relu")
TABLE, KEPT = "benchmarks/three_layers.md", "benchmarks/three_layers.npz"
COLUMNS = [
    "activation",
    "layer",
    "scheme",
    "R-hat of kernel",
    "of codes",
    "effective neurons",
    "within classes",
    "correlation",
]
HEAD = """# Three layers, three activations

`python experiments/three_layers.py`: orthogonal inputs, ratios 1/2 : 1/4 : 1/4, T = 1e-4. R-hat is the largest of the
layer's five leading kernel eigenvalues over four chains, *of codes* that of the numbers of neurons in each code;
*effective neurons* carry the class-specific output (of lower
layers: of their regression on the targets); *within classes* is the share of the activity's variance that is within
classes; *correlation* is that of class means before and after a trajectory of HMC (1: no drift)."""


def sampled(
    activation: str, width: int, minutes: float, draws: int, out: Path | None
) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
    """A row of the table for each layer, and what the figure shows; the run is kept in `out`, or goes on there."""
    task = cs.tasks.orthogonal(samples=width, ratios=[0.5, 0.25, 0.25])
    posterior = cs.Posterior(task, cs.Network(activation, width=width, depth=3), temperature=1e-4)
    run = cs.sample(
        posterior,
        out=out,
        resume=out is not None and out.exists(),
        start="mixed",
        until_rhat=1.02,
        until_ess=100,
        draws=draws,
        time_limit=60 * minutes,
    )
    summary = cs.summarize(run, drift=True)
    by_class = np.argsort(task.labels, kind="stable")
    eigenvalues = run.values("posterior", "kernel_eigenvalue")
    rows, shown = [], {"class_sizes": np.bincount(task.labels)}
    for index, layer in enumerate(summary.layers):
        portrait = layer.portraits[0]
        shown[f"activity_{index}"] = portrait.activity[portrait.order][:, by_class].astype(np.float16)
        shown[f"kernel_{index}"] = layer.kernels.full[np.ix_(by_class, by_class)].astype(np.float16)
        rows.append(
            {
                "activation": activation,
                "layer": index + 1,
                "scheme": layer.scheme.words,
                "R-hat of kernel": f"{rhat(eigenvalues[:, :, index, :5]).max():.3f}",
                "of codes": f"{layer.code_rhat:.2f}",
                "effective neurons": f"{layer.effective_neurons:.0f}",
                "within classes": f"{layer.collapse.spread_within:.3f}",
                "correlation": f"{layer.drift.correlation:.2f}" if layer.drift else "-",
            }
        )
    print(json.dumps(rows, indent=1), summary.diagnostics.trust, summary.warnings, flush=True)
    return rows, shown


def main() -> None:
    options = Entry(__doc__, quick={"width": 12, "draws": 60, "minutes": 30.0})
    options.add_argument("--width", type=int, default=100)
    options.add_argument("--minutes", type=float, default=20.0, help="at most, for each activation")
    options.add_argument("--draws", type=int, default=10_000, help="at most, a chain")
    options.add_argument("--only", choices=ACTIVATIONS)
    options.add_argument("--runs", type=Path, metavar="FOLDER", help="keep each run in a folder of its own in FOLDER")
    chosen, out = options.begin()
    table, numbers = out.kept(TABLE), out.kept(KEPT)
    kept = dict(np.load(numbers)) if chosen.only else {}
    rows = json.loads(str(kept.pop("rows"))) if chosen.only else []
    for activation in [chosen.only] if chosen.only else ACTIVATIONS:
        folder = chosen.runs and chosen.runs / activation
        fresh, shown = sampled(activation, chosen.width, chosen.minutes, chosen.draws, folder)
        rows = [row for row in rows if row["activation"] != activation] + fresh
        kept |= {f"{activation}_{name}": values for name, values in shown.items()}
    rows.sort(key=lambda row: (ACTIVATIONS.index(row["activation"]), row["layer"]))
    np.savez_compressed(numbers, rows=json.dumps(rows), **kept)
    lines = [COLUMNS, ["---"] * len(COLUMNS), *([str(row.get(name, "-")) for name in COLUMNS] for row in rows)]
    rows_of_table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    remarks = table.read_text().split("|\n\n", 1)[-1]
    table.write_text(f"{HEAD}\n\n{rows_of_table}\n\n{remarks}".rstrip() + "\n")
    redraw("three_layers", out.root)


if __name__ == "__main__":
    main()
