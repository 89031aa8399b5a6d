"""Run folders on bad days: two writers, files that were edited, lost or altered, a full disk, a process cut off at any
write. Each is said in one sentence, and what is good is kept."""

import dataclasses
import errno
import json
import os
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from bad_days import CHUNK, OPTIONS, assert_begins_with_the_same_draws, edit, flip, resumed, said_by
from known_answers import correlated_task, small_posterior

import codingschemes as cs
from codingschemes.runs import checkpoint, continuing, lock, store
from codingschemes.runs.checking import check, repair
from codingschemes.runs.run import CHECKPOINT, CONFIG, DRAWS, PROVENANCE, TASK
from codingschemes.runs.status import run_folders, status

pytestmark = pytest.mark.usefixtures("short_chunks")


def test_a_sound_run_is_whole_and_plain_xarray_opens_it_in_silence(path):
    assert check(path) == []
    with xr.open_datatree(path / DRAWS) as plain:
        assert plain["neurons"]["preactivation"].shape == (2, 40, 1, 6, 8)
    assert json.loads(plain.attrs["made_of"])["prior"]["temperature"] == 0.05
    assert not list(path.rglob("*.partial"))
    assert not list(path.glob(".*"))


# --- one writer


def test_a_second_writer_is_refused_and_readers_are_not(path):
    with lock.writing(path):
        assert f"is being written by process {os.getpid()} on" in said_by(resumed, path, draws=50)
        assert cs.Run.open(path).draw_count == 40
        assert status(path).phase == "sampling"
        assert str(os.getpid()) in status(path).writer
    assert status(path).phase == "finished"
    assert not (path / lock.LOCK).exists()


def test_of_many_that_begin_at_once_one_writes(path):
    together, done = threading.Barrier(8), threading.Barrier(8)

    def begin(_):
        together.wait()
        try:
            with lock.writing(path):
                done.wait()
        except cs.InvalidInput as error:
            done.wait()
            return str(error)
        return ""

    with ThreadPoolExecutor(8) as pool:
        said = sorted(pool.map(begin, range(8)))
    assert said[0] == ""
    assert all("is being written by process" in each or "at this moment" in each for each in said[1:])
    assert not list(path.glob(f"*{lock.LOCK}*"))


@pytest.mark.parametrize("left_behind", ["a process that is gone", "a number given again", "another machine, silent"])
def test_what_a_writer_that_died_left_behind_is_taken_over(path, left_behind, capsys):
    dead = lock.me()
    if left_behind == "a process that is gone":
        process = subprocess.Popen([sys.executable, "-c", ""])
        process.wait()
        dead["pid"] = process.pid
    elif left_behind == "a number given again":
        dead["started"] = "long ago"
    else:
        dead["host"] = "elsewhere"
    (path / lock.LOCK).write_text(json.dumps(dead))
    if "machine" in left_behind:
        assert "on elsewhere" in said_by(resumed, path)
        before = (path / lock.LOCK).stat().st_mtime - 2 * lock._SILENCE
        os.utime(path / lock.LOCK, (before, before))
    assert status(path).phase == "finished"
    assert resumed(path, draws=41, progress=True).draw_count == 41
    assert "was cut off; taking over" in capsys.readouterr().err


def test_a_writer_that_was_taken_for_dead_stops_before_it_writes(path, monkeypatch):
    original = store.DrawStore.truncate

    def taken(self, draws):
        original(self, draws)
        edit(path / lock.LOCK, "host", value="elsewhere")

    monkeypatch.setattr(store.DrawStore, "truncate", taken)
    assert "taken over by process" in said_by(resumed, path, draws=50)
    assert cs.Run.open(path).draw_count == 40


# --- what a run is made of


