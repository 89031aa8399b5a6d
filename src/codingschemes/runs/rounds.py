"""The rounds of a warm-up: what chains do together at the end of each, and what brings a run back to them.

A warm-up that ends by itself may end too early: of memory that is longer than what it has seen nothing can be judged
(see `warmup`). So draws are judged as well, at looks fixed in advance. Where chains or their halves are in different
places, the warm-up goes on, with the draws so far as steps of it: they are given up.
"""

import functools
from typing import Any

import jax

from codingschemes.compiled import QUICKLY
from codingschemes.devices import CHAIN, place
from codingschemes.posterior import Density
from codingschemes.progress import announce
from codingschemes.runs.checkpoint import Checkpoint
from codingschemes.runs.chunks import Machine
from codingschemes.runs.configuration import Sampling
from codingschemes.runs.precision import is_look
from codingschemes.runs.run import Run
from codingschemes.runs.store import Records
from codingschemes.samplers import Kernel
from codingschemes.samplers.kernel import renewal

#: Share of a time limit after which no other round begins: what is left is for draws, which say how far chains are.
_FOR_WARMING = 0.5


def after_warming(
    run: Run, machine: Machine, checkpoint: Checkpoint, sampling: Sampling, records: Records
) -> Checkpoint:
    """The checkpoint after a chunk of the warm-up: at the end of a round chains share what they have adapted, hear how
    long they remember, and sample if they have settled or there is no room, or no time, for another round."""
    checkpoint = watched_over(run, checkpoint, sampling, records)
    if checkpoint.iteration < checkpoint.round_began + sampling.round:
        return checkpoint
    states = _pool(machine.kernel.without_schedule(), checkpoint.states)
    checkpoint = checkpoint._replace(states=place(states, machine.mesh, CHAIN))
    if (trace := checkpoint.trace) is None:
        return checkpoint
    checkpoint = _paced(machine, checkpoint)
    settled = trace.settled(checkpoint.iteration)
    run.provenance["settled"] = settled
    if settled or not _room_for_another(run, checkpoint, sampling):
        return checkpoint._replace(warmup=checkpoint.iteration)
    return _another(machine, checkpoint)


def watched_over(run: Run, checkpoint: Checkpoint, sampling: Sampling, records: Records) -> Checkpoint:
    """The checkpoint with what the last chunk says of chains, while that may still send them into another round."""
    if checkpoint.trace is None:
        return checkpoint
    if checkpoint.sampling and not _room_for_another(run, checkpoint, sampling):
        return checkpoint._replace(trace=None)
    count = records["posterior"]["energy"].shape[1]
    checkpoint.trace.add(records["posterior"], checkpoint.iteration - count)
    return checkpoint


def ended_too_early(run: Run, checkpoint: Checkpoint, sampling: Sampling) -> bool:
    """Whether draws are looked at here, and show chains or halves of them in different places."""
    if checkpoint.trace is None or not checkpoint.sampling or not is_look(checkpoint.draws):
        return False
    if not _room_for_another(run, checkpoint, sampling):
        return False
    return checkpoint.trace.apart(checkpoint.warmup, checkpoint.iteration)


def turned_back(run: Run, machine: Machine, checkpoint: Checkpoint, sampling: Sampling) -> Checkpoint:
    """The checkpoint at the beginning of another round, the draws so far given up for it."""
    announce(f"chains turned out to differ: their first {checkpoint.draws} draws count as warm-up")
    run.provenance["settled"] = False
    run.provenance["draws_given_up"] = run.provenance.get("draws_given_up", 0) + checkpoint.draws
    checkpoint = checkpoint._replace(
        warmup=sampling.longest_warmup,
        lost=0,
        warmup_seconds=checkpoint.warmup_seconds + checkpoint.sampling_seconds,
        sampling_seconds=0.0,
    )
    return _another(machine, _paced(machine, checkpoint))


def seconds_spent(run: Run, checkpoint: Checkpoint) -> float:
    """On the clock, compiling and cooling included, resumed or not."""
    return run.provenance["start_seconds"] + checkpoint.warmup_seconds + checkpoint.sampling_seconds


def _room_for_another(run: Run, checkpoint: Checkpoint, sampling: Sampling) -> bool:
    limit = sampling.time_limit
    in_time = limit is None or seconds_spent(run, checkpoint) < _FOR_WARMING * limit
    return in_time and checkpoint.iteration + sampling.round <= sampling.longest_warmup


def _paced(machine: Machine, checkpoint: Checkpoint) -> Checkpoint:
    assert checkpoint.trace is not None
    states = machine.kernel.pace(checkpoint.states, checkpoint.trace.memory(checkpoint.iteration))
    return checkpoint._replace(states=place(states, machine.mesh, CHAIN))


def _another(machine: Machine, checkpoint: Checkpoint) -> Checkpoint:
    states = _begin_round(machine.kernel.without_schedule(), checkpoint.states, machine.program.density)
    return checkpoint._replace(states=place(states, machine.mesh, CHAIN), round_began=checkpoint.iteration)


@functools.partial(jax.jit, static_argnums=0, compiler_options=QUICKLY)
def _begin_round(kernel: Kernel, states: Any, density: Density) -> Any:
    """The states of all chains at the beginning of another round of the warm-up."""
    return renewal(kernel)(states, jax.vmap(kernel.position)(states), density)


@functools.partial(jax.jit, static_argnums=0)
def _pool(kernel: Kernel, states: Any) -> Any:
    """What chains have adapted, shared: in one program, where each operation by itself would be one."""
    return kernel.pool(states)
