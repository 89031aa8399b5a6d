"""The one loop that all samplers share: chunks of compiled steps, with everything else done between them."""

import contextlib
import dataclasses
import functools
import time
from pathlib import Path
from typing import Any, Literal, Unpack

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array
from rich.progress import Progress, TaskID
from threadpoolctl import threadpool_limits
from zarr.storage import MemoryStore

from codingschemes.calls import checked
from codingschemes.compiled import compiling, give_back, make_room
from codingschemes.devices import CHAIN, EVERYWHERE, chain_mesh, place
from codingschemes.errors import InvalidInput, SamplingFailed
from codingschemes.interruption import Interruption, stoppable
from codingschemes.posterior import Density, Position, Posterior
from codingschemes.progress import announce, progress_bar, watched
from codingschemes.runs import folder
from codingschemes.runs.checkpoint import Checkpoint, Keeper, read_checkpoint
from codingschemes.runs.chunks import Machine, Program, Stretch, advance, begin, capacity
from codingschemes.runs.configuration import Sampling, SamplingOptions, describe, made_by, resolve
from codingschemes.runs.continuing import continuable, continuation
from codingschemes.runs.footprint import check_room, within_memory
from codingschemes.runs.lock import Writer, writing
from codingschemes.runs.observables import observe
from codingschemes.runs.parent import check_parent, descent, parents_positions
from codingschemes.runs.patterns import same_patterns
from codingschemes.runs.precision import Precision, is_look
from codingschemes.runs.rounds import after_warming, ended_too_early, seconds_spent, turned_back, watched_over
from codingschemes.runs.run import CHECKPOINT, CONFIG, DRAWS, PROVENANCE, Run, write_json
from codingschemes.runs.start import beginning
from codingschemes.runs.store import DrawStore, Records
from codingschemes.runs.timetable import next_stop, search_due
from codingschemes.runs.warmup import Trace
from codingschemes.samplers import SAMPLERS

#: A chunk is cut to take about this long: the time between two updates of the progress bar, and that Ctrl-C takes.
_CHUNK_SECONDS = 2.0

#: What ended sampling: all draws made, the precision asked for reached, the time limit, or a Ctrl-C.
type Ended = Literal["draws", "precision", "time limit", "interruption"]


@checked
def sample(
    posterior: Posterior,
    *,
    out: str | Path | None = None,
    resume: bool = False,
    parent: str | Path | None = None,
    progress: bool = True,
    **options: Unpack[SamplingOptions],
) -> Run:
    """Sample the posterior.

    Args:
        posterior: what to sample.
        out: the run folder, made by this call; None holds the run in memory.
        resume: continue the run in `out`; `draws`, `time_limit`, `until_ess` and `until_rhat` may be raised, all else
            must be as it was.
        parent: a run folder from whose last draws chains begin, instead of `start`; its temperature, prior, data and
            width may differ. The run records it.
        progress: show a progress bar on standard error.
        **options: see `Sampling`.

    Returns:
        The run. After Ctrl-C, SIGTERM or SIGUSR1 it holds the draws made so far, and can be resumed; `Run.finished`
        says which.

    Raises:
        InvalidInput: an option out of range, a folder that is taken or that somebody else writes to, a disk or a
            memory without room (see `cost`), a resumed run whose options or data differ, or whose files were changed
            or are damaged.
        SamplingFailed: the energy is not finite.
        Stopped: by a signal, before there was anything to return.

    Example:
        >>> run = cs.sample(posterior, sampler="hmc", chains=2, draws=20, warmup=20)
        >>> run
        Run(orthogonal, sigmoid, 2 chains x 20 draws, in memory)
    """
    with contextlib.ExitStack() as stack:
        interruption = stack.enter_context(stoppable())
        begun = time.monotonic()
        sampling = resolve(posterior, options)
        path = None if out is None else Path(out)
        if resume and path is None:
            raise InvalidInput("a run held in memory cannot be resumed: give `out`")
        stack.enter_context(within_memory(path))
        forked = None if parent is None else Run.open(parent)
        sampling, config = _with_start(posterior, sampling, options, forked, path if resume else None)
        # threads make small triangular solves 20 times slower
        stack.enter_context(threadpool_limits(1, user_api="blas"))
        stack.enter_context(watched(shown=progress))
        recorded, writer = None, None
        if path is not None and resume:
            writer = stack.enter_context(writing(path))
            recorded = continuable(path, posterior, config)
            config["task"] = recorded.config["task"]
            interruption.left_as_it_was()
        check_room(posterior, sampling, path, resumed=resume)
        make_room()
        density = sampling.density(posterior)
        longest = capacity(density)
        start_key, kernel_key, record_key = jax.random.split(jax.random.PRNGKey(sampling.seed), 3)
        machine = _machine(posterior, sampling, density, record_key)
        # A checkpoint replaces the states of a resumed run: nothing is cooled again for it.
        beginning_at = dataclasses.replace(sampling, start="prior") if resume else sampling
        if forked is None:
            positions, facts = beginning(start_key, density, beginning_at)
        else:
            positions, facts = parents_positions(start_key, density, posterior, forked, sampling.chains), {}
        with compiling(sampling.sampler, machine.kernel.compile_seconds, **_program_facts(config, sampling, machine)):
            states = _start(kernel_key, machine, density, positions, sampling.chains)
            compile_seconds = _compile(machine, states)
        checkpoint = Checkpoint(0, 0, sampling.longest_warmup, 0, 0.0, 0.0, _blank_trace(machine, sampling), states)
        del states, positions
        provenance = {**made_by(sampling), **facts, "compile_seconds": compile_seconds, "start_seconds": 0.0}
        with interruption.after_the_chunk():
            if path is None:
                store = DrawStore(MemoryStore(), chunk=longest)
            elif recorded is not None:
                checkpoint = read_checkpoint(path / CHECKPOINT, checkpoint, recorded.made_of)
                checkpoint = checkpoint._replace(states=place(checkpoint.states, machine.mesh, CHAIN))
                provenance = continuation(recorded.provenance)
                # No run says that it ended as it was asked to while it is asked for something else.
                write_json(path / PROVENANCE, provenance)
                write_json(path / CONFIG, config)
                store = DrawStore(path / DRAWS, chunk=longest)
                store.truncate(checkpoint.draws)
            else:
                folder.create(path, posterior, config, provenance, checkpoint)
                writer = stack.enter_context(writing(path, begun=True))
                store = DrawStore(path / DRAWS, chunk=longest)
            run = Run(posterior, config, provenance, store, path)
            provenance["start_seconds"] += time.monotonic() - begun
            _say_what_is_kept(interruption, path)
            # Handed over, not kept: the states before the first step are as large as those that replace them.
            begins_at = [checkpoint]
            del checkpoint
            _run_chunks(run, writer, machine, begins_at.pop(), sampling, longest, interruption, progress=progress)
        interruption.sentence = f"stopped: the {run.draw_count} draws a chain are kept"
    return run