@pytest.mark.parametrize(
    ("where", "value", "said"),
    [
        (("prior", "temperature"), 1.0, "prior temperature = 1.0, but the draws were made with 0.05"),
        (("network", "width"), 5, "network width = 5, but the draws were made with 6"),
        (("sampling", "chains"), 4, "sampling chains = 4, but the draws were made with 2"),
        (("sampling", "seed"), 1, "sampling seed = 1, but the draws were made with 5"),
        (("sampling", "draws"), "many", "config.json cannot be read"),
        (("task", "name"), "mnist", "task name = mnist"),
    ],
)
def test_an_edited_configuration_is_refused_and_restored(path, saved, where, value, said):
    edit(path / CONFIG, *where, value=value)
    assert said in said_by(cs.Run.open, path)
    assert said in said_by(resumed, path)
    assert [fault.mendable for fault in check(path)] == [True]
    repair(path)
    assert check(path) == []
    assert cs.Run.open(path).made_of == saved.made_of


def test_data_that_changed_under_the_same_options_are_refused(path):
    task = correlated_task(8)
    other = dataclasses.replace(task, inputs=task.inputs * (1 + 1e-9))
    posterior = cs.Posterior(other, cs.Network("sigmoid", width=6), temperature=0.05, readout_variance=6.0)
    assert "data are not those" in said_by(cs.sample, posterior, out=path, resume=True, **OPTIONS)
    other.save(path / TASK)
    assert "task.npz does not hold what the run learned from" in said_by(cs.Run.open, path)
    assert [fault.mendable for fault in check(path)] == [False]


def test_a_checkpoint_of_another_run_is_refused(path, tmp_path):
    cs.sample(small_posterior(), out=tmp_path / "other", **{**OPTIONS, "seed": 6})
    shutil.copy(tmp_path / "other" / CHECKPOINT, path / CHECKPOINT)
    assert "checkpoint of another run" in said_by(resumed, path, draws=50)
    assert cs.Run.open(path).draw_count == 40


@pytest.mark.parametrize(("written", "said"), [(store.FORMAT + 1, "a newer codingschemes"), (0, "an earlier")])
def test_another_format_is_refused(path, written, said):
    edit(path / DRAWS / "zarr.json", "attributes", "format", value=written)
    assert said in said_by(cs.Run.open, path)


def test_a_checkpoint_of_another_format_is_refused(path):
    content, ours = (path / CHECKPOINT).read_bytes(), checkpoint._FORMAT
    (path / CHECKPOINT).write_bytes(content.replace(b'"format": %d' % ours, b'"format": 9', 1))
    assert f"is of format 9, this program goes on from {ours}: the run can be read" in said_by(resumed, path, draws=50)
    assert cs.Run.open(path).draw_count == 40


def test_other_versions_are_named_where_a_run_goes_on(path, monkeypatch, capsys):
    monkeypatch.setattr(continuing, "versions", lambda: {"jax": "99"})
    run = resumed(path, draws=41, progress=True)
    assert run.provenance["continued_with"] == {"jax": "99"}
    assert "goes on with jax 99" in capsys.readouterr().err
    assert cs.Run.open(path).draw_count == 41


def test_fewer_draws_than_there_are_cannot_be_asked_for(path):
    assert "40 draws a chain already, more than `draws` = 10: ask for 40 or more" in said_by(resumed, path, draws=10)


def test_a_run_that_goes_on_does_not_say_that_it_has_ended(path, monkeypatch):
    monkeypatch.setattr("codingschemes.runs.driver._run_chunks", lambda *_, **__: None)
    resumed(path, draws=50)
    assert not cs.Run.open(path).finished
    assert status(path).phase == "cut off"


# --- what is lost or altered


