"""How far a run is, seen from another process while it is made."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from codingschemes.convergence import INVARIANTS, convergence
from codingschemes.errors import InvalidInput
from codingschemes.runs.configuration import Sampling
from codingschemes.runs.lock import writer_of
from codingschemes.runs.run import CONFIG, Run, is_folder

type Phase = Literal["warm-up", "sampling", "finished", "stopped", "cut off"]


@dataclass(frozen=True)
class Status:
    """How far a run is.

    Attributes:
        run: its folder.
        phase: `warm-up` or `sampling` while a process writes to it, `finished`, `stopped` by a signal or a limit, or
            `cut off`: nobody writes to it any more, and nobody said why.
        steps, steps_at_most: of the warm-up.
        draws, draws_at_most: a chain.
        rate: steps or draws a second in this phase, None before the first.
        seconds_left: of this phase at this rate, at most; None where it is over.
        seconds: spent so far.
        rhat_max, ess_min: of the draws so far over all chains; None below four.
        writer: the process that writes to it, as `process 12 on host`.
    """

    run: str
    phase: Phase
    steps: int
    steps_at_most: int
    draws: int
    draws_at_most: int
    rate: float | None
    seconds_left: float | None
    seconds: float
    rhat_max: float | None
    ess_min: float | None
    writer: str | None

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def run_folders(path: Path) -> list[Path]:
    """The folder of a run, or those of a sweep in their order of name.

    Raises:
        InvalidInput: it holds neither.
    """
    if not is_folder(path):
        raise InvalidInput(f"there is no folder {path}: give the folder of a run or of a sweep")
    if (path / CONFIG).exists():
        return [path]
    found = sorted(each for each in path.iterdir() if (each / CONFIG).exists())
    if not found:
        raise InvalidInput(
            f"{path} holds no run yet: give the folder of a run or of a sweep, or wait until one has begun"
        )
    return found


def status(path: Path) -> Status:
    """How far the run in a folder is.

    Raises:
        InvalidInput: see `Run.open`.
    """
    writer = writer_of(path)
    run = Run.open(path)
    said, sampling = run.provenance, Sampling(**run.config["sampling"])
    drawing = "warmup_steps" in said
    phase = _phase(run, writing=writer is not None, drawing=drawing)
    done = run.draw_count if drawing else said.get("iteration", 0)
    longest = sampling.draws if drawing else sampling.longest_warmup
    spent = said.get("sampling_seconds" if drawing else "warmup_seconds", 0.0)
    rate = done / spent if done and spent else None
    under_way = phase in ("warm-up", "sampling") and rate is not None
    posterior = {name: run.store.read("posterior", name) for name in INVARIANTS} if run.draw_count >= 4 else None
    found = None if posterior is None else convergence(posterior)
    return Status(
        run=str(path),
        phase=phase,
        steps=said.get("warmup_steps", said.get("iteration", 0)),
        steps_at_most=said.get("warmup_steps", sampling.longest_warmup),
        draws=run.draw_count,
        draws_at_most=sampling.draws,
        rate=rate,
        seconds_left=max(0, longest - done) / rate if under_way and rate else None,
        seconds=run.seconds,
        rhat_max=None if found is None else found.rhat_max,
        ess_min=None if found is None else found.ess_min,
        writer=None if writer is None else f"process {writer.get('pid')} on {str(writer.get('host')).split(' ')[0]}",
    )


def _phase(run: Run, *, writing: bool, drawing: bool) -> Phase:
    if writing:
        return "sampling" if drawing else "warm-up"
    if run.finished:
        return "finished"
    return "stopped" if "ended" in run.provenance else "cut off"
