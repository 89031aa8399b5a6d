"""All jobs of a sweep, here one after the other or on a cluster side by side."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from codingschemes.errors import InvalidInput
from codingschemes.sweeps.jobs import Job, Outcome, Outcomes, carry_out

#: Seconds to wait for a scheduler.
_PATIENCE = 20


def sweep(
    jobs: Sequence[Job], *, scheduler: str | None = None, notify: Callable[[str], None] = lambda _: None
) -> Outcomes:
    """Make all runs. One that fails does not stop the others; Ctrl-C does, and the runs that were not begun are left
    out. What is complete already is not made again.

    Args:
        jobs: the runs.
        scheduler: address of a dask.distributed scheduler whose workers make the runs; they must see the same folders.
            None: this process makes them, one after the other.
        notify: is told of every run what is being done.

    Returns:
        What became of the jobs, in their order.

    Raises:
        InvalidInput: `distributed` is not installed, or there is no scheduler at the address.

    Example:
        >>> from pathlib import Path
        >>> from codingschemes.runs import Sampling
        >>> short = Sampling("mala", chains=2, draws=4, warmup=2)
        >>> job = cs.sweeps.Job("first", {"width": 12}, posterior, short, Path("runs/swept"))
        >>> cs.sweeps.sweep([job]).to_dataframe()["status"].tolist()  # a run: about 20 seconds
        ['complete']
    """
    outcomes = _here(jobs, notify) if scheduler is None else _there(jobs, scheduler, notify)
    found = {outcome.job.name: outcome for outcome in outcomes}
    return Outcomes(found[job.name] for job in jobs if job.name in found)


def _here(jobs: Sequence[Job], notify: Callable[[str], None]) -> Iterator[Outcome]:
    for job in jobs:
        outcome = carry_out(job, notify)
        _tell(outcome, notify)
        yield outcome
        if outcome.status == "stopped":
            return


def _there(jobs: Sequence[Job], scheduler: str, notify: Callable[[str], None]) -> Iterator[Outcome]:
    distributed = _distributed()
    try:
        client = distributed.Client(scheduler, timeout=_PATIENCE)
    except (OSError, ValueError) as error:
        raise InvalidInput(f"there is no scheduler at {scheduler} ({error}): start one with dask scheduler") from None
    with client:
        futures = {client.submit(carry_out, job, pure=False): job for job in jobs}
        for future in distributed.as_completed(futures):
            # a worker that died, which `carry_out` cannot tell of
            lost = future.exception()
            outcome = future.result() if lost is None else Outcome(futures[future], "failed", message=str(lost))
            _tell(outcome, notify)
            yield outcome


def _tell(outcome: Outcome, notify: Callable[[str], None]) -> None:
    notify(f"{outcome.job.name}: {outcome.status}{': ' + outcome.message if outcome.message else ''}")


def _distributed() -> Any:
    try:
        import distributed
    except ImportError:
        raise InvalidInput(
            "`scheduler` needs dask.distributed: install it with pip install 'codingschemes[cluster]'"
        ) from None
    return distributed
