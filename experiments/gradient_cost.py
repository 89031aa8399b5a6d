"""Processor time of one gradient in each form of the posterior.

    OPENBLAS_NUM_THREADS=1 taskset -c 0 python experiments/gradient_cost.py

About 20 seconds on one core: tanh, depth 2, with bias. The best of seven means. Writes a table of
benchmarks/gradient_cost.md.
"""

import time

import jax
import numpy as np
from entry import Entry, Table
from threadpoolctl import threadpool_limits

import codingschemes as cs
from codingschemes.posterior import Density, Position
from codingschemes.posterior.posterior import Space

FORMS: tuple[Space, ...] = ("weights", "reduced", "function")
SIZES = ((100, 50), (100, 100), (400, 50))

entry = Entry(__doc__, quick={"means": 1})
entry.add_argument("--means", type=int, default=7)
options, out = entry.begin()


@jax.jit
def evaluate(density: Density, position: Position) -> tuple[jax.Array, Position]:
    return jax.value_and_grad(density.potential)(position)


def milliseconds(density: Density) -> float:
    """The best of some means over a tenth of a second of processor time, which other programs do not lengthen."""
    position = density.prior_draw(jax.random.PRNGKey(0))
    jax.block_until_ready(evaluate(density, position))
    means = []
    for _ in range(options.means):
        started, count = time.process_time(), 0
        while time.process_time() - started < 0.1:
            jax.block_until_ready(evaluate(density, position))
            count += 1
        means.append((time.process_time() - started) / count)
    return float(1e3 * np.min(means))


table = Table("N", "P", *FORMS)
with threadpool_limits(1, user_api="blas"):  # as the driver does
    for width, samples in SIZES:
        posterior = cs.Posterior(
            cs.tasks.orthogonal(samples=samples), cs.Network("tanh", width=width, depth=2, bias=True)
        )
        densities = [posterior.density(form) for form in FORMS]
        cells = [f"{milliseconds(density):.2f} ms, {density.dimension} numbers" for density in densities]
        table.row(width, samples, *cells)
out.table("benchmarks/gradient_cost.md", "gradient_cost.py", table)
