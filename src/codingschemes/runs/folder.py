"""Run folders: made whole or not at all, never written over, checked for room first."""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from codingschemes.errors import InvalidInput
from codingschemes.posterior import Posterior
from codingschemes.reading import reading
from codingschemes.runs.dimensions import coordinates
from codingschemes.runs.run import CONFIG, DRAWS, PROVENANCE, TASK, authorship, read_json, write_json
from codingschemes.runs.store import DrawStore

#: Options that may differ when a run is continued.
_FREE_TO_CHANGE = {"draws", "time_limit", "until_ess", "until_rhat"}


def check_free(path: Path, bytes_needed: int) -> None:
    """Refuse a folder that is taken, or a disk without room.

    Raises:
        InvalidInput: the path is a file, holds anything already, cannot be written to, or lies on too full a disk.
    """
    if path.is_dir() and any(path.iterdir()):
        what = "another run: continue it with `resume=True` or" if (path / CONFIG).exists() else "other files:"
        raise InvalidInput(f"the output folder {path} holds {what} choose a new `out`")
    if path.exists() and not path.is_dir():
        raise InvalidInput(f"the output {path} is a file: give a folder that does not exist yet")
    existing = next(parent for parent in (path.absolute(), *path.absolute().parents) if parent.exists())
    if not existing.is_dir():
        raise InvalidInput(f"the output folder {path} cannot be made: {existing} is a file")
    free = shutil.disk_usage(existing).free
    if bytes_needed > free:
        raise InvalidInput(
            f"the draws need {bytes_needed / 1e9:.2g} GB and {existing} has {free / 1e9:.2g} GB free: "
            "lower `draws`, `chains` or `width`, or choose another disk"
        )


def create(path: Path, posterior: Posterior, config: dict[str, Any], provenance: dict[str, Any]) -> None:
    """Make the run folder with everything but the draws themselves, in one rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-") as partial_name:
        partial = Path(partial_name) / path.name
        partial.mkdir()
        write_json(partial / CONFIG, config)
        write_json(partial / PROVENANCE, provenance)
        posterior.task.save(partial / TASK)
        DrawStore(partial / DRAWS).describe(coordinates(posterior), authorship(provenance))
        partial.replace(path)


def check_same(path: Path, config: dict[str, Any]) -> None:
    """Refuse to continue a run with other options than its own.

    Raises:
        InvalidInput: naming the first option that differs, and both values.
    """
    recorded = read_json(path / CONFIG)
    asked = json.loads(json.dumps(config))
    with reading(path / CONFIG, "restore what sampling wrote there, or choose a new folder"):
        changed = [
            (section, name, value, asked.get(section, {}).get(name))
            for section, options in recorded.items()
            for name, value in options.items()
            if name not in _FREE_TO_CHANGE and asked.get(section, {}).get(name) != value
        ]
    for section, name, value, now in changed:
        raise InvalidInput(
            f"the run in {path} was made with {section} {name} = {value}, not {now}: resume it with its own options"
        )