@pytest.mark.parametrize(
    ("variable", "damage"),
    [
        *(("neurons/readout", damage) for damage in ("a byte", "cut", "empty", "gone")),
        *(("sample_stats/diverging", damage) for damage in ("a byte", "gone")),
        *(pytest.param("sample_stats/diverging", damage, marks=pytest.mark.slow) for damage in ("cut", "empty")),
    ],
)
def test_a_damaged_chunk_is_found_and_the_draws_before_it_are_kept(path, saved, damage, variable):
    """`diverging` holds nothing but the fill value: its chunks are there all the same."""
    file = path / DRAWS / variable / "c" / ("1/1/0/0" if variable.startswith("neurons") else "0/1")
    if damage == "a byte":
        flip(file)
    elif damage == "gone":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[: -3 if damage == "cut" else 0])
    group, name = variable.split("/")
    run = cs.Run.open(path)
    assert "`codingschemes check` with the run says what is lost" in said_by(run.values, group, name)
    assert f"damaged after {CHUNK} draws ({variable}, draws from {CHUNK}: " in said_by(resumed, path)
    assert f"the {CHUNK} draws a chain before it are good" in check(path)[0].what
    repair(path)
    assert check(path) == []
    run = cs.Run.open(path)
    assert run.draw_count == CHUNK
    assert_begins_with_the_same_draws(run, saved, CHUNK)


def test_a_repaired_run_goes_on_where_its_chains_stand(path, saved):
    """With new draws: none is made twice."""
    (path / DRAWS / "posterior" / "energy" / "c" / "0" / "1").unlink()
    repair(path)
    run = resumed(path)
    assert (run.draw_count, run.finished) == (40, True)
    assert_begins_with_the_same_draws(run, saved, CHUNK)
    assert np.unique(run.values("posterior", "energy")).size == 80
    assert check(path) == []
    # Lost once more: what is lost adds up.
    (path / DRAWS / "posterior" / "energy" / "c" / "0" / "2").unlink()
    repair(path)
    assert cs.Run.open(path).draw_count == 2 * CHUNK
    assert np.unique(resumed(path).values("posterior", "energy")).size == 80


@pytest.mark.parametrize("file", ["neurons/readout/zarr.json", "posterior/zarr.json", "posterior/class/zarr.json"])
def test_lost_metadata_lose_no_draws(path, saved, file):
    (path / DRAWS / file).unlink()
    assert_begins_with_the_same_draws(cs.Run.open(path), saved, 40)
    assert "metadata" in said_by(resumed, path)
    repair(path)
    assert check(path) == []
    assert resumed(path, draws=41).draw_count == 41


@pytest.mark.parametrize("damage", ["root", "all"])
def test_a_lost_store_is_said_and_begun_again_from_the_checkpoint(path, damage):
    if damage == "all":
        shutil.rmtree(path / DRAWS)
    else:
        (path / DRAWS / "zarr.json").write_text("{")
    said_by(cs.Run.open, path)
    said_by(resumed, path)
    assert [fault.mendable for fault in check(path)] == [True]
    repair(path)
    run = resumed(path, draws=10)
    assert (run.draw_count, run.finished) == (10, True)


def test_a_store_that_was_put_back_from_an_earlier_copy_is_said(path, saved, tmp_path):
    cs.sample(small_posterior(), out=tmp_path / "shorter", **{**OPTIONS, "draws": 30})
    shutil.rmtree(path / DRAWS)
    shutil.copytree(tmp_path / "shorter" / DRAWS, path / DRAWS)
    assert "30 of the 40 draws" in said_by(resumed, path)
    repair(path)
    assert resumed(path).draw_count == 40


@pytest.mark.parametrize("damage", ["gone", "cut", "a byte", "in its first line"])
def test_a_damaged_checkpoint_leaves_a_run_that_can_be_read(path, saved, damage):
    file = path / CHECKPOINT
    if damage == "gone":
        file.unlink()
    elif damage == "cut":
        file.write_bytes(file.read_bytes()[:-20])
    else:
        flip(file, file.read_bytes().index(b'"warmup": 3') + 11 if damage == "in its first line" else -9)
    assert "cannot be continued" in said_by(resumed, path, draws=50)
    assert_begins_with_the_same_draws(cs.Run.open(path), saved, 40)
    assert [fault.mendable for fault in check(path)] == [False]


def test_a_lost_provenance_is_made_again_from_what_is_known(path, saved):
    (path / PROVENANCE).unlink()
    said_by(cs.Run.open, path)
    repair(path)
    run = cs.Run.open(path)
    assert run.provenance["warmup_seconds"] == saved.provenance["warmup_seconds"]
    assert resumed(path, draws=41).draw_count == 41


