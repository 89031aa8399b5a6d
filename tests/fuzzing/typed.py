"""Commands in this process, up to where computing would begin, in a folder that stays as it is where they refuse."""

import contextlib
import io
import shutil
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from codingschemes.cli.main import main

#: What is called where options have been read and all refusals made, and computing would begin.
COMPUTING = (
    "codingschemes.runs.driver.beginning",
    "codingschemes.runs.driver.parents_positions",
    "codingschemes.runs.estimate.gradient_seconds",
    "codingschemes.tempering.evidence.sweep",
    "codingschemes.theory.theories.watched",
    "codingschemes.benchmark.table.measure",
    "codingschemes.populations.description._layer",
    "codingschemes.manifolds.checking.partitions",
    "codingschemes.cli.demo._rows",
    "codingschemes.sweeps.sweep",
    "codingschemes.studies.execution.sweep",
    "codingschemes.coding.summary.activity_chunks",
)


class Computing(Exception):
    """All that was asked for can be done."""


def leave_computing_out(patch: pytest.MonkeyPatch) -> None:
    """`Computing` is raised instead; and nothing is downloaded."""

    def begun(*_: Any, **__: Any) -> None:
        raise Computing

    def unconnected(*_: Any, **__: Any) -> None:
        raise OSError("no connection")

    for name in COMPUTING:
        module, _, function = name.rpartition(".")
        patch.setattr(import_module(module), function, begun)
    patch.delenv("CODINGSCHEMES_DATA", raising=False)
    patch.setattr("pooch.retrieve", unconnected)


class Place:
    """A folder that holds what the template does, made again where a case has changed it."""

    def __init__(self, template: Path, folder: Path):
        self.folder, self._template, self._work = folder, template, folder / "work"
        self.fresh()

    def fresh(self) -> None:
        shutil.rmtree(self._work, ignore_errors=True)
        shutil.copytree(self._template, self._work, symlinks=True)
        self._before = self._state()

    def left(self) -> None:
        """What it holds now is what must stay."""
        self._before = self._state()

    def changed(self) -> bool:
        """Whether there is anything else in it than before; it is as before then."""
        if self._state() == self._before:
            return False
        self.fresh()
        return True

    def _state(self) -> dict[str, tuple[int, int] | None]:
        found = {str(path): path.lstat() for path in self.folder.rglob("*") if not path.is_dir()}
        folders = {str(path): None for path in self.folder.rglob("*") if path.is_dir()}
        return folders | {name: (each.st_size, each.st_mtime_ns) for name, each in found.items()}


def call(words: list[str]) -> tuple[int | None, str, str]:
    """Status, which is None where computing began, standard output and standard error."""
    streams = [io.TextIOWrapper(io.BytesIO(), "utf-8", errors=errors) for errors in ("strict", "backslashreplace")]
    before = list(sys.path), sys.argv
    sys.argv = ["codingschemes", *words]
    status: int | None = None
    try:
        with contextlib.redirect_stdout(streams[0]), contextlib.redirect_stderr(streams[1]):
            main()
    except Computing:
        pass
    except SystemExit as left:
        status = left.code
    finally:
        sys.path[:], sys.argv = before
    for stream in streams:
        stream.flush()
    out, err = (stream.buffer.getvalue().decode() for stream in streams)
    return status, out, err


def is_refused(place: Place, words: list[str]) -> bool:
    """Whether the words are; a case that is neither refused well nor fine fails."""
    with contextlib.chdir(place.folder / "work"):
        status, out, err = call(words)
    changed = place.changed()
    if status is None:
        assert not changed
        return False
    assert status in (0, 1, 2, 3), (status, err)
    assert "Traceback" not in err
    if status == 2:
        assert not out
        assert err.splitlines()[-1].startswith("codingschemes: "), err
        assert not changed, f"changed by what is refused: {err}"
    return status != 0
