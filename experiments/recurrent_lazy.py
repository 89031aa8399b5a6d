"""Do wide recurrent networks become the Gaussian process of the lazy limit?

    python experiments/recurrent_lazy.py [--widths 10,20,40,80] [--steps 3]

Few samples (the toy task, three classes, P = 6), readouts scaled by 1/sqrt(N), one layer whose weights act at every
time step. Deviation of the sampled outputs from those of Gaussian-process regression with the kernel of an infinitely
wide recurrent network: root mean square of sampled less predicted, relative to that of the predictions. It should
vanish like 1/N. Writes results/recurrent_lazy.md, and deviations to docs/claims.md.
"""

import numpy as np
from claims import Claim
from deviations import deviations
from entry import Entry, Table

import codingschemes as cs
from codingschemes.diagnostics import diagnose

entry = Entry(__doc__, quick={"widths": "6,12", "activations": "tanh", "effective": 20.0, "draws": 60})
entry.add_argument("--widths", default="10,20,40,80")
entry.add_argument("--activations", default="tanh,relu")
entry.add_argument("--steps", type=int, default=3)
entry.add_argument("--temperature", type=float, default=0.1)
entry.add_argument("--effective", type=float, default=2000.0, help="draws of the slowest invariant")
entry.add_argument("--draws", type=int, default=8000)
options, out = entry.begin()
widths = [int(width) for width in options.widths.split(",")]

table = Table("activation", "N", "deviation of the outputs", "draws a chain", "R-hat")
claims = []
for activation in options.activations.split(","):
    found, rhats = [], []
    for width in widths:
        network = cs.Network(activation, width=width, depth=options.steps, recurrent=True, scaling="lazy")
        run = cs.sample(
            cs.Posterior(
                cs.tasks.orthogonal(samples=6), network, temperature=options.temperature, readout_variance=1.0
            ),
            sampler="hmc",
            until_ess=options.effective,
            draws=options.draws,
            progress=False,
        )
        found.append(deviations(cs.compare(run, theory="lazy").rows, {"output"})["output"])
        rhats.append(diagnose(run).convergence.rhat_max)
        table.row(activation, width, str(found[-1]), run.draw_count, f"{rhats[-1]:.3f}")
    slope = np.polyfit(np.log(widths), np.log([each.size for each in found]), 1)[0]
    claims.append(
        Claim(
            f"Recurrent {activation} networks, {options.steps} time steps, N = {' / '.join(map(str, widths))}, lazy "
            "scaling: deviation of the outputs from the lazy limit",
            "here",
            "0",
            ", ".join(f"{each.size:.1%}" for each in found),
            note=f"exponent in N {slope:.2f}; Monte Carlo error {found[-1].error:.1%}, R-hat at most {max(rhats):.2f}",
        )
    )
out.page(
    "results/recurrent_lazy.md",
    f"""# Recurrent networks and the lazy limit

`python experiments/recurrent_lazy.py`: the toy task, P = 6, lazy scaling, readout variance 1,
T = {options.temperature:g}, {options.steps} time steps of the same weights; four chains, at least
{options.effective:g} effective draws of the slowest invariant unless {options.draws} draws a chain are fewer.

Deviation of the sampled outputs from the lazy limit (root mean square, relative to the predictions) ± Monte Carlo
error.

{table}
""",
)
out.claims(claims)
