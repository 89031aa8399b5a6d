"""Every format that is read, with content that nobody thought of: sound files altered in their bytes or in what they
say, and files that are sound but say something odd."""

import copy
import gzip
import io
import json
import math
import struct
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sound_files
from hypothesis import example, given, settings
from hypothesis import strategies as st
from typed import Place, is_refused

from codingschemes import InvalidInput, Run, tasks
from codingschemes.populations import read_population
from codingschemes.runs import lock
from codingschemes.runs.checking import check, repair
from codingschemes.runs.checkpoint import read_checkpoint
from codingschemes.runs.dimensions import DIMENSIONS
from codingschemes.runs.run import CHECKPOINT, CONFIG, DRAWS, PROVENANCE, TASK
from codingschemes.runs.status import status
from codingschemes.sweeps.jobs import Result
from codingschemes.tasks.archives import read_arrays
from codingschemes.tasks.cifar10 import read_binary
from codingschemes.tasks.mnist import read_idx
from codingschemes.tasks.task import Task

pytestmark = pytest.mark.usefixtures("without_type_checks")

WORDS = st.text(alphabet="abxy019.-_/ \né\udcff", max_size=6)
NUMBERS = st.one_of(st.integers(-3, 12), st.integers(), st.floats(), st.sampled_from([10**30, 1e308, -0.0]))
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, WORDS)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=3)),
    max_leaves=5,
)


def refuses(read: Callable[[], object]) -> bool:
    """Whether what is read is refused, in one sentence; whatever else is raised fails the test."""
    try:
        read()
    except InvalidInput as error:
        return is_one_sentence(error)
    return False


def is_one_sentence(error: InvalidInput) -> bool:
    """It is: anything else fails the test."""
    assert len(str(error).splitlines()) == 1, str(error)
    return True


@st.composite
def altered_bytes(draw: st.DrawFn, whole: bytes) -> bytes:
    """Cut off, with bytes changed, put in or left out; or nothing that was there."""
    kind = draw(st.sampled_from(["cut", "change", "change", "insert", "leave out", "other"]))
    if kind == "other":
        return draw(st.binary(max_size=60))
    place = draw(st.integers(0, len(whole)))
    if kind == "cut":
        return whole[:place]
    if kind == "leave out":
        return whole[:place] + whole[place + draw(st.integers(1, 40)) :]
    new = draw(st.binary(min_size=1, max_size=4))
    return whole[:place] + new + whole[place + (len(new) if kind == "change" else 0) :]


@st.composite
def altered_json(draw: st.DrawFn, whole: Any) -> Any:
    """With one of its values changed, left out or put in, at any depth."""
    changed = inside = copy.deepcopy({"all": whole})
    key: Any = "all"
    while isinstance(inside[key], dict | list) and inside[key] and draw(st.integers(0, 3)):
        inside = inside[key]
        key = draw(st.sampled_from(sorted(inside)) if isinstance(inside, dict) else st.integers(0, len(inside) - 1))
    kind = draw(st.sampled_from(["change", "change", "leave out", "put in"]))
    if kind == "leave out" and inside is not changed:
        del inside[key]
    elif kind == "put in" and isinstance(inside, dict) and inside is not changed:
        inside[draw(WORDS)] = draw(VALUES)
    else:
        inside[key] = draw(VALUES)
    return changed["all"]


def altered_text_file(path: Path) -> st.SearchStrategy[bytes]:
    """A JSON file altered in its bytes or in what it says."""
    said = altered_json(json.loads(path.read_text()))
    return st.one_of(altered_bytes(path.read_bytes()), *[said.map(lambda value: json.dumps(value).encode())] * 3)


# --- arrays that people bring


