"""As many samples as neurons: which theory says what networks learn that are not linear?

    python experiments/proportional_limit.py [--widths 30,60,120] [--runs FOLDER]

The toy task (three classes, ratios 1/2 : 1/4 : 1/4), P = N, readouts scaled by 1/sqrt(N): features change by a part of
order one as P/N is. Deviation of the sampled outputs from the lazy limit, in which kernels do not learn, from the
proportional limit, in which learning rescales them, and from the mean field where it reaches, in which neurons are told
apart: root mean square of sampled less predicted, relative to that of the predictions. Runs are kept in FOLDER, and
those that are there go on where they stopped. Writes results/proportional_limit.md, and deviations to docs/claims.md.
"""

from pathlib import Path

from claims import Claim
from deviations import Deviation, deviations
from entry import Entry, Table

import codingschemes as cs
from codingschemes.diagnostics import diagnose

THEORIES = ("lazy", "proportional", "mean-field")

entry = Entry(
    __doc__,
    quick={
        "widths": "6,9",
        "depths": "1",
        "activations": "erf",
        "warmup": 40,
        "draws": 40,
        "seconds": 60.0,
        "runs": None,
    },
)
entry.add_argument("--widths", default="30,60,120")
entry.add_argument("--depths", default="1,2")
entry.add_argument("--activations", default="erf,relu")
entry.add_argument("--temperature", type=float, default=0.02)
entry.add_argument("--warmup", type=int, default=300)
entry.add_argument("--draws", type=int, default=1500)
entry.add_argument("--seconds", type=float, default=600.0, help="of sampling, at most, for each network")
entry.add_argument("--runs", type=Path, default=Path("runs/proportional_limit"))
options, out = entry.begin()
widths = [int(width) for width in options.widths.split(",")]


def sampled(activation: str, depth: int, width: int) -> cs.Run:
    folder = options.runs and options.runs / f"{activation}-{depth}-{width}"
    task = cs.tasks.orthogonal(samples=width, ratios=(0.5, 0.25, 0.25))
    network = cs.Network(activation, width=width, depth=depth, scaling="lazy")
    return cs.sample(
        cs.Posterior(task, network, temperature=options.temperature),
        out=folder,
        resume=bool(folder and folder.exists()),
        warmup=options.warmup,
        draws=options.draws,
        time_limit=options.seconds,
        seed=1,
        progress=False,
    )


def deviation(run: cs.Run, theory: str) -> tuple[Deviation, bool] | None:
    """That of the outputs, and whether the theory has a certificate; None where it does not cover the network."""
    try:
        comparison = cs.compare(run, theory=theory)
    except cs.InvalidInput as refusal:
        print(refusal)
        return None
    return deviations(comparison.rows, {"output"})["output"], comparison.prediction.certificate.holds


table = Table("activation", "depth", "N = P", *THEORIES, "draws a chain", "R-hat")
claims = []
for activation in options.activations.split(","):
    for depth in map(int, options.depths.split(",")):
        found: dict[str, list[Deviation]] = {}
        rhats = []
        for width in widths:
            run = sampled(activation, depth, width)
            rhats.append(diagnose(run).convergence.rhat_max)
            cells = []
            for theory in THEORIES:
                each = deviation(run, theory)
                if each is not None:
                    found.setdefault(theory, []).append(each[0])
                cells.append("-" if each is None else f"{each[0]}{'' if each[1] else ' (no certificate)'}")
            table.row(activation, depth, width, *cells, run.draw_count, f"{rhats[-1]:.3f}")
        claims += [
            Claim(
                f"{activation}, depth {depth}, N = P = {' / '.join(map(str, widths))}, lazy scaling: deviation of the "
                f"outputs from the {theory} theory",
                "here",
                "0",
                ", ".join(f"{each.size:.1%}" for each in found[theory]),
                note=f"Monte Carlo error {found[theory][-1].error:.1%}, R-hat at most {max(rhats):.2f}",
            )
            for theory in found
        ]
out.page(
    "results/proportional_limit.md",
    f"""# As many samples as neurons: outputs of networks that are not linear

`python experiments/proportional_limit.py --depths {options.depths}`: the toy task, lazy scaling,
T = {options.temperature:g}; at most {options.draws} draws of each of four chains.

Deviation of the sampled outputs from each theory (root mean square, relative to the predictions) ± Monte Carlo error,
which means nothing where chains disagree: R-hat is the largest of all invariants, 1.05 what is asked for elsewhere.

{table}
""",
)
out.claims(claims)
