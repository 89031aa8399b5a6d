"""Reading .npz files that people bring: every way they can be broken becomes one sentence."""

import zipfile
from pathlib import Path

import numpy as np

from codingschemes.errors import InvalidInput
from codingschemes.reading import reading


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """All arrays of the .npz file at `path`, by name. Pickled objects are never loaded.

    Raises:
        InvalidInput: the file is missing, is not a complete .npz file, or holds pickled objects.
    """
    if not path.is_file():
        raise InvalidInput(f"there is no file {path}: give the path of an .npz file")
    if not zipfile.is_zipfile(path):
        raise InvalidInput(f"{path} is not a complete .npz file: write it again with numpy.savez")
    arrays = {}
    remedy = "it is damaged, write it again with numpy.savez"
    # numpy leaves a file open that it opened itself and cannot read
    with reading(path, remedy), path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
        for name in archive.files:
            try:
                entry = archive[name]
            except ValueError as error:
                if "allow_pickle" not in str(error):
                    raise
                raise InvalidInput(
                    f"{path} holds pickled Python objects, which are never loaded: save plain arrays of numbers or text"
                ) from None
            if isinstance(entry, np.ndarray):  # a zip archive may hold other files too, given as bytes
                arrays[name] = entry
    return arrays


def require(arrays: dict[str, np.ndarray], names: tuple[str, ...], path: Path) -> np.ndarray:
    """The first array stored under one of `names`; InvalidInput naming what the file holds if there is none."""
    for name in names:
        if name in arrays:
            return arrays[name]
    found = ", ".join(sorted(arrays)) or "no arrays"
    raise InvalidInput(f"{path} has no array {' or '.join(map(repr, names))}: it holds {found}")
