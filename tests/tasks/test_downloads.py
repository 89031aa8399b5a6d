"""Image files are verified, looked for in order, and their absence is explained."""

import hashlib
import shutil
from pathlib import Path

import pooch
import pytest

from codingschemes import tasks
from codingschemes.errors import InvalidInput
from codingschemes.tasks.cifar10 import BINARY
from codingschemes.tasks.downloads import VARIABLE, DataFile, fetch, find
from codingschemes.tasks.mnist import TRAIN_IMAGES

CONTENT = b"published content"
FILE = DataFile(
    "file.bin", hashlib.sha256(CONTENT).hexdigest(), ("https://one.invalid/", "https://two.invalid/"), subfolder="inner"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    return tmp_path


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses asked for; there is no connection."""
    addresses: list[str] = []

    def refuse(url: str, **options: object) -> str:
        addresses.append(url)
        raise OSError("no connection")

    monkeypatch.setattr(pooch, "retrieve", refuse)
    return addresses


@pytest.mark.parametrize("place", ["file.bin", "inner/file.bin"])
def test_found_in_the_folder(folder: Path, asked: list[str], place: str) -> None:
    (folder / place).parent.mkdir(exist_ok=True)
    (folder / place).write_bytes(CONTENT)
    assert fetch(FILE) == folder / place
    assert asked == []


def test_wrong_content(folder: Path) -> None:
    (folder / "file.bin").write_bytes(CONTENT[:-1])
    with pytest.raises(InvalidInput, match=r"file.bin is not the published file .* truncated"):
        fetch(FILE)


def test_missing_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(folder / "nowhere"))
    with pytest.raises(InvalidInput, match="nowhere, which is not a folder"):
        find(FILE)


def test_every_address_is_tried(folder: Path, asked: list[str]) -> None:
    with pytest.raises(
        InvalidInput, match=f"downloaded .OSError at one.invalid, OSError at two.invalid.: set {VARIABLE}"
    ):
        fetch(FILE)
    assert asked == list(FILE.urls)
    assert list(folder.iterdir()) == []


def test_download_goes_to_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What pooch stored is what is read."""
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(pooch, "os_cache", lambda _: tmp_path / "cache")

    def copy(url: str, known_hash: str, fname: str, path: Path) -> str:
        assert known_hash == f"sha256:{FILE.sha256}"
        path.mkdir()
        (path / fname).write_bytes(CONTENT)
        return str(path / fname)

    monkeypatch.setattr(pooch, "retrieve", copy)
    assert fetch(FILE) == tmp_path / "cache" / "file.bin"


def test_tasks_explain_what_is_missing(folder: Path, asked: list[str]) -> None:
    with pytest.raises(InvalidInput, match=r"train-images-idx3-ubyte\.gz cannot be downloaded"):
        tasks.mnist()
    with pytest.raises(InvalidInput, match=r"cifar-10-binary\.tar\.gz cannot be downloaded"):
        tasks.cifar10()
    assert asked[-1] == BINARY.urls[0]


@pytest.mark.real_data
def test_truncated_images(image_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(image_folder / "mnist-original", tmp_path / "copy")
    path = tmp_path / "copy" / TRAIN_IMAGES.name
    content = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(content[: len(content) // 2])
    monkeypatch.setenv(VARIABLE, str(tmp_path / "copy"))
    with pytest.raises(InvalidInput, match=f"{TRAIN_IMAGES.name} is not the published file"):
        tasks.mnist()
