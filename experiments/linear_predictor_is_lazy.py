"""What a linear network predicts is what Gaussian-process regression predicts; learning features narrows it.

    python experiments/linear_predictor_is_lazy.py

van Meegen & Sompolinsky 2025: the mean predictor of linear networks equals the lazy one, the gain is a smaller
variance. Digits, P = 40, 200 test images, N = 100, T = 1e-6: a network whose readout is scaled by 1/N against the
Gaussian process of networks whose readout is scaled by 1/sqrt(N), priors of variance 1. About a minute; the numbers go
to docs/claims.md.
"""

import numpy as np
from claims import Claim, record

import codingschemes as cs

SOURCE = "van Meegen & Sompolinsky"
task = cs.tasks.digits(samples=40, test=200)
posterior = cs.Posterior(task, cs.Network("linear", width=100), temperature=1e-6)
wide = cs.Posterior(task, cs.Network("linear", width=100, scaling="lazy"), temperature=1e-6, readout_variance=1.0)
summary = cs.summarize(cs.sample(posterior, warmup=300, draws=300))
learned, lazy = cs.predict(posterior), cs.predict(wide, theory="lazy")
assert summary.test is not None
size = np.sqrt(np.mean(lazy.test_outputs**2))
apart = float(np.sqrt(np.mean((summary.test.outputs - lazy.test_outputs) ** 2)) / size)
noise = float(np.sqrt(np.mean(summary.test.spread**2) / 100) / size)
narrower = np.mean(summary.test.spread**2) / np.mean(lazy.test_variance)
predicted = np.mean(learned.test_variance) / np.mean(lazy.test_variance)
record(
    __file__,
    [
        Claim(
            "The mean predictor of a linear network tends to the lazy one (digits, T = 1e-6, difference)",
            SOURCE,
            f"{np.sqrt(np.mean((learned.test_outputs - lazy.test_outputs) ** 2)) / size:.1%}",
            f"{apart:.1%}",
            f"Monte Carlo {noise:.1%}",
        ),
        Claim(
            "Its variance is smaller (ratio to the lazy one)",
            SOURCE,
            f"{predicted:.5f}",
            f"{narrower:.5f}",
            f"{abs(narrower / predicted - 1):.1%}",
        ),
    ],
)
print(apart, noise, narrower, predicted)
