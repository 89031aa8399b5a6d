"""Mean field against sampled networks of growing width: benchmarks/mean_field_against_samples.md and .png.

    python experiments/mean_field_against_samples.py [--widths 50,100,200] [--activations linear,sigmoid,relu]

The toy task (three classes, ratios 1/2 : 1/4 : 1/4, P = 100) at N T = 0.1, so that the theory is the same for all
widths and the deviation of a network of N neurons has to shrink like 1/N. A deviation is the root mean square of
sampled less predicted over all quantities of a kind, relative to the root mean square of the predictions.
"""

import argparse
from pathlib import Path

import figures
import numpy as np
from claims import Claim, record

import codingschemes as cs
from codingschemes.comparison.comparison import KINDS
from codingschemes.tasks import make_task

FOLDER = Path(__file__).parent.parent / "benchmarks"

parser = argparse.ArgumentParser()
parser.add_argument("--widths", default="50,100,200")
parser.add_argument("--activations", default="linear,sigmoid,relu")
parser.add_argument("--samples", type=int, default=100)
parser.add_argument("--warmup", type=int, default=200)
parser.add_argument("--draws", type=int, default=300)
parser.add_argument("--seconds", type=float, default=90.0, help="of sampling, at most, for each network")
options = parser.parse_args()
task = make_task("orthogonal", samples=options.samples, classes=3, ratios=".5,.25,.25")
widths = [int(width) for width in options.widths.split(",")]


lines = ["| activation | N | T | " + " | ".join(KINDS) + " | certificate |", "| --- " * (4 + len(KINDS)) + "|"]
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
        holds = f"{prediction.certificate.gap:.0e}"
        lines.append(f"| {activation} | {width} | {0.1 / width:g} | {' | '.join(cells)} | {holds} |")
        print(lines[-1], flush=True)
        for kind, (off, _) in found.items():
            drawn.setdefault(activation, {}).setdefault(kind, []).append(off)

(FOLDER / "mean_field_against_samples.md").write_text(
    "# Mean field against sampled networks\n\n"
    f"`python experiments/mean_field_against_samples.py`: the toy task, P = {options.samples}, N T = 0.1.\n\n"
    "Deviations (root mean square over all quantities of a kind, relative to the predictions) ± Monte Carlo error.\n"
    "The theory is of infinite width: deviations shrink like 1/N until they drown in the error.\n\n"
    + "\n".join(lines)
    + "\n\n![deviations against width](mean_field_against_samples.png)\n"
)
figures.redraw("mean_field_against_samples")
record(
    __file__,
    [
        Claim(
            f"Mean field of {activation} networks: deviation of the {kind}, N = {' / '.join(map(str, widths))}",
            "van Meegen & Sompolinsky",
            "shrinks like 1/N",
            " / ".join(f"{off:.2%}" for off in kinds[kind]),
            f"exponent {np.polyfit(np.log(widths[: len(kinds[kind])]), np.log(kinds[kind]), 1)[0]:.2f}",
        )
        for activation, kinds in drawn.items()
        for kind in ("output", "kernel")
    ],
)
