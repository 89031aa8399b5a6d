"""Where tests find image files, and small files to load."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from codingschemes import tasks
from codingschemes.tasks.downloads import VARIABLE
from codingschemes.tasks.task import Task

SHARED = Path(__file__).parents[3] / "shared" / "data"


@pytest.fixture(scope="session")
def mnist_task() -> Iterator[Task]:
    """200 images of MNIST and 300 test images; made once, for decompressing the files takes most of the time."""
    _skip_without(SHARED / "mnist-original")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv(VARIABLE, str(SHARED))
        yield tasks.mnist(samples=200, classes="3,5,8", test=300, seed=4, preprocess="none")


@pytest.fixture
def arrays_file(tmp_path: Path) -> Path:
    """An .npz file of 30 small uint8 images in three classes, which are labelled 2, 5 and 7."""
    generator = np.random.default_rng(0)
    path = tmp_path / "arrays.npz"
    np.savez(path, x=generator.integers(0, 256, (30, 4, 4), dtype=np.uint8), y=np.repeat([5, 2, 7], 10))
    return path


def _skip_without(folder: Path) -> None:
    if not folder.is_dir():
        pytest.skip(f"there are no image files at {folder}")
