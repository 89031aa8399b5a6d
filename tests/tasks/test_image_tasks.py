"""Digits, MNIST and CIFAR-10."""

import gzip
import importlib
import io
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from codingschemes import tasks
from codingschemes.errors import InvalidInput
from codingschemes.tasks.downloads import VARIABLE, sha256_of
from codingschemes.tasks.images import parity_magnitude
from codingschemes.tasks.mnist import read_idx
from codingschemes.tasks.task import Task


def test_digits_are_balanced_and_do_not_overlap() -> None:
    task = tasks.digits(samples=100, classes="3,5,8", test=50)
    assert task.class_names == task.target_names == ("3", "5", "8")
    np.testing.assert_array_equal(np.bincount(task.labels), [34, 33, 33])
    np.testing.assert_array_equal(np.bincount(task.test_labels), [17, 17, 16])
    assert not set(task.provenance["train_rows"]) & set(task.provenance["test_rows"])


def test_digits_rows_are_the_recorded_ones() -> None:
    from sklearn.datasets import load_digits

    images = load_digits()
    task = tasks.digits(samples=30, classes=[8, 1], preprocess="none")
    rows = task.provenance["train_rows"]
    np.testing.assert_array_equal(task.inputs, images.data[rows])
    np.testing.assert_array_equal(images.target[rows], np.repeat([8, 1], 15))


def test_parity_and_magnitude() -> None:
    from sklearn.datasets import load_digits

    task = tasks.digits(samples=41, labels="parity-magnitude", test=8)
    digits = load_digits().target[task.provenance["train_rows"]]
    np.testing.assert_array_equal(task.targets[:, 0], np.where(digits % 2, 1, -1))
    np.testing.assert_array_equal(task.targets[:, 1], np.where(digits >= 5, 1, -1))
    np.testing.assert_array_equal(task.targets, task.factors[task.labels])
    np.testing.assert_array_equal(np.bincount(task.labels), [11, 10, 10, 10])
    assert task.class_names == ("even low", "even high", "odd low", "odd high")
    assert task.target_names == task.factor_names == ("parity", "magnitude")
    assert len(set(digits.tolist())) == 10


def test_parity_and_magnitude_of_some_digits() -> None:
    task = tasks.digits(samples=8, classes="1,2,7,8", labels="parity-magnitude")
    assert task.provenance["original_labels"] == ["1", "2", "7", "8"]
    with pytest.raises(InvalidInput, match="no even high digit"):
        parity_magnitude([0, 1, 2, 7])


def test_digits_refuse() -> None:
    with pytest.raises(InvalidInput, match="2000 training samples were asked for, but only"):
        tasks.digits(samples=2000)
    with pytest.raises(InvalidInput, match="'12', which is not a label"):
        tasks.digits(classes=[1, 12])
    with pytest.raises(InvalidInput, match="2 samples cannot cover 3 classes"):
        tasks.digits(samples=2)
    with pytest.raises(InvalidInput, match="of the digits task is classes or parity-magnitude, not xor"):
        tasks.digits(labels="xor")


def test_read_idx(tmp_path: Path) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255])))
    np.testing.assert_array_equal(read_idx(path), [[1, 2, 3], [4, 5, 255]])


def test_cifar10_of_the_official_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are read in order, colours become the last axis, and test images are the official ones."""
    images = np.random.default_rng(0).integers(0, 256, (6, 32, 32, 3), dtype=np.uint8)
    labels = np.array([1, 0, 0, 1, 0, 1])
    rows = np.concatenate([labels[:, None], images.transpose(0, 3, 1, 2).reshape(6, -1)], axis=1).astype(np.uint8)
    path = tmp_path / "cifar-10-binary.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        for name, part in (("data_batch_2", rows[2:4]), ("test_batch", rows[4:]), ("data_batch_1", rows[:2])):
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}.bin")
            member.size = part.nbytes
            tar.addfile(member, io.BytesIO(part.tobytes()))
    module = importlib.import_module("codingschemes.tasks.cifar10")
    monkeypatch.setattr(module, "BINARY", replace(module.BINARY, sha256=sha256_of(path)))
    monkeypatch.setenv(VARIABLE, str(tmp_path))

    task = tasks.cifar10(samples=4, classes="automobile,airplane", test=2, preprocess="none")
    assert task.provenance["source"] == "CIFAR-10 training images"
    assert task.provenance["test_source"] == "CIFAR-10 test images"
    assert set(task.provenance["train_rows"][:2]) == {0, 3}
    np.testing.assert_array_equal(task.inputs, images[task.provenance["train_rows"]].reshape(4, -1))
    np.testing.assert_array_equal(task.test_inputs, images[[5, 4]].reshape(2, -1))


@pytest.mark.real_data
def test_mnist(mnist_task: Task) -> None:
    assert mnist_task.inputs.shape == (200, 784)
    np.testing.assert_array_equal(np.bincount(mnist_task.labels), [67, 67, 66])
    np.testing.assert_array_equal(np.bincount(mnist_task.test_labels), [100, 100, 100])
    assert mnist_task.provenance["source"] == "MNIST training images"
    assert mnist_task.provenance["test_source"] == "MNIST test images"
    assert len(mnist_task.provenance["files"]) == 4


@pytest.mark.real_data
def test_mnist_images_go_with_their_labels(mnist_task: Task) -> None:
    """The nearest class mean names most test digits."""
    means = np.stack([mnist_task.inputs[mnist_task.labels == index].mean(axis=0) for index in range(3)])
    distances = np.sum((mnist_task.test_inputs[:, None] - means) ** 2, axis=-1)
    assert np.mean(distances.argmin(axis=1) == mnist_task.test_labels) > 0.7


@pytest.mark.real_data
def test_cifar10_of_the_first_4000(image_folder: Path) -> None:
    task = tasks.cifar10(samples=90, classes="cat,ship", test=30, preprocess="none")
    assert task.provenance["source"] == task.provenance["test_source"] == "CIFAR-10, first 4,000 training images"
    assert not set(task.provenance["train_rows"]) & set(task.provenance["test_rows"])
    with np.load(image_folder / "cifar10_first4000_exact.npz") as arrays:
        rows = task.provenance["train_rows"]
        np.testing.assert_array_equal(arrays["y"][rows], np.repeat([3, 8], 45))
        np.testing.assert_array_equal(arrays["x"][rows].reshape(90, -1), task.inputs)
    by_number = tasks.cifar10(samples=90, classes="3,8", test=30, preprocess="none")
    np.testing.assert_array_equal(by_number.inputs, task.inputs)
    assert by_number.class_names == ("cat", "ship")
