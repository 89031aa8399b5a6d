"""Draws on disk: zarr arrays that grow along `draw`, read back as an `xarray.DataTree`."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr
from zarr.errors import ZarrUserWarning
from zarr.storage import MemoryStore

from codingschemes.runs.dimensions import DIMENSIONS, Coordinates

type Records = Mapping[str, Mapping[str, np.ndarray]]

#: The numbers of draws are stored in chunks this long: one file for all but the longest runs.
_NUMBERS_CHUNK = 10_000


class DrawStore:
    """Arrays (chain, draw, ...) by group and variable. Appending costs memory for one chunk, however long the run.

    Any reader of zarr can open it: each group holds the coordinates of its dimensions, and the root the metadata of
    all arrays as they were after the last append.
    """

    def __init__(self, location: Path | MemoryStore, *, chunk: int = 50):
        # Not from the consolidated metadata, which an append that was cut short leaves behind the arrays.
        self._root = zarr.open_group(
            location if isinstance(location, MemoryStore) else str(location), mode="a", use_consolidated=False
        )
        self._chunk = chunk

    def describe(self, coordinates: Coordinates, attributes: Mapping[str, Any]) -> None:
        """Write what does not change over a run: the coordinates of each group's dimensions, and attributes."""
        self._root.attrs.update(attributes)
        for group, variables in DIMENSIONS.items():
            for dimension in {name for dimensions in variables.values() for name in dimensions} & set(coordinates):
                self._write_coordinate(f"{group}/{dimension}", coordinates[dimension])
        self._consolidate()

    def append(self, records: Records) -> None:
        """Add draws: arrays of shape (chain, new draws, ...)."""
        for group, variables in records.items():
            for name, values in variables.items():
                array = self._array(group, name, values)
                array.append(values, axis=1)
            chains, draws, *_ = array.shape
            self._number(group, chains, draws)
        self._consolidate()

    @property
    def draw_count(self) -> int:
        """Stored draws a chain."""
        stored = self._stored()
        complete = len(stored) == sum(map(len, DIMENSIONS.values()))
        return min(array.shape[1] for array in stored) if complete else 0

    def stored(self, group: str, name: str) -> zarr.Array:
        """All draws of a variable so far, (chain, draw, ...), where they are stored."""
        array = self._found(f"{group}/{name}")
        assert array is not None
        return array

    def truncate(self, draws: int) -> None:
        """Forget all draws after the first `draws` (what was written after the last checkpoint)."""
        for array in self._stored():
            array.resize((array.shape[0], min(draws, array.shape[1]), *array.shape[2:]))
        for numbers in (self._found(f"{group}/draw") for group in DIMENSIONS):
            if numbers is not None:
                numbers.resize((min(draws, numbers.shape[0]),))
        self._consolidate()

    def datasets(self, coordinates: Coordinates) -> dict[str, xr.Dataset]:
        """The stored groups, opened lazily, with `coordinates` on the dimensions they have."""
        opened = {}
        for group in DIMENSIONS:
            if group not in self._root:
                continue
            dataset = xr.open_zarr(self._root.store, group=group, consolidated=False, chunks=None)
            shared = {name: values for name, values in coordinates.items() if name in dataset.dims}
            numbered = {name: np.arange(size) for name, size in dataset.sizes.items() if name not in dataset.coords}
            opened[group] = dataset.assign_coords({**numbered, **shared})
        return opened

    def _array(self, group: str, name: str, values: np.ndarray) -> zarr.Array:
        path = f"{group}/{name}"
        if (array := self._found(path)) is not None:
            return array
        chains, _, *rest = values.shape
        return self._root.create_array(
            path,
            shape=(chains, 0, *rest),
            chunks=(1, self._chunk, *rest),
            dtype=values.dtype,
            dimension_names=("chain", "draw", *DIMENSIONS[group][name]),
        )

    def _number(self, group: str, chains: int, draws: int) -> None:
        """Coordinates of the chains, and of draws up to `draws`."""
        if f"{group}/chain" not in self._root:
            self._write_coordinate(f"{group}/chain", np.arange(chains))
        numbers = self._found(f"{group}/draw")
        if numbers is None:
            numbers = self._root.create_array(
                f"{group}/draw", shape=(0,), chunks=(_NUMBERS_CHUNK,), dtype=np.int64, dimension_names=("draw",)
            )
        numbers.append(np.arange(numbers.shape[0], draws))

    def _write_coordinate(self, path: str, values: np.ndarray) -> None:
        texts = values.dtype.kind == "U"
        array = self._root.create_array(
            path, shape=values.shape, dtype=str if texts else values.dtype, dimension_names=(path.split("/")[-1],)
        )
        array[:] = values.astype(np.dtypes.StringDType()) if texts else values

    def _consolidate(self) -> None:
        if isinstance(self._root.store, MemoryStore):  # nobody else can open it
            return
        with warnings.catch_warnings():
            # Readers that do not know it go by the metadata of each array, which is the same.
            warnings.filterwarnings("ignore", "Consolidated metadata", ZarrUserWarning)
            zarr.consolidate_metadata(self._root.store)

    def _stored(self) -> list[zarr.Array]:
        found = [self._found(f"{group}/{name}") for group, variables in DIMENSIONS.items() for name in variables]
        return [array for array in found if array is not None]

    def _found(self, path: str) -> zarr.Array | None:
        array = self._root.get(path)
        assert array is None or isinstance(array, zarr.Array)
        return array
