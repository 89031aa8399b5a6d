"""Kill sampling processes at random moments, go on, and compare draws bit by bit with those of a run left alone.

    python experiments/kills.py [SAMPLER ...] [--kills 100]

Each process is `codingschemes sample`, as a user starts it. SIGKILL, SIGTERM and SIGINT come in turn, at a moment that
is uniform over the time which a process that is left alone takes: so imports, compilation, warm-up, sampling and the
last summary are all hit. Kills are spread evenly over the samplers. Whatever a process that was stopped says must be no
traceback, and the folder must be whole each time there is one. Writes benchmarks/kills.json.
"""

import json
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from entry import Entry

from codingschemes.runs import Run
from codingschemes.runs.checking import check
from codingschemes.runs.dimensions import DIMENSIONS
from codingschemes.runs.run import CONFIG

SAMPLERS = ("codes", "hmc", "nuts", "mclmc")
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
TASK = ["orthogonal", "--samples", "12", "--width", "12", "--temperature", "1e-2", "--chains", "2"]
LENGTH = ["--warmup", "200", "--draws", "3000", "--max-tree-depth", "5"]
#: Kills of one run; then another is begun, so that young and old runs are hit alike.
_EACH = 5


def command(sampler: str, out: Path) -> list[str]:
    program = [sys.executable, "-c", "from codingschemes.cli.main import main; main()"]
    begun = ["--resume"] if (out / CONFIG).exists() else []
    return [*program, "sample", *TASK, *LENGTH, "--sampler", sampler, "--out", str(out), *begun]


def first_difference(run: Run, reference: Run) -> str | None:
    """Where the draws of two runs part, if they do."""
    found = []
    for group in DIMENSIONS:
        for name in DIMENSIONS[group]:
            values, others = run.values(group, name), reference.values(group, name)
            if values.shape != others.shape:
                return f"{name} is of shape {values.shape}, not {others.shape}"
            differ = (values != others) & ~(np.isnan(values) & np.isnan(others))
            if differ.any():
                found.append((int(differ.any(axis=(0, *range(2, values.ndim))).argmax()), name))
    return None if not found else "{1} at draw {0}".format(*min(found))


def kill(sampler: str, kills: int, folder: Path, rng: np.random.Generator) -> dict[str, Any]:
    """What became of so many kills of one sampler's runs."""
    subprocess.run(command(sampler, folder / "warm"), check=True, capture_output=True)  # compiled once for all
    started = time.monotonic()
    subprocess.run(command(sampler, folder / "alone"), check=True, capture_output=True)
    seconds = time.monotonic() - started
    alone = Run.open(folder / "alone")
    by = dict.fromkeys((sent.name for sent in SIGNALS), 0)
    found = {"kills": 0, "runs": 0, "different": 0, "tracebacks": 0, "not whole": 0}
    while found["kills"] < kills:
        out, history = folder / f"run-{found['runs']}", []
        for _ in range(min(_EACH, kills - found["kills"])):
            process = subprocess.Popen(command(sampler, out), stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            pause = rng.uniform(0, seconds)
            time.sleep(pause)
            sent = SIGNALS[found["kills"] % len(SIGNALS)]
            process.send_signal(sent)
            _, said = process.communicate(timeout=600)
            found["kills"] += 1
            by[sent.name] += 1
            history.append(f"{sent.name} after {pause:.1f} s")
            if "Traceback" in said:
                found["tracebacks"] += 1
                print(history, said, flush=True)
            found["not whole"] += (out / CONFIG).exists() and check(out) != []
        subprocess.run(command(sampler, out), check=True, capture_output=True)
        found["runs"] += 1
        if (parted := first_difference(Run.open(out), alone)) is not None:
            found["different"] += 1
            print(history, parted, flush=True)
        shutil.rmtree(out)
    return {"sampler": sampler, "by": by, **found, "seconds of a run left alone": round(seconds, 1)}


def main() -> int:
    entry = Entry(__doc__, quick={"samplers": ["hmc"], "kills": 2})
    entry.add_argument("samplers", nargs="*", metavar="SAMPLER", default=SAMPLERS, help="all four if left out")
    entry.add_argument("--kills", type=int, default=100)
    asked, out = entry.begin()
    samplers = asked.samplers
    rng, rows = np.random.default_rng(0), []
    for sampler in samplers:
        with tempfile.TemporaryDirectory() as folder:
            rows.append(kill(sampler, -(-asked.kills // len(samplers)), Path(folder), rng))
        print(json.dumps(rows[-1]), flush=True)
    wrong = sum(row["different"] + row["tracebacks"] + row["not whole"] for row in rows)
    total = sum(row["kills"] for row in rows)
    print(f"{total} kills, {sum(row['different'] for row in rows)} of {sum(row['runs'] for row in rows)} runs differ")
    found = {"kills": total, "machine": f"{platform.system()} {platform.machine()}", "rows": rows}
    out.path("benchmarks/kills.json").write_text(json.dumps(found, indent=2) + "\n")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
