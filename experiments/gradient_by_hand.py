"""Value and gradient of the reduced density against the same expression written by hand.

    OPENBLAS_NUM_THREADS=1 taskset -c 0 python experiments/gradient_by_hand.py

By hand: one jitted function of plain arrays for one hidden layer, with the analytical gradient by one Cholesky.
The two take turns, 15 rounds of a tenth of a second of processor time each; medians over the rounds. Writes a table of
benchmarks/gradient_cost.md.
"""

import time
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from entry import Entry, Table
from jax.scipy.linalg import cho_solve
from threadpoolctl import threadpool_limits

import codingschemes as cs

SLOPES = {
    "sigmoid": lambda z: jnp.exp(-jnp.pi * z**2 / 4) / 2,
    "relu": lambda z: (z > 0).astype(z.dtype),
}
FUNCTIONS = {"sigmoid": lambda z: (1 + jax.scipy.special.erf(jnp.sqrt(jnp.pi) / 2 * z)) / 2, "relu": jax.nn.relu}
SIZES = ((100, 100), (400, 100))

entry = Entry(__doc__, quick={"rounds": 1})
entry.add_argument("--rounds", type=int, default=15)
options, out = entry.begin()


def by_hand(activation: str) -> Callable[..., tuple[jax.Array, jax.Array]]:
    @jax.jit
    def evaluate(
        u: jax.Array, basis: jax.Array, targets: jax.Array, scaled_readout_variance: jax.Array, temperature: jax.Array
    ) -> tuple[jax.Array, jax.Array]:
        samples, outputs = targets.shape
        z = u @ basis.T
        phi = FUNCTIONS[activation](z)
        factor = jnp.linalg.cholesky(
            scaled_readout_variance * phi.T @ phi + temperature * jnp.eye(samples), symmetrize_input=False
        )
        dual = cho_solve((factor, True), targets)
        log_det = 2 * jnp.sum(jnp.log(jnp.diagonal(factor))) - samples * jnp.log(temperature)
        value = (jnp.sum(u**2) + jnp.sum(targets * dual) + outputs * log_det) / 2
        slope = scaled_readout_variance * (outputs * cho_solve((factor, True), phi.T).T - (phi @ dual) @ dual.T)
        return value, u + (slope * SLOPES[activation](z)) @ basis

    return evaluate


def milliseconds(evaluate: Callable[[], object]) -> float:
    started, count = time.process_time(), 0
    while time.process_time() - started < 0.1:
        jax.block_until_ready(evaluate())
        count += 1
    return 1e3 * (time.process_time() - started) / count


package = jax.jit(lambda density, position: jax.value_and_grad(density.potential)(position))

table = Table("activation", "N", "P", "package", "by hand", "ratio")
with threadpool_limits(1, user_api="blas"):  # as the driver does
    for activation in FUNCTIONS:
        for width, samples in SIZES:
            posterior = cs.Posterior(cs.tasks.orthogonal(samples=samples), cs.Network(activation, width=width))
            density = posterior.density()
            position = density.prior_draw(jax.random.PRNGKey(0))
            hand = by_hand(activation)
            arrays = (
                position["input"],
                density.basis,
                density.targets,
                density.scaled_readout_variance,
                density.temperature,
            )
            value, gradient = package(density, position)
            value_by_hand, gradient_by_hand = hand(*arrays)
            np.testing.assert_allclose(value, value_by_hand, rtol=1e-10)
            np.testing.assert_allclose(gradient["input"], gradient_by_hand, atol=1e-6 * np.abs(gradient_by_hand).max())
            pairs = np.array(
                [
                    (milliseconds(lambda: package(density, position)), milliseconds(lambda: hand(*arrays)))  # noqa: B023
                    for _ in range(options.rounds)
                ]
            )
            ours, theirs = np.median(pairs, axis=0)
            ratio = np.median(pairs[:, 0] / pairs[:, 1])
            table.row(activation, width, samples, f"{ours:.3f} ms", f"{theirs:.3f} ms", f"{ratio:.2f}")
out.table("benchmarks/gradient_cost.md", "gradient_by_hand.py", table)
