"""Who makes the runs of a sweep, and what becomes of those whose worker or scheduler dies.

`distributed` is played by a cluster that does as it is told; `experiments/lost_workers.py` has the real one.
"""

import sys
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest
from known_answers import small_posterior

import codingschemes as cs
from codingschemes.runs import Sampling
from codingschemes.runs.run import CONFIG
from codingschemes.sweeps import Job, Outcome, execution, sweep

JOBS = [Job(name, {}, small_posterior(), Sampling(), Path(name)) for name in "abcd"]


class KilledWorker(Exception):
    """As dask's."""


class Future(SimpleNamespace):
    """One of dask's, of a job whose `fate` is an exception, "lost" with its scheduler, or "done"; or Ctrl-C comes."""

    def cancelled(self):
        if self.fate == "Ctrl-C":
            raise KeyboardInterrupt
        return self.fate == "lost"

    def exception(self):
        return self.fate if isinstance(self.fate, Exception) else None

    def result(self):
        return Outcome(self.job, "complete")

    __hash__ = object.__hash__


@pytest.fixture
def cluster(monkeypatch):
    """A cluster with the fates of jobs by name, one a scheduler, and what is true of the client after each."""
    played = SimpleNamespace(fates={}, statuses=[], submitted=[], given_up=[])

    class Client(nullcontext):
        def __init__(self, address, **_):
            super().__init__(self)
            if address != "tcp://here:1":
                raise OSError("timed out")

        @property
        def status(self):
            return played.statuses.pop(0)

        def submit(self, function, job, **_):
            assert function is execution.carry_out
            played.submitted.append(job.name)
            fates = played.fates.get(job.name)
            return Future(job=job, fate=fates.pop(0) if fates else "done")

        def cancel(self, futures):
            played.given_up += [future.job.name for future in futures]

    stub = SimpleNamespace(
        Client=Client, KilledWorker=KilledWorker, as_completed=lambda futures: reversed(list(futures))
    )
    monkeypatch.setitem(sys.modules, "distributed", stub)
    monkeypatch.setattr(execution.time, "sleep", lambda _: None)
    return played


def made(**options) -> dict[str, tuple[str, str]]:
    outcomes = sweep(JOBS, scheduler="tcp://here:1", **options)
    return {outcome.job.name: (outcome.status, outcome.message) for outcome in outcomes}


def test_every_run_is_handed_to_the_scheduler_and_told_in_order(cluster):
    said = []
    assert made(notify=said.append) == dict.fromkeys("abcd", ("complete", ""))
    assert list(made()) == list("abcd")
    assert said == ["d: complete", "c: complete", "b: complete", "a: complete"]


def test_a_run_whose_workers_die_is_given_up_and_a_fault_of_the_program_is_said(cluster):
    cluster.fates = {"b": [KilledWorker("long and technical")], "c": [ZeroDivisionError("division\nby zero")]}
    found = made()
    assert found["b"] == ("failed", "the workers that made it died again and again, perhaps for want of memory: see "
                          "what they wrote")  # fmt: skip
    assert found["c"] == ("failed", "division by zero")
    assert [found[name][0] for name in "ad"] == ["complete", "complete"]
    assert cluster.submitted == list("abcd")


def test_what_a_scheduler_takes_with_it_is_handed_to_the_next_one(cluster):
    cluster.fates = {"b": ["lost"], "c": ["lost", "lost"]}
    cluster.statuses = ["connecting", "connecting", *["running"] * 4]
    assert made() == dict.fromkeys("abcd", ("complete", ""))
    assert cluster.submitted == [*"abcd", *"cb", "c"]


@pytest.mark.parametrize("statuses", [["connecting", "closed", "closed"], ["running"] * 6])
def test_a_scheduler_that_does_not_come_back_is_said(cluster, statuses):
    cluster.fates, cluster.statuses = {"b": ["lost"] * 3}, statuses
    found = made()
    assert found["b"][0] == "failed"
    assert "tcp://here:1 has gone: start another one, and the sweep again" in found["b"][1]
    assert [found[name][0] for name in "acd"] == ["complete"] * 3


def test_ctrl_c_ends_a_sweep_with_what_was_made_and_what_had_begun(cluster, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("b").mkdir()
    (Path("b") / CONFIG).touch()
    cluster.fates = {"c": ["Ctrl-C"]}
    assert made() == {"b": ("stopped", ""), "d": ("complete", "")}
    assert cluster.given_up == list("abcd")


def test_no_scheduler_at_all_is_refused(cluster):
    with pytest.raises(cs.InvalidInput, match="no scheduler at tcp://there:1"):
        sweep(JOBS, scheduler="tcp://there:1")


@pytest.mark.slow
def test_processes_of_this_machine_are_seen_from_it_alone(tmp_path):
    """The scheduler, what it says of itself on the web, and the workers: dask would have them seen by all."""
    psutil = pytest.importorskip("psutil")
    pytest.importorskip("distributed")
    sampling = Sampling(sampler="hmc", chains=2, warmup=30, draws=40)
    seen = set()

    def look(_):
        own = psutil.Process()
        for process in (own, *own.children(recursive=True)):
            seen.update(each.laddr.ip for each in process.net_connections("tcp") if each.status == psutil.CONN_LISTEN)

    (outcome,) = sweep([Job("a", {}, small_posterior(), sampling, tmp_path / "a")], workers=1, notify=look)
    assert (outcome.status, outcome.result.draws) == ("complete", 40)
    assert seen == {"127.0.0.1"}