def _machine(posterior: Posterior, sampling: Sampling, density: Density, record_key: Array) -> Machine:
    membership = jnp.asarray(np.eye(posterior.task.class_count)[posterior.task.labels])
    mesh = chain_mesh(sampling.chains)
    program = place(Program(density, membership, record_key), mesh, EVERYWHERE)
    return Machine(SAMPLERS[sampling.sampler](sampling.settings), mesh, program)


def _say_what_is_kept(interruption: Interruption, path: Path | None) -> None:
    """What a second signal leaves."""
    if path is None:
        interruption.sentence = "stopped at once: nothing is kept of a run in memory"
    else:
        interruption.kept = True
        interruption.sentence = "stopped at once: all is kept up to the last checkpoint, go on with `resume=True`"


def _with_start(
    posterior: Posterior, sampling: Sampling, options: SamplingOptions, parent: Run | None, resumed: Path | None
) -> tuple[Sampling, dict[str, Any]]:
    """The sampling and its configuration, with the run that its chains begin at where there is one: `parent`, or that
    of the run that is resumed."""
    of_parent: dict[str, Any] | None = None
    if parent is not None:
        if resumed is not None or options.get("start") is not None:
            raise InvalidInput("`parent` says where chains begin: leave out `start` and `resume=True`")
        check_parent(parent, posterior)
        of_parent = descent(parent)
    elif resumed is not None:
        of_parent = Run.open(resumed).config.get("parent")
    if of_parent is not None and options.get("start") in (None, "parent"):
        sampling = dataclasses.replace(sampling, start="parent")
        return sampling, {**describe(posterior, sampling), "parent": of_parent}
    if sampling.start == "parent":
        raise InvalidInput("`start` is 'parent' where `parent` names a run: give it, or choose another start")
    return sampling, describe(posterior, sampling)


def _blank_trace(machine: Machine, sampling: Sampling) -> Trace | None:
    """Room for what a warm-up that ends by itself is judged by."""
    if sampling.warmup is not None:
        return None
    density, membership, key, _ = machine.program
    position = jax.eval_shape(density.prior_draw, key)
    seen = jax.eval_shape(observe, key, position, density, membership)["posterior"]
    return Trace.blank({name: values.shape for name, values in seen.items()}, sampling.chains)


def _program_facts(config: dict[str, Any], sampling: Sampling, machine: Machine) -> dict[str, Any]:
    """What a compiled program depends on, as JSON values."""
    return {
        "network": config["network"],
        "activation": config.get("activation"),
        "settings": sampling.settings._replace(warmup=0),
        "space": sampling.space,
        "chains": sampling.chains,
        "devices": [machine.mesh.size, jax.devices()[0].device_kind],
        "shapes": [[*leaf.shape, str(leaf.dtype)] for leaf in jax.tree.leaves(machine.program)],
    }


