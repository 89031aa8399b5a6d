"""Seconds and gigabytes of a draw against the numbers of neurons and samples.

    OPENBLAS_NUM_THREADS=1 taskset -c 1 python experiments/cost_of_a_draw.py

About half an hour of one core. `orthogonal`, one hidden layer, reduced form, T = 1e-3, sampler `codes`. First a
gradient at every size, and the memory that `--dry-run` says. Then draws, each size a process of its own: one chain from
the prior, its search for modes, then the loop that runs use, records included. The step is held at .1, so that a
trajectory has the same number of gradients at every size. Then whole runs: their peak of memory, and their checkpoint.
Seconds are processor time. What is in benchmarks/cost_of_a_draw.json already is not measured again. Writes that file,
and .md and .png beside it.
"""

import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from entry import Entry, Output, Table
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from threadpoolctl import threadpool_limits

import codingschemes as cs
from codingschemes.devices import CHAIN, EVERYWHERE, chain_mesh, place
from codingschemes.posterior import Density, Position
from codingschemes.reports.style import CODE_COLORS, styled
from codingschemes.runs.chunks import Machine, Program, Stretch, advance, begin
from codingschemes.runs.configuration import Sampling, resolve
from codingschemes.runs.footprint import footprint
from codingschemes.runs.run import CHECKPOINT
from codingschemes.samplers import SAMPLERS

ACTIVATIONS = ("sigmoid", "relu")
#: N and P of gradients, and those of draws: what decides most first.
SIZES = "100x100,200x100,400x100,1000x100,2000x100,100x200,100x400,100x1000,200x200,400x400,1000x1000"
#: N, P, chains of whole runs, and what they may take, GB of memory and MB of checkpoint.
RUNS = ((400, 400, 4, 1.5, None), (400, 400, 2, None, 20), (1000, 1000, 2, 6, None))
#: Seconds of processor time after which no other draw is begun, and draws.
_ENOUGH, _MOST_DRAWS = 5.0, 20
#: What grows along an axis of the figure: its name, which sizes lie on it, and what they are told apart by.
AXES = (
    ("N at P = 100", lambda row: row["samples"] == 100, "width"),
    ("P at N = 100", lambda row: row["width"] == 100, "samples"),
    ("N = P", lambda row: row["width"] == row["samples"], "samples"),
)
#: What is fitted, and the powers that the largest parts grow with along each axis: a gradient has products with the
#: basis, N P^2, and with the smaller of S and A; jumps visit N neurons at P^2 each; modes are P^2 numbers.
POWERS = {"gradient": (1, 2, 3), "moves": (1, 2, 3), "draw": (1, 2, 3), "gigabytes": (1, 2, 2)}

_PAGE = """# Seconds and gigabytes of a draw

    OPENBLAS_NUM_THREADS=1 taskset -c 0 python experiments/cost_of_a_draw.py

`orthogonal`, one hidden layer, reduced form, forces in single precision as `sample` takes them, T = 10⁻³, sampler
`codes`, one chain on one core (one of two, with other work on either). Seconds are processor time. A draw is a sweep
of jumps (sigmoid) or rotations (ReLU) over all neurons, a trajectory of as many gradients as its column says (the step
is held at .1: how it has to shrink with the number of coordinates, about d^(1/4), is not in these numbers), and what
is recorded. Moves and records are a draw without the gradients of its trajectory. Memory of the loop of draws is of
one chain, records included: as `--dry-run` says, and XLA's account of the compiled loop. The peak is that of the whole
process: Python, compiling and the search, and what draws this page's figure.

{sizes}

![Seconds and gigabytes against N and P](cost_of_a_draw.png)

## Exponents

Fitted by least squares to the logarithms of all sizes of an axis; beside them what the largest part of the arithmetic,
or of the arrays, grows with. Small sizes pay for the start of operations, so that fits are below.

{exponents}

## Whole runs

`codes`, sigmoid, 2 devices, from the prior, 2 steps of warm-up with a search and 4 draws, written to a folder.

{runs}
"""


