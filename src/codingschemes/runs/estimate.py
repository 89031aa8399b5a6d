"""What a run costs, said before anything of it runs: memory and disk from its shapes (`footprint`), and about how long
it takes, from the time of one gradient at its size, or of large ones at a smaller size (`arithmetic`).

Step sizes are known after the warm-up only, and so are the gradients that a draw takes: kernels say from how few to how
many it is (`Kernel.gradients`). How long the warm-up is and how many draws are enough, where neither is given, the run
finds out: at least a round and as many draws as the first look takes, at most what the run ends with at any rate.
"""

import functools
import math
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh
from jaxtyping import Array
from threadpoolctl import threadpool_limits

from codingschemes.calls import checked
from codingschemes.compiled import usual_seconds
from codingschemes.devices import CHAIN, EVERYWHERE, available_memory, chain_mesh, place
from codingschemes.posterior import Density, Position, Posterior
from codingschemes.progress import duration
from codingschemes.runs.arithmetic import operations, smaller
from codingschemes.runs.configuration import Sampling, SamplingOptions, resolve
from codingschemes.runs.folder import existing_parent
from codingschemes.runs.footprint import Footprint, check_room, gigabytes
from codingschemes.runs.precision import next_look
from codingschemes.runs.start import COOLING_STEPS, cooled_by
from codingschemes.samplers import SAMPLERS, Kernel
from codingschemes.tables import html_table

#: Seconds of gradients that are timed, and how often.
_TIMED, _TIMES = 0.05, 3
#: Where a gradient of all chains has more operations, tenths of a second of a core, one of a smaller size is timed.
_MOST_OPERATIONS = 1e9
#: A step down the energy: so short that it goes nowhere, and so that no gradient is left out as useless.
_NOWHERE = 1e-9
#: Seconds of warm-up and draws were within this factor of the estimate (benchmarks/cost.md).
ERROR = 2.0


@dataclass(frozen=True)
class Cost:
    """What a run costs. Bytes; seconds on the clock, about: within a factor of 2 but for compiling, with nothing
    beside it on the machine.

    Attributes:
        sampling: how the posterior is sampled.
        footprint: memory and disk, by parts.
        memory_available: for the process as a whole; None where the system does not say.
        disk_free: None for a run that is held in memory.
        gradient_seconds: of one gradient of all chains, side by side as the run has them.
        gradients: of a draw, fewest and most; None where the sampler does not say.
        steps: warm-up, cooling before it and draws, fewest and most.
        searches: for modes, in the time of gradients, all of them at least and at most.
        compile_seconds: before the first step, once for this size.

    Example:
        >>> cost = cs.cost(posterior, sampler="hmc", chains=2, draws=20, warmup=20)
        >>> cost.facts()["sampling"]
        '2 chains with hmc in reduced space'
    """

    sampling: Sampling
    footprint: Footprint
    memory_available: int | None
    disk_free: int | None
    gradient_seconds: float
    gradients: tuple[float, float] | None
    steps: tuple[int, int]
    searches: tuple[float, float]
    compile_seconds: float

    @property
    def draw_seconds(self) -> tuple[float, float] | None:
        """Of a draw of all chains, at least and at most; None where the sampler does not say."""
        if self.gradients is None:
            return None
        fewest, most = self.gradients
        return fewest * self.gradient_seconds, most * self.gradient_seconds

    @property
    def seconds(self) -> tuple[float, float] | None:
        """Of the whole run, at least and at most; None where the sampler does not say."""
        if self.draw_seconds is None:
            return None
        least, most = (
            self.compile_seconds + steps * each + searches * self.gradient_seconds
            for steps, each, searches in zip(self.steps, self.draw_seconds, self.searches, strict=True)
        )
        limit = self.sampling.time_limit
        return (least, most) if limit is None else (min(least, limit), min(most, limit))

    def facts(self) -> dict[str, str]:
        """What there is to say, in words."""
        memory, disk = self.footprint
        there = "" if self.memory_available is None else f", of {gigabytes(self.memory_available)}"
        free = "" if self.disk_free is None else f", of {gigabytes(self.disk_free)} free"
        sampling = self.sampling
        facts = {
            "sampling": f"{sampling.chains} chains with {sampling.sampler} in {sampling.space} space",
            "memory": f"about {gigabytes(memory.total)}{there}",
            "disk": f"{gigabytes(disk.total)}{free}, before compression: draws {gigabytes(disk.draws)}, "
            f"checkpoint {gigabytes(disk.checkpoint)}",
            "a gradient": f"{1e3 * self.gradient_seconds:.2g} ms for all chains",
            "compiling": f"about {duration(self.compile_seconds)}, once for this size",
            "steps": " to ".join(str(each) for each in dict.fromkeys(self.steps)) + " with warm-up and draws",
        }
        if self.disk_free is None:
            facts["disk"] = f"none: {gigabytes(memory.draws)} of draws are held in memory"
        if self.gradients is None or self.draw_seconds is None or self.seconds is None:
            return {**facts, "time": "not known: the sampler does not say how many gradients a draw takes"}
        low, high = (f"{1e3 * each:.2g}" for each in self.draw_seconds)
        return {
            **facts,
            "a draw": f"{self.gradients[0]:.2g} to {self.gradients[1]:.2g} gradients, about {low} to {high} ms",
            "time": f"about {duration(self.seconds[0])} to {duration(self.seconds[1])}, "
            f"within a factor of {ERROR:g} but for compiling, with nothing else on the machine",
        }

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values: bytes and seconds."""
        memory, disk = self.footprint
        return {
            "memory": {**memory._asdict(), "total": memory.total, "available": self.memory_available},
            "disk": {**disk._asdict(), "total": disk.total, "free": self.disk_free},
            "gradient_seconds": self.gradient_seconds,
            "gradients": self.gradients,
            "draw_seconds": self.draw_seconds,
            "steps": self.steps,
            "searches": self.searches,
            "compile_seconds": self.compile_seconds,
            "seconds": self.seconds,
            "error_factor": ERROR,
        }

    def __str__(self) -> str:
        return "\n".join(f"{name}: {value}" for name, value in self.facts().items())

    def _repr_html_(self) -> str:
        return html_table("Cost", self.facts())


@checked
def cost(posterior: Posterior, *, out: str | Path | None = None, **options: Unpack[SamplingOptions]) -> Cost:
    """What `sample` would cost: memory, disk, and about how long it would take. Nothing is sampled or written; a
    gradient is timed for a few tenths of a second, after a second or two of compiling it.

    Args:
        posterior: what would be sampled.
        out: the run folder that would be made; None would hold the run in memory.
        **options: see `Sampling`.

    Returns:
        The cost; print it for a table in words.

    Raises:
        InvalidInput: an option out of range; a memory or a disk without room, with what there would be room for; a
            folder that is taken.

    Example:
        >>> cost = cs.cost(posterior, sampler="hmc", chains=2, draws=20, warmup=20)
        >>> cost.steps
        (40, 40)
        >>> cost.footprint.disk.total  # held in memory
        0
    """
    sampling = resolve(posterior, options)
    path = None if out is None else Path(out)
    needs = check_room(posterior, sampling, path)
    kernel, density = SAMPLERS[sampling.sampler](sampling.settings), posterior.density_shapes(sampling.space)
    with threadpool_limits(1, user_api="blas"):
        seconds = _gradient_seconds_of(posterior, sampling, density)
    return Cost(
        sampling,
        needs,
        available_memory(),
        None if path is None else shutil.disk_usage(existing_parent(path)).free,
        seconds,
        None if kernel.gradients is None else kernel.gradients(density),
        _steps(sampling),
        _searches(sampling, kernel, density),
        _compile_seconds(sampling, kernel),
    )


def _gradient_seconds_of(posterior: Posterior, sampling: Sampling, shapes: Density) -> float:
    """Of the run's size where a gradient is short, else of a smaller one, by the ratio of their operations."""
    times = sampling.chains * operations(shapes) / _MOST_OPERATIONS
    timed = shapes if times <= 1 else smaller(posterior, times).density_shapes(sampling.space)
    density = _any_numbers(timed)
    if sampling.precision == "mixed":
        density = density.in_mixed_precision()
    return gradient_seconds(density, sampling.chains) * operations(shapes) / operations(timed)


