"""A run that tests of bad days damage copies of."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from bad_days import CHUNK, OPTIONS
from known_answers import small_posterior

import codingschemes as cs


@pytest.fixture(scope="module")
def short_chunks() -> Iterator[None]:
    """Chunks so short that there is a good prefix, and each is written."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("codingschemes.runs.driver.capacity", lambda _: CHUNK)
        patch.setattr("codingschemes.runs.checkpoint.HELD", 0)
        yield


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory, short_chunks: None) -> cs.Run:
    return cs.sample(small_posterior(), out=tmp_path_factory.mktemp("runs") / "run", **OPTIONS)


@pytest.fixture
def path(saved: cs.Run, tmp_path: Path) -> Path:
    shutil.copytree(saved.path, tmp_path / "run")
    return tmp_path / "run"
