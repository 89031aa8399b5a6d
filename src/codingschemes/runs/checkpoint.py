"""What a run leaves on the disk while it goes on: draws, and what it goes on from, the states without what follows from
them.

The file of these begins with one line of JSON, which says where the run stands, what it is made of (see `identity`) and
the checksum of the states that follow it.
"""

import errno
import hashlib
import io
import json
import os
import time
from pathlib import Path
from typing import Any, NamedTuple

import equinox as eqx
import jax
import numpy as np

from codingschemes.errors import InvalidInput
from codingschemes.reading import reading
from codingschemes.runs.identity import Identity, digest
from codingschemes.runs.lock import Writer
from codingschemes.runs.run import CHECKPOINT, PROVENANCE, Run, replacing, write_json
from codingschemes.runs.store import Records
from codingschemes.runs.warmup import Trace

_FORMAT = 5
#: The fields of a checkpoint that are numbers.
_NUMBERS = ("iteration", "round_began", "warmup", "lost", "warmup_seconds", "sampling_seconds")

#: Two writes are apart by this many times what the last one took: together they cost at most 2 % of the time.
_APART = 50
#: Draws wait to be written until they are a chunk and so many bytes.
HELD = 64_000_000


class Checkpoint(NamedTuple):
    """Where a run stands.

    Attributes:
        iteration: steps done, warm-up included.
        round_began: steps done when the last round of the warm-up began.
        warmup: steps of the warm-up; as many as there can be while it goes on.
        lost: draws a chain that were made and are no longer there (see `checking.repair`).
        warmup_seconds, sampling_seconds: spent.
        trace: what a warm-up that ends by itself is judged by; None elsewhere, and once the run cannot go back to it.
        states: of all chains.
    """

    iteration: int
    round_began: int
    warmup: int
    lost: int
    warmup_seconds: float
    sampling_seconds: float
    trace: Trace | None
    states: Any

    @property
    def sampling(self) -> bool:
        """Whether the warm-up is over."""
        return self.iteration >= self.warmup

    @property
    def draws(self) -> int:
        """Draws made and kept, a chain."""
        return self.iteration - self.warmup - self.lost if self.sampling else 0

    def after(self, seconds: float, *, recording: bool) -> "Checkpoint":
        """With these seconds added to those of sampling where `recording`, else to those of the warm-up."""
        if recording:
            return self._replace(sampling_seconds=self.sampling_seconds + seconds)
        return self._replace(warmup_seconds=self.warmup_seconds + seconds)


class Keeper:
    """Writes what is new of a run into its folder, draws first and what it goes on from last, as often as is cheap.

    Args:
        run: what is written to.
        longest: draws of a chunk, which may wait to be written however large they are.
        writer: the right to write there; None for a run held in memory.
    """

    def __init__(self, run: Run, longest: int, writer: Writer | None):
        self._run, self._longest, self._writer = run, longest, writer
        self._made_of = "" if run.path is None else digest(run.made_of)
        self._waiting: list[Records] = []
        self._next = 0.0
        self._kept = -1

    def keep(self, checkpoint: Checkpoint, records: Records | None = None, *, now: bool = False) -> None:
        """Write draws and checkpoint if it is time, or `now`.

        Raises:
            InvalidInput: the disk is full or has gone, or somebody else writes to the folder.
        """
        if records is not None:
            self._waiting.append(records)
        started = time.monotonic()
        if not (now or self._full() or started >= self._next):
            return
        try:
            self._write(checkpoint)
        except OSError as error:
            what = f"the disk of {self._run.path} is full: free some room"
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                what = f"{self._run.path} cannot be written any more ({error.strerror}): put that right"
            raise InvalidInput(f"{what}, then go on with `resume=True` from the last checkpoint") from error
        self._next = time.monotonic() + _APART * (time.monotonic() - started)

    def give_up(self, checkpoint: Checkpoint) -> None:
        """Leave out all draws, which this checkpoint of a warm-up counts as its steps.

        Raises:
            InvalidInput: see `keep`.
        """
        self._waiting.clear()
        self._run.provenance.pop("warmup_steps", None)
        self._kept = -1
        # First: a run that goes on leaves out draws that are more than its checkpoint says.
        self.keep(checkpoint, now=True)
        self._run.store.truncate(0)

    def _full(self) -> bool:
        """Whether what waits is as much as may."""
        draws = sum(each["posterior"]["energy"].shape[1] for each in self._waiting)
        held = sum(values.nbytes for values in jax.tree.leaves(self._waiting))
        return draws >= self._longest and held >= HELD

    def _write(self, checkpoint: Checkpoint) -> None:
        run = self._run
        if self._writer is not None:
            self._writer.check()
        if self._waiting:
            run.store.append(jax.tree.map(lambda *parts: np.concatenate(parts, axis=1), *self._waiting))
            self._waiting.clear()
        run.provenance["iteration"] = checkpoint.iteration
        run.provenance["warmup_seconds"] = checkpoint.warmup_seconds
        run.provenance["sampling_seconds"] = checkpoint.sampling_seconds
        if checkpoint.sampling:
            run.provenance["warmup_steps"] = checkpoint.warmup
        if run.path is None:
            return
        write_json(run.path / PROVENANCE, run.provenance)
        if checkpoint.iteration == self._kept:
            return
        write_checkpoint(run.path / CHECKPOINT, checkpoint, self._made_of)
        self._kept = checkpoint.iteration


