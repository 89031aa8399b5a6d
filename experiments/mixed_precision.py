"""What mixed precision changes: the time of a gradient, acceptance, and the invariants of correlated inputs.

    OPENBLAS_NUM_THREADS=1 taskset -c 1 python experiments/mixed_precision.py

About four minutes of one core. Gradients: processor time, sigmoid, `orthogonal`, the best of five means. Then `hmc` and
`codes` on digits (the bench's targets, which have a recorded reference), four chains, in double and in mixed precision:
invariants against the reference, and the step size and acceptance that they end with. Writes
benchmarks/mixed_precision.md.
"""

import itertools
import time
from typing import cast

import jax
import numpy as np
from entry import Entry, Table
from threadpoolctl import threadpool_limits

import codingschemes as cs
from codingschemes.benchmark import TARGETS
from codingschemes.benchmark.measure import COMPARED, worst_z
from codingschemes.benchmark.table import read_references
from codingschemes.diagnostics import mean_and_error
from codingschemes.posterior import Density
from codingschemes.runs.configuration import Arithmetic, Sampling

_PAGE = """# Mixed precision

    OPENBLAS_NUM_THREADS=1 taskset -c 1 python experiments/mixed_precision.py

`--precision mixed`, which `sample` takes where it can, follows forces in single precision, S and its factor in double,
and accepts by the energy in double precision: exact whatever the forces, as they depend on the position alone. One core
that other work shared.

## A gradient, processor time

{gradients}

Of the operations the factor, in double precision, is a part in 25 at N = P; all else at twice the rate would be a ratio
of 0.52. A trajectory takes one energy in double precision besides, a third of a gradient; forces at its start are those
at the end of the one before.

## Draws of digits, which are correlated

Four chains, {warmup} + {draws} steps. Those of `hmc` keep the codes of their start, and with them the kernel's
diagonal, in either precision: of these the energy is compared with the reference; of `codes` all that is on record, the
worst of {count}.

{draws_table}
"""
SIZES = "100,400,1000"


def milliseconds(density: Density) -> float:
    """The best of five means over a fifth of a second."""
    evaluate = jax.jit(jax.grad(density.approximate_potential or density.potential))
    position, means = density.prior_draw(jax.random.PRNGKey(0)), []
    jax.block_until_ready(evaluate(position))
    for _ in range(5):
        started, count = time.process_time(), 0
        while time.process_time() - started < 0.2:
            jax.block_until_ready(evaluate(position))
            count += 1
        means.append((time.process_time() - started) / count)
    return 1e3 * min(means)


entry = Entry(__doc__, quick={"sizes": "12", "targets": "tiny-sigmoid", "warmup": 10, "draws": 20})
entry.add_argument("--sizes", default=SIZES, help="N = P, separated by commas")
entry.add_argument("--targets", default="digits-sigmoid", help="of the bench, separated by commas")
entry.add_argument("--warmup", type=int, default=200)
entry.add_argument("--draws", type=int, default=500, help="a chain")
options, out = entry.begin()
PRECISIONS = cast(tuple[Arithmetic, ...], ("double", "mixed"))

gradients = Table("N = P", *PRECISIONS, "ratio")
with threadpool_limits(1, user_api="blas"):  # as the driver does
    for size in map(int, options.sizes.split(",")):
        posterior = cs.Posterior(cs.tasks.orthogonal(samples=size), cs.Network("sigmoid", width=size), temperature=1e-3)
        double, mixed = (milliseconds(Sampling(precision=each).density(posterior)) for each in PRECISIONS)
        gradients.row(size, f"{double:.3g} ms", f"{mixed:.3g} ms", f"{mixed / double:.2f}")


def mean_of(run: cs.Run, name: str) -> tuple[float, float]:
    """And its error, over all entries of a recorded invariant."""
    series = run.values("posterior", name)
    mean, error = mean_and_error(series.reshape(*series.shape[:2], -1).mean(axis=2))
    return float(mean), float(error)


table = Table("target", "sampler", "precision", "step", "acceptance", "gradients a draw", "energy", "largest z")
for target, sampler, precision in itertools.product(options.targets.split(","), ("hmc", "codes"), PRECISIONS):
    run = cs.sample(
            TARGETS[target].posterior(), sampler=sampler, chains=4, warmup=options.warmup, draws=options.draws,
            precision=precision, progress=False,
        )  # fmt: skip
    stats = {name: run.values("sample_stats", name) for name in ("step_size", "acceptance_rate", "n_steps")}
    rate, error = mean_and_error(stats["acceptance_rate"])
    mean, sigma = mean_of(run, "energy")
    names = COMPARED if sampler == "codes" else ("energy",)
    z = worst_z({name: mean_of(run, name) for name in names}, read_references().get(target))
    table.row(
            target, sampler, precision, f"{np.mean(stats['step_size']):.3f}", f"{float(rate):.4f} ± {float(error):.4f}",
            f"{stats['n_steps'].mean():.1f}", f"{mean:.3f} ± {sigma:.3f}", f"{z:.1f}",
        )  # fmt: skip
text = _PAGE.format(
    gradients=gradients, warmup=options.warmup, draws=options.draws, count=len(COMPARED), draws_table=table
)
out.page("benchmarks/mixed_precision.md", text)
