"""All jobs of a sweep, here one after the other, side by side in processes of their own, or on a cluster."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from codingschemes.errors import InvalidInput
from codingschemes.progress import tracked
from codingschemes.runs.run import CONFIG
from codingschemes.sweeps.jobs import Job, Outcome, Outcomes, carry_out

#: Seconds to wait for a scheduler.
_PATIENCE = 20
#: For which a worker that is started again may be away.
_STARTING = "1 hour"
#: Schedulers that a run is handed to at most, each after the one before has gone.
_SCHEDULERS = 3


def sweep(
    jobs: Sequence[Job],
    *,
    scheduler: str | None = None,
    workers: int | None = None,
    notify: Callable[[str], None] = lambda _: None,
) -> Outcomes:
    """Make all runs. One that fails does not stop the others; Ctrl-C does, and the runs that were not begun are left
    out. What is complete already is not made again, so that a sweep that was cut off goes on when it is called again.

    After Ctrl-C, workers of this machine end at once, with what their runs have kept; those of a scheduler elsewhere
    first end the runs that they are making.

    A run whose worker died goes on in another one, at its last checkpoint, until dask gives up (after four workers,
    `distributed.scheduler.allowed-failures`); runs that a scheduler takes with it are handed to the one that is
    started in its place.

    Args:
        jobs: the runs.
        scheduler: address of a dask.distributed scheduler whose workers make the runs; they must see the same folders.
        workers: processes of this machine that make the runs, seen from this machine alone. Neither: this process
            makes them, one after the other.
        notify: is told of every run what is being done.

    Returns:
        What became of the jobs, in their order.

    Raises:
        InvalidInput: both of scheduler and workers, fewer than one worker, `distributed` is not installed, or there is
            no scheduler at the address.

    Example:
        >>> from pathlib import Path
        >>> from codingschemes.runs import Sampling
        >>> short = Sampling("mala", chains=2, draws=4, warmup=2)
        >>> job = cs.sweeps.Job("first", {"width": 12}, posterior, short, Path("runs/swept"))
        >>> cs.sweeps.sweep([job]).to_dataframe()["status"].tolist()  # a run: about 20 seconds
        ['complete']
    """
    if scheduler is not None and workers is not None:
        raise InvalidInput("`scheduler` and `workers` both say who makes the runs: leave one out")
    if workers is not None and workers < 1:
        raise InvalidInput(f"`workers` is {workers}: give at least one")
    if scheduler is not None:
        outcomes = _there(jobs, scheduler, notify)
    else:
        outcomes = _here(jobs, notify) if workers is None else _beside(jobs, workers, notify)
    found = {outcome.job.name: outcome for outcome in tracked(outcomes, "making runs", total=len(jobs))}
    return Outcomes(found[job.name] for job in jobs if job.name in found)


def _here(jobs: Sequence[Job], notify: Callable[[str], None]) -> Iterator[Outcome]:
    for job in jobs:
        outcome = carry_out(job, notify)
        yield _told(outcome, notify)
        if outcome.status == "stopped":
            return


def _beside(jobs: Sequence[Job], workers: int, notify: Callable[[str], None]) -> Iterator[Outcome]:
    with local_cluster(workers) as cluster:
        yield from _there(jobs, cluster.scheduler_address, notify)


@contextmanager
def local_cluster(workers: int) -> Iterator[Any]:
    """A scheduler and so many workers on this machine, which alone can reach them.

    Raises:
        InvalidInput: `distributed` is not installed.
    """
    distributed = _distributed()
    import dask  # comes with it

    # A worker that died is started again, and JAX with it: on a busy machine that takes longer than dask waits.
    patient = {"distributed.deploy.lost-worker-timeout": _STARTING}
    seen_here = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
    # Memory is looked after by `sample`, which refuses what does not fit.
    with (
        dask.config.set(patient),
        distributed.LocalCluster(
            n_workers=workers, threads_per_worker=1, memory_limit=None, silence_logs=logging.ERROR, **seen_here
        ) as cluster,
    ):
        yield cluster


def _there(jobs: Sequence[Job], scheduler: str, notify: Callable[[str], None]) -> Iterator[Outcome]:
    distributed = _distributed()
    try:
        client = distributed.Client(scheduler, timeout=_PATIENCE)
    except (OSError, ValueError) as error:
        raise InvalidInput(f"there is no scheduler at {scheduler} ({error}): start one with dask scheduler") from None
    waiting = list(jobs)
    with client:
        for _ in range(_SCHEDULERS):
            futures = {client.submit(carry_out, job, pure=False): job for job in waiting}
            waiting, made = [], set()
            try:
                for future in distributed.as_completed(futures):
                    if future.cancelled():
                        waiting.append(futures[future])
                    else:
                        made.add(future)
                        yield _told(_outcome(future, futures[future], distributed.KilledWorker), notify)
            except KeyboardInterrupt:
                client.cancel(list(futures))  # a run that a worker is making is not waited for
                left = [job for future, job in futures.items() if future not in made]
                yield from (_told(Outcome(job, "stopped"), notify) for job in left if (job.folder / CONFIG).exists())
                return
            if not waiting:
                return
            notify(f"the scheduler at {scheduler} has gone, with {len(waiting)} runs: waiting for another one")
            if not _reconnected(client):
                break
    for job in waiting:
        gone = f"the scheduler at {scheduler} has gone: start another one, and the sweep again, which goes on"
        yield _told(Outcome(job, "failed", message=gone), notify)


def _outcome(future: Any, job: Job, killed: type[Exception]) -> Outcome:
    """What became of a job, also where its workers died, which `carry_out` cannot tell of."""
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, killed):
        return Outcome(
            job, "failed", message="the workers that made it died again and again, perhaps for want of memory: see "
            "what they wrote"
        )  # fmt: skip
    return Outcome(job, "failed", message=" ".join(str(error).split()) or type(error).__name__)


def _reconnected(client: Any) -> bool:
    """Whether there is a scheduler again at the address of the one that has gone; waits for dask to look for it."""
    while client.status == "connecting":
        time.sleep(0.2)
    return client.status == "running"


def _told(outcome: Outcome, notify: Callable[[str], None]) -> Outcome:
    notify(f"{outcome.job.name}: {outcome.status}{': ' + outcome.message if outcome.message else ''}")
    return outcome


def _distributed() -> Any:
    try:
        import distributed
    except ImportError:
        raise InvalidInput(
            "`scheduler` and `workers` need dask.distributed: install it with pip install 'codingschemes[cluster]'"
        ) from None
    return distributed
