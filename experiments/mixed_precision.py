"""What mixed precision changes: the time of a gradient, acceptance, and the invariants of correlated inputs.

    OPENBLAS_NUM_THREADS=1 taskset -c 1 python experiments/mixed_precision.py

About two minutes of one core. Gradients: processor time, sigmoid, `orthogonal`, the best of five means. Then `hmc` on
digits (the bench's targets, which have a recorded reference), four chains, in double and in mixed precision: the energy
against the reference, and the step size and acceptance that they end with. Writes benchmarks/mixed_precision.md.
"""

import time
from typing import cast

import jax
import numpy as np
from entry import Entry, Table
from threadpoolctl import threadpool_limits

import codingschemes as cs
from codingschemes.benchmark import TARGETS
from codingschemes.benchmark.measure import worst_z
from codingschemes.benchmark.table import read_references
from codingschemes.diagnostics import mean_and_error
from codingschemes.posterior import Density
from codingschemes.runs.configuration import Arithmetic, Sampling

_PAGE = """# Mixed precision

    OPENBLAS_NUM_THREADS=1 taskset -c 1 python experiments/mixed_precision.py

`--precision mixed` follows forces in single precision, S and its factor in double, and accepts by the energy in double
precision: exact whatever the forces, as they depend on the position alone. One core that other work shared.

## A gradient, processor time

{gradients}

Of the operations the factor, in double precision, is a part in 25 at N = P; all else at twice the rate would be a ratio
of 0.52. A trajectory of `hmc` takes two gradients more than in double precision: an exact one at its end, and forces at
its start. What short trajectories gain is therefore little, and grows with their length and with the size.

## Draws of digits, which are correlated

`hmc`, four chains, {warmup} + {draws} steps. Its chains keep the codes of their start, and with them the kernel's
diagonal, in either precision: what is compared with the reference is the energy.

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

table = Table("target", "precision", "step", "acceptance", "gradients a draw", "energy", "its z")
for target in options.targets.split(","):
    for precision in PRECISIONS:
        run = cs.sample(
            TARGETS[target].posterior(), sampler="hmc", chains=4, warmup=options.warmup, draws=options.draws,
            precision=precision, progress=False,
        )  # fmt: skip
        stats = {name: run.values("sample_stats", name) for name in ("step_size", "acceptance_rate", "n_steps")}
        rate, error = mean_and_error(stats["acceptance_rate"])
        mean, sigma = map(float, mean_and_error(run.values("posterior", "energy")))
        z = worst_z({"energy": (mean, sigma)}, read_references().get(target))
        table.row(
            target, precision, f"{np.mean(stats['step_size']):.3f}", f"{float(rate):.4f} ± {float(error):.4f}",
            f"{stats['n_steps'].mean():.1f}", f"{mean:.3f} ± {sigma:.3f}", f"{z:.1f}",
        )  # fmt: skip
text = _PAGE.format(gradients=gradients, warmup=options.warmup, draws=options.draws, draws_table=table)
out.page("benchmarks/mixed_precision.md", text)
