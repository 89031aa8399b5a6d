"""Draws on disk: zarr arrays that grow along `draw`, read back as an `xarray.DataTree`.

The metadata of the root, replaced in one rename, is all that readers go by: it says how many draws are complete, what
they are draws of, and the shapes of all arrays with so many. An append grows the arrays first and replaces it last, so
that draws become visible all or nothing. Every chunk carries a checksum, and none is left out, so that what is lost or
altered is noticed when it is read.
"""

import json
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr
from xarray.backends import BackendArray
from xarray.core import indexing
from zarr.codecs import Crc32cCodec, ZstdCodec
from zarr.core.array_spec import ArrayConfigParams
from zarr.errors import ZarrUserWarning
from zarr.storage import MemoryStore

from codingschemes.errors import InvalidInput
from codingschemes.reading import reading
from codingschemes.runs.dimensions import DIMENSIONS, Coordinates

type Records = Mapping[str, Mapping[str, np.ndarray]]

#: What a store is written as. Another number means that older programs would misread it.
FORMAT = 1

#: The numbers of draws are stored in chunks this long: one file for all but the longest runs.
_NUMBERS_CHUNK = 10_000
#: Chunks of nothing but zeros are written like others: a file that is not there is lost.
_EVERY_CHUNK: ArrayConfigParams = {"write_empty_chunks": True, "read_missing_chunks": False}
_ROOT = "zarr.json"
_CONSOLIDATED = "consolidated_metadata"
#: What of an array's metadata its bytes are read by, its length left out.
_ESSENTIAL = ("node_type", "zarr_format", "data_type", "chunk_grid", "chunk_key_encoding", "codecs")
REMEDY = "`codingschemes check` with the run says what is lost, and with --repair keeps what is good"


