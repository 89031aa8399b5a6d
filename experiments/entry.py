"""The entry that all scripts of this folder share: their options, and the one writer of what they find.

    entry = Entry(__doc__, quick={"draws": 20})
    entry.add_argument("--draws", type=int, default=300)
    options, out = entry.begin()
    table = Table("N", "deviation of the outputs")
    table.row(100, "0.22%")
    out.page("results/name.md", f"# Title\\n\\n{table}\\n")

Files are named as they lie in the repository. `--out FOLDER` writes them below FOLDER instead, and `--quick` below
build/quick: the same path at a tiny size, in seconds, to see that it still runs. What it finds then means nothing.
"""

import argparse
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from claims import Claim, record

import codingschemes

ROOT = Path(__file__).parents[1]
QUICK = ROOT / "build" / "quick"
#: What scripts are made of: all other files of this folder have an entry.
PARTS = {"claims", "deviations", "entry", "papers", "planted_faults", "scheme_classifier_page"}


def kept_run(folder: Path | None, posterior: codingschemes.Posterior, **options: Any) -> codingschemes.Run:
    """The run in a folder, sampled with these options where there is none; in memory without a folder."""
    if folder and folder.exists():
        return codingschemes.Run.open(folder)
    return codingschemes.sample(posterior, out=folder, progress=False, **options)


class Output(NamedTuple):
    """Where a script writes.

    Attributes:
        script: the file of the script, to which claims are attributed.
        root: the repository, or the folder that stands for it.
    """

    script: str
    root: Path

    def path(self, name: str) -> Path:
        """The file `name`, such as results/evidence.md; its folder is made."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def kept(self, name: str) -> Path:
        """The file `name` to be changed: one that the repository holds and `root` does not is copied first."""
        path = self.path(name)
        if not path.exists():
            shutil.copyfile(ROOT / name, path)
        return path

    def page(self, name: str, text: str) -> None:
        """A page that the script writes whole."""
        self.path(name).write_text(text.rstrip() + "\n")

    def table(self, name: str, mark: str, table: object) -> None:
        """A table into a page that has words of its own, between `<!-- MARK -->` and `<!-- end of MARK -->`."""
        path, begin, end = self.kept(name), f"<!-- {mark} -->", f"<!-- end of {mark} -->"
        before, found, rest = path.read_text().partition(begin)
        assert found, f"{path} has no {begin}"
        path.write_text(f"{before}{begin}\n\n{table}\n\n{end}{rest.partition(end)[2]}")

    def numbers(self, name: str, values: object) -> None:
        """Numbers that a figure is drawn from, arrays as lists."""
        self.path(name).write_text(json.dumps(values, default=lambda array: array.tolist()) + "\n")

    def claims(self, claims: Sequence[Claim]) -> None:
        """Lines of docs/claims.md, in place of those that this script wrote before."""
        for name in ("results/claims.json", "docs/claims.md"):
            self.kept(name)
        record(self.root, self.script, claims)


class Entry(argparse.ArgumentParser):
    """The command line of a script, whose docstring is the help.

    Args:
        text: the script's docstring.
        quick: option -> its value under `--quick`, where it is not given.
    """

    def __init__(self, text: str | None, quick: Mapping[str, Any]) -> None:
        super().__init__(description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
        self.quick = quick
        where = "write below FOLDER, not into the repository"
        self.add_argument("--quick", action="store_true", help="run at a tiny size, writing below build/quick")
        self.add_argument("--out", type=Path, metavar="FOLDER", help=where)

    def begin(self) -> tuple[argparse.Namespace, Output]:
        """The options as they are asked for, and where to write. From here on the process is in double precision."""
        codingschemes.set_up_jax()
        if self.parse_known_args()[0].quick:
            self.set_defaults(**self.quick)
        options = self.parse_args()
        return options, Output(Path(self.prog).name, options.out or (QUICK if options.quick else ROOT))


class Table:
    """A Markdown table, each row printed as it is there."""

    def __init__(self, *heads: object) -> None:
        self.lines = [_line(heads), "| --- " * len(heads) + "|"]

    def row(self, *cells: object) -> None:
        self.lines.append(_line(cells))
        print(self.lines[-1], flush=True)

    def __str__(self) -> str:
        return "\n".join(self.lines)


def _line(cells: Sequence[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"