class Size(NamedTuple):
    """What one row of the table is of."""

    activation: str
    width: int
    samples: int

    def posterior(self) -> cs.Posterior:
        return cs.Posterior(
            cs.tasks.orthogonal(samples=self.samples), cs.Network(self.activation, width=self.width), temperature=1e-3
        )

    @property
    def label(self) -> str:
        return f"{self.activation} {self.width}x{self.samples}"


def measured(size: Size) -> dict[str, Any]:
    """One size, in this process."""
    posterior = size.posterior()
    density, kernel = resolve(posterior, {}).density(posterior), SAMPLERS["codes"](cs.samplers.Settings(warmup=0))
    key, mesh = jax.random.PRNGKey(0), chain_mesh(1)
    membership = jnp.asarray(np.eye(posterior.task.class_count)[posterior.task.labels])
    program = place(Program(density, membership, key), mesh, EVERYWHERE)
    _, states = begin(kernel, jax.random.split(key, 1), density.prior_draws(key, 1), density)
    states = place(states, mesh, CHAIN)
    machine = Machine(kernel, mesh, program).informed(states)
    found: dict[str, Any] = {}
    if kernel.jumps(density.network):
        jax.block_until_ready(machine.searched(states, wanted=False)[1])  # compiles
        started = time.process_time()
        machine, states = machine.searched(states)
        jax.block_until_ready((machine.program, states))
        found["search"] = time.process_time() - started
    started = time.process_time()
    compiled = advance.lower(*machine.parts, states, Stretch.of(0, 1, recording=True)).compile()
    found["compile"] = time.process_time() - started
    memory = compiled.memory_analysis()
    assert memory is not None  # of a CPU
    found["loop"] = (
        memory.argument_size_in_bytes
        + memory.output_size_in_bytes
        + memory.temp_size_in_bytes
        - memory.alias_size_in_bytes
    ) / 1e9
    seconds, steps = [], []
    for draw in range(_MOST_DRAWS + 1):
        started = time.process_time()
        stretch = Stretch.of(draw, 1, recording=True)
        states, rows = jax.block_until_ready(compiled(machine.program, states, stretch))
        if draw:
            seconds.append(time.process_time() - started)
            steps.append(float(rows.to_host(1)["sample_stats"]["n_steps"].mean()))
        if sum(seconds) > _ENOUGH:
            break
    usual = np.flatnonzero(np.asarray(steps) == np.min(steps))  # a long trajectory of ReLU is a draw of its own
    found |= {
        "draw": float(np.median(np.asarray(seconds)[usual])),
        "steps": float(np.min(steps)) - 1,
        "draws": len(seconds),
        "peak": _peak(),
    }
    return found


def shaped(size: Size) -> dict[str, Any]:
    """A gradient of one size, and the memory of its loop of draws as `--dry-run` has it."""
    posterior = size.posterior()
    memory = footprint(posterior, Sampling(chains=1, draws=100)).memory
    return {
        **size._asdict(),
        "gradient": gradient_seconds(resolve(posterior, {}).density(posterior)),
        "gigabytes": (memory.states + memory.modes / 2 + memory.buffers + memory.records) / 1e9,
    }


def with_moves(row: dict[str, Any]) -> dict[str, Any]:
    """A row and its draw without the gradients of the trajectory, where it was measured."""
    return row | ({"moves": row["draw"] - row["steps"] * row["gradient"]} if "draw" in row else {})


def whole_run(width: int, samples: int, chains: int) -> dict[str, Any]:
    """Peak memory and checkpoint of a run in this process."""
    posterior = Size("sigmoid", width, samples).posterior()
    options: dict[str, Any] = {"chains": chains, "draws": 4, "warmup": 2, "seed": 0}
    said = footprint(posterior, Sampling(**options))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "run"
        cs.sample(posterior, out=folder, progress=False, **options)
        checkpoint = (folder / CHECKPOINT).stat().st_size
    return {
        "width": width,
        "samples": samples,
        "chains": chains,
        "peak": _peak(),
        "said": said.memory.total / 1e9,
        "checkpoint": checkpoint / 1e6,
    }


def _peak() -> float:
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e9