@st.composite
def arrays(draw: st.DrawFn) -> np.ndarray:
    """Of any kind and shape; often one that could be data or labels."""
    kind = draw(
        st.sampled_from(["f8", "f8", "f4", "f2", "i8", "i8", "u1", "?", "c16", "U3", "S3", "M8[D]", "O", "i4,f4"])
    )
    shape = draw(st.one_of(st.sampled_from([(12, 4), (12,), (12, 1), (3, 2)]), st.lists(st.integers(0, 5), max_size=4)))
    values: np.ndarray = np.arange(math.prod(shape)).reshape(shape) % draw(st.sampled_from([1, 2, 3, 100]))
    if kind == "O":
        return np.array([{}, None], dtype=object)
    if kind == "i4,f4":
        return np.zeros(shape, kind)
    with np.errstate(all="ignore"):
        found = values.astype(kind)
        if kind[0] in "fc" and found.size and draw(st.booleans()):
            extreme = draw(st.sampled_from([np.nan, np.inf, 1e308, 1e-308, -5.0]))
            found.flat[draw(st.integers(0, found.size - 1))] = extreme
    return found


ARCHIVES = st.fixed_dictionaries(
    {},
    optional={name: arrays() for name in ("x", "y", "activity", "labels", "factors", "readout", "weight", "words")},
)
ARRAY_READERS: dict[str, Callable[[Path], object]] = {
    "npz task": lambda path: tasks.npz(data=path),
    "npz task, options": lambda path: tasks.npz(data=path, classes=2, samples=4, test=2, preprocess="center,scale"),
    "npz population": read_population,
    "npz saved task": Task.load,
}


@pytest.mark.parametrize("name", ARRAY_READERS)
def test_odd_arrays_are_read_or_refused(name, tmp_path, tried):
    @given(ARCHIVES)
    @example({"activity": np.array(0)})
    @example({"activity": np.array(0), "factors": np.zeros((3, 2))})
    def any_arrays(brought: dict[str, np.ndarray]) -> None:
        path = tmp_path / "brought.npz"
        np.savez(path, **{**sound_files.arrays(), **brought})
        tried(lambda: refuses(lambda: ARRAY_READERS[name](path)))

    any_arrays()


@pytest.mark.usefixtures("computing")
def test_odd_weights_are_looked_at_or_refused(place, tried):
    @given(arrays(), arrays(), st.booleans())
    def any_weights(weight: np.ndarray, readout: np.ndarray, named: bool) -> None:
        np.savez(place.folder / "work" / "weights.npz", **{"weight": weight, "readout" if named else "a": readout})
        place.left()
        tried(lambda: is_refused(place, ["manifolds", "detect", "--weights", "weights.npz", "--json"]))

    any_weights()


# --- files, byte by byte


FILES: dict[str, tuple[Callable[[Path], None], Callable[[Path], object]]] = {
    "npz": (sound_files.npz, read_arrays),
    "idx": (sound_files.idx, read_idx),
    "tar": (sound_files.tar, lambda path: read_binary(path, "data_batch_")),
    "csv": (sound_files.csv, read_population),
    "npy": (lambda path: np.save(path, np.eye(12)), lambda path: read_population(path, labels=str(path))),
}


@pytest.mark.parametrize("name", FILES)
def test_altered_bytes_are_read_or_refused(name, tmp_path, tried):
    write, read = FILES[name]
    path = tmp_path / f"file.{name}"
    write(path)
    read(path) if name != "npy" else None

    @given(altered_bytes(path.read_bytes()))
    def any_bytes(content: bytes) -> None:
        path.write_bytes(content)
        tried(lambda: refuses(lambda: read(path)))

    any_bytes()


def test_odd_idx_headers_are_refused(tmp_path, tried):
    @given(st.binary(min_size=0, max_size=4), st.lists(st.integers(0, 2**32 - 1), max_size=4), st.binary(max_size=20))
    def any_header(magic: bytes, sizes: list[int], values: bytes) -> None:
        path = tmp_path / "odd.gz"
        path.write_bytes(gzip.compress(magic + struct.pack(f">{len(sizes)}I", *sizes) + values))
        tried(lambda: refuses(lambda: read_idx(path)))

    any_header()


