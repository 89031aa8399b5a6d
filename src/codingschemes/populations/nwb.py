"""Recorded units in NWB files: firing rates in trials, of conditions that a column of the trials table names."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Shaped

from codingschemes.calls import known_keywords
from codingschemes.errors import InvalidInput
from codingschemes.populations.population import Population
from codingschemes.reading import reading

_TIMES = ("start_time", "stop_time", "timeseries", "tags", "id")
"""Columns of a trials table that are no conditions."""
_REMEDY = "give an NWB file with units that have spike times, and a trials table"


@known_keywords
def from_nwb(
    path: str | Path,
    labels: str | None = None,
    factors: str | None = None,
    *,
    window: Any = None,
    align: str = "start_time",
    activation: str | None = None,
) -> Population:
    """Units of a recording as neurons, trials as samples: firing rates in spikes a second.

    Trials without a condition, or without the time that they are aligned to, and units whose `obs_intervals` do not
    cover all trials that are left, are left out; `notes` says how many. Conditions without a trial are named there.

    Args:
        path: of an .nwb file with `units` and `trials`.
        labels: the column of the trials table with the conditions; may be left out where the table has one such column
            only, or where `factors` are given, whose combinations are then the classes.
        factors: columns of the trials table with two values each, separated by commas.
        window: first and last time of the window in which spikes are counted, in seconds from `align`; each trial from
            its start to its stop if left out.
        align: the column of the trials table with the time that is 0 of the window, in seconds.
        activation: see `Population`.

    Raises:
        InvalidInput: pynwb is not installed; the file is missing, damaged, or has no units with spike times or no
            trials; a column is none of the table's; a window without length; or no trial or no unit is left.

    Example:
        >>> cs.populations.from_nwb("session.nwb", "stimulus", window=(0.1, 0.5))  # doctest: +SKIP
        Population('session': 120 samples x 48 neurons, 4 classes of 28 to 31 samples)
    """
    path = Path(path)
    if window is not None and (np.shape(window) != (2,) or not float(window[0]) < float(window[1])):
        raise InvalidInput("a `window` is two times in seconds, first and end: give for example (0.1, 0.5)")
    with _opened(path) as (trials, units):
        columns = [name for name in trials.colnames if name not in _TIMES]
        wanted = [name.strip() for name in factors.split(",")] if factors else []
        label = _label(labels, wanted, columns, path)
        for name in (*wanted, *([label] if label else []), align):
            if name not in trials.colnames:
                raise InvalidInput(f"the trials of {path} have no column {name}: they have {', '.join(columns)}")
        conditions = [_values(trials[name]) for name in ([label] if label else wanted)]
        kept, times, notes = _trials(trials, conditions, window, align)
        rates, seen = _rates(units, times)
        signs = np.column_stack([_values(trials[name]) for name in wanted])[kept] if wanted else None
        if not seen.any():
            raise InvalidInput(f"no unit of {path} was observed in all its trials: choose another `window`")
    if not seen.all():
        notes.append(f"{int((~seen).sum())} of {len(seen)} units were not observed in all trials and are left out")
    values = conditions[0][kept] if label else None
    found = Population(rates[:, seen], values, factors=signs, activation=activation, name=path.stem)
    gone = [] if values is None else sorted(set(map(str, _named(conditions[0]))) - set(map(str, values)))
    notes += [f"class {name} has no sample" for name in gone]
    found.notes = (*found.notes, *notes)
    return found


class _Tables(NamedTuple):
    trials: Any
    units: Any


@contextmanager
def _opened(path: Path) -> Iterator[_Tables]:
    """Both tables of a file, which is closed afterwards.

    Raises:
        InvalidInput: pynwb or the file is missing, or the file is damaged or lacks a table.
    """
    try:
        from pynwb import NWBHDF5IO
    except ImportError:
        raise InvalidInput(
            "NWB files are read by pynwb, which is not installed: pip install pynwb, or save an .npz file"
        ) from None
    if not path.is_file():
        raise InvalidInput(f"there is no file {path}: {_REMEDY}")
    with reading(path, _REMEDY), NWBHDF5IO(str(path), "r", load_namespaces=True) as file:
        session = file.read()
        trials, units = session.trials, session.units
        if trials is None or not len(trials):
            raise InvalidInput(f"{path} has no trials, which say what is compared: {_REMEDY}")
        if units is None or not len(units) or "spike_times" not in units.colnames:
            raise InvalidInput(f"{path} has no units with spike times: {_REMEDY}")
        yield _Tables(trials, units)


def _label(labels: str | None, factors: list[str], columns: list[str], path: Path) -> str | None:
    """The column of conditions; None where combinations of factors are.

    Raises:
        InvalidInput: it is not said which of several it is.
    """
    if labels is not None or factors:
        return labels
    if len(columns) != 1:
        told = f"have the columns {', '.join(columns)}" if columns else "have no column of conditions"
        raise InvalidInput(f"the trials of {path} {told}: name the one that holds the conditions with `labels`")
    return columns[0]


def _values(column: Any) -> Shaped[np.ndarray, " T"]:
    """A column of a table as an array of numbers or text."""
    values = np.asarray(column[:])
    return values.astype(np.str_) if values.dtype.kind in "OS" else values


def _named(values: Shaped[np.ndarray, " T"]) -> Shaped[np.ndarray, " K"]:
    """Those that are a condition: text that is not empty, numbers that are not NaN."""
    return values[values != ""] if values.dtype.kind == "U" else values[np.isfinite(values)]


def _trials(
    trials: Any, conditions: list[Shaped[np.ndarray, " T"]], window: Any, align: str
) -> tuple[Bool[np.ndarray, " T"], Float[np.ndarray, "K 2"], list[str]]:
    """Which trials have a condition and a time; from when to when they last; and a sentence about those left out.

    Raises:
        InvalidInput: there are none.
    """
    starts, ends = (np.asarray(trials[name][:], float) for name in ("start_time", "stop_time"))
    if window is not None:
        zero = np.asarray(trials[align][:], float)
        starts, ends = zero + float(window[0]), zero + float(window[1])
    kept = np.isfinite(starts) & np.isfinite(ends) & (ends > starts)
    for values in conditions:
        kept &= values != "" if values.dtype.kind == "U" else np.isfinite(values)
    if not kept.any():
        raise InvalidInput(f"no trial has both a condition and a time: choose other `labels`, or another `align` than "
                           f"{align}")  # fmt: skip
    gone = int((~kept).sum())
    said = [f"{gone} of {len(kept)} trials have no condition or no time and are left out"] if gone else []
    return kept, np.column_stack([starts, ends])[kept], said


def _rates(units: Any, times: Float[np.ndarray, "K 2"]) -> tuple[Float[np.ndarray, "K N"], Bool[np.ndarray, " N"]]:
    """Spikes a second of every unit in every trial, and which units were observed in all of them."""
    rates, seen = np.empty((len(times), len(units))), np.ones(len(units), bool)
    observed = "obs_intervals" in units.colnames
    for unit in range(len(units)):
        spikes = np.sort(np.asarray(units["spike_times"][unit], float))
        first, end = np.searchsorted(spikes, times, side="left").T
        rates[:, unit] = (end - first) / (times[:, 1] - times[:, 0])
        spans = np.asarray(units["obs_intervals"][unit], float).reshape(-1, 2) if observed else np.zeros((0, 2))
        if len(spans):
            inside = (spans[:, 0] <= times[:, :1]) & (times[:, 1:] <= spans[:, 1])
            seen[unit] = inside.any(axis=1).all()
    return rates, seen
