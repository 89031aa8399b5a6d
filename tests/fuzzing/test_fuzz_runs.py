"""Run folders with files that nobody thought of: each is refused, or is the run that was sampled."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sound_files
from altered import altered_bytes, altered_json, altered_text_file, is_one_sentence, refuses
from hypothesis import example, given, settings
from hypothesis import strategies as st
from typed import Place

from codingschemes import InvalidInput, Run
from codingschemes.runs import lock
from codingschemes.runs.checking import check, repair
from codingschemes.runs.checkpoint import read_checkpoint
from codingschemes.runs.dimensions import DIMENSIONS
from codingschemes.runs.run import CHECKPOINT, CONFIG, DRAWS, PROVENANCE, TASK
from codingschemes.runs.status import status

pytestmark = pytest.mark.usefixtures("without_type_checks")


def _read(run: Path) -> Run:
    """All of a run folder."""
    found = Run.open(run)
    for group, names in DIMENSIONS.items():
        for name in names:
            found.values(group, name)
    return found


def _is_refused(place: Place, whole: Run) -> bool:
    """Whether an altered run is refused; one that is not is the one that was sampled. What can be repaired is."""
    try:
        return _judged(place.folder / "work" / "run", whole)
    finally:
        place.changed()


def _judged(run: Path, whole: Run) -> bool:
    refused = True
    try:
        status(run)
        found = _read(run)
    except InvalidInput as error:
        is_one_sentence(error)
    else:
        refused = False
        assert found.made_of == whole.made_of
        for group, names in DIMENSIONS.items():
            for name in names:
                np.testing.assert_array_equal(found.values(group, name), whole.values(group, name))
    try:
        faults = check(run)
        assert faults or not refused
        repair(run)
        if all(fault.mendable for fault in faults):
            assert check(run) == []
            assert Run.open(run).made_of == whole.made_of
    except InvalidInput as error:
        is_one_sentence(error)
    return refused


@pytest.fixture(scope="module")
def whole(template) -> Run:
    return _read(template / "run")


#: Files of a run folder whose content is JSON, and others.
SAYING = [CONFIG, PROVENANCE, f"{DRAWS}/zarr.json", f"{DRAWS}/posterior/energy/zarr.json"]
HOLDING = [TASK, CHECKPOINT, f"{DRAWS}/neurons/readout/c/1/0/0/0", f"{DRAWS}/posterior/energy/c/0/0"]


def altered_files(run: Path) -> st.SearchStrategy[dict[str, bytes | None]]:
    """Files of a run folder and what they hold instead: altered, lost, or the content of others."""
    files = sorted(str(path.relative_to(run)) for path in run.rglob("*") if path.is_file())
    said = st.sampled_from(SAYING).flatmap(
        lambda file: altered_text_file(run / file).map(lambda content: {file: content})
    )
    held = st.sampled_from(HOLDING).flatmap(
        lambda file: altered_bytes((run / file).read_bytes()).map(lambda content: {file: content})
    )
    others = st.one_of(st.none(), st.sampled_from(files).map(lambda file: (run / file).read_bytes()))
    return st.one_of(said, said, held, st.dictionaries(st.sampled_from(files), others, min_size=1, max_size=2))


def test_an_altered_run_is_refused_or_the_one_that_was_sampled(template, place, whole, tried):
    run = place.folder / "work" / "run"

    def saying(file: str, **more: Any) -> dict[str, bytes | None]:
        return {file: json.dumps(json.loads((template / "run" / file).read_text()) | more).encode()}

    @settings(max_examples=settings().max_examples // 2)  # each reads a run five times
    @given(altered_files(template / "run"))
    @example(saying(CONFIG, **{"\n": {}}))
    @example({CONFIG: None, CHECKPOINT: None})
    @example(saying(f"{DRAWS}/posterior/energy/zarr.json", more=1))
    @example(saying(f"{DRAWS}/posterior/energy/zarr.json", dimension_names=["draw"]))
    def any_alteration(files: dict[str, bytes | None]) -> None:
        for file, content in files.items():
            if content is None:
                (run / file).unlink()
            else:
                (run / file).write_bytes(content)
        tried(lambda: _is_refused(place, whole))

    any_alteration()


def test_an_altered_checkpoint_is_refused(template, tmp_path, whole, tried):
    path, like = tmp_path / CHECKPOINT, sound_files.checkpoint(0)
    sound = (template / "run" / CHECKPOINT).read_bytes()
    line, _, states = sound.partition(b"\n")
    said = altered_json(json.loads(line)).map(lambda value: json.dumps(value).encode() + b"\n" + states)

    def read() -> None:
        found = read_checkpoint(path, like, whole.made_of)
        assert (found.iteration, found.warmup, found.lost) == (sound_files.DRAW_COUNT + like.warmup, like.warmup, 0)

    @given(st.one_of(altered_bytes(sound), said))
    def any_checkpoint(content: bytes) -> None:
        path.write_bytes(content)
        tried(lambda: refuses(read))

    any_checkpoint()


def test_a_lock_that_says_anything_is_somebody_else_or_nobody(tmp_path, tried):
    path = tmp_path / lock.LOCK
    path.write_text(json.dumps(lock.me()))

    @given(altered_text_file(path))
    @example(json.dumps({**lock.me(), "host": "\n"}).encode())
    def any_lock(content: bytes) -> None:
        path.write_bytes(content)

        def taken() -> None:
            lock.writer_of(tmp_path)
            with lock.writing(tmp_path):
                assert lock.writer_of(tmp_path) == lock.me()

        tried(lambda: refuses(taken))
        path.unlink(missing_ok=True)
        assert not list(tmp_path.iterdir())

    any_lock()
