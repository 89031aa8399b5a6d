"""Do sampled networks learn a sparse parity that fixed kernels cannot?

    python experiments/sparse_parity.py [--temperatures 1e-2,1e-3] [--width 60] [--minutes 10]

The product of k = 3 of d = 20 coordinates, P = 100 training inputs, 1,000 others to test on: tanh networks of one
hidden layer, mean-field scaling, until four chains from mixed starts agree (R-hat below 1.02 of every invariant).
Beside them Gaussian processes with the kernel of wide random networks. Writes results/sparse_parity.md, and
docs/claims.md.
"""

from claims import Claim
from entry import Entry, Table

import codingschemes as cs
from codingschemes.baselines import GaussianProcess
from codingschemes.coding.predictions import Predictions

entry = Entry(__doc__, quick={"temperatures": "1e-2", "width": 10, "samples": 24, "minutes": 2, "test": 50})
entry.add_argument("--temperatures", default="1e-2,1e-3")
entry.add_argument("--width", type=int, default=60)
entry.add_argument("--samples", type=int, default=100)
entry.add_argument("--test", type=int, default=1000)
entry.add_argument("--minutes", type=float, default=10, help="limit of each run")
options, out = entry.begin()
task = cs.tasks.parity(dimension=20, relevant=3, samples=options.samples, test=options.test)
network = cs.Network("tanh", width=options.width)


def of_test(found: Predictions) -> tuple[str, str, str]:
    """Error with its binomial error, bias and variance."""
    return f"{found.error:.3f} ± {found.error_se:.3f}", f"{found.bias:.3f}", f"{found.variance:.3f}"


table = Table(
    "learner", "T", "test error ± binomial", "bias²", "variance", "training loss", "R-hat", "ESS", "draws", "s"
)
claims = []
for temperature in map(float, options.temperatures.split(",")):
    posterior = cs.Posterior(task, network, temperature=temperature)
    run = cs.sample(posterior, progress=False, until_rhat=1.02, until_ess=400, time_limit=60 * options.minutes)
    summary = cs.summarize(run)
    assert summary.test is not None
    reached = summary.diagnostics.convergence
    table.row(
        "sampled networks",
        f"{temperature:g}",
        *of_test(summary.test),
        f"{summary.training.loss.mean:.4f}",
        f"{reached.rhat_max:.3f}",
        f"{reached.ess_min:.0f}",
        f"4 x {run.draw_count}",
        f"{run.seconds:.0f}",
    )
    process = GaussianProcess(posterior)
    table.row("GP at the same T", f"{temperature:g}", *of_test(process.predict(temperature)), *["-"] * 5)
    claims.append(
        Claim(
            f"Parity of 3 of 20 coordinates, {options.samples} samples, tanh, T = {temperature:g}: test error",
            "here",
            "-",
            f"{summary.test.error:.3f}",
            f"{summary.test.error_se:.3f}",
            f"R-hat {reached.rhat_max:.3f}; GP at the same T {process.predict(temperature).error:.3f}",
        )
    )
lazy = GaussianProcess(cs.Posterior(task, network), scale=1.0)
best = lazy.best_temperature
for name, at in (("GP at T → 0", 0.0), ("GP at its best ridge", best)):
    table.row(name, f"{at:.2g}", *of_test(lazy.predict(at)), *["-"] * 5)
out.page(
    "results/sparse_parity.md",
    f"""# Sparse parity

`python experiments/sparse_parity.py`: the product of 3 of 20 coordinates ±1, P = {options.samples}, {options.test} test
inputs, one draw of them; tanh, N = {options.width}, one hidden layer, mean-field scaling, prior of the literature.

{table}

Chance is .5. Chains start mixed (annealed, prior, quenched) and end when every invariant has an R-hat of at most 1.02
and 400 effective draws, or at {options.minutes:g} minutes.
""",
)
out.claims(claims)
