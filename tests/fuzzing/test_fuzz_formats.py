"""Every format that is read, with content that nobody thought of: sound files altered in their bytes or in what they
say, and files that are sound but say something odd."""

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
from altered import VALUES, WORDS, altered_bytes, altered_text_file, refuses
from hypothesis import example, given
from hypothesis import strategies as st
from typed import is_refused

from codingschemes import tasks
from codingschemes.populations import read_population
from codingschemes.sweeps.jobs import Result
from codingschemes.tasks.archives import read_arrays
from codingschemes.tasks.cifar10 import read_binary
from codingschemes.tasks.mnist import read_idx
from codingschemes.tasks.task import Task

pytestmark = pytest.mark.usefixtures("without_type_checks")

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
UNLABELLED = st.fixed_dictionaries(
    {}, optional={name: arrays() for name in ("targets", "factors", "test_x", "test_factors", "test_targets")}
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


def test_odd_arrays_without_labels_are_read_or_refused(tmp_path, tried):
    @given(UNLABELLED, st.sampled_from([{"targets": np.arange(12.0)}, {"factors": np.arange(24).reshape(12, 2) % 3}]))
    def any_arrays(brought: dict[str, np.ndarray], sound: dict[str, np.ndarray]) -> None:
        path = tmp_path / "brought.npz"
        np.savez(path, **{"x": sound_files.arrays()["x"], **sound, **brought})
        tried(lambda: refuses(lambda: tasks.npz(data=path)))

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
