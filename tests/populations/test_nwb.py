"""Recordings that are written with pynwb, as laboratories do, and found again."""

import builtins
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from h5py import File

import codingschemes as cs

CODES = {"left face": "1100", "left house": "1010", "right face": "0110", "right house": "0001"}
CONDITIONS = list(CODES)
TRIALS = [12, 9, 15, 7]
DELAY, LENGTH = 0.3, 1.0


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A file, and the condition of each trial: 20 units at 40 spikes a second where their code says so, else 5, from
    `DELAY` after the start of a trial; after it, and until 0.2 s into the next, they fire at 90."""
    pynwb = pytest.importorskip("pynwb")
    rng = np.random.default_rng(0)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    file = pynwb.NWBFile(session_description="planted", identifier="1", session_start_time=start)
    order = rng.permutation(np.repeat(CONDITIONS, TRIALS))
    for name in ("stimulus", "side", "kind", "onset"):
        file.add_trial_column(name, "of the trial")
    for index, condition in enumerate(order):
        side, kind = condition.split()
        first = 2.0 * index
        file.add_trial(start_time=first, stop_time=first + DELAY + LENGTH, stimulus=condition, side=side, kind=kind,
                       onset=first + DELAY)  # fmt: skip
    codes = list(CODES.values())
    for unit in range(20):
        spikes = []
        for index, condition in enumerate(order):
            rate = 40 if codes[unit % 4][CONDITIONS.index(condition)] == "1" else 5
            spikes += [2.0 * index + DELAY + np.arange(rate) / rate * LENGTH + 1e-3]
            spikes += [2.0 * index + DELAY + LENGTH + np.arange(81) / 90 + 1e-3]
        file.add_unit(spike_times=np.concatenate(spikes), obs_intervals=[[-1.0, 1e3]])
    path = tmp_path_factory.mktemp("nwb") / "session.nwb"
    with pynwb.NWBHDF5IO(str(path), "w") as out:
        out.write(file)
    return path, order


@pytest.fixture
def session(written, tmp_path):
    """A copy of one's own."""
    return shutil.copy(written[0], tmp_path), written[1]


def change(path, name, where, value):
    """Other values in an array of a file."""
    with File(path, "r+") as file:
        values = file[name][:]
        values[where] = value
        file[name][:] = values


def test_planted_codes_of_a_recording_are_found_in_its_window(session):
    path, _ = session
    found = cs.populations.from_nwb(path, "stimulus", window=(0, LENGTH), align="onset")
    assert found.class_names == tuple(CONDITIONS)
    assert found.class_sizes.tolist() == TRIALS
    for place, size in enumerate(TRIALS):
        rates = found.activity[found.labels == place]
        expected = [40.0 if code[place] == "1" else 5.0 for code in CODES.values()] * 5
        np.testing.assert_allclose(rates, np.tile(expected, (size, 1)))
    description = cs.describe(found, bootstraps=0, shuffles=0)
    assert {code.code: code.fraction for code in description.codes} == pytest.approx(
        dict.fromkeys(CODES.values(), 0.25)
    )
    # without a window all of a trial counts, with what goes on before the onset
    whole = cs.populations.read_population(Path(path), labels="stimulus")
    assert whole.activity.max() == pytest.approx((40 + 18) / (DELAY + LENGTH))


def test_combinations_of_factors_are_conditions(session):
    found = cs.populations.from_nwb(session[0], factors="side,kind", window=(0, 1), align="onset")
    assert found.class_names == ("00", "01", "10", "11")
    assert found.class_sizes.tolist() == TRIALS
    np.testing.assert_array_equal(found.factors, [[-1, -1], [-1, 1], [1, -1], [1, 1]])


def test_what_was_not_recorded_is_left_out_and_said(session):
    path, order = session
    change(path, "intervals/trials/stimulus", slice(5), b"")
    change(path, "intervals/trials/onset", order == CONDITIONS[3], np.nan)
    change(path, "units/obs_intervals", 7, [-1.0, 20.0])
    found = cs.populations.from_nwb(path, "stimulus", window=(0, 1), align="onset")
    gone = np.sum((order == CONDITIONS[3]) | (np.arange(len(order)) < 5))
    assert found.class_names == tuple(CONDITIONS[:3])
    assert f"class {CONDITIONS[3]} has no sample" in found.notes
    assert any(f"{gone} of {len(order)} trials have no condition or no time" in note for note in found.notes)
    assert found.size == 19
    assert any("1 of 20 units were not observed" in note for note in found.notes)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"labels": "colour"}, "have no column colour: they have stimulus, side, kind, onset"),
        ({}, "name the one that holds the conditions with `labels`"),
        ({"labels": "stimulus", "align": "cue"}, "have no column cue"),
        ({"labels": "stimulus", "window": (1, 0)}, "a `window` is two times in seconds"),
        ({"labels": "onset"}, "whole numbers, text or booleans"),
    ],
)
def test_wrong_words_are_one_sentence(written, words, said):
    with pytest.raises(cs.InvalidInput, match=re.escape(said)):
        cs.populations.from_nwb(written[0], **words)


def test_files_without_a_table_or_damaged_are_refused(session, tmp_path):
    path, _ = session
    with File(path, "r+") as file:
        del file["units"]
    with pytest.raises(cs.InvalidInput, match="no units with spike times"):
        cs.populations.from_nwb(path, "stimulus")
    (tmp_path / "damaged.nwb").write_bytes(b"not HDF5")
    with pytest.raises(cs.InvalidInput, match="cannot be read"):
        cs.populations.from_nwb(tmp_path / "damaged.nwb", "stimulus")
    with pytest.raises(cs.InvalidInput, match="no file"):
        cs.populations.from_nwb(tmp_path / "nowhere.nwb", "stimulus")


def test_without_pynwb_one_sentence_says_so(tmp_path, monkeypatch):
    found = builtins.__import__

    def without(name, *arguments, **options):
        if name == "pynwb":
            raise ImportError(name)
        return found(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(cs.InvalidInput, match="pip install pynwb"):
        cs.populations.from_nwb(tmp_path / "session.nwb")
