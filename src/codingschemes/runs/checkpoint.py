"""What a run goes on from: states without what follows from them, written as often as their size allows."""

import time
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx

from codingschemes.runs.run import CHECKPOINT
from codingschemes.runs.warmup import Trace

#: Checkpoints are apart by this many times what the last one took to write: together they cost at most 1 % of the time.
_APART = 100


class Checkpoint(NamedTuple):
    """Where a run stands.

    Attributes:
        iteration: steps done, warm-up included.
        warmup: steps of the warm-up; as many as there can be while it goes on.
        warmup_seconds, sampling_seconds: spent.
        trace: what a warm-up that ends by itself is judged by; None elsewhere and after it.
        states: of all chains.
    """

    iteration: int
    warmup: int
    warmup_seconds: float
    sampling_seconds: float
    trace: Trace | None
    states: Any

    @property
    def sampling(self) -> bool:
        """Whether the warm-up is over."""
        return self.trace is None and self.iteration >= self.warmup

    @property
    def draws(self) -> int:
        """Draws made, a chain."""
        return self.iteration - self.warmup if self.sampling else 0

    def after(self, seconds: float, *, recording: bool) -> "Checkpoint":
        """With these seconds added to those of sampling where `recording`, else to those of the warm-up."""
        if recording:
            return self._replace(sampling_seconds=self.sampling_seconds + seconds)
        return self._replace(warmup_seconds=self.warmup_seconds + seconds)


class Keeper:
    """Writes checkpoints into a run folder, none for a run held in memory."""

    def __init__(self, path: Path | None):
        self._path = path
        self._next = 0.0
        self._kept = -1

    def keep(self, checkpoint: Checkpoint, *, last: bool = False) -> None:
        """Write the checkpoint if it is time, or the last one."""
        started = time.monotonic()
        if self._path is None or checkpoint.iteration == self._kept or (started < self._next and not last):
            return
        partial = self._path / f"{CHECKPOINT}.partial"
        with partial.open("wb") as file:
            eqx.tree_serialise_leaves(file, (*checkpoint[:4], checkpoint.trace is not None))
            eqx.tree_serialise_leaves(
                file, (None if checkpoint.trace is None else checkpoint.trace.means, checkpoint.states)
            )
        partial.replace(self._path / CHECKPOINT)
        self._kept = checkpoint.iteration
        self._next = time.monotonic() + _APART * (time.monotonic() - started)


def read_checkpoint(path: Path, like: Checkpoint) -> Checkpoint:
    """The checkpoint in a file, of the same shapes as `like`, that of the run before its first step."""
    with path.open("rb") as file:
        iteration, warmup, warming, sampling, tracing = eqx.tree_deserialise_leaves(file, (*like[:4], True))
        room = like.trace.means if tracing and like.trace is not None else None
        means, states = eqx.tree_deserialise_leaves(file, (room, like.states))
    trace = None if means is None else Trace(means)
    return Checkpoint(iteration, warmup, warming, sampling, trace, states)
