"""What writing costs a run on MNIST, and whether a long run holds more and more memory.

    python experiments/long_run.py [--draws 3000] [--long 100000]

Writing is all between chunks that goes to the disk: draws, what is said of them, and the checkpoint. Memory is what the
process holds at each write of a small run's draws: from the tenth part on it must not grow with them. Writes
benchmarks/long_run.md, and ends with status 1 where writing takes 5 % of the time of sampling, or memory grows by a
tenth of what is written.
"""

import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from entry import Entry, Table

import codingschemes as cs
from codingschemes.runs.checkpoint import Keeper
from codingschemes.runs.run import DRAWS

_PAGE = """# What a run costs beside sampling

## Writing, on MNIST

100 images of 3 classes, 100 sigmoidal neurons, two chains, T = 10⁻³, sampler `codes`.

{writing}

## Memory of a small run

8 samples, 6 neurons, two chains, sampler `hmc`; {size:.0f} MiB are written.

{memory}

From the tenth part on memory grows by {growth:.1%} of what is written.
"""
#: Of the time of sampling, and of the bytes written.
_MOST_TIME, _MOST_MEMORY = 0.05, 0.1


class Write(NamedTuple):
    """One write of a run: seconds by the clock and of the processor, draws a chain that are kept after it, and bytes
    that the process holds then."""

    clock: float
    processor: float
    draws: int
    held: int


def written(posterior: cs.Posterior, folder: Path, **options: Any) -> tuple[cs.Run, list[Write]]:
    """A run and all its writes."""
    genuine, writes = Keeper._write, []

    def write(keeper: Keeper, checkpoint: Any) -> None:
        clock, processor = time.monotonic(), time.process_time()
        genuine(keeper, checkpoint)
        spent = time.monotonic() - clock, time.process_time() - processor
        writes.append(Write(*spent, checkpoint.draws, _held()))

    with mock.patch.object(Keeper, "_write", write):
        return cs.sample(posterior, out=folder, chains=2, progress=False, **options), writes


def _held() -> int:
    """Bytes of this process in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def on_mnist(folder: Path, draws: int) -> tuple[Table, float]:
    """What writing costs, and its share of the time of sampling by the clock."""
    posterior = cs.Posterior(cs.tasks.mnist(samples=100), cs.Network("sigmoid", width=100), temperature=1e-3)
    run, writes = written(posterior, folder, sampler="codes", warmup=50, draws=draws)
    sampling = run.provenance["sampling_seconds"]
    during = [write for write in writes if write.draws > 0]
    clock, processor = (sum(getattr(write, name) for write in during) for name in ("clock", "processor"))
    table = Table("draws a chain", "sampling", "writes", "writing", "of the processor", "share of the time of sampling")
    share = clock / sampling
    table.row(draws, f"{sampling:.0f} s", len(during), f"{clock:.2f} s", f"{processor:.2f} s", f"{share:.1%}")
    return table, share


def small_and_long(folder: Path, draws: int) -> tuple[Table, float, float]:
    """What the process holds as draws add up, what is written in MiB, and by how much of that the process grows from
    the tenth part on."""
    posterior = cs.Posterior(cs.tasks.orthogonal(samples=8), cs.Network("sigmoid", width=6), temperature=1e-2)
    _, writes = written(posterior, folder, sampler="hmc", warmup=100, draws=draws)
    size = sum(file.stat().st_size for file in (folder / DRAWS).rglob("*") if file.is_file())
    table, held = Table("draws a chain", "held by the process"), []
    for part in (0.1, 0.25, 0.5, 0.75, 1.0):
        write = next(each for each in writes if each.draws >= part * draws)
        held.append(write.held)
        table.row(write.draws, f"{write.held / 2**20:.1f} MiB")
    return table, size / 2**20, (held[-1] - held[0]) / (0.9 * size)


def main() -> int:
    entry = Entry(__doc__, quick={"draws": 5, "long": 500})
    entry.add_argument("--draws", type=int, default=3000, help="a chain, on MNIST")
    entry.add_argument("--long", type=int, default=100_000, help="draws a chain of the small run")
    asked, out = entry.begin()
    with tempfile.TemporaryDirectory() as place:
        memory, size, growth = small_and_long(Path(place) / "long", asked.long)
        writing, share = on_mnist(Path(place) / "mnist", asked.draws)
    out.page("benchmarks/long_run.md", _PAGE.format(writing=writing, memory=memory, size=size, growth=growth))
    return int(not asked.quick and not (share < _MOST_TIME and growth < _MOST_MEMORY))


if __name__ == "__main__":
    sys.exit(main())
