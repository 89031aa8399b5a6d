"""Plant faults in a copy of the package, one at a time, and see that the tests catch each of them.

    python experiments/mutants.py [NAME ...] [--whole-suite]

NAME is a part of a fault's name; all are planted if it is left out. `planted_faults.py` says what each changes and
which test should catch it, the cheapest one: it runs without checks of types and shapes, so that a wrong answer has to
tell. Before, all these tests run once with nothing planted, and must pass. `--whole-suite` runs all other tests where
a fault went through. Writes benchmarks/mutants.md, and ends with the number of faults that nothing caught.
"""

import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from entry import ROOT, Entry, Table
from planted_faults import FAULTS, PACKAGE, Fault

TESTS = ROOT / "tests"
_OPTIONS = ("-q", "-x", "-p", "no:cacheprovider", "-o", "addopts=--strict-markers -m 'not slow'")
_PAGE = """# Faults that the tests catch

`make mutants` plants each in a copy of the package. The test named failed with it and passes without.

{table}

{count} faults, {caught} caught, in {minutes:.0f} minutes of one processor.
"""


class Verdict(NamedTuple):
    """What tests say of a package: the one that failed, None where all pass; and processor seconds."""

    caught_by: str | None
    seconds: float


def verdict(fault: Fault | None, tests: Sequence[str]) -> Verdict:
    """What tests, which run until one fails, say of a copy of the package with a fault.

    Args:
        fault: what is planted; None: nothing.
        tests: as pytest names them; none runs all.

    Raises:
        RuntimeError: pytest did not run them, as where there is no such test.
    """
    with tempfile.TemporaryDirectory() as source:
        copy = Path(source) / PACKAGE.name
        shutil.copytree(PACKAGE, copy)
        if fault is not None:
            fault.plant(copy)
        environment = {**os.environ, "PYTHONPATH": source}
        command = [sys.executable, "-m", "pytest", *_OPTIONS, *tests]
        before = _processor_seconds()
        done = subprocess.run(command, cwd=TESTS, env=environment, capture_output=True, text=True, check=False)
        seconds = _processor_seconds() - before
    failed = re.search(r"^(?:FAILED|ERROR) (?:tests/)?(\S+?::.+?)(?: - |$)", done.stdout, re.MULTILINE)
    if done.returncode != (0 if failed is None else 1):
        raise RuntimeError(f"pytest {' '.join(tests)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return Verdict(None if failed is None else failed[1], seconds)


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> int:
    entry = Entry(__doc__, quick={"names": ["literature"]})
    entry.add_argument("names", nargs="*", metavar="NAME", help="a part of a fault's name; all if left out")
    entry.add_argument("--whole-suite", action="store_true", help="run all tests where that named misses a fault")
    asked, out = entry.begin()
    chosen = [fault for fault in FAULTS if not asked.names or any(part in fault.name for part in asked.names)]
    table, missed = Table("fault", "in", "caught by", "processor seconds"), 0
    unharmed = verdict(None, sorted({fault.test for fault in chosen}))
    if unharmed.caught_by is not None:
        raise SystemExit(f"{unharmed.caught_by} fails with nothing planted: put that right first")
    for fault in chosen:
        found = verdict(fault, [fault.test])
        if found.caught_by is None and asked.whole_suite:
            found = verdict(fault, [])
        missed += found.caught_by is None
        test = "**nothing**" if found.caught_by is None else f"`{found.caught_by}`"
        table.row(fault.name, f"`{fault.file}`", test, f"{found.seconds:.0f}")
    count, minutes = len(chosen), _processor_seconds() / 60
    out.page("benchmarks/mutants.md", _PAGE.format(table=table, count=count, caught=count - missed, minutes=minutes))
    return missed


if __name__ == "__main__":
    sys.exit(main())
