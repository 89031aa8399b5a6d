"""Which activation explains random labels best? Log evidence of four networks at every temperature.

    python experiments/evidence.py

Toy task: orthogonal inputs, random labels with ratios 1/2 : 1/4 : 1/4, N = P = 20, down to T = 1e-3. Writes
docs/evidence.png and benchmarks/evidence.md. Priors are those of the literature: the readout variance of a linear
network is another one.
"""

import argparse
from pathlib import Path

from matplotlib.figure import Figure

import codingschemes as cs

COLORS = {"linear": "#0072B2", "sigmoid": "#E69F00", "relu": "#009E73", "tanh": "#CC79A7"}

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--size", type=int, default=20, help="neurons and samples")
parser.add_argument("--temperature", type=float, default=1e-3)
parser.add_argument("--particles", type=int, default=64)
parser.add_argument("--sweeps", type=int, default=4)
parser.add_argument("--sampler", default="hmc")
parser.add_argument("--activations", default=",".join(COLORS))
parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "docs" / "evidence.png")
parser.add_argument("--table", type=Path, default=Path(__file__).parents[1] / "benchmarks" / "evidence.md")
options = parser.parse_args()

task = cs.tasks.orthogonal(samples=options.size, ratios=[0.5, 0.25, 0.25])
figure = Figure(figsize=(6.4, 4.2), layout="constrained")
axes = figure.subplots()
columns = ["activation", "log p(Y), nats", "error of one sweep", "temperatures", "least acceptance", "seconds"]
lines = ["| " + " | ".join(columns) + " |", "| --- " * len(columns) + "|"]
for activation in options.activations.split(","):
    posterior = cs.Posterior(task, cs.Network(activation, width=options.size), temperature=options.temperature)
    found = cs.evidence(posterior, particles=options.particles, sweeps=options.sweeps, sampler=options.sampler)
    cells = [
        activation,
        f"{found.log_evidence:.1f} ± {found.standard_error:.1f}",
        f"{found.weight_error:.1f}",
        str(len(found.temperatures)),
        f"{found.acceptance.min():.2f}",
        f"{found.seconds:.0f}",
    ]
    lines.append("| " + " | ".join(cells) + " |")
    print(lines[-1], *found.warnings, flush=True)
    curve, error, color = found.log_curve, 2 * found.curve_error, COLORS[activation]
    axes.fill_between(found.temperatures, curve - error, curve + error, color=color, alpha=0.3, linewidth=0)
    axes.plot(found.temperatures, curve, "o-", color=color, markersize=2.5, linewidth=1, label=activation)
axes.set(xscale="log", xlabel="temperature T", ylabel="log evidence log p(Y | T), nats")
axes.invert_xaxis()
axes.spines[["top", "right"]].set_visible(False)
axes.legend(frameon=False, title="band: two standard errors")
figure.savefig(options.out, dpi=130)
options.table.write_text(
    f"""# Log evidence of four activations

Toy task, N = P = {options.size}, T = {options.temperature:g}; {options.particles} particles, {options.sweeps} sweeps,
`{options.sampler}`. Made by `python experiments/evidence.py`, which draws the curves over all temperatures, too.

![Log evidence against temperature](../docs/evidence.png)

{chr(10).join(lines)}
"""
)
print(options.out)
