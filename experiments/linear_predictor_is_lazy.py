"""What a linear network predicts is what Gaussian-process regression predicts; learning features narrows it.

    python experiments/linear_predictor_is_lazy.py

van Meegen & Sompolinsky 2025: the mean predictor of linear networks equals the lazy one, the gain is a smaller
variance. Digits, P = 40, 200 test images, N = 100, T = 1e-6: a network whose readout is scaled by 1/N against the
Gaussian process of networks whose readout is scaled by 1/sqrt(N), priors of variance 1. About a minute; the numbers go
to docs/claims.md.
"""

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
posterior = cs.Posterior(task, cs.Network("linear", width=options.width), temperature=1e-6)
wide = cs.Posterior(
    task, cs.Network("linear", width=options.width, scaling="lazy"), temperature=1e-6, readout_variance=1.0
)
summary = cs.summarize(cs.sample(posterior, warmup=options.draws, draws=options.draws))
learned, lazy = cs.predict(posterior), cs.predict(wide, theory="lazy")
assert summary.test is not None
assert learned.test_outputs is not None
assert learned.test_variance is not None
assert lazy.test_outputs is not None
assert lazy.test_variance is not None
size = np.sqrt(np.mean(lazy.test_outputs**2))
apart = float(np.sqrt(np.mean((summary.test.outputs - lazy.test_outputs) ** 2)) / size)
noise = float(np.sqrt(np.mean(summary.test.spread**2) / 100) / size)
narrower = np.mean(summary.test.spread**2) / np.mean(lazy.test_variance)
predicted = np.mean(learned.test_variance) / np.mean(lazy.test_variance)
out.claims(
    [
        Claim(
            "The mean predictor of a linear network tends to the lazy one (digits, T = 1e-6, difference)",
            SOURCE,
            f"{np.sqrt(np.mean((learned.test_outputs - lazy.test_outputs) ** 2)) / size:.1%}",
            f"{apart:.1%}",
            f"{noise:.1%}",
        ),
        Claim(
            "Its variance is smaller (ratio to the lazy one)",
            SOURCE,
            f"{predicted:.5f}",
            f"{narrower:.5f}",
        ),
    ]
)
print(apart, noise, narrower, predicted)