class DrawStore:
    """Arrays (chain, draw, ...) by group and variable. Appending costs memory for one chunk, however long the run.

    Any reader of zarr can open it: each group holds the coordinates of its dimensions, and the root the metadata of
    all arrays as they were after the last append.
    """

    def __init__(self, location: Path | MemoryStore, *, chunk: int = 50):
        """A store to write to, made where there is none."""
        self._path = None if isinstance(location, MemoryStore) else location
        # Not from the metadata of the root, which an append that was cut short leaves behind the arrays.
        self._root = zarr.open_group(
            location if isinstance(location, MemoryStore) else str(location), mode="a", use_consolidated=False
        )
        self._chunk = chunk
        self._arrays: dict[str, zarr.Array] = {}
        self._draws = _count(self._root.attrs.get("draws", 0))

    @classmethod
    def open(cls, path: Path) -> "DrawStore":
        """A store to read, as it is now: draws that are added later are not seen.

        Raises:
            InvalidInput: there is none, it is damaged, or written by a newer or a much older program.
        """
        store = cls.__new__(cls)
        store._path, store._arrays = path, {}
        if not (path / _ROOT).is_file():
            raise InvalidInput(f"the draws of {path.parent} are gone, there is no {path / _ROOT}: {REMEDY}")
        with reading(path, REMEDY):
            store._root = _open(path)
            written = store._root.attrs.get("format", 0)
            if written != FORMAT:
                raise InvalidInput(_other_format(path.parent, written))
            store._draws = _count(store._root.attrs["draws"])
            store._check_shapes()
        return store

    def describe(self, coordinates: Coordinates, attributes: Mapping[str, Any]) -> None:
        """Write what does not change over a run: the coordinates of each group's dimensions, and attributes."""
        self._root.attrs.update({**attributes, "format": FORMAT, "draws": self._draws})
        for group, variables in DIMENSIONS.items():
            for dimension in {name for dimensions in variables.values() for name in dimensions} & set(coordinates):
                self._write_coordinate(f"{group}/{dimension}", coordinates[dimension])
        self._consolidate()

    @property
    def attributes(self) -> dict[str, Any]:
        """What `describe` was given."""
        return dict(self._root.attrs)

    def append(self, records: Records) -> None:
        """Add draws: arrays of shape (chain, new draws, ...). They are there once this returns, or not at all."""
        new = {f"{group}/{name}": values for group, variables in records.items() for name, values in variables.items()}
        arrays = {path: self._array(path, values) for path, values in new.items()}
        for group in records:
            self._number(group, next(values.shape[0] for path, values in new.items() if path.startswith(group)))
        for path, values in new.items():
            arrays[path].append(values, axis=1)
        draws = self._draws + next(iter(new.values())).shape[1]
        for group in records:
            numbers = self._found(f"{group}/draw")
            assert numbers is not None
            numbers.append(np.arange(self._draws, draws))
        self._commit(draws)

    @property
    def draw_count(self) -> int:
        """Stored draws a chain."""
        return self._draws

    def read(self, group: str, name: str) -> np.ndarray:
        """All draws of a variable so far, (chain, draw, ...)."""
        return np.asarray(self.stored(group, name)[:, :])

    def stored(self, group: str, name: str) -> "StoredDraws":
        """The same where it lies: parts are read as they are asked for."""
        return self._stored(self._readable(), group, name)

    def truncate(self, draws: int) -> None:
        """Forget all draws after the first `draws`, and what an append that was cut short left behind."""
        draws = min(draws, self._draws)
        if draws < self._draws:
            self._commit(draws)
        for path, length in self._lengths().items():
            array = self._found(path)
            if array is not None and array.shape[length] > draws:
                array.resize(tuple(draws if axis == length else size for axis, size in enumerate(array.shape)))
        for partial in [] if self._path is None else self._path.rglob("*.partial"):
            partial.unlink()

    def datasets(self, coordinates: Coordinates) -> dict[str, xr.Dataset]:
        """The stored groups, opened lazily, with `coordinates` on the dimensions they have.

        Values are read when they are asked for, and an altered or a lost chunk is then an `InvalidInput`.
        """
        root, opened = self._readable(), {}
        for group, variables in DIMENSIONS.items():
            arrays = {
                name: xr.Variable(("chain", "draw", *dimensions), _lazily(self._stored(root, group, name)))
                for name, dimensions in variables.items()
            }
            sizes = {name: size for each in arrays.values() for name, size in each.sizes.items()}
            numbered = {str(name): np.arange(size) for name, size in sizes.items()}
            opened[group] = xr.Dataset(
                arrays, {**numbered, **{name: coordinates[name] for name in numbered if name in coordinates}}
            )
        return opened

    def damage(self) -> Iterator[tuple[str, int]]:
        """What is lost or altered: (what, draws before it that are good), reading everything there is once."""
        root = self._readable()
        for path, length in self._lengths().items() if self._draws else ():
            array = root[path]
            assert isinstance(array, zarr.Array)
            yield from _unreadable(path, array.with_config(_EVERY_CHUNK), length)

    def altered_metadata(self) -> dict[str, dict[str, Any]]:
        """Arrays whose own metadata are lost, altered, or say fewer draws than are complete -> those that the root
        has.

        Raises:
            InvalidInput: the root names a place outside of the store, where nothing is read or written.
        """
        assert self._path is not None
        document = json.loads((self._path / _ROOT).read_text(encoding="utf-8"))
        altered = {}
        for path, metadata in document[_CONSOLIDATED]["metadata"].items():
            if not (self._path / path).resolve().is_relative_to(self._path.resolve()):
                raise InvalidInput(
                    f"{self._path} names {path}, outside of it: sampling wrote no such run, do not use it"
                )
            kept = {name: value for name, value in metadata.items() if name != _CONSOLIDATED}
            try:
                found = json.loads((self._path / path / _ROOT).read_text(encoding="utf-8"))
                longer = bool(np.all(np.array(found.pop("shape", ())) >= kept.get("shape", ())))
            except (OSError, ValueError, AttributeError, TypeError):
                found, longer = {}, False
            same = all(found.get(name) == kept.get(name) for name in _ESSENTIAL)
            alike = all(name in kept and kept[name] == value for name, value in found.items())
            if not (longer and same and (alike or self._opens(path))):
                altered[path] = kept
        return altered

    def _opens(self, path: str) -> bool:
        """Whether metadata that say something else than the root's can be read."""
        try:
            zarr.open(str(self._path), path=path, mode="r", use_consolidated=False)
        except Exception:  # noqa: BLE001  (whatever zarr makes of it)
            return False
        return True

    def restore_metadata(self) -> None:
        """Write the metadata of arrays that are lost or altered, from the root's."""
        assert self._path is not None
        for path, metadata in self.altered_metadata().items():
            (self._path / path).mkdir(parents=True, exist_ok=True)
            (self._path / path / _ROOT).write_text(json.dumps(metadata))

    def _readable(self) -> zarr.Group:
        """The arrays as readers see them."""
        return self._root if self._path is None else _open(self._path)

    def _stored(self, root: zarr.Group, group: str, name: str) -> "StoredDraws":
        where = f"{self._path}/{group}/{name}"
        with reading(where, REMEDY):
            array = root[f"{group}/{name}"]
            assert isinstance(array, zarr.Array)
            return StoredDraws(array.with_config(_EVERY_CHUNK), self._draws, where)

    def _check_shapes(self) -> None:
        """ValueError unless the root lists every variable with as many draws as it says."""
        for path, length in self._lengths().items() if self._draws else ():
            array = self._found(path)
            if array is None or array.shape[length] != self._draws:
                raise ValueError(f"{path} does not have the {self._draws} draws that are complete")

    def _array(self, path: str, values: np.ndarray) -> zarr.Array:
        if (array := self._found(path)) is not None:
            return array
        chains, _, *rest = values.shape
        group, name = path.split("/")
        return self._root.create_array(
            path,
            shape=(chains, 0, *rest),
            # All chains of a number are read together; neurons outweigh all else, and may be read chain by chain.
            chunks=(1 if group == "neurons" else chains, self._chunk, *rest),
            dtype=values.dtype,
            compressors=(ZstdCodec(), Crc32cCodec()),
            dimension_names=("chain", "draw", *DIMENSIONS[group][name]),
            config=_EVERY_CHUNK,
        )

    def _number(self, group: str, chains: int) -> None:
        """Coordinates of the chains and, growing, of the draws."""
        if f"{group}/chain" not in self._root:
            self._write_coordinate(f"{group}/chain", np.arange(chains))
        if f"{group}/draw" not in self._root:
            self._root.create_array(
                f"{group}/draw",
                shape=(0,),
                chunks=(_NUMBERS_CHUNK,),
                dtype=np.int64,
                compressors=(ZstdCodec(), Crc32cCodec()),
                dimension_names=("draw",),
                config=_EVERY_CHUNK,
            )

    def _write_coordinate(self, path: str, values: np.ndarray) -> None:
        texts = values.dtype.kind == "U"
        array = self._root.create_array(
            path, shape=values.shape, dtype=str if texts else values.dtype, dimension_names=(path.split("/")[-1],)
        )
        array[:] = values.astype(np.dtypes.StringDType()) if texts else values

    def _commit(self, draws: int) -> None:
        """Make so many draws the ones that are complete."""
        self._draws = draws
        if self._path is None:  # nobody else can open it
            return
        document = json.loads((self._path / _ROOT).read_text(encoding="utf-8"))
        listed = document.get(_CONSOLIDATED, {}).get("metadata", {})
        if set(self._lengths()) - set(listed):  # before the first draws
            self._consolidate()
            document = json.loads((self._path / _ROOT).read_text(encoding="utf-8"))
        for path, length in self._lengths().items():
            document[_CONSOLIDATED]["metadata"][path]["shape"][length] = draws
        document["attributes"]["draws"] = draws
        # Not beside the file it replaces: what lies in the store is taken for a part of it.
        partial = self._path.with_name(f"{self._path.name}.partial")
        partial.write_text(json.dumps(document))
        partial.replace(self._path / _ROOT)

    def _consolidate(self) -> None:
        if self._path is None:
            return
        with warnings.catch_warnings():
            # Readers that do not know it go by the metadata of each array, which is the same.
            warnings.filterwarnings("ignore", "Consolidated metadata", ZarrUserWarning)
            zarr.consolidate_metadata(self._root.store)

    def _lengths(self) -> dict[str, int]:
        """The arrays that grow, and along which axis."""
        variables = {f"{group}/{name}": 1 for group, names in DIMENSIONS.items() for name in names}
        return variables | {f"{group}/draw": 0 for group in DIMENSIONS}

    def _found(self, path: str) -> zarr.Array | None:
        if path in self._arrays:
            return self._arrays[path]
        array = self._root.get(path)
        if array is None:
            return None
        if not isinstance(array, zarr.Array):
            raise ValueError(f"{path} is no array")
        self._arrays[path] = array.with_config(_EVERY_CHUNK)
        return self._arrays[path]


