"""Run folders: made whole or not at all, never written over, checked for room first."""

import errno
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from codingschemes.errors import InvalidInput
from codingschemes.posterior import Posterior
from codingschemes.runs.checkpoint import Checkpoint, write_checkpoint
from codingschemes.runs.dimensions import coordinates
from codingschemes.runs.identity import NOTHING, differences, digest, identity
from codingschemes.runs.lock import LOCK, sign
from codingschemes.runs.run import CHECKPOINT, CONFIG, DRAWS, PROVENANCE, TASK, Run, authorship, is_folder, write_json
from codingschemes.runs.store import DrawStore


def check_free(path: Path, draw_bytes: int, draws: int, more_bytes: int) -> None:
    """Refuse a folder that is taken, or a disk without room.

    Args:
        draw_bytes: for each of the `draws`.
        more_bytes: for all else.

    Raises:
        InvalidInput: the path is a file, holds anything already, cannot be written to, or lies on too full a disk.
    """
    try:
        path.lstat()
    except FileNotFoundError:
        pass
    except OSError as error:
        if not isinstance(error, NotADirectoryError):
            raise _unwritable(path, error) from error
    if path.is_symlink() and not path.exists():
        raise InvalidInput(f"the output folder {path} is a link to nothing: make what it points to, or choose another")
    if is_folder(path) and any(path.iterdir()):
        what = "another run: continue it with `resume=True` or" if (path / CONFIG).exists() else "other files:"
        raise InvalidInput(f"the output folder {path} holds {what} choose a new `out`")
    if path.exists() and not path.is_dir():
        raise InvalidInput(f"the output {path} is a file: give a folder that does not exist yet")
    existing = existing_parent(path)
    if not existing.is_dir():
        raise InvalidInput(f"the output folder {path} cannot be made: {existing} is a file")
    free = shutil.disk_usage(existing).free
    if draw_bytes * draws + more_bytes > free:
        most = max(0, free - more_bytes) // draw_bytes
        fewer = f"`draws={most}` would fit; or lower" if most else "lower `draws`,"
        raise InvalidInput(
            f"the draws need {draw_bytes * draws / 1e9:.2g} GB and {existing} has {free / 1e9:.2g} GB free: "
            f"{fewer} `chains` or `width`, or choose another disk"
        )


def existing_parent(path: Path) -> Path:
    """The folder, or the lowest above it that exists: on the same disk."""
    return next(parent for parent in (path.absolute(), *path.absolute().parents) if parent.exists())


def create(
    path: Path,
    posterior: Posterior,
    config: dict[str, Any],
    provenance: dict[str, Any],
    checkpoint: Checkpoint | None = None,
) -> None:
    """Make the run folder with everything but the draws themselves: whole, or not at all. This process writes to it
    (see `lock`).

    Args:
        checkpoint: before the first step; without it the run cannot be gone on with.

    Raises:
        InvalidInput: it has been taken in the meantime, or cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Where the folder is there, a link or the one we are in, its files are moved into it.
        there = path.is_dir()
        with tempfile.TemporaryDirectory(dir=path if there else path.parent, prefix=".codingschemes-") as made:
            partial = Path(made) / "run"
            partial.mkdir()
            sign(partial)
            posterior.task.save(partial / TASK)
            begin_store(partial, posterior, config, provenance)
            if checkpoint is not None:
                made_of = identity(posterior.task, config, provenance["versions"])
                write_checkpoint(partial / CHECKPOINT, checkpoint, digest(made_of))
            write_json(partial / PROVENANCE, provenance)
            write_json(partial / CONFIG, config)
            if there:
                _move_into(path, partial)
            else:
                partial.replace(path)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            raise InvalidInput(f"another process made {path} in the meantime: choose a new `out`") from error
        raise _unwritable(path, error) from error


def begin_store(path: Path, posterior: Posterior, config: dict[str, Any], provenance: dict[str, Any]) -> None:
    """The store of a run folder, without draws yet."""
    made_of = identity(posterior.task, config, provenance["versions"])
    attributes = {**authorship(provenance), "made_of": json.dumps(made_of)}
    DrawStore(path / DRAWS).describe(coordinates(posterior), attributes)


def _move_into(path: Path, partial: Path) -> None:
    """All files of a new run, the one that makes it a run last."""
    os.link(partial / LOCK, path / LOCK)  # fails where another process was first
    for name in (TASK, DRAWS, CHECKPOINT, PROVENANCE, CONFIG):
        if (partial / name).exists():
            (partial / name).rename(path / name)


def check_same(recorded: Run, posterior: Posterior, config: dict[str, Any]) -> None:
    """Refuse to continue a run with another posterior or other options than its own.

    Raises:
        InvalidInput: naming the first option that differs, and both values; or that the data have changed.
    """
    asked = identity(posterior.task, config, recorded.provenance["versions"])
    # An option without a value that only one of them knows came or went with a version.
    unset = ((NOTHING, None), (None, NOTHING))
    changed = [each for each in differences(recorded.made_of, asked) if each[2:] not in unset]
    if not any(section == "arrays" for section, *_ in changed):
        # The same arrays by other options, from a file that was moved, are the same task.
        changed = [each for each in changed if each[0] != "task"]
    for section, name, value, now in changed:
        if section == "arrays":
            raise InvalidInput(
                f"the data are not those that the run in {recorded.path} learned from, though the options are the "
                "same: put the data back, or sample them into a new folder"
            )
        option = f"{section} {name}".strip()
        raise InvalidInput(
            f"the run in {recorded.path} was made with {option} = {value}, not {now}: resume it with its own options"
        )


def _unwritable(path: Path, error: OSError) -> InvalidInput:
    return InvalidInput(f"the output folder {path} cannot be made ({error.strerror}): choose another `out`")
