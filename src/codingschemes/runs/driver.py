"""The one loop that all samplers share: chunks of compiled steps, with everything else done between them."""

import dataclasses
import errno
import functools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Unpack

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh
from jaxtyping import Array
from threadpoolctl import threadpool_limits
from zarr.storage import MemoryStore

from codingschemes.calls import checked
from codingschemes.compiled import compiling
from codingschemes.devices import CHAIN, EVERYWHERE, chain_mesh, place
from codingschemes.errors import InvalidInput, SamplingFailed
from codingschemes.posterior import Density, Position, Posterior
from codingschemes.progress import progress_bar, watched
from codingschemes.reading import reading
from codingschemes.runs import folder
from codingschemes.runs.chunks import Program, advance, capacity, to_host
from codingschemes.runs.configuration import Sampling, SamplingOptions, describe, made_by, resolve
from codingschemes.runs.interruption import finish_chunk_on_interrupt
from codingschemes.runs.observables import Record
from codingschemes.runs.run import CHECKPOINT, CONFIG, DRAWS, PROVENANCE, Run, read_json, write_json
from codingschemes.runs.start import beginning
from codingschemes.runs.store import DrawStore, Records
from codingschemes.samplers import SAMPLERS, Kernel

#: A chunk is cut to take about this long: the time between two updates of the progress bar, and that Ctrl-C takes.
_CHUNK_SECONDS = 2.0


class Checkpoint(NamedTuple):
    """All that is needed to go on: the chains' states, iterations done (warm-up included), and the clock."""

    states: Any
    iteration: Array
    warmup_seconds: Array
    sampling_seconds: Array


@checked
def sample(
    posterior: Posterior,
    *,
    out: str | Path | None = None,
    resume: bool = False,
    progress: bool = True,
    **options: Unpack[SamplingOptions],
) -> Run:
    """Sample the posterior.

    Args:
        posterior: what to sample.
        out: the run folder, made by this call; None holds the run in memory.
        resume: continue the run in `out`; `draws` may be raised, all else must be as it was.
        progress: show a progress bar on standard error.
        **options: see `Sampling`.

    Returns:
        The run. After a Ctrl-C it holds the draws made so far, and can be resumed.

    Raises:
        InvalidInput: an option out of range, a folder that is taken, a disk without room, a resumed run whose options
            differ.
        SamplingFailed: the energy is not finite.
    """
    sampling = resolve(posterior.network, options)
    config = describe(posterior, sampling)
    path = None if out is None else Path(out)
    if resume and path is None:
        raise InvalidInput("a run held in memory cannot be resumed: give `out`")
    if path is not None and resume:
        folder.check_same(path, config)
    elif path is not None:
        folder.check_free(path, _bytes_needed(posterior, sampling))
    # threads make small triangular solves 20 times slower
    with threadpool_limits(1, user_api="blas"), watched(shown=progress):
        density = posterior.density(sampling.space)
        longest = capacity(density)
        kernel = SAMPLERS[sampling.sampler](sampling.settings)
        start_key, kernel_key, record_key = jax.random.split(jax.random.PRNGKey(sampling.seed), 3)
        membership = jnp.asarray(np.eye(posterior.task.class_count)[posterior.task.labels])
        mesh = chain_mesh(sampling.chains)
        program = place(Program(density, membership, record_key), mesh, EVERYWHERE)
        # A checkpoint replaces the states of a resumed run: nothing is cooled again for it.
        begun = dataclasses.replace(sampling, start="prior") if resume else sampling
        positions, facts = beginning(start_key, density, begun)
        with compiling(sampling.sampler, **_program_facts(config, sampling, program, mesh)):
            checkpoint = _start(kernel_key, kernel, density, positions, sampling.chains)
            checkpoint = checkpoint._replace(states=place(checkpoint.states, mesh, CHAIN))
            compile_seconds = _compile(kernel, mesh, program, checkpoint)
        provenance = {**made_by(sampling), **facts, "compile_seconds": compile_seconds}
        if path is None:
            store = DrawStore(MemoryStore(), chunk=longest)
        elif resume:
            with reading(path / CHECKPOINT, "the run cannot be continued from it, sample it again"):
                checkpoint = eqx.tree_deserialise_leaves(path / CHECKPOINT, checkpoint)
            checkpoint = checkpoint._replace(states=place(checkpoint.states, mesh, CHAIN))
            provenance = read_json(path / PROVENANCE)
            write_json(path / CONFIG, config)
            store = DrawStore(path / DRAWS, chunk=longest)
            store.truncate(max(0, int(checkpoint.iteration) - sampling.warmup))
        else:
            folder.create(path, posterior, config, provenance)
            _save(path, checkpoint)
            store = DrawStore(path / DRAWS, chunk=longest)
        run = Run(posterior, config, provenance, store, path)
        step = functools.partial(advance, kernel, mesh, program)

        def pool(states: Any) -> Any:
            return place(kernel.pool(states), mesh, CHAIN)

        _run_chunks(run, step, pool, checkpoint, sampling, longest, progress=progress)
    return run


def _program_facts(config: dict[str, Any], sampling: Sampling, program: Program, mesh: Mesh) -> dict[str, Any]:
    """What a compiled program depends on, as JSON values."""
    return {
        "network": config["network"],
        "activation": config.get("activation"),
        "settings": sampling.settings,
        "space": sampling.space,
        "chains": sampling.chains,
        "devices": [mesh.size, jax.devices()[0].device_kind],
        "shapes": [[*leaf.shape, str(leaf.dtype)] for leaf in jax.tree.leaves(program)],
    }


