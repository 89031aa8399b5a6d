"""What a large population costs."""

import json
import resource
import subprocess
import sys
import time

import numpy as np
import pytest


@pytest.mark.slow
def test_two_thousand_neurons_and_ten_thousand_samples_take_less_than_a_minute_and_four_gigabytes(tmp_path):
    """Processor time, so that other work on the machine does not count."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(16), 625)
    activity = rng.standard_normal((16, 2000))[labels] + 3 * rng.standard_normal((10_000, 2000))
    np.savez(tmp_path / "large.npz", activity=activity, labels=labels)
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    program = "from codingschemes.cli.main import main; main()"
    command = [sys.executable, "-c", program, "describe", "large.npz", "--shuffles", "0", "--json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    gigabytes = after.ru_maxrss / 2**20
    print(f"{seconds:.0f} s of processor, {time.perf_counter() - began:.0f} s, {gigabytes:.1f} GB at most")
    found = json.loads(done.stdout)
    assert found["scheme"]["label"] == "analog"
    assert found["abstraction"]["decoding"]["interval"] is not None
    assert "drawing neurons and samples anew" in done.stderr
    assert seconds < 60
    assert gigabytes < 4