def write_checkpoint(path: Path, checkpoint: Checkpoint, made_of: str) -> None:
    """Write a checkpoint, whole or not at all.

    Args:
        made_of: the digest of what the run is made of.
    """
    states = io.BytesIO()
    means = None if checkpoint.trace is None else checkpoint.trace.means
    eqx.tree_serialise_leaves(states, (means, checkpoint.states))
    header = {name: getattr(checkpoint, name) for name in _NUMBERS}
    _write(path, {**header, "format": _FORMAT, "made_of": made_of, "judged": means is not None}, states.getbuffer())


def read_checkpoint(path: Path, like: Checkpoint, made_of: Identity) -> Checkpoint:
    """The checkpoint in a file, of the same shapes as `like`, that of the run before its first step.

    Raises:
        InvalidInput: it is missing, damaged, or another run's.
    """
    header, states = read_header(path, digest(made_of))
    with reading(path, REMEDY):
        room = like.trace.means if header["judged"] and like.trace is not None else None
        means, states = eqx.tree_deserialise_leaves(io.BytesIO(states), (room, like.states))
        numbers = {name: header[name] for name in _NUMBERS}
        return Checkpoint(**numbers, trace=None if means is None else Trace(means), states=states)


REMEDY = "the run can be read, and another started from it with `parent`, but it cannot be continued"


def read_header(path: Path, made_of: str) -> tuple[dict[str, Any], bytes]:
    """What the first line of a checkpoint says, and the rest of it.

    Raises:
        InvalidInput: see `read_checkpoint`.
    """
    with reading(path, REMEDY):
        line, _, states = path.read_bytes().partition(b"\n")
        header = json.loads(line)
        if header["format"] != _FORMAT:
            raise InvalidInput(f"{path} is of format {header['format']}, this program goes on from {_FORMAT}: {REMEDY}")
        if header["made_of"] != made_of:
            raise InvalidInput(
                f"{path} is the checkpoint of another run: put back the one that sampling wrote there; else {REMEDY}"
            )
        if header["sha256"] != _checksum(header, states):
            raise ValueError("its bytes have changed")
    return header, states


def draws_of(header: dict[str, Any]) -> int:
    """Draws that were made and kept, a chain; see `Checkpoint`."""
    return max(0, header["iteration"] - header["warmup"] - header["lost"])


def forget_draws(path: Path, made_of: str, kept: int) -> None:
    """Have the run go on with `kept` draws where more were made: the later ones are lost."""
    header, states = read_header(path, made_of)
    if kept < (made := draws_of(header)):
        _write(path, {**header, "lost": header["lost"] + made - kept}, states)


def _write(path: Path, header: dict[str, Any], states: bytes | memoryview) -> None:
    """Whole, and on the disk before it takes the place of the one before."""
    header = {**header, "sha256": _checksum(header, states)}
    with replacing(path) as partial, partial.open("wb") as file:
        file.write(json.dumps(header).encode() + b"\n")
        file.write(states)
        file.flush()
        os.fsync(file.fileno())


def _checksum(header: dict[str, Any], states: bytes | memoryview) -> str:
    said = {name: value for name, value in header.items() if name != "sha256"}
    found = hashlib.sha256(json.dumps(said, sort_keys=True).encode())
    found.update(states)
    return found.hexdigest()
