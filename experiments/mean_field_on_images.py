"""Mean field against sampled networks on real images: benchmarks/mean_field_on_images.md.

    python experiments/mean_field_on_images.py [--runs FOLDER] [--only mnist:sigmoid:1e-3,cifar10:relu:1e-3]

MNIST 3, 5, 8 and CIFAR-10 airplane, automobile, bird, one hidden layer, N = P = 100, 200 test images. Runs are kept in
FOLDER, and those that are there are not sampled again. A deviation is the root mean square of sampled less predicted
over all quantities of a kind, relative to the root mean square of the predictions, ± its Monte Carlo error.
"""

import argparse
import time
from pathlib import Path

from claims import Claim, record

import codingschemes as cs
from codingschemes.comparison.comparison import KINDS

TABLE = Path(__file__).parents[1] / "benchmarks" / "mean_field_on_images.md"

EVERYTHING = ",".join(
    f"{images}:{activation}:{temperature}"
    for images, temperatures in (("mnist", ("1e-3", "1e-4")), ("cifar10", ("1e-3",)))
    for activation in ("sigmoid", "relu")
    for temperature in temperatures
)

parser = argparse.ArgumentParser()
parser.add_argument("--runs", type=Path, default=Path("runs/mean_field_on_images"))
parser.add_argument("--only", default=EVERYTHING)
parser.add_argument("--seconds", type=float, default=240.0, help="of sampling, at most, for each network")
options = parser.parse_args()
TASKS = {
    "mnist": cs.tasks.mnist(classes=[3, 5, 8], samples=100, test=200),
    "cifar10": cs.tasks.cifar10(classes=[0, 1, 2], samples=100, test=200),
}


def sampled(images: str, activation: str, temperature: float) -> cs.Run:
    folder = options.runs / f"{images}-{activation}-{temperature:g}"
    if folder.exists():
        return cs.Run.open(folder)
    posterior = cs.Posterior(TASKS[images], cs.Network(activation, width=100), temperature=temperature)
    return cs.sample(posterior, out=folder, warmup=300, draws=400, time_limit=options.seconds, progress=False)


deviations, numbers, claims = [], [], []
for images, name, temperature in (each.split(":") for each in options.only.split(",")):
    run = sampled(images, name, float(temperature))
    started = time.process_time()
    comparison = cs.compare(run)
    prediction = comparison.prediction
    seconds = time.process_time() - started
    found = comparison.deviations()
    cells = [f"{found[kind][0]:.2%} ± {found[kind][1]:.2%}" if kind in found else "-" for kind in KINDS]
    holds = "yes" if prediction.certificate.holds else "no"
    given = ", at the sampled fractions of codes" if comparison.conditional else ""
    deviations.append(
        f"| {images} | {name}{given} | {temperature} | "
        f"{' | '.join(cells)} | {prediction.certificate.gap:.3f} ({holds}) | {seconds:.0f} |"
    )
    print(deviations[-1], flush=True)
    rows = {row.quantity: row for row in comparison.rows}
    lazy = cs.compare(run, theory="lazy")
    baseline = next(row.predicted for row in lazy.rows if row.quantity == "test error")
    on = f"{name} on {'MNIST' if images == 'mnist' else 'CIFAR-10'}, T = {temperature}"
    one, other = TASKS[images].class_names[:2]
    shown = (f"output {one} for class {one}", f"kernel within class {one}", f"kernel between classes {one} and {other}")
    for quantity in shown:
        row = rows[quantity]
        claims.append(
            Claim(
                f"{on}: {quantity}",
                "van Meegen & Sompolinsky" if name == "sigmoid" else "here",
                f"{row.predicted:.4f}",
                f"{row.sampled:.4f} ± {row.mcse:.4f}",
                f"{abs(row.relative_error):.1%}",
            )
        )
    row = rows["test error"]
    claims.append(
        Claim(
            f"{on}: test error (lazy: {baseline:.3f})",
            claims[-1].source,
            f"{row.predicted:.3f}",
            f"{row.sampled:.3f}",
            f"{abs(row.sampled - row.predicted):.3f}",
        )
    )
    for row in comparison.rows:
        if row.quantity.startswith(("output", "kernel", "test", "neurons")):
            error = f" ± {row.mcse:.1g}" if row.mcse == row.mcse else ""
            numbers.append(
                f"| {images} | {name} | {temperature} | {row.quantity} | {row.sampled:.4g}{error} | "
                f"{row.predicted:.4g} |"
            )
TABLE.write_text(
    "# Mean field on real images\n\n"
    "`python experiments/mean_field_on_images.py`: MNIST 3, 5, 8 and CIFAR-10\nairplane, automobile, "
    "bird, one hidden layer, N = P = 100.\n\n"
    "Deviations (root mean square over all quantities of a kind, relative to the predictions) ± Monte Carlo\n"
    "error. The gap is that of the theory's own problem, in nats a neuron, Monte Carlo noise included (accepted up to\n"
    "0.1); seconds are those of a core.\n\n"
    f"| images | activation | T | {' | '.join(KINDS)} | gap | s |\n"
    + "| --- " * (5 + len(KINDS))
    + "|\n"
    + "\n".join(deviations)
    + "\n\n| images | activation | T | quantity | sampled | predicted |\n"
    + "| --- " * 6
    + "|\n"
    + "\n".join(numbers)
    + "\n"
)
record(__file__, claims)
