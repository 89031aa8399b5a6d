"""Which activation explains random labels best? Log evidence of four networks at every temperature.

    python experiments/evidence.py

Toy task: orthogonal inputs, random labels with ratios 1/2 : 1/4 : 1/4, N = P = 20, down to T = 1e-3. Writes
docs/evidence.png and results/evidence.md. Priors are those of the literature: the readout variance of a linear
network is another one.
"""

from entry import Entry, Table
from matplotlib.figure import Figure

import codingschemes as cs

COLORS = {"linear": "#0072B2", "sigmoid": "#E69F00", "relu": "#009E73", "tanh": "#CC79A7"}

entry = Entry(__doc__, quick={"size": 6, "particles": 8, "sweeps": 1, "temperature": 0.1, "activations": "linear,tanh"})
entry.add_argument("--size", type=int, default=20, help="neurons and samples")
entry.add_argument("--temperature", type=float, default=1e-3)
entry.add_argument("--particles", type=int, default=64)
entry.add_argument("--sweeps", type=int, default=4)
entry.add_argument("--sampler", default="hmc")
entry.add_argument("--activations", default=",".join(COLORS))
options, out = entry.begin()

task = cs.tasks.orthogonal(samples=options.size, ratios=[0.5, 0.25, 0.25])
figure = Figure(figsize=(6.4, 4.2), layout="constrained")
axes = figure.subplots()
table = Table("activation", "log p(Y), nats", "error of one sweep", "temperatures", "least acceptance", "seconds")
for activation in options.activations.split(","):
    posterior = cs.Posterior(task, cs.Network(activation, width=options.size), temperature=options.temperature)
    found = cs.evidence(posterior, particles=options.particles, sweeps=options.sweeps, sampler=options.sampler)
    table.row(
        activation,
        f"{found.log_evidence:.1f} ± {found.standard_error:.1f}",
        f"{found.weight_error:.1f}",
        str(len(found.temperatures)),
        f"{found.acceptance.min():.2f}",
        f"{found.seconds:.0f}",
    )
    print(*found.warnings, flush=True)
    curve, error, color = found.log_curve, 2 * found.curve_error, COLORS[activation]
    axes.fill_between(found.temperatures, curve - error, curve + error, color=color, alpha=0.3, linewidth=0)
    axes.plot(found.temperatures, curve, "o-", color=color, markersize=2.5, linewidth=1, label=activation)
axes.set(xscale="log", xlabel="temperature T", ylabel="log evidence log p(Y | T), nats")
axes.invert_xaxis()
axes.spines[["top", "right"]].set_visible(False)
axes.legend(frameon=False, title="band: two standard errors")
figure.savefig(out.path("docs/evidence.png"), dpi=130)
out.page(
    "results/evidence.md",
    f"""# Log evidence of four activations

Toy task, N = P = {options.size}, T = {options.temperature:g}; {options.particles} particles, {options.sweeps} sweeps,
`{options.sampler}`. Made by `python experiments/evidence.py`, which draws the curves over all temperatures, too.

![Log evidence against temperature](../docs/evidence.png)

{table}
""",
)
