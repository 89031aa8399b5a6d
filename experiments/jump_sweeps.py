"""What a sweep of jumps and a search for modes take, and what it costs to weigh modes about centres that are held.

    OPENBLAS_NUM_THREADS=1 taskset -c 0 python experiments/jump_sweeps.py [CELL ...]

About ten minutes of one core. Of each posterior one annealed chain: modes are looked for at its first draw, and sweeps
made from its last. Weights are compared with those about centres that have taken their Newton step, in the cavities of
all neurons, relative to the neuron's own mode and counted as often as the other mode is drawn. Processor time, the best
of three. Writes a table of benchmarks/code_equilibrium.md.
"""

import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from entry import Entry, Table
from jaxtyping import Array, Float
from threadpoolctl import threadpool_limits

import codingschemes as cs
from codingschemes.posterior import Density
from codingschemes.samplers.jumps import centre_among, frozen_weights, jump_sweep
from codingschemes.samplers.mode_pooling import ToldModes, look_around, shared
from codingschemes.samplers.modes import Modes, mode_of, modes_from
from codingschemes.samplers.neighbourhood import LastLayer, cavities_of, populate
from codingschemes.tasks import make_task

#: Task, its options, neurons and samples, temperature.
CELLS: dict[str, tuple[str, dict[str, Any], int, float]] = {
    "toy, N = P = 100, T = 1e-3": ("orthogonal", {"ratios": ".5,.25,.25"}, 100, 1e-3),
    "MNIST 3, 5, 8, N = P = 100, T = 1e-3": ("mnist", {"classes": "3,5,8"}, 100, 1e-3),
    "MNIST 3, 5, 8, N = P = 100, T = 1e-4": ("mnist", {"classes": "3,5,8"}, 100, 1e-4),
    "CIFAR-10 0, 1, 2, N = P = 100, T = 1e-3": ("cifar10", {"classes": "0,1,2"}, 100, 1e-3),
    "six digits, N = P = 200, T = 1e-3": ("digits", {"classes": "0,1,2,3,4,5"}, 200, 1e-3),
}

entry = Entry(__doc__, quick={"cells": ["toy, N = P = 100, T = 1e-3"], "steps": 20, "sweeps": 5})
entry.add_argument("cells", nargs="*", metavar="CELL", default=list(CELLS))
entry.add_argument("--steps", type=int, default=100, help="of the warm-up")
entry.add_argument("--sweeps", type=int, default=60)
options, out = entry.begin()


@jax.jit
def gains(population: LastLayer, modes: Modes, density: Density) -> tuple[Array, Array, Array]:
    """Log weights about centres that are held, and about those that have taken their step, (neuron, mode); and the
    neurons' modes."""
    images = modes.activity @ population.inverse
    numbers = jnp.arange(len(modes.found))

    def of_neuron(neuron: Array) -> tuple[Array, Array]:
        cavities = cavities_of(population, neuron[None], density)
        cavity = jax.tree.map(lambda entries: entries[0], cavities)
        centres = jax.vmap(lambda mode: centre_among(cavity, mode, images[mode], modes))(numbers)
        activity = density.network.activation(centres @ population.basis.T)
        stepped = cavity.log_likelihood(activity, activity @ population.inverse) - jnp.sum(centres**2, axis=1) / 2
        return frozen_weights(cavities, modes, images)[0], stepped + modes.log_volume

    held, stepped = jax.lax.map(of_neuron, jnp.arange(len(population.activity)))
    return held, stepped, jax.vmap(mode_of, (0, None))(population.activity, modes)


def difference(held: Float[np.ndarray, "N K"], stepped: Float[np.ndarray, "N K"], own: np.ndarray) -> float:
    """Root mean square over jumps that are tried."""
    rows = np.arange(len(own))
    chance = np.exp(stepped - stepped.max(axis=1, keepdims=True))
    chance /= chance.sum(axis=1, keepdims=True)
    chance[rows, own] = 0
    gaps = held - stepped
    return float(np.sqrt(np.sum(chance * (gaps - gaps[rows, own][:, None]) ** 2) / chance.sum()))


def seconds(function: Callable[..., Any], *given: Any, times: int = 3) -> tuple[float, Any]:
    """The least processor time of a call, and what it returns."""
    result, spent = jax.block_until_ready(function(*given)), []
    for _ in range(times):
        began = time.process_time()
        result = jax.block_until_ready(function(*given))
        spent.append(time.process_time() - began)
    return min(spent), result


def row(name: str) -> list[str]:
    task, made, size, temperature = CELLS[name]
    posterior = cs.Posterior(
        make_task(task, samples=size, **made), cs.Network("sigmoid", width=size), temperature=temperature
    )
    run = cs.sample(posterior, chains=1, draws=40, warmup=options.steps, start="annealed", progress=False)
    preactivation = run.values("neurons", "preactivation")[0, :, 0].astype(float)
    density = posterior.density()
    first, last = (
        populate(density, density.input_coordinates(jnp.asarray(preactivation[draw])), density.basis)
        for draw in (0, -1)
    )

    @jax.jit
    def search(population: LastLayer, density: Density) -> Modes:
        own = look_around(population, density, ToldModes.none(density))
        reference = shared(jax.tree.map(lambda rows: rows[None], own), density)
        return modes_from(reference, density, density.basis)

    of_search, modes = seconds(search, first, density)
    held, stepped, own = (np.asarray(each) for each in gains(last, modes, density))
    found = int(np.sum(modes.found))
    sweep = jax.jit(jump_sweep)
    of_sweep = min(seconds(sweep, jax.random.key(each), last, modes, density, times=1)[0] for each in range(3))
    accepted = [int(sweep(jax.random.key(each), last, modes, density)[1]) for each in range(options.sweeps)]
    error = np.std(accepted) / len(accepted) ** 0.5
    return [
        name,
        str(found),
        f"{difference(held[:, :found], stepped[:, :found], own):.3f}",
        f"{np.mean(accepted):.2f} ± {error:.2f}",
        f"{1e3 * of_sweep:.1f} ms",
        f"{of_search:.2f} s",
    ]


cs.set_up_jax()
table = Table("sigmoid", "modes", "difference of log weights", "jumps accepted in a sweep", "a sweep", "a search")
with threadpool_limits(1, user_api="blas"):  # as the driver does
    for name in options.cells:
        table.row(*row(name))
        print(table, flush=True)
out.table("benchmarks/code_equilibrium.md", "jump_sweeps.py", table)