def apart(*arguments: str, devices: int = 1) -> dict[str, Any]:
    """What this script says of one size in a process of its own."""
    environment = os.environ | {"XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}"}
    command = [sys.executable, __file__, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def gradient_seconds(density: Density) -> float:
    """Processor seconds of a value and gradient of one chain, as trajectories take them; the best of five."""
    position, means = density.prior_draw(jax.random.PRNGKey(1)), []

    @jax.jit
    def evaluate(density: Density, position: Position) -> tuple[jax.Array, Position]:
        return jax.value_and_grad(density.approximate_potential or density.potential)(position)

    jax.block_until_ready(evaluate(density, position))
    for _ in range(5):
        started, count = time.process_time(), 0
        while time.process_time() - started < 0.2:
            jax.block_until_ready(evaluate(density, position))
            count += 1
        means.append((time.process_time() - started) / count)
    return min(means)


def exponent(rows: list[dict[str, Any]], along: str, what: str) -> float:
    """The power of `along` that `what` grows with."""
    found = [(row[along], row[what]) for row in rows if row.get(what, 0) > 0]
    if len(found) < 2:
        return float("nan")
    sizes, values = np.log(np.array(found, dtype=float)).T
    return float(np.polyfit(sizes, values, 1)[0])


def series(rows: list[dict[str, Any]], activation: str, belongs: Any, along: str) -> list[dict[str, Any]]:
    """The rows on one axis, in order."""
    chosen = [row for row in rows if row["activation"] == activation and belongs(row)]
    return sorted(chosen, key=lambda row: row[along])


@styled()
def figure(rows: list[dict[str, Any]]) -> Figure:
    """Seconds above, gigabytes below."""
    drawn = Figure(figsize=(10, 6), layout="constrained")
    for column, (name, belongs, along) in enumerate(AXES):
        above: Axes = drawn.add_subplot(2, 3, 1 + column)
        below: Axes = drawn.add_subplot(2, 3, 4 + column)
        for color, activation in zip(CODE_COLORS, ACTIVATIONS, strict=False):
            line = series(rows, activation, belongs, along)
            sizes = [row[along] for row in line]
            drawn_at = [row for row in line if "draw" in row]
            measured_at = [row[along] for row in drawn_at]
            label = f"{activation}, a draw"
            above.plot(measured_at, [row["draw"] for row in drawn_at], "o-", color=color, label=label)
            above.plot(sizes, [row["gradient"] for row in line], "s--", color=color, label=f"{activation}, a gradient")
            below.plot(sizes, [row["gigabytes"] for row in line], "o-", color=color, label=f"{activation}, loop")
            label = f"{activation}, process"
            below.plot(measured_at, [row["peak"] for row in drawn_at], "x:", color=color, label=label)
        for axes, unit in ((above, "seconds"), (below, "GB")):
            scale = "log" if any(np.size(line.get_xdata()) for line in axes.lines) else "linear"  # no size on this axis
            axes.set(xscale=scale, yscale=scale, xlabel=name, ylabel=unit if column == 0 else "")
            axes.grid(color="0.92")
    handles = [handle for axes in drawn.axes[:2] for handle in axes.get_legend_handles_labels()[0]]
    drawn.legend(handles=handles, loc="outside lower center", ncols=4)
    return drawn


def write(rows: list[dict[str, Any]], runs: list[dict[str, Any]], out: Output) -> None:
    """The page, the figure and the numbers."""
    sizes = Table(
        "activation", "N", "P", "a gradient", "a draw", "its gradients", "moves and records", "a search",
        "loop of draws, as said", "by XLA", "peak of the process", "compiling the loop",
    )  # fmt: skip
    rows = [with_moves(row) for row in rows]
    for row in sorted(rows, key=lambda row: (row["activation"] != "sigmoid", row["samples"], row["width"])):
        drawn = ["-"] * 7
        if "draw" in row:
            drawn = [
                _milliseconds(row["draw"]), f"{row['steps']:.0f}", _milliseconds(row["moves"]),
                f"{row['search']:.1f} s" if "search" in row else "-", f"{row['loop']:.3f} GB", f"{row['peak']:.2f} GB",
                f"{row['compile']:.0f} s",
            ]  # fmt: skip
        gradient, memory = _milliseconds(row["gradient"]), f"{row['gigabytes']:.3f} GB"
        sizes.row(row["activation"], row["width"], row["samples"], gradient, *drawn[:4], memory, *drawn[4:])
    exponents = Table("activation", "", *(name for name, *_ in AXES))
    for activation in ACTIVATIONS:
        for what, expected in POWERS.items():
            cells = [
                f"{_power(exponent(series(rows, activation, belongs, along), along, what))} (expected {power})"
                for power, (_, belongs, along) in zip(expected, AXES, strict=True)
            ]
            exponents.row(activation, what, *cells)
    whole = Table("N, P", "chains", "peak memory", "limit", "said by `--dry-run`", "checkpoint", "limit")
    limits = {run[:3]: run[3:] for run in RUNS}
    for run in runs:
        most_memory, most_disk = limits.get((run["width"], run["samples"], run["chains"]), (None, None))
        whole.row(
            f"{run['width']}, {run['samples']}",
            run["chains"],
            f"{run['peak']:.2f} GB",
            f"{most_memory} GB" if most_memory else "-",
            f"{run['said']:.2f} GB",
            f"{run['checkpoint']:.1f} MB",
            f"{most_disk} MB" if most_disk else "-",
        )
    out.page(
        "benchmarks/cost_of_a_draw.md",
        _PAGE.format(sizes=sizes, exponents=exponents, runs=whole if runs else "Not measured yet."),
    )
    figure(rows).savefig(out.path("benchmarks/cost_of_a_draw.png"), dpi=150)


def _power(found: float) -> str:
    return "-" if np.isnan(found) else f"{found:.2f}"


def _milliseconds(seconds: float) -> str:
    return f"{1e3 * seconds:.3g} ms"


def main() -> None:
    entry = Entry(__doc__, quick={"sizes": "20x12,12x12", "draws": "12x12", "runs": "12x12x2"})
    entry.add_argument("--sizes", default=SIZES, help="NxP, separated by commas")
    entry.add_argument("--draws", default=SIZES, help="those of draws, as well; may be empty")
    entry.add_argument(
        "--runs", default=",".join(f"{n}x{p}x{chains}" for n, p, chains, *_ in RUNS), help="NxPxchains; may be empty"
    )
    entry.add_argument("--one", nargs=2, metavar=("ACTIVATION", "NxP"), help="one size, in this process")
    entry.add_argument("--run", metavar="NxPxchains", help="one whole run, in this process")
    asked, out = entry.begin()
    with threadpool_limits(1, user_api="blas"):  # as the driver does
        if asked.one:
            print(json.dumps(measured(Size(asked.one[0], *map(int, asked.one[1].split("x"))))))
            return
        if asked.run:
            print(json.dumps(whole_run(*map(int, asked.run.split("x")))))
            return
    kept = out.path("benchmarks/cost_of_a_draw.json")
    found = json.loads(kept.read_text()) if kept.exists() else {"sizes": [], "runs": []}
    rows = {f"{row['activation']} {row['width']}x{row['samples']}": row for row in found["sizes"]}
    for what, sizes in (("gradient", asked.sizes), ("draw", asked.draws)):
        for text, activation in itertools.product(filter(None, sizes.split(",")), ACTIVATIONS):
            row = rows.setdefault(f"{activation} {text}", {})
            if what not in row:
                size = Size(activation, *map(int, text.split("x")))
                row |= shaped(size) if what == "gradient" else apart("--one", activation, text)
                print(row, flush=True)
                found["sizes"] = list(rows.values())
                out.numbers("benchmarks/cost_of_a_draw.json", found)
    made = {(run["width"], run["samples"], run["chains"]) for run in found["runs"]}
    for text in filter(None, asked.runs.split(",")):
        if tuple(map(int, text.split("x"))) not in made:
            found["runs"].append(apart("--run", text, devices=2))
            out.numbers("benchmarks/cost_of_a_draw.json", found)
    write(found["sizes"], found["runs"], out)


if __name__ == "__main__":
    main()
