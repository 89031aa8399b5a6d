"""Kill the workers of a sweep again and again: every run is finished all the same, and the table is the serial one.

    python experiments/lost_workers.py [--runs 40] [--each 5]

Makes the runs in this process, one after the other, and once more by two workers, of which one, drawn at random, is
killed after every few finished runs (SIGKILL, a moment later: in the middle of something). The tables must be equal to
the last digit. The sweep is then asked for again, which finds everything done. Writes benchmarks/lost_workers.md.
"""

import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from entry import Entry, Table

import codingschemes as cs
from codingschemes.runs import Sampling
from codingschemes.runs.run import CONFIG
from codingschemes.sweeps import Job, Outcomes, sweep
from codingschemes.sweeps.execution import local_cluster
from codingschemes.sweeps.jobs import RESULT

WORKERS = 2
#: Seconds after a run has been finished within which a worker is killed.
_SOON = 2.0
_PAGE = """# A sweep whose workers are killed

{table}

A run counts as under way where its folder was there and its result was not. The tables are compared to the last digit.
"""


def jobs_in(folder: Path, runs: int) -> list[Job]:
    """Runs of one posterior that differ in the seed and in the temperature: one program for all."""
    task = cs.tasks.orthogonal(samples=12, ratios=(0.5, 0.25, 0.25))
    jobs = []
    for index in range(runs):
        temperature, seed, name = 0.01 * (1 + index % 4), index // 4, f"run-{index}"
        posterior = cs.Posterior(task, cs.Network("sigmoid", width=8), temperature=temperature)
        sampling = Sampling(sampler="hmc", chains=2, warmup=60, draws=400, seed=seed)
        varied = {"temperature": temperature, "seed": seed}
        jobs.append(Job(name, varied, posterior, sampling, folder / name, "lazy"))
    return jobs


class Killer:
    """Kills one of the workers at random after every few finished runs."""

    def __init__(self, cluster: Any, jobs: Sequence[Job], each: int):
        self.cluster, self.jobs, self.each = cluster, jobs, each
        self.finished = self.kills = self.under_way = 0
        self.rng = np.random.default_rng(0)

    def hear(self, line: str) -> None:
        if not line.endswith("complete"):
            return
        self.finished += 1
        if self.finished % self.each == 0:
            threading.Timer(self.rng.uniform(0, _SOON), self.kill).start()

    def kill(self) -> None:
        """One that works, not one that is being started."""
        working = [nanny for nanny in self.cluster.workers.values() if nanny.worker_address in self.registered]
        if working:
            self.under_way += sum(map(_under_way, self.jobs))
            os.kill(working[int(self.rng.integers(len(working)))].pid, signal.SIGKILL)
            self.kills += 1
        elif self.finished < len(self.jobs):
            threading.Timer(1.0, self.kill).start()

    @property
    def registered(self) -> set[str]:
        """Addresses of the workers that the scheduler knows."""
        return set(self.cluster.scheduler.workers)


def _under_way(job: Job) -> bool:
    return (job.folder / CONFIG).exists() and not (job.folder / RESULT).exists()


def timed(make: Callable[[], Outcomes]) -> tuple[Outcomes, float]:
    started = time.monotonic()
    return make(), time.monotonic() - started


def same(outcomes: Outcomes, others: Outcomes) -> bool:
    """Whether two tables are equal to the last digit."""
    try:
        pd.testing.assert_frame_equal(outcomes.to_dataframe(), others.to_dataframe(), check_exact=True)
    except AssertionError as error:
        print(error)
        return False
    return True


def main() -> int:
    entry = Entry(__doc__, quick={"runs": 4, "each": 2})
    entry.add_argument("--runs", type=int, default=40)
    entry.add_argument("--each", type=int, default=5, help="finished runs after which a worker is killed")
    asked, out = entry.begin()
    with tempfile.TemporaryDirectory() as folder:
        serial, alone = timed(lambda: sweep(jobs_in(Path(folder) / "serial", asked.runs)))
        jobs = jobs_in(Path(folder) / "cluster", asked.runs)
        with local_cluster(WORKERS) as cluster:
            killer, address = Killer(cluster, jobs, asked.each), cluster.scheduler_address
            killed, together = timed(lambda: sweep(jobs, scheduler=address, notify=killer.hear))
            again, resubmitted = timed(lambda: sweep(jobs, scheduler=address))
    complete = sum(outcome.status == "complete" for outcome in killed)
    for outcome in killed:
        if outcome.status != "complete":
            print(outcome.job.name, outcome.message)
    equal = same(serial, killed) and same(killed, again)
    table = Table("", "")
    table.row("runs", asked.runs)
    table.row("workers killed", killer.kills)
    table.row("runs under way when a worker was killed", killer.under_way)
    table.row("runs finished", complete)
    table.row("table", "that of one process alone" if equal else "DIFFERENT")
    table.row("one process alone", f"{alone:.0f} s")
    table.row("two workers that are killed", f"{together:.0f} s")
    table.row("asked for again", f"{resubmitted:.1f} s")
    out.page("benchmarks/lost_workers.md", _PAGE.format(table=table))
    return int(complete < asked.runs or not equal)


if __name__ == "__main__":
    sys.exit(main())