# --- cut off at any write, and a full disk


class Killed(BaseException):
    """What no handler of the package knows of."""


def writes(monkeypatch, when: int, error: BaseException) -> None:
    """The `when`th file that is put in its place from here on is not, with this error."""
    replace, count = Path.replace, [0]

    def counted(self, target):
        count[0] += 1
        if count[0] == when:
            raise error
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", counted)


@pytest.mark.parametrize("at_once", [1, CHUNK])
def test_a_run_cut_off_at_any_write_equals_one_that_was_not(tmp_path, saved, monkeypatch, at_once):
    """Every file is put in its place by a rename: those of an append, of its commit, of provenance and checkpoint."""
    path, rng, kills = tmp_path / "run", np.random.default_rng(at_once), 0
    draws = 40 if at_once == CHUNK else 8
    monkeypatch.setattr("codingschemes.runs.driver._CHUNK_SECONDS", 10 if at_once == CHUNK else 1e-9)
    monkeypatch.setattr("codingschemes.runs.checkpoint._APART", 0)
    cs.sample(small_posterior(), out=path, **{**OPTIONS, "draws": 2})
    for _ in range(3):
        with monkeypatch.context() as patch:
            writes(patch, int(rng.integers(1, 60)), Killed())
            try:
                resumed(path, draws=draws)
            except Killed:
                kills += 1
        run = cs.Run.open(path)
        assert_begins_with_the_same_draws(run, saved, run.draw_count)
        with xr.open_datatree(path / DRAWS) as plain:
            assert {size for node in plain.leaves for name, size in node.sizes.items() if name == "draw"} == {
                run.draw_count
            }
    assert kills
    assert_begins_with_the_same_draws(resumed(path, draws=draws), saved, draws)
    assert check(path) == []


def test_a_disk_that_fills_up_is_said_and_leaves_what_is_good(path, saved, monkeypatch):
    with monkeypatch.context() as patch:
        writes(patch, 15, OSError(errno.ENOSPC, "No space left on device"))
        assert "disk of" in (said := said_by(resumed, path, draws=60))
    assert "is full: free some room, then go on" in said
    assert cs.Run.open(path).draw_count == 40
    assert check(path) == []
    assert_begins_with_the_same_draws(resumed(path, draws=60), saved, 40)


def test_a_folder_that_vanishes_is_said(path, monkeypatch):
    original = store.DrawStore.truncate

    def vanishing(self, draws):
        original(self, draws)
        shutil.rmtree(path)

    monkeypatch.setattr(store.DrawStore, "truncate", vanishing)
    assert "lock.json was removed" in said_by(resumed, path, draws=60)


# --- names of folders


@pytest.mark.parametrize("kind", ["empty", "link", "here"])
def test_an_empty_folder_takes_a_run_by_any_name(tmp_path, saved, monkeypatch, kind):
    folder = tmp_path / "[/x]"
    folder.mkdir(parents=True)
    (tmp_path / "link").symlink_to(folder)
    monkeypatch.chdir(folder)
    out = {"empty": folder, "link": tmp_path / "link", "here": Path()}[kind]
    run = cs.sample(small_posterior(), out=out, **OPTIONS)
    assert_begins_with_the_same_draws(run, saved, 40)
    assert check(folder) == []
    assert Path.cwd() == folder
    assert run_folders(folder.parent) == [folder]


@pytest.mark.parametrize("name", ["x" * 300, "missing"])
def test_names_that_cannot_be_are_refused(tmp_path, name):
    out = tmp_path / name
    if name == "missing":
        out.symlink_to(tmp_path / "nowhere")
    assert "output folder" in said_by(cs.sample, small_posterior(), out=out, **OPTIONS)
    assert "no run folder" in said_by(cs.Run.open, out)
    assert "no run folder" in said_by(check, out)
    assert "no folder" in said_by(run_folders, out)
