"""Do chains from very different starts agree on how many neurons have which code? benchmarks/code_equilibrium.md.

    python experiments/code_equilibrium.py                      # toy sigmoid at two temperatures, codes against NUTS
    python experiments/code_equilibrium.py --task mnist --temperatures 1e-4 --samplers codes --draws 8000
    python experiments/code_equilibrium.py --activation relu    # activity norms of the strongest neurons instead

Four chains: all neurons in one code, neurons in single-class codes, a quench from the prior, an annealed start.
One row a temperature, sampler and quantity; R-hat is over the four chains. The numbers of the toy task with `codes` go
to docs/claims.md; tables are printed, and set by hand into the page, beside what they show.
"""

import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from claims import Claim
from entry import Entry, Table

import codingschemes as cs
from codingschemes.diagnostics import ess, rhat
from codingschemes.posterior import Density, Position
from codingschemes.runs import Sampling
from codingschemes.runs.start import beginning
from codingschemes.samplers import SAMPLERS, Settings
from codingschemes.samplers.settling import nothing_in_common, step_together
from codingschemes.tasks import make_task

CODES = ("110", "101", "011", "100")
CHUNK = 50

entry = Entry(
    __doc__,
    quick={"size": 12, "temperatures": "1e-3", "samplers": "codes", "warmup": 50, "draws": 50, "seconds": 20.0},
)
entry.add_argument("--task", choices=("toy", "mnist"), default="toy")
entry.add_argument("--activation", choices=("sigmoid", "relu"), default="sigmoid")
entry.add_argument("--temperatures", default="1e-3,1e-4")
entry.add_argument("--samplers", default="codes,nuts")
entry.add_argument("--warmup", type=int, default=300)
entry.add_argument("--draws", type=int, default=3000)
entry.add_argument("--seconds", type=float, default=240.0, help="of sampling, at most")
entry.add_argument("--size", type=int, default=100, help="neurons, samples")
options, out = entry.begin()


def starts(density: Density, labels: np.ndarray) -> Position:
    """Whitened coordinates of the four chains."""
    width = density.network.width
    rng = np.random.default_rng(0)
    basis = np.asarray(density.basis)
    ridge = basis @ basis.T + 0.1 * np.mean(np.sum(basis**2, axis=1)) * np.eye(len(basis))

    def planted(codes: np.ndarray) -> np.ndarray:
        pattern = 1.2 * (2 * codes[:, labels] - 1)
        return pattern @ np.linalg.solve(ridge, basis) + 0.7 * rng.normal(size=(width, basis.shape[1]))

    one = planted(np.tile([1, 1, 0], (width, 1)))
    single = planted(np.eye(3, dtype=int)[rng.integers(3, size=width)])
    quench = rng.normal(size=(width, basis.shape[1]))
    annealing = Sampling(sampler="hmc", chains=1, start="annealed")
    annealed = beginning(jax.random.PRNGKey(3), density, annealing).positions["input"][0]
    return {"input": jnp.asarray(np.stack([one, single, quench, annealed]))}


def observe(position: Position, density: Density) -> jax.Array:
    """Neurons in each of the eight codes, and the activity norms of the six strongest neurons."""
    activity = density.propagate(position)[1]
    bits = (activity @ density.class_average > density.network.activation(jnp.zeros(()))).astype(int)
    counts = jnp.bincount(bits @ jnp.array([4, 2, 1]), length=8)
    return jnp.concatenate([counts, jnp.sort(jnp.sqrt(jnp.mean(activity**2, axis=1)))[::-1][:6]])


def run(name: str, density: Density, positions: Position) -> tuple[np.ndarray, float, float]:
    """Observations (chain, draw, ...), and the seconds of warm-up and sampling, compilation left out."""
    kernel = SAMPLERS[name](Settings(warmup=options.warmup, max_tree_depth=8))
    count = jax.tree.leaves(positions)[0].shape[0]

    @jax.jit
    def chunk(chains: Any, density: Density, first: jax.Array, steps: jax.Array) -> tuple[Any, jax.Array]:
        def body(index: jax.Array, carry: tuple[Any, jax.Array]) -> tuple[Any, jax.Array]:
            (states, common), rows = carry
            states, common, _ = step_together(kernel, states, common, first + index, density)
            seen = jax.vmap(observe, (0, None))(jax.vmap(kernel.position)(states), density)
            return (states, common), rows.at[index].set(seen)

        return jax.lax.fori_loop(0, steps, body, (chains, jnp.zeros((CHUNK, count, 14))))

    states = cs.samplers.begin(kernel, jax.random.PRNGKey(1), positions, density)
    chains = states, nothing_in_common(kernel, states, density)
    jax.block_until_ready(chunk(chains, density, 0, 0))
    rows: list[np.ndarray] = []
    started = time.monotonic()
    for first in range(0, options.warmup, CHUNK):
        chains, _ = jax.block_until_ready(chunk(chains, density, first, CHUNK))
    warm = time.monotonic() - started
    chains = kernel.pool(chains[0]), chains[1]
    started = time.monotonic()
    while len(rows) * CHUNK < options.draws and time.monotonic() - started < options.seconds:
        chains, seen = jax.block_until_ready(chunk(chains, density, options.warmup, CHUNK))
        rows.append(np.asarray(seen))
    return np.swapaxes(np.concatenate(rows), 0, 1), warm, time.monotonic() - started


if options.task == "toy":
    task = make_task("orthogonal", samples=options.size, classes=3, ratios=".5,.25,.25")
else:
    task = make_task("mnist", classes="3,5,8", samples=options.size)
network = cs.Network(options.activation, width=options.size)
claims: list[Claim] = []
heads = ("task", "T", "sampler", "warm-up s", "sampling s", "draws a chain", "quantity", "mean by chain", "R-hat")
table = Table(*heads, "ESS", "dual")
print(table)
for temperature in map(float, options.temperatures.split(",")):
    posterior = cs.Posterior(task, network, temperature=temperature)
    density = posterior.density()
    dual = {}
    if options.task == "toy" and options.activation == "sigmoid":
        dual = {group.name: group.count for group in cs.predict(posterior).codes}
    begin = starts(density, task.labels)
    for name in options.samplers.split(","):
        seen, warm, seconds = run(name, density, begin)
        if options.activation == "sigmoid":
            shown = {code: int(code, 2) for code in CODES if seen[:, :, int(code, 2)].mean() > 0.5}
        else:
            shown = {f"norm {rank + 1}": 8 + rank for rank in range(6)}
        worst = 0.0
        for label, column in shown.items():
            series = seen[:, :, [column]]
            worst = max(worst, float(rhat(series)[0]))
            table.row(
                f"{options.task} {options.activation}",
                f"{temperature:g}",
                name,
                f"{warm:.0f}",
                f"{seconds:.0f}",
                seen.shape[1],
                label,
                " ".join(f"{mean:.2f}" for mean in series.mean(axis=(1, 2))),
                f"{rhat(series)[0]:.3f}",
                f"{ess(series)[0]:.0f}",
                f"{dual[label]:.2f}" if label in dual else "-",
            )
        if dual and name == "codes":
            counts = {label: seen[:, :, column].mean() for label, column in shown.items()}
            claims.append(
                Claim(
                    f"Neurons with the codes {', '.join(counts)}, sigmoid, T = {temperature:g}, four starts",
                    "here",
                    ", ".join(f"{dual[label]:.1f}" for label in counts),
                    ", ".join(f"{count:.1f}" for count in counts.values()),
                    note=f"R-hat {worst:.3f}",
                )
            )
if claims:
    out.claims(claims)
