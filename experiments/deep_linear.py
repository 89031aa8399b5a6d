"""Deep linear networks: do theory and samples agree, and how far is infinite width?

    python experiments/deep_linear.py [--widths 50,100,200] [--samples 24]

First the toy task (three classes, ratios 1/2 : 1/4 : 1/4) at depth 2 and 3 and fixed N T: the mean field is the same
for all widths, so that the deviation of networks of N neurons a layer shrinks like 1/N; the proportional limit counts
the noise of the outputs. Then digits, correlated inputs that were not trained on: means and variances of the outputs at
P = N. A deviation is the root mean square of sampled less
predicted over all quantities of a kind, relative to the root mean square of the predictions. Writes
results/deep_linear.md, and deviations to docs/claims.md.
"""

import numpy as np
from claims import Claim
from deviations import Deviation, deviations
from entry import Entry, Table

import codingschemes as cs
from codingschemes.coding.predictions import test_predictions

THEORIES = ("mean-field", "proportional")

entry = Entry(
    __doc__,
    quick={
        "widths": "8,12",
        "samples": 6,
        "warmup": 50,
        "draws": 50,
        "seconds": 60.0,
        "images": 9,
        "test": 6,
        "depths": "2",
    },
)
entry.add_argument("--widths", default="50,100,200")
entry.add_argument("--depths", default="2,3")
entry.add_argument("--samples", type=int, default=24)
entry.add_argument("--heat", type=float, default=0.1, help="N T")
entry.add_argument("--warmup", type=int, default=300)
entry.add_argument("--draws", type=int, default=4000)
entry.add_argument("--seconds", type=float, default=120.0, help="of sampling, at most, for each network")
entry.add_argument("--images", type=int, default=60, help="digits trained on, and neurons of their networks")
entry.add_argument("--test", type=int, default=300, help="digits not trained on")
options, out = entry.begin()
widths = [int(width) for width in options.widths.split(",")]
depths = [int(depth) for depth in options.depths.split(",")]


def sampled(posterior: cs.Posterior) -> cs.Run:
    return cs.sample(
        posterior, warmup=options.warmup, draws=options.draws, time_limit=options.seconds, seed=1, progress=False
    )


def kinds(depth: int) -> dict[str, str]:
    """First words of a quantity -> what it is."""
    lower = {f"kernel of layer {layer}": f"kernel of layer {layer}" for layer in range(1, depth)}
    return {"output": "outputs", **lower, "kernel": f"kernel of layer {depth}"}


toy = cs.tasks.orthogonal(samples=options.samples, ratios=(0.5, 0.25, 0.25))
tables, found = [], dict[tuple[int, str], list[dict[str, Deviation]]]()
for depth in depths:
    table = Table("depth", "N", "theory", *kinds(depth).values(), "certificate")
    for width in widths:
        posterior = cs.Posterior(toy, cs.Network("linear", width=width, depth=depth), temperature=options.heat / width)
        run = sampled(posterior)
        for theory in THEORIES:
            prediction = cs.predict(posterior, theory)
            each = deviations(cs.compare(run, prediction).rows, kinds(depth))
            found.setdefault((depth, theory), []).append(each)
            table.row(depth, width, theory, *each.values(), f"{prediction.certificate.gap:.0e}")
    tables.append(str(table))

digits = cs.tasks.digits(classes=[0, 1, 2], samples=options.images, test=options.test)
seen = Table("depth", "theory", "mean outputs", "standard deviation, predicted / sampled")
spreads = {}
for depth in depths:
    posterior = cs.Posterior(digits, cs.Network("linear", width=options.images, depth=depth), temperature=1e-3)
    tested = test_predictions(sampled(posterior))
    assert tested is not None
    for theory in (*THEORIES, "lazy"):
        prediction = cs.predict(posterior, theory)
        assert prediction.test_outputs is not None
        assert prediction.test_variance is not None
        variance = np.broadcast_to(prediction.test_variance.reshape(len(tested.outputs), -1), tested.outputs.shape)
        off = np.linalg.norm(prediction.test_outputs - tested.outputs) / np.linalg.norm(tested.outputs)
        spreads[depth, theory] = float(np.sqrt(variance.mean() / (tested.spread**2).mean()))
        seen.row(depth, theory, f"{off:.1%}", f"{spreads[depth, theory]:.3f}")

both = "\n\n".join(tables)
out.page(
    "results/deep_linear.md",
    f"""# Deep linear networks against theory

`python experiments/deep_linear.py`: the toy task, P = {options.samples}, N T = {options.heat:g}; at most
{options.draws} draws of each of four chains.

Deviations (root mean square over all quantities of a kind, relative to the predictions) ± Monte Carlo error of the
sampled networks. Both theories are closed forms in the C x C covariance of the readouts; the proportional limit adds
the determinant of the noise of the training outputs, a part of order P/N.

{both}

Digits 0, 1, 2 that were not trained on: {options.test} of them, P = N = {options.images}, T = 1e-3. Deviation of the
mean outputs (sampled: of 100 networks), and the standard deviation of single networks about them.

{seen}
""",
)
out.claims(
    [
        Claim(
            f"Linear, {depth} hidden layers: deviation of the {name} from the {theory} theory, "
            f"N = {' / '.join(map(str, widths))}",
            "here",
            "0",
            ", ".join(f"{each[kind].size:.2%}" for each in found[depth, theory]),
            note=f"Monte Carlo error {found[depth, theory][-1][kind].error:.2%}"
            + (", corrections of order 1/N" if theory == "mean-field" else ""),
        )
        for depth in depths
        for theory in THEORIES
        for kind, name in kinds(depth).items()
        if kind in ("output", "kernel")
    ]
    + [
        Claim(
            f"Linear, {depth} hidden layers, digits: standard deviation at test inputs, predicted ({theory}) / sampled",
            "here",
            "1",
            f"{spreads[depth, theory]:.3f}",
        )
        for depth in depths
        for theory in ("proportional", "lazy")
    ]
)
