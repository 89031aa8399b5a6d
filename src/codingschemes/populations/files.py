"""Populations from files: .npz and .npy as NumPy writes them, .csv, and .nwb of recordings."""

import csv
from pathlib import Path
from typing import Any

import numpy as np

from codingschemes.calls import known_keywords
from codingschemes.errors import InvalidInput
from codingschemes.populations.nwb import from_nwb
from codingschemes.populations.population import Population
from codingschemes.reading import reading
from codingschemes.tasks.archives import read_arrays, require

ACTIVITY = ("activity", "x", "activities", "responses")
LABELS = ("labels", "y", "label", "conditions")
_REMEDY = "give an .npz, .npy, .csv or .nwb file, samples first"


@known_keywords
def read_population(
    path: Path,
    activity: str | None = None,
    labels: str | None = None,
    factors: str | None = None,
    readout: str | None = None,
    activation: str | None = None,
    *,
    window: Any = None,
    align: str | None = None,
) -> Population:
    """The population in a file.

    An .npz file holds arrays by name: `activity` (or `x`) and `labels` (or `y`), and perhaps `factors` and `readout`.
    A .csv file has a row a sample and a header; the column `labels` (or `y`) holds the labels, all others activities.
    A .npy file holds activities, and takes its labels from another one, named by `labels`. An .nwb file holds units
    and trials, see `from_nwb`.

    Args:
        path: of the file.
        activity, labels, factors, readout: names of the arrays (of columns, for factors and labels of a .csv file).
        activation: see `Population`.
        window: first and last time, see `Population`, or for .nwb files `from_nwb`.
        align: of .nwb files only, see `from_nwb`.

    Raises:
        InvalidInput: the file is missing, damaged, or lacks an array.

    Example:
        >>> from pathlib import Path
        >>> np.savez("recording.npz", activity=activity, labels=labels)
        >>> cs.populations.read_population(Path("recording.npz"))
        Population('recording': 40 samples x 12 neurons, 4 classes of 10 samples)
    """
    readers = {".npz": _npz, ".npy": _npy, ".csv": _csv}
    if path.suffix.lower() == ".nwb":
        if activity is not None or readout is not None:
            raise InvalidInput("an .nwb file has activities in its units: leave `activity` and `readout` out")
        return from_nwb(path, labels, factors, window=window, align=align or "start_time", activation=activation)
    if path.suffix.lower() not in readers:
        raise InvalidInput(f"{path} is of no kind that is read here: {_REMEDY}")
    if not path.is_file():
        raise InvalidInput(f"there is no file {path}: {_REMEDY}")
    if align is not None:
        raise InvalidInput(f"{path} has no trials to `align`: this is for .nwb files, leave it out")
    arrays = readers[path.suffix.lower()](path, activity, labels, factors, readout)
    return Population(**arrays, activation=activation, name=path.stem, window=window)


def _npz(
    path: Path, activity: str | None, labels: str | None, factors: str | None, readout: str | None
) -> dict[str, np.ndarray]:
    arrays = read_arrays(path)
    found = {"activity": require(arrays, (activity,) if activity else ACTIVITY, path)}
    for name, key, usual in (
        ("labels", labels, LABELS),
        ("factors", factors, ("factors",)),
        ("readout", readout, ("readout",)),
    ):
        if key is not None or set(usual) & set(arrays):
            found[name] = require(arrays, (key,) if key else usual, path)
    return found


def _npy(
    path: Path, activity: str | None, labels: str | None, factors: str | None, readout: str | None
) -> dict[str, np.ndarray]:
    if activity is not None:
        raise InvalidInput(f"{path} holds one array without a name: leave `activity` out")
    if labels is None:
        raise InvalidInput(f"{path} holds no labels: name the .npy file that does with `labels`, or save an .npz file")
    named = {"activity": str(path), "labels": labels, "factors": factors, "readout": readout}
    found = {}
    for name, file in named.items():
        if file is not None:
            with reading(file, "give a file that numpy.save wrote, of numbers or text"):
                found[name] = np.load(file, allow_pickle=False)
    return found


def _csv(
    path: Path, activity: str | None, labels: str | None, factors: str | None, readout: str | None
) -> dict[str, np.ndarray]:
    if activity is not None or readout is not None:
        raise InvalidInput("a .csv file has activities in all columns but labels and factors: leave `activity` and "
                           "`readout` out, or save an .npz file")  # fmt: skip
    with reading(path, "write one line of names and one row a sample, separated by commas"):
        with path.open(newline="", encoding="utf-8") as file:
            lines = [line for line in csv.reader(file) if line]
        if len(lines) < 2:
            raise InvalidInput(f"{path} is no table: write one line of names and one row a sample")
        names, rows = [name.strip() for name in lines[0]], np.array(lines[1:], np.str_)
        label = next((name for name in ((labels,) if labels else LABELS) if name in names), None)
        wanted = [] if factors is None else [name.strip() for name in factors.split(",")]
        missing = [name for name in wanted if name not in names]
        if label is None or missing:
            lacks = missing[0] if missing else labels or " or ".join(LABELS[:2])
            raise InvalidInput(f"{path} has no column {lacks}: it has {', '.join(names[:20])}")
        apart = [label, *wanted]
        kept = [index for index, name in enumerate(names) if name not in apart]
        found = {"activity": rows[:, kept].astype(float), "labels": rows[:, names.index(label)]}
        if wanted:
            found["factors"] = rows[:, [names.index(name) for name in wanted]]
    return found
