"""Disks that fill up, may not be written or vanish, memory that runs out, other clocks, other places: each is said in
one sentence or changes nothing, and what is good is kept."""

import itertools
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from bad_days import OPTIONS, assert_begins_with_the_same_draws, resumed, said_by
from known_answers import small_posterior

import codingschemes as cs
from codingschemes.cli.main import main
from codingschemes.reports.page import write_whole
from codingschemes.runs import driver, lock, store
from codingschemes.runs.checking import check, repair
from codingschemes.runs.status import status

pytestmark = pytest.mark.usefixtures("short_chunks")


@pytest.fixture
def small_disk(tmp_path):
    """A disk of its own of one megabyte, and what changes its options."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a disk")
    yield disk, lambda options: subprocess.run(["mount", "-o", f"remount,{options}", str(disk)], check=True)
    subprocess.run(["umount", str(disk)], check=True)


def fill(disk: Path, *, but: int) -> None:
    """Leave so many bytes."""
    with (disk / "filler").open("ab") as file:
        file.write(bytes(max(0, shutil.disk_usage(disk).free - but)))


def test_a_full_disk_keeps_what_is_good_and_the_run_goes_on_when_there_is_room(small_disk, saved):
    (disk, change), page = small_disk, "<html>"
    path = disk / "run"
    shutil.copytree(saved.path, path)
    write_whole(disk / "report.html", lambda: page)
    fill(disk, but=300_000)
    assert "is full: free some room, then go on with `resume=True`" in said_by(resumed, path, draws=4000)
    kept = cs.Run.open(path)
    assert kept.draw_count > 40
    assert check(path) == []
    assert status(path).phase == "cut off"
    fill(disk, but=4096)
    assert "cannot be written (No space left on device)" in said_by(
        write_whole, disk / "report.html", lambda: 9999 * page
    )
    assert (disk / "report.html").read_text() == page
    change("size=64m")
    run = resumed(path, draws=kept.draw_count + 20)
    assert run.finished
    assert_begins_with_the_same_draws(run, kept, kept.draw_count)
    assert check(path) == []


def test_a_disk_that_may_not_be_written_can_be_read(small_disk, saved, monkeypatch, capsys):
    disk, change = small_disk
    path = disk / "run"
    shutil.copytree(saved.path, path)
    original = store.DrawStore.truncate

    def forbidden(self, draws):
        original(self, draws)
        change("ro")

    monkeypatch.setattr(store.DrawStore, "truncate", forbidden)
    assert "cannot be written any more (Read-only file system)" in said_by(resumed, path, draws=60)
    assert check(path) == []
    assert_begins_with_the_same_draws(cs.Run.open(path), saved, 40)
    assert "cannot be written (Read-only file system): choose another place" in said_by(resumed, path, draws=60)
    assert "cannot be written (Read-only file system)" in said_by(repair, path)
    assert "(Read-only file system)" in said_by(cs.sample, small_posterior(), out=disk / "new", **OPTIONS)
    assert "cannot be written (Read-only file system)" in said_by(write_whole, disk / "report.html", str)
    monkeypatch.setattr("codingschemes.cli.summarize.cs.summarize", lambda *_, **__: SimpleNamespace(to_json=dict))
    monkeypatch.setattr(sys, "argv", ["codingschemes", "summarize", str(path)])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 1
    assert "summary.json.partial: Read-only file system; make room" in capsys.readouterr().err


def test_a_file_that_may_not_grow_is_said(path, saved):
    """What a quota does: some bytes are written, others are not."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, hard))
    try:
        assert "cannot be written any more (File too large)" in said_by(resumed, path, draws=60)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert check(path) == []
    assert_begins_with_the_same_draws(resumed(path, draws=60), saved, 40)


def test_a_folder_that_vanishes_while_it_is_read_is_said(path):
    run = cs.Run.open(path)
    shutil.rmtree(path)
    assert "there is no file" in said_by(run.values, "posterior", "energy")
    assert "no run folder" in said_by(check, path)


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 8 bytes.")]
)
def test_memory_that_runs_out_is_said_and_leaves_what_is_good(path, tmp_path, saved, monkeypatch, error):
    original = driver.advance

    def hungry(*arguments):
        if int(arguments[-1].length):  # steps, none while it compiles
            raise error
        return original(*arguments)

    monkeypatch.setattr(driver, "advance", hungry)
    said = said_by(resumed, path, draws=60)
    assert "memory ran out: lower `chains`" in said
    assert f"what was kept in {path} can be gone on with" in said
    assert "memory ran out" in said_by(cs.sample, small_posterior(), **OPTIONS)
    monkeypatch.undo()
    assert check(path) == []
    assert_begins_with_the_same_draws(resumed(path, draws=60), saved, 40)


# --- other clocks, other places


def test_a_clock_that_was_set_back_changes_nothing(path, saved, monkeypatch):
    tomorrow = time.time() + 86_400
    for file in path.rglob("*"):
        os.utime(file, (tomorrow, tomorrow))
    backwards = itertools.count(1e6, -1000)
    monkeypatch.setattr(time, "time", lambda: next(backwards))
    run = resumed(path, draws=60)
    assert_begins_with_the_same_draws(run, saved, 40)
    assert run.seconds > saved.seconds
    assert status(path).phase == "finished"
    assert check(path) == []


def test_a_writer_elsewhere_whose_clock_is_ahead_is_alive(path):
    (path / lock.LOCK).write_text(json.dumps({**lock.me(), "host": "elsewhere"}))
    tomorrow = time.time() + 86_400
    os.utime(path / lock.LOCK, (tomorrow, tomorrow))
    assert "on elsewhere" in said_by(resumed, path, draws=60)


def test_a_folder_that_was_moved_is_the_same_run(path, tmp_path, saved):
    child = cs.sample(small_posterior(temperature=0.1), out=tmp_path / "child", parent=path, **OPTIONS)
    moved = (tmp_path / "elsewhere" / "run").absolute()
    moved.parent.mkdir()
    path.rename(moved)
    assert check(moved) == []
    assert_begins_with_the_same_draws(resumed(moved, draws=60), saved, 40)
    # the parent is where it was no longer, and nothing of it is needed
    options = {**OPTIONS, "draws": 50}
    on = cs.sample(small_posterior(temperature=0.1), out=child.path, resume=True, **options)
    assert on.draw_count == 50
    assert_begins_with_the_same_draws(on, child, 40)


def test_data_that_were_moved_are_the_same_data(tmp_path):
    rng = np.random.default_rng(0)
    here, there = tmp_path / "here.npz", tmp_path / "there.npz"
    np.savez(here, x=rng.normal(size=(8, 5)), y=np.arange(8) % 2)
    shutil.copy(here, there)
    network = cs.Network(width=6)
    posteriors = [cs.Posterior(cs.tasks.npz(data=file), network, temperature=0.05) for file in (here, there)]
    cs.sample(posteriors[0], out=tmp_path / "run", **OPTIONS)
    run = cs.sample(posteriors[1], out=tmp_path / "run", resume=True, **{**OPTIONS, "draws": 50})
    assert run.draw_count == 50
    assert check(tmp_path / "run") == []
