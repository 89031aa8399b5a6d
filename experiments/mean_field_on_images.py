"""Does the mean field hold on real images? Theory against sampled networks on MNIST and CIFAR-10.

    python experiments/mean_field_on_images.py [--runs FOLDER] [--only mnist:sigmoid:1e-3,cifar10:relu:1e-3]

MNIST 3, 5, 8 and CIFAR-10 airplane, automobile, bird, one hidden layer, N = P = 100, 200 test images. Runs are kept in
FOLDER, and those that are there are not sampled again. A deviation is the root mean square of sampled less predicted
over all quantities of a kind, relative to the root mean square of the predictions, ± its Monte Carlo error. Writes
results/mean_field_on_images.md, and some quantities to docs/claims.md.
"""

import time
from pathlib import Path

from claims import Claim
from entry import Entry, Table, kept_run

import codingschemes as cs
from codingschemes.comparison.comparison import KINDS

EVERYTHING = ",".join(
    f"{images}:{activation}:{temperature}"
    for images, temperatures in (("mnist", ("1e-3", "1e-4")), ("cifar10", ("1e-3",)))
    for activation in ("sigmoid", "relu")
    for temperature in temperatures
)

entry = Entry(__doc__, quick={"size": 12, "only": "mnist:sigmoid:1e-2", "draws": 40, "runs": None})
entry.add_argument("--size", type=int, default=100, help="neurons, samples")
entry.add_argument("--draws", type=int, default=400)
entry.add_argument("--runs", type=Path, default=Path("runs/mean_field_on_images"))
entry.add_argument("--only", default=EVERYTHING)
entry.add_argument("--seconds", type=float, default=240.0, help="of sampling, at most, for each network")
options, out = entry.begin()
TASKS = {
    "mnist": cs.tasks.mnist(classes=[3, 5, 8], samples=options.size, test=200),
    "cifar10": cs.tasks.cifar10(classes=[0, 1, 2], samples=options.size, test=200),
}


def sampled(images: str, activation: str, temperature: float) -> cs.Run:
    folder = options.runs and options.runs / f"{images}-{activation}-{temperature:g}"
    posterior = cs.Posterior(TASKS[images], cs.Network(activation, width=options.size), temperature=temperature)
    return kept_run(folder, posterior, warmup=300, draws=options.draws, time_limit=options.seconds)


deviations = Table("images", "activation", "T", *KINDS, "gap", "s")
numbers = Table("images", "activation", "T", "quantity", "sampled", "predicted")
claims: list[Claim] = []
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
    gap = f"{prediction.certificate.gap:.3f} ({holds})"
    deviations.row(images, f"{name}{given}", temperature, *cells, gap, f"{seconds:.0f}")
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
                "here",
                f"{row.predicted:.4f}",
                f"{row.sampled:.4f}",
                f"{row.mcse:.2g}",
            )
        )
    row = rows["test error"]
    claims.append(
        Claim(
            f"{on}: test error",
            claims[-1].source,
            f"{row.predicted:.3f}",
            f"{row.sampled:.3f}",
            note=f"lazy {baseline:.3f}",
        )
    )
    for row in comparison.rows:
        if row.quantity.startswith(("output", "kernel", "test", "neurons")):
            error = f" ± {row.mcse:.1g}" if row.mcse == row.mcse else ""
            numbers.row(images, name, temperature, row.quantity, f"{row.sampled:.4g}{error}", f"{row.predicted:.4g}")
out.page(
    "results/mean_field_on_images.md",
    f"""# Mean field on real images

`python experiments/mean_field_on_images.py`: MNIST 3, 5, 8 and CIFAR-10 airplane, automobile, bird, one hidden layer,
N = P = {options.size}.

Deviations (root mean square over all quantities of a kind, relative to the predictions) ± Monte Carlo
error. The gap is that of the theory's own problem, in nats a neuron, Monte Carlo noise included (accepted up to
0.1); seconds are those of a core.

{deviations}

{numbers}
""",
)
out.claims(claims)
