"""Does the mean field of two hidden layers hold? Theory against sampled networks of growing width.

    python experiments/mean_field_at_depth.py [--widths 60,120,240] [--samples 12]

The toy task (three classes, ratios 1/2 : 1/4 : 1/4) at fixed N T, so that the theory is the same for all widths and the
deviation of a network of N neurons a layer has to shrink until the noise of the particles is left. A deviation is the
root mean square of sampled less predicted over all quantities of a kind, relative to the root mean square of the
predictions. The noise is the root mean square difference of two predictions from different seeds. Writes
results/mean_field_depth.md, and deviations to docs/claims.md.
"""

import dataclasses

import numpy as np
from claims import Claim
from deviations import by_kind, deviations
from entry import Entry, Table

import codingschemes as cs

KINDS = {"output": "outputs", "kernel of layer 1": "kernel of layer 1", "kernel": "kernel of layer 2"}

entry = Entry(
    __doc__,
    quick={"widths": "8,12", "samples": 4, "particles": 100, "warmup": 50, "draws": 50, "seconds": 120.0},
)
entry.add_argument("--widths", default="60,120,240")
entry.add_argument("--samples", type=int, default=12)
entry.add_argument("--heat", type=float, default=0.1, help="N T")
entry.add_argument("--particles", type=int, default=2000)
entry.add_argument("--warmup", type=int, default=400)
entry.add_argument("--draws", type=int, default=4000)
entry.add_argument("--seconds", type=float, default=15.0, help="of sampling, at most, for each network")
options, out = entry.begin()
task = cs.tasks.orthogonal(samples=options.samples, ratios=(0.5, 0.25, 0.25))
widths = [int(width) for width in options.widths.split(",")]


table = Table("N", "T", *KINDS.values(), "certificate")
drawn: dict[str, list[float]] = {kind: [] for kind in KINDS}
predictions: list[cs.Prediction] = []
noise: dict[str, float] = {}
for width in widths:
    network = cs.Network("sigmoid", width=width, depth=2)
    posterior = cs.Posterior(task, network, temperature=options.heat / width)
    prediction = cs.predict(posterior, particles=options.particles, seed=len(predictions))
    predictions.append(prediction)
    run = cs.sample(
        posterior,
        sampler="hmc",
        space="reduced",
        warmup=options.warmup,
        draws=options.draws,
        time_limit=options.seconds,
        progress=False,
    )
    rows = cs.compare(run, prediction).rows
    found = deviations(rows, KINDS)
    cells = [str(found[kind]) for kind in KINDS]
    table.row(width, f"{options.heat / width:g}", *cells, f"{prediction.certificate.gap:.2f}")
    for kind in KINDS:
        drawn[kind].append(found[kind].size)
    if len(predictions) == 2:
        # of another width at the same N T, so of this posterior, too
        first = dataclasses.replace(predictions[0], posterior=posterior)
        other = {row.quantity: row.predicted for row in cs.compare(run, first).rows}
        for kind, each in by_kind(rows, KINDS).items():
            pairs = np.array([[other[row.quantity] for row in each], [row.predicted for row in each]])
            noise[kind] = float(np.linalg.norm(pairs[0] - pairs[1]) / np.linalg.norm(pairs[1]))
        print("noise of the prediction", noise, flush=True)

differences = ", ".join(f"{noise[kind]:.2%} ({name})" for kind, name in KINDS.items() if kind in noise)
shares = ", ".join(
    f"{group.name} {group.count / widths[-1]:.3f}"
    for group in predictions[-1].codes
    if group.count > 0.005 * widths[-1]
)
out.page(
    "results/mean_field_depth.md",
    f"""# Mean field of two hidden layers against sampled networks

`python experiments/mean_field_at_depth.py`: the toy task, sigmoid, P = {options.samples}, N T = {options.heat:g},
{options.particles} particles a layer; `hmc`, `reduced` space.

Deviations (root mean square over all quantities of a kind, relative to the predictions) ± Monte Carlo error of
the sampled networks. The theory is of infinite width; what it leaves out at N = 60 is here less than the
noise of its particles, so that no power of N is to be seen. The certificate is in nats a neuron.

{table}

Two predictions from different seeds differ by {differences}.

Predicted shares of the neurons of layer 2: {shares}.
""",
)
out.claims(
    [
        Claim(
            f"Two hidden layers, sigmoid: deviation of the {name}, N = {' / '.join(map(str, widths))}",
            "here",
            "0",
            ", ".join(f"{each:.2%}" for each in drawn[kind]),
            note=f"two predictions differ by {noise.get(kind, float('nan')):.2%} between seeds",
        )
        for kind, name in KINDS.items()
    ]
)
