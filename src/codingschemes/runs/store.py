"""Draws on disk: zarr arrays that grow along `draw`, read back as an `xarray.DataTree`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr
from zarr.storage import MemoryStore

from codingschemes.runs.dimensions import DIMENSIONS

type Records = Mapping[str, Mapping[str, np.ndarray]]


class DrawStore:
    """Arrays (chain, draw, ...) by group and variable. Appending costs memory for one chunk, however long the run."""

    def __init__(self, location: Path | MemoryStore, *, chunk: int = 50):
        self._root = zarr.open_group(location if isinstance(location, MemoryStore) else str(location), mode="a")
        self._chunk = chunk

    def append(self, records: Records) -> None:
        """Add draws: arrays of shape (chain, new draws, ...)."""
        for group, variables in records.items():
            for name, values in variables.items():
                array = self._array(group, name, values)
                array.append(values, axis=1)

    @property
    def draw_count(self) -> int:
        """Stored draws a chain."""
        stored = self._stored()
        complete = len(stored) == sum(map(len, DIMENSIONS.values()))
        return min(array.shape[1] for array in stored) if complete else 0

    def truncate(self, draws: int) -> None:
        """Forget all draws after the first `draws` (what was written after the last checkpoint)."""
        for array in self._stored():
            array.resize((array.shape[0], min(draws, array.shape[1]), *array.shape[2:]))

    def datasets(self, coordinates: Mapping[str, Any]) -> dict[str, xr.Dataset]:
        """The stored groups, opened lazily, with `coordinates` on the dimensions they have."""
        opened = {}
        for group in DIMENSIONS:
            if group not in self._root:
                continue
            dataset = xr.open_zarr(self._root.store, group=group, consolidated=False, chunks=None)
            shared = {name: values for name, values in coordinates.items() if name in dataset.dims}
            numbered = {name: np.arange(dataset.sizes[name]) for name in ("chain", "draw") if name in dataset.dims}
            opened[group] = dataset.assign_coords({**numbered, **shared})
        return opened

    def _array(self, group: str, name: str, values: np.ndarray) -> zarr.Array:
        path = f"{group}/{name}"
        if path in self._root:
            return self._opened(path)
        chains, _, *rest = values.shape
        return self._root.create_array(
            path,
            shape=(chains, 0, *rest),
            chunks=(1, self._chunk, *rest),
            dtype=values.dtype,
            dimension_names=("chain", "draw", *DIMENSIONS[group][name]),
        )

    def _stored(self) -> list[zarr.Array]:
        paths = [f"{group}/{name}" for group, variables in DIMENSIONS.items() for name in variables]
        return [self._opened(path) for path in paths if path in self._root]

    def _opened(self, path: str) -> zarr.Array:
        array = self._root[path]
        assert isinstance(array, zarr.Array)
        return array
