"""Does the mean field hold up to a part of order 1/N? Theory against sampled networks of growing width.

    python experiments/mean_field_against_samples.py [--widths 50,100,200] [--activations linear,sigmoid,relu]

The toy task (three classes, ratios 1/2 : 1/4 : 1/4, P = 100) at N T = 0.1, so that the theory is the same for all
widths and the deviation of a network of N neurons has to shrink like 1/N. A deviation is the root mean square of
sampled less predicted over all quantities of a kind, relative to the root mean square of the predictions. Writes
results/mean_field_against_samples.md and .png, and powers of N to docs/claims.md.
"""

import numpy as np
from claims import Claim
from entry import Entry, Table
from figures import redraw

import codingschemes as cs
from codingschemes.comparison.comparison import KINDS
from codingschemes.tasks import make_task

entry = Entry(
    __doc__,
    quick={"widths": "8,16", "activations": "linear", "samples": 8, "warmup": 50, "draws": 50, "seconds": 99.0},
)
entry.add_argument("--widths", default="50,100,200")
entry.add_argument("--activations", default="linear,sigmoid,relu")
entry.add_argument("--samples", type=int, default=100)
entry.add_argument("--warmup", type=int, default=200)
entry.add_argument("--draws", type=int, default=300)
entry.add_argument("--seconds", type=float, default=90.0, help="of sampling, at most, for each network")
options, out = entry.begin()
task = make_task("orthogonal", samples=options.samples, classes=3, ratios=".5,.25,.25")
widths = [int(width) for width in options.widths.split(",")]
table = Table("activation", "N", "T", *KINDS, "certificate")
drawn: dict[str, dict[str, list[float]]] = {}
for activation in options.activations.split(","):
    for width in widths:
        posterior = cs.Posterior(task, cs.Network(activation, width=width), temperature=0.1 / width)
        prediction = cs.predict(posterior)
        run = cs.sample(
            posterior, warmup=options.warmup, draws=options.draws, time_limit=options.seconds, progress=False
        )
        found = cs.compare(run, prediction).deviations()
        cells = [f"{found[kind][0]:.2%} ± {found[kind][1]:.2%}" if kind in found else "-" for kind in KINDS]
        table.row(activation, width, f"{0.1 / width:g}", *cells, f"{prediction.certificate.gap:.0e}")
        for kind, (off, _) in found.items():
            drawn.setdefault(activation, {}).setdefault(kind, []).append(off)

out.page(
    "results/mean_field_against_samples.md",
    f"""# Mean field against sampled networks

`python experiments/mean_field_against_samples.py`: the toy task, P = {options.samples}, N T = 0.1.

Deviations (root mean square over all quantities of a kind, relative to the predictions) ± Monte Carlo error.
The theory is of infinite width: deviations shrink like 1/N until they drown in the error.

{table}

![deviations against width](mean_field_against_samples.png)
""",
)
redraw("mean_field_against_samples", out.root)
out.claims(
    [
        Claim(
            f"Mean field of {activation} networks: power of N with which the deviation of the {name} shrinks, "
            f"N = {' / '.join(map(str, widths))}",
            "van Meegen & Sompolinsky",
            "-1",
            f"{np.polyfit(np.log(widths[: len(kinds[kind])]), np.log(kinds[kind]), 1)[0]:.2f}",
            note=f"deviations {', '.join(f'{off:.2%}' for off in kinds[kind])}",
        )
        for activation, kinds in drawn.items()
        for kind, name in (("output", "outputs"), ("kernel", "kernel"))
    ]
)