def test_odd_members_of_an_archive_are_read_or_refused(tmp_path, tried):
    """Links, folders and names that leave the folder are never followed or unpacked."""
    (tmp_path / "outside").write_bytes(bytes(3073))
    names = st.sampled_from(["data_batch_1.bin", "a/data_batch_2", "../data_batch_3", "/data_batch_4", "data_batch_"])
    kinds = st.sampled_from(
        [tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, b"?"]
    )

    @given(st.lists(st.tuples(names, kinds, st.sampled_from([0, 1, 3073, 6146])), max_size=3))
    def any_members(members: list[tuple[str, bytes, int]]) -> None:
        path = tmp_path / "odd.tar"
        with tarfile.open(path, "w") as archive:
            for name, kind, size in members:
                member = tarfile.TarInfo(name)
                member.type, member.linkname = kind, "outside"
                member.size = size if kind == tarfile.REGTYPE else 0
                archive.addfile(member, io.BytesIO(bytes(size)))
        tried(lambda: refuses(lambda: read_binary(path, "data_batch_")))
        assert sorted(each.name for each in tmp_path.iterdir()) == ["odd.tar", "outside"]

    any_members()


def test_odd_tables_are_read_or_refused(tmp_path, tried):
    cells = st.one_of(st.sampled_from(["1", "-2.5", "a", "b", "nan", "inf", "", '"', "1e400", "labels", "y"]), WORDS)

    @given(st.lists(st.lists(cells, min_size=1, max_size=4), max_size=8), st.sampled_from([None, "a", "labels,y"]))
    def any_table(rows: list[list[str]], factors: str | None) -> None:
        path = tmp_path / "odd.csv"
        path.write_bytes("\n".join(",".join(row) for row in rows).encode("utf-8", "surrogateescape"))
        tried(lambda: refuses(lambda: read_population(path, factors=factors)))

    any_table()


# --- sweeps and their results


OPTIONS = st.one_of(
    st.sampled_from(["task", "theory", "samples", "width", "depth", "bias", "seed", "ratios", "chains", "out", "from"]),
    WORDS,
)
#: TOML has most of the values of JSON.
SAID = st.one_of(
    st.sampled_from(["orthogonal", "hypercube", "lazy", [0.5, 0.5], 3, 0, True, -1, 1e-3, "x", [], ["a"], [[1, 2], 3]]),
    VALUES.filter(lambda value: "null" not in json.dumps(value)),
)


def _in_toml(table: dict[str, Any]) -> list[str]:
    return [f"{json.dumps(name)} = {json.dumps(value)}" for name, value in table.items()]


@pytest.mark.usefixtures("computing")
def test_odd_sweeps_are_planned_or_refused(place, tried):
    tables = st.dictionaries(OPTIONS, st.one_of(st.lists(SAID, min_size=1, max_size=2), SAID), max_size=2)

    @given(st.dictionaries(OPTIONS, SAID, max_size=3), tables, tables, st.integers(0, 3))
    def any_sweep(shared: dict[str, Any], grid: dict[str, Any], together: dict[str, Any], sound: int) -> None:
        shared = {"task": "orthogonal", "samples": 6, **shared} if sound else shared
        grid = {"seed": [1, 2], **grid} if sound > 1 else grid
        lines = [*_in_toml(shared), "[grid]", *_in_toml(grid), "[zip]", *_in_toml(together)]
        (place.folder / "work" / "sweep.toml").write_text("\n".join(lines))
        place.left()
        tried(lambda: is_refused(place, ["sweep", "sweep.toml", "--out", "new"]))

    any_sweep()


def test_altered_results_are_read_or_refused(tmp_path, tried):
    path = tmp_path / "result.json"
    sound_files.result(path)

    @given(altered_text_file(path))
    def any_result(content: bytes) -> None:
        path.write_bytes(content)
        tried(lambda: refuses(lambda: Result.read(path)))

    any_result()


# --- run folders


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
    @example(saying(f"{DRAWS}/posterior/energy/zarr.json", more=1))
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