class StoredDraws(BackendArray):
    """The complete draws of one array, (chain, draw, ...): indexed by chains, draws and what follows."""

    def __init__(self, array: zarr.Array, draws: int, where: str):
        self.shape = (array.shape[0], draws, *array.shape[2:])
        self.dtype = np.dtype(array.dtype)
        self._array, self._where = array, where

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, tuple):
            return self._read(key)
        return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.BASIC, self._read)

    def _read(self, part: tuple[Any, ...]) -> Any:
        # The array may have grown since the draws were counted.
        chain, draw, *rest = part
        if isinstance(draw, slice):
            draw = slice(*draw.indices(self.shape[1]))
        with reading(self._where, REMEDY):
            return self._array[(chain, draw, *rest)]


def _lazily(array: StoredDraws) -> Any:
    """Read when it is asked for, once."""
    lazy: Any = indexing.LazilyIndexedArray(array)
    return indexing.MemoryCachedArray(indexing.CopyOnWriteArray(lazy))


def _open(path: Path) -> zarr.Group:
    with reading(path, REMEDY):
        return zarr.open_group(str(path), mode="r", use_consolidated=True)


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{value!r} is no number of draws")
    return value


def _other_format(run: Path, written: Any) -> str:
    if isinstance(written, int) and written > FORMAT:
        return (
            f"{run} was written by a newer codingschemes (format {written}, this one reads {FORMAT}): "
            "install the version that its provenance.json names, or a newer one"
        )
    return (
        f"{run} was written by an earlier codingschemes, without the checksums of format {FORMAT}: sample it again, or "
        "read it with the version that wrote it"
    )


def _unreadable(path: str, array: zarr.Array, length: int) -> Iterator[tuple[str, int]]:
    """The chunks of draws of an array that cannot be read."""
    draws, chunk = array.shape[length], array.chunks[length]
    for begin in range(0, draws, chunk):
        part = slice(begin, min(begin + chunk, draws))
        try:
            array[(slice(None), part) if length else part]
        except Exception as error:  # noqa: BLE001  (whatever its codecs make of altered bytes)
            yield f"{path}, draws from {begin}: {_sentence(error)}", begin


def _sentence(error: Exception) -> str:
    return (" ".join(str(error).split()) or type(error).__name__)[:120]