def _any_numbers(shapes: Density) -> Density:
    """A density of these shapes. A gradient takes as long whatever the numbers are, and the data's own would need the
    eigenvectors of their kernel first."""
    generator = np.random.default_rng(0)

    def numbers(leaf: Any) -> Array:
        return jnp.asarray(generator.standard_normal(leaf.shape) / math.sqrt(leaf.shape[-1]) if leaf.shape else 1.0)

    return jax.tree.map(numbers, shapes)


def gradient_seconds(density: Density, chains: int) -> float:
    """Seconds of one gradient of all chains side by side, spread over the devices as in a run."""
    mesh = chain_mesh(chains)
    positions = place(density.prior_draws(jax.random.PRNGKey(0), chains), mesh, CHAIN)
    density = place(density, mesh, EVERYWHERE)

    def timed(count: int) -> float:
        started = time.perf_counter()
        jax.block_until_ready(_descend(mesh, density, positions, jnp.asarray(count)))
        return time.perf_counter() - started

    timed(1)  # compiles
    count = 1
    while (spent := timed(count)) < _TIMED:
        count = max(2 * count, int(count * _TIMED / spent))
    return min(spent, *(timed(count) for _ in range(_TIMES - 1))) / count


@functools.partial(jax.jit, static_argnums=0)
def _descend(mesh: Mesh, density: Density, positions: Position, count: Array) -> Position:
    """`count` gradients of every chain, one after the other."""

    def here(density: Density, positions: Position, count: Array) -> Position:
        def step(_: Array, positions: Position) -> Position:
            slopes = jax.vmap(jax.grad(density.approximate_potential or density.potential))(positions)
            return jax.tree.map(lambda at, slope: at - _NOWHERE * slope, positions, slopes)

        return jax.lax.fori_loop(0, count, step, positions)

    each = jax.shard_map(here, mesh=mesh, in_specs=(EVERYWHERE, CHAIN, EVERYWHERE), out_specs=CHAIN, check_vma=False)
    return each(density, positions, count)


def _steps(sampling: Sampling) -> tuple[int, int]:
    """Steps of a chain from its beginning to the last draw, fewest and most."""
    before = COOLING_STEPS if cooled_by(sampling) is not None else 0
    enough = min(sampling.draws, next_look(0)) if sampling.until else sampling.draws
    return before + sampling.round + enough, before + sampling.longest_warmup + sampling.draws


def _searches(sampling: Sampling, kernel: Kernel, density: Density) -> tuple[float, float]:
    """Of all searches of a warm-up, in the time of gradients: those of its first round, one in each that follows."""
    if kernel.search is None:
        return 0.0, 0.0
    first, later = len(kernel.search.steps), sampling.longest_warmup // max(1, sampling.round) - 1
    each = kernel.search.gradients(density)
    return first * each, (first + max(0, later)) * each


def _compile_seconds(sampling: Sampling, kernel: Kernel) -> float:
    seconds, cooler = usual_seconds(sampling.sampler, kernel.compile_seconds), cooled_by(sampling)
    if cooler is None:
        return seconds
    return seconds + usual_seconds(cooler, SAMPLERS[cooler](sampling.settings).compile_seconds)