def _start(kernel_key: Array, kernel: Kernel, density: Density, positions: Position, chains: int) -> Checkpoint:
    """The checkpoint before the first step."""
    potentials, states = _begin(kernel, jax.random.split(kernel_key, chains), positions, density)
    _check_finite(potentials, "at the start")
    return Checkpoint(states, jnp.asarray(0), jnp.asarray(0.0), jnp.asarray(0.0))


@functools.partial(jax.jit, static_argnums=0)
def _begin(kernel: Kernel, keys: Array, positions: Position, density: Density) -> tuple[Array, Any]:
    """Energies and states of all chains before their first step. One program: step by step it would be a hundred."""
    return jax.vmap(density.potential)(positions), jax.vmap(kernel.init, (0, 0, None))(keys, positions, density)


def _compile(kernel: Kernel, mesh: Mesh, program: Program, checkpoint: Checkpoint) -> float:
    started = time.monotonic()
    zero = jnp.asarray(0)
    jax.block_until_ready(advance(kernel, mesh, program, checkpoint.states, zero, zero, jnp.asarray(True)))
    return time.monotonic() - started


def _run_chunks(
    run: Run,
    step: Callable[..., tuple[Any, Record]],
    pool: Callable[[Any], Any],
    checkpoint: Checkpoint,
    sampling: Sampling,
    longest: int,
    *,
    progress: bool,
) -> None:
    ends = {"warm-up": sampling.warmup, "sampling": sampling.warmup + sampling.draws}
    length = 1
    with finish_chunk_on_interrupt() as interruption, progress_bar(shown=progress) as bar:
        begin = 0
        for phase, end in ends.items():
            shown = bar.add_task(phase, total=end - begin, completed=max(0, int(checkpoint.iteration) - begin))
            while (iteration := int(checkpoint.iteration)) < end and not (interruption or _late(checkpoint, sampling)):
                count = min(length, end - iteration)
                recording = phase == "sampling"
                started = time.monotonic()
                states, rows = step(
                    checkpoint.states, jnp.asarray(iteration), jnp.asarray(count), jnp.asarray(recording)
                )
                if iteration + count == sampling.warmup:
                    states = pool(states)
                records = to_host(rows, count)
                elapsed = time.monotonic() - started
                _check_records(records, iteration, recording=recording)
                checkpoint = Checkpoint(
                    states,
                    jnp.asarray(iteration + count),
                    checkpoint.warmup_seconds + elapsed * (not recording),
                    checkpoint.sampling_seconds + elapsed * recording,
                )
                _keep(run, checkpoint, records if recording else None)
                bar.update(shown, advance=count)
                length = int(np.clip(count * _CHUNK_SECONDS / elapsed, 1, longest))
            begin = end
        if interruption:
            bar.console.print(f"stopped with {run.draw_count} draws a chain, all kept, and the run can be resumed")


def _late(checkpoint: Checkpoint, sampling: Sampling) -> bool:
    return sampling.time_limit is not None and float(checkpoint.sampling_seconds) >= sampling.time_limit


def _keep(run: Run, checkpoint: Checkpoint, records: Records | None) -> None:
    try:
        if records is not None:
            run.store.append(records)
        run.provenance["warmup_seconds"] = float(checkpoint.warmup_seconds)
        run.provenance["sampling_seconds"] = float(checkpoint.sampling_seconds)
        if run.path is not None:
            _save(run.path, checkpoint)
            write_json(run.path / PROVENANCE, run.provenance)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise InvalidInput(
            f"the disk of {run.path} is full: free some room, then go on with `resume=True` from the last checkpoint"
        ) from error


def _save(path: Path, checkpoint: Checkpoint) -> None:
    partial = path / f"{CHECKPOINT}.partial"
    eqx.tree_serialise_leaves(partial, checkpoint)
    partial.replace(path / CHECKPOINT)


def _check_finite(potentials: np.ndarray | Array, when: str) -> None:
    if not np.all(np.isfinite(potentials)):
        raise SamplingFailed(
            f"the energy is not finite {when}: raise `temperature`, or check the scale of the inputs (`preprocess`)"
        )


def _check_records(records: Records, iteration: int, *, recording: bool) -> None:
    """Raise SamplingFailed before a chunk with anything that is not finite is stored."""
    seen = [records["sample_stats"]["lp"]]
    if recording:
        seen += [records["posterior"]["energy"], records["neurons"]["readout"]]
    finite = np.all([np.isfinite(values).reshape(*values.shape[:2], -1).all(axis=2) for values in seen], axis=0)
    if not finite.all():
        chain = int(np.flatnonzero(~finite.all(axis=1))[0])
        _check_finite(np.array(np.nan), f"in chain {chain} after {iteration + int(finite[chain].argmin())} iterations")


def _bytes_needed(posterior: Posterior, sampling: Sampling) -> int:
    """Disk for the neurons of all draws, which outweigh everything else; uncompressed, as random numbers are."""
    network, task = posterior.network, posterior.task
    numbers = network.width * (network.depth * task.sample_count + task.targets.shape[1])
    return numbers * np.dtype(np.float32).itemsize * sampling.chains * sampling.draws
