"""The suite `accelerator`: it ends in time whatever its tasks do, and says from planted rows what they mean."""

import json
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from codingschemes.benchmark import accelerator as suite
from codingschemes.benchmark.accelerator import DeviceFindings, DeviceTask, Sizes, _in_a_process
from codingschemes.benchmark.accelerator_table import markdown, tables
from codingschemes.errors import InvalidInput

TASK = DeviceTask("gradients", "cpu", {"size": 3, "precision": "double"})
LIMITS = {"accelerator": {"double": 1e12, "single": 4e12}, "cpu": {"double": 1e10, "single": 2e10}}


def script(text):
    return [sys.executable, "-c", text]


def gradient_row(chains, rate, place="accelerator", precision="double"):
    return {
        "kind": "gradients", "place": place, "size": 100, "precision": precision, "chains": chains,
        "gradients_per_second": rate, "operations": 5e6, "operations_of_factor": 1e6,
    }  # fmt: skip


def sampler_row(place, chains, rate):
    told = {"rhat_max": 1.01, "draws": 100, "seconds": 3.0, "ess_min_per_second": rate}
    return {"kind": "sampler", "place": place, "size": 100, "sampler": "hmc", "chains": chains, **told}


def findings(rows):
    return DeviceFindings({"accelerator": "gpu: planted"}, LIMITS, rows, ["x: no time was left"], 3.0)


def test_a_task_that_does_not_end_is_ended_and_its_rows_count():
    begun = time.monotonic()
    hangs = 'import time; print(\'{"a": 1}\', flush=True); print("noise", flush=True); time.sleep(60)'
    rows, reason = _in_a_process(TASK, 1.0, script(hangs))
    assert time.monotonic() - begun < 10
    assert rows == [{"a": 1}]
    assert reason == "ended after 1 s"


def test_a_task_that_fails_says_why():
    rows, reason = _in_a_process(TASK, 30.0, script('print(\'{"left_out": "memory"}\'); raise ValueError("planted")'))
    assert rows == []
    assert reason == "memory; ValueError: planted"


def test_the_worker_is_told_what_to_do_and_where():
    echo = "import sys, os, json; print(json.dumps(json.loads(sys.argv[1]) | {'on': os.environ['JAX_PLATFORMS']}))"
    (row,), reason = _in_a_process(TASK, 20.0, script(echo))
    assert not reason
    assert row == {"kind": "gradients", "seconds": 18.0, "size": 3, "precision": "double", "on": "cpu"}


def test_it_ends_in_time_and_names_what_is_missing(monkeypatch):
    """Tasks that take all they are given, on a clock of their own."""
    clock, given = [0.0], []

    def takes_all(task, seconds):
        clock[0] += seconds
        given.append(seconds)
        if task.kind == "limits":
            return [{"device": "gpu: planted", "limits": LIMITS[task.place]}], ""
        return [], "ended"

    monkeypatch.setattr(suite, "_in_a_process", takes_all)
    monkeypatch.setattr(suite.time, "monotonic", lambda: clock[0])
    kept = []
    found = suite.accelerator(100.0, kept=kept.append)
    every = 2 + len(list(Sizes().tasks(("accelerator", "cpu"))))
    assert found.seconds == clock[0] <= 100
    assert max(given) <= 15
    assert len(kept) == len(given)
    assert len(found.missing) == every - 2
    assert found.missing[-1].endswith("no time was left, raise `seconds`")
    assert found.correct is None


def test_a_machine_without_another_device_is_measured_once(monkeypatch):
    asked = []

    def answers(task, seconds):
        asked.append(task)
        return ([{"device": "cpu: planted", "limits": LIMITS["cpu"]}], "") if task.kind == "limits" else ([], "")

    monkeypatch.setattr(suite, "_in_a_process", answers)
    suite.accelerator(1000.0, sizes=Sizes(sizes=(8,)))
    assert {task.place for task in asked} == {"accelerator"}
    monkeypatch.setattr(suite, "_in_a_process", lambda *_: ([], "planted"))
    with pytest.raises(InvalidInput, match="no device answered: limits on the accelerator: planted"):
        suite.accelerator(1000.0)
    with pytest.raises(InvalidInput, match=r"`seconds` is -1\.0: give a number above 0"):
        suite.accelerator(-1.0)


def test_shares_of_the_limit_saturation_and_speedup_by_hand():
    rows = [gradient_row(1, 1e4), gradient_row(4, 9e4), gradient_row(16, 1e5)]
    found = findings([*rows, gradient_row(4, 1e5, precision="mixed")])
    # 5e6 operations at 1e12 a second are 5 microseconds; in mixed precision 4e6 at 4e12 and 1e6 at 1e12 are 2
    np.testing.assert_allclose([found.share_of_limit(row) for row in found.rows], [0.05, 0.45, 0.5, 0.2])
    assert found.saturation() == {
        "accelerator, N = P = 100, double": 4,
        "accelerator, N = P = 100, mixed": 4,
    }
    samples = [sampler_row("accelerator", 64, 50.0), sampler_row("cpu", 4, 5.0), sampler_row("cpu", 64, 2.0)]
    assert findings(samples).speedup(samples[0]) == 10
    assert np.isnan(findings(samples[:1]).speedup(samples[0]))


def test_a_wrong_device_is_seen():
    row = {"kind": "correct", "place": "accelerator", "target": "toy", "precision": "mixed"}
    told = {"rhat_max": 1.0, "gradients_per_draw": 9.0}
    assert findings([{**row, **told, "z": 2.0}]).correct
    assert not findings([{**row, **told, "z": 2.0}, {**row, **told, "z": 5.0}]).correct
    assert not findings([{**row, **told, "z": None}]).correct


def test_tables_hold_every_row_and_what_is_missing():
    rows = [gradient_row(4, 9e4), sampler_row("accelerator", 64, 50.0)]
    text = markdown(findings(rows), "codingschemes bench --suite accelerator")
    assert "| accelerator | 100 | double | 4 | 9e+04 | 0.45 |" in text
    assert "| accelerator | 100 | hmc | 64 | 50 | 1.01 | 100 | 3 | nan |" in text
    assert "x: no time was left" in text
    for _, columns, lines in tables(findings(rows)):
        assert all(len(line) == len(columns) for line in lines)


@pytest.mark.slow
def test_a_tiny_suite_on_this_machine(tmp_path: Path):
    sizes = Sizes(
        targets=("tiny-sigmoid",),
        sizes=(8,),
        chains=(2, 4),
        chains_of_gradients=(1, 4),
        samplers=("hmc", "blackjax-laps"),
    )
    found = suite.accelerator(300.0, sizes=sizes)
    assert found.correct, found.rows
    assert {row["precision"] for row in found.of("correct")} == {"double", "mixed"}
    assert [row["chains"] for row in found.of("gradients")] == [1, 4, 1, 4]
    assert {(row["sampler"], row["chains"]) for row in found.of("sampler")} >= {("hmc", 2), ("hmc", 4)}
    json.dumps(found.to_json())
