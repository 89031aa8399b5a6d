"""Is the theory that is given the numbers of neurons in codes right about all else?

    python experiments/restricted_theory.py [--seeds 3]

The sigmoid toy, N = P = 100, T = 1e-4: single annealed chains of `hmc`, whose neurons keep the codes that they froze
in, against the mean field at these numbers. Deviations are root mean squares over all quantities of a kind, relative to
the predictions. Half a minute; the numbers go to docs/claims.md.
"""

import numpy as np
from claims import Claim
from deviations import deviations
from entry import Entry

import codingschemes as cs

entry = Entry(__doc__, quick={"seeds": 1, "samples": 12, "width": 10, "draws": 20})
entry.add_argument("--seeds", type=int, default=3, help="chains, each frozen in numbers of its own")
entry.add_argument("--samples", type=int, default=100)
entry.add_argument("--width", type=int, default=100)
entry.add_argument("--draws", type=int, default=2000)
options, out = entry.begin()
TASK = cs.tasks.orthogonal(samples=options.samples, ratios=(0.5, 0.25, 0.25))
POSTERIOR = cs.Posterior(TASK, cs.Network("sigmoid", width=options.width), temperature=0.01 / options.width)
KINDS = {"activity": "activities", "readout": "readouts", "kernel": "kernel", "output": "outputs"}


def frozen(run: cs.Run) -> tuple[dict[str, float], float]:
    """Shares of codes in the last draw, and of neurons that had another code in the first."""
    means = np.eye(TASK.class_count)[TASK.labels] / np.bincount(TASK.labels)
    draws = run.values("neurons", "preactivation").reshape(-1, options.width, options.samples)
    first, last = (1 / (1 + np.exp(-z.astype(float))) @ means > 0.5 for z in (draws[0], draws[-1]))
    names, counts = np.unique(last, axis=0, return_counts=True)
    shares = {"".join(str(int(bit)) for bit in name): n / options.width for name, n in zip(names, counts, strict=True)}
    return shares, float(np.mean((first != last).any(axis=1)))


found: dict[str, list[str]] = {name: [] for name in (*KINDS.values(), "dual variables")}
changed = 0.0
for seed in range(options.seeds):
    run = cs.sample(
        POSTERIOR, sampler="hmc", start="annealed", chains=1, warmup=500, draws=options.draws, seed=seed, progress=False
    )
    shares, switched = frozen(run)
    changed = max(changed, switched)
    prediction = cs.predict(POSTERIOR, code_fractions=shares)
    for kind, deviation in deviations(cs.compare(run, prediction).rows, KINDS).items():
        found[KINDS[kind]].append(f"{deviation.size:.2%}")
    there = TASK.targets - run.values("posterior", "outputs").mean(axis=(0, 1))
    predicted = TASK.targets - prediction.outputs
    found["dual variables"].append(f"{np.linalg.norm(there - predicted) / np.linalg.norm(predicted):.2%}")
    print(shares, {name: values[-1] for name, values in found.items()})
out.claims(
    [
        Claim(
            f"Mean field at given numbers in codes, sigmoid, {options.seeds} frozen chains: deviation of the {name}",
            "here",
            "0",
            ", ".join(values),
            note=f"neurons that changed code: {changed:.0%}",
        )
        for name, values in found.items()
    ]
)
