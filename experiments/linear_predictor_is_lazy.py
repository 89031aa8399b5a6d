"""What a linear network predicts is what Gaussian-process regression predicts; learning features narrows it.

    python experiments/linear_predictor_is_lazy.py

van Meegen & Sompolinsky 2025: the mean predictor of linear networks equals the lazy one, the gain is a smaller
variance. Digits, P = 40, 200 test images, N = 100, T = 1e-5, 1e-6 and 1e-8: a network whose readout is scaled by 1/N
against the Gaussian process of networks whose readout is scaled by 1/sqrt(N), priors of variance 1. Half a minute; the
numbers go to docs/claims.md.
"""

from typing import NamedTuple

import numpy as np
from claims import Claim
from entry import Entry

import codingschemes as cs

SOURCE = "van Meegen & Sompolinsky"
entry = Entry(__doc__, quick={"samples": 10, "width": 20, "draws": 20})
entry.add_argument("--samples", type=int, default=40)
entry.add_argument("--width", type=int, default=100)
entry.add_argument("--draws", type=int, default=300)
options, out = entry.begin()
task = cs.tasks.digits(samples=options.samples, test=200)


class Difference(NamedTuple):
    """Of a network's test outputs from the lazy ones, relative to these, and its variance over theirs."""

    predicted: float
    sampled: float
    noise: float
    narrower: float
    predicted_narrower: float


def difference(temperature: float) -> Difference:
    posterior = cs.Posterior(task, cs.Network("linear", width=options.width), temperature=temperature)
    wide = cs.Posterior(
        task, cs.Network("linear", width=options.width, scaling="lazy"), temperature=temperature, readout_variance=1.0
    )
    summary = cs.summarize(cs.sample(posterior, warmup=options.draws, draws=options.draws, progress=False))
    learned, lazy = cs.predict(posterior), cs.predict(wide, theory="lazy")
    assert summary.test is not None
    assert learned.test_outputs is not None
    assert learned.test_variance is not None
    assert lazy.test_outputs is not None
    assert lazy.test_variance is not None
    size = np.sqrt(np.mean(lazy.test_outputs**2))
    return Difference(
        predicted=float(np.sqrt(np.mean((learned.test_outputs - lazy.test_outputs) ** 2)) / size),
        sampled=float(np.sqrt(np.mean((summary.test.outputs - lazy.test_outputs) ** 2)) / size),
        noise=float(np.sqrt(np.mean(summary.test.spread**2) / 100) / size),
        narrower=float(np.mean(summary.test.spread**2) / np.mean(lazy.test_variance)),
        predicted_narrower=float(np.mean(learned.test_variance) / np.mean(lazy.test_variance)),
    )


TEMPERATURES = ("1e-5", "1e-6", "1e-8")
differences = [difference(float(temperature)) for temperature in TEMPERATURES]
out.claims(
    [
        Claim(
            f"The mean predictor of a linear network tends to the lazy one (digits, T = {temperature}, difference)",
            SOURCE,
            f"{each.predicted:.2%}",
            f"{each.sampled:.2%}",
            f"{each.noise:.2%}",
        )
        for temperature, each in zip(TEMPERATURES, differences, strict=True)
    ]
    + [
        Claim(
            "Its variance is smaller (T = 1e-6, ratio to the lazy one)",
            SOURCE,
            f"{differences[1].predicted_narrower:.5f}",
            f"{differences[1].narrower:.5f}",
        ),
    ]
)
print(*differences, sep="\n")