def _start(kernel_key: Array, machine: Machine, density: Density, positions: Position, chains: int) -> Any:
    """The states before the first step."""
    potentials, states = begin(machine.kernel, jax.random.split(kernel_key, chains), positions, density)
    _check_finite(potentials, "at the start")
    return place(states, machine.mesh, CHAIN)


def _compile(machine: Machine, states: Any) -> float:
    started = time.monotonic()
    machine = machine.informed(states)
    jax.block_until_ready(advance(*machine.parts, states, Stretch.of(0, 0, recording=True)))
    give_back()
    jax.block_until_ready(machine.searched(states, wanted=False)[1])
    return time.monotonic() - started


def _run_chunks(
    run: Run,
    writer: Writer | None,
    machine: Machine,
    checkpoint: Checkpoint,
    sampling: Sampling,
    longest: int,
    interruption: Interruption,
    *,
    progress: bool,
) -> None:
    """Everything between chunks comes at iterations that depend on options and draws alone, never on the clock: so a
    run that was cut off goes on as if it had not been. But for a time limit, half of which ends the warm-up."""
    length, keeper, machine = 1, Keeper(run, longest, writer), machine.informed(checkpoint.states)
    with progress_bar(shown=progress) as bar:
        bars = {phase: bar.add_task(phase, total=None, visible=False) for phase in ("warm-up", "sampling")}
        while (ended := _reason_to_end(run, checkpoint, sampling, interruption)) is None:
            if ended_too_early(run, checkpoint, sampling):
                checkpoint = turned_back(run, machine, checkpoint, sampling)
                keeper.give_up(checkpoint)
            recording = checkpoint.sampling
            started = time.monotonic()
            if not recording and search_due(machine.kernel, checkpoint):
                machine, states = machine.searched(checkpoint.states)
                checkpoint = checkpoint._replace(states=states)
            iteration = checkpoint.iteration
            count = min(length, next_stop(machine.kernel, checkpoint, sampling) - iteration)
            observing = recording or checkpoint.trace is not None
            stretch = Stretch.of(iteration, count, recording=observing)
            states, rows = advance(*machine.parts, checkpoint.states, stretch)
            records = rows.to_host(count)
            del rows  # as large as the states, and not needed while the next are made
            _check_records(records, iteration, recording=observing)
            checkpoint = checkpoint._replace(states=states, iteration=iteration + count)
            if recording:
                checkpoint = watched_over(run, checkpoint, sampling, records)
            else:
                checkpoint = after_warming(run, machine, checkpoint, sampling, records)
            elapsed = time.monotonic() - started
            checkpoint = checkpoint.after(elapsed, recording=recording)
            looked_at = checkpoint.sampling and sampling.until and is_look(checkpoint.draws)
            keeper.keep(checkpoint, records if recording else None, now=bool(looked_at))
            del records, states
            _show(bar, bars, checkpoint, sampling)
            length = int(np.clip(count * _CHUNK_SECONDS / elapsed, 1, longest))
        run.provenance["ended"] = ended
        keeper.keep(checkpoint, now=True)
    if ended == "interruption":
        announce(f"stopped with {run.draw_count} draws a chain, all kept, and the run can be resumed")


def _reason_to_end(run: Run, checkpoint: Checkpoint, sampling: Sampling, interruption: Interruption) -> Ended | None:
    """Why sampling ends here, if it does."""
    looking = checkpoint.sampling and sampling.until and is_look(checkpoint.draws)
    if looking and _precise(run, sampling.until):
        return "precision"
    if checkpoint.sampling and checkpoint.draws >= sampling.draws:
        return "draws"
    if interruption:
        return "interruption"
    late = sampling.time_limit is not None and seconds_spent(run, checkpoint) >= sampling.time_limit
    enough = sampling.sampling_limit is not None and checkpoint.sampling_seconds >= sampling.sampling_limit
    return "time limit" if late or enough else None


def _precise(run: Run, asked: Precision) -> bool:
    """Whether the draws so far are as precise as asked for; chains that are to agree must hold the same codes, too."""
    if not asked.reached(functools.partial(run.store.stored, "posterior")):
        return False
    task, network = run.posterior.task, run.posterior.network
    preactivations = run.store.stored("neurons", "preactivation")
    return asked.rhat is None or same_patterns(preactivations, network.activation, np.asarray(task.labels))


def _show(bar: Progress, bars: dict[str, TaskID], checkpoint: Checkpoint, sampling: Sampling) -> None:
    done = min(checkpoint.iteration, checkpoint.warmup)
    ending = "" if sampling.warmup is not None or checkpoint.sampling else ", at most"
    bar.update(bars["warm-up"], description=f"warm-up{ending}", total=checkpoint.warmup, completed=done, visible=True)
    at_most = ", at most" if sampling.until else ""
    bar.update(
        bars["sampling"],
        description=f"sampling{at_most}",
        total=sampling.draws,
        completed=checkpoint.draws,
        visible=checkpoint.sampling,
    )


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
