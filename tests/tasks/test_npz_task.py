"""Arrays that users bring, in good and in bad shape."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codingschemes import tasks
from codingschemes.errors import InvalidInput
from codingschemes.representation import abstraction_scores

X = np.random.default_rng(0).standard_normal((12, 5))
Y = np.repeat([0, 1, 2], 4)


@pytest.fixture
def write(tmp_path: Path) -> Any:
    def write_arrays(**arrays: Any) -> Path:
        path = tmp_path / "mine.npz"
        np.savez(path, **arrays)
        return path

    return write_arrays


def test_images_and_integers(arrays_file: Path) -> None:
    task = tasks.npz(arrays_file, samples=10, classes=[7, 2], test=6, preprocess="none")
    assert task.class_names == ("7", "2")
    with np.load(arrays_file) as arrays:
        rows = task.provenance["train_rows"]
        np.testing.assert_array_equal(task.inputs, arrays["x"][rows].reshape(10, 16))
        np.testing.assert_array_equal(arrays["y"][rows], np.repeat([7, 2], 5))
    assert tasks.npz(arrays_file).class_names == ("2", "5", "7")
    assert tasks.npz(arrays_file).sample_count == 30
    assert tasks.npz(arrays_file, classes=2).class_names == ("2", "5")


def test_words_and_other_names(write: Any) -> None:
    path = write(inputs=X, labels=np.array(["cat", "dog", "ant"])[Y])
    task = tasks.npz(path, classes="dog,cat")
    assert task.class_names == ("dog", "cat")
    assert {row // 4 for row in task.provenance["train_rows"][:4]} == {1}


def test_own_test_samples(write: Any) -> None:
    path = write(x=X, y=Y, test_x=X[:6] + 1, test_y=Y[:6])
    assert len(tasks.npz(path).test_inputs) == 6
    assert len(tasks.npz(path, classes=[0]).test_inputs) == 4
    assert len(tasks.npz(path, test=2).test_inputs) == 2
    assert len(tasks.npz(path, test=0).test_inputs) == 0
    with pytest.raises(InvalidInput, match="7 test samples"):
        tasks.npz(path, test=7)


def test_own_targets(write: Any) -> None:
    task = tasks.npz(write(x=X, y=Y, targets=X[:, :2]), preprocess="none")
    np.testing.assert_array_equal(task.targets, task.inputs[:, :2])
    assert task.target_names == ("target 1", "target 2")
    assert task.factors is None
    assert not task.one_hot


def test_factorised_targets(write: Any) -> None:
    combinations = np.array([[1, 1], [-1, 1], [1, -1], [-1, -1]])
    labels = np.arange(12) % 4
    task = tasks.npz(write(x=X, y=labels, targets=combinations[labels]))
    np.testing.assert_array_equal(task.factors, combinations)
    assert task.factor_names == task.target_names
    assert tasks.npz(write(x=X, y=labels, targets=combinations[labels]), classes=3).factors is None


def test_factors_beside_what_is_learned(write: Any) -> None:
    factors = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])[np.arange(12) % 4]
    xor = np.where(factors[:, 0] == factors[:, 1], -1.0, 1.0)
    path = write(x=X, factors=factors, targets=xor, test_x=X[:5], test_factors=factors[:5], test_targets=xor[:5])
    task = tasks.npz(path, preprocess="none")
    assert task.class_names == ("00", "01", "10", "11")
    assert (task.target_names, task.factor_names) == (("target 1",), ("factor 1", "factor 2"))
    for inputs, targets, labels in (
        (task.inputs, task.targets, task.labels),
        (task.test_inputs, task.test_targets, task.test_labels),
    ):
        rows = [int(np.flatnonzero(np.all(row == X, axis=1))[0]) for row in inputs]
        np.testing.assert_array_equal(targets[:, 0], xor[rows])
        np.testing.assert_array_equal(task.factors[labels], 2 * factors[rows] - 1)
    assert tasks.npz(path, classes="00,01,11").factors.tolist() == [[-1, -1], [-1, 1], [1, 1]]
    assert tasks.npz(write(x=X, factors=factors)).one_hot


def test_factors_of_given_classes(write: Any) -> None:
    """Also of three values, which are two steps; they go before the targets."""
    stimulus, context = np.array([[0, 3], [1, 3], [5, 3], [0, 4], [1, 4], [5, 4]])[np.arange(12) % 6].T
    labels = np.array(["f", "e", "d", "c", "b", "a"])[np.arange(12) % 6]
    path = write(x=X, y=labels, factors=np.column_stack([stimulus, context]).astype(float))
    task = tasks.npz(path)
    assert task.factor_names == ("factor 1 above 0", "factor 1 above 1", "factor 2")
    np.testing.assert_array_equal(
        task.factors, [[1, 1, 1], [1, -1, 1], [-1, -1, 1], [1, 1, -1], [1, -1, -1], [-1, -1, -1]]
    )
    code = np.column_stack([stimulus, context])[task.provenance["train_rows"]]
    assert abstraction_scores(code, task.labels, task.factors).parallelism == pytest.approx(1, abs=1e-12)
    one = tasks.npz(path, classes=["a"])
    assert (one.factors, one.factor_names) == (None, ())
    signs = np.where(np.arange(12) % 2, 1, -1)
    assert tasks.npz(write(x=X, y=signs, targets=signs, factors=-signs)).factors.tolist() == [[1], [-1]]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": X}, "no array 'y' or 'labels': it holds x"),
        ({"y": Y}, "no array 'x' or 'inputs': it holds y"),
        ({"x": X, "y": Y[:-1]}, "12 rows in x and 11 labels in y"),
        ({"x": X, "y": Y + 0.5}, "whole numbers or text, not float64"),
        ({"x": X, "y": np.eye(3)[Y].astype(int)}, "one label a sample"),
        ({"x": X, "y": Y[:, None]}, "one label a sample"),
        ({"x": X[:0], "y": Y[:0]}, "y is empty"),
        ({"x": X[:, :0], "y": Y}, "constant"),
        ({"x": X + 1j, "y": Y}, "real numbers"),
        ({"x": X.astype(str), "y": Y}, "real numbers"),
        ({"x": np.array(1.0), "y": Y}, "real numbers"),
        ({"x": np.where(X > 1, np.nan, X), "y": Y}, "NaN or infinite"),
        ({"x": np.where(X > 1, np.inf, X), "y": Y}, "NaN or infinite"),
        ({"x": np.ones((12, 5)), "y": Y}, "constant"),
        ({"x": np.tile(X[0], (12, 1)), "y": Y}, "constant"),
        ({"x": X, "y": Y.astype(object)}, "pickled Python objects"),
        ({"x": X, "y": Y, "test_x": X}, "no array 'test_y'"),
        ({"x": X, "y": Y, "test_x": X, "test_y": Y + 1}, "test_y holds labels that y does not"),
        ({"x": X, "y": Y, "test_x": X, "test_y": Y.astype(str)}, "test_y holds labels that y does not"),
        ({"x": X, "y": Y, "test_x": X[:, :3], "test_y": Y}, "do not fit"),
        ({"x": X, "y": Y, "targets": X[:3]}, "targets must hold 12 rows"),
        ({"x": X, "y": Y, "targets": X * np.nan}, "targets hold NaN"),
        ({"x": X, "y": Y, "targets": X, "test_x": X, "test_y": Y}, "no test_targets"),
        ({"x": X, "factors": X}, "factors must hold whole numbers"),
        ({"x": X, "factors": X * np.inf}, "factors must hold whole numbers"),
        ({"x": X, "factors": Y[:, None, None]}, "factors must hold whole numbers"),
        ({"x": X, "factors": Y[:0]}, "factors must hold whole numbers"),
        ({"x": X, "factors": Y[:9]}, "factors has 9 rows for 12 inputs"),
        ({"x": X, "factors": np.ones(12)}, "factor 1 takes 1 values, not 2 to 10"),
        ({"x": X, "factors": np.arange(12)}, "factor 1 takes 12 values"),
        ({"x": X, "y": Y, "factors": np.arange(12) % 2}, "class 0 have different factors: leave y out"),
        ({"x": X, "y": Y, "factors": Y > 0}, "two classes have the same factors: leave y out"),
        ({"x": X, "factors": Y, "test_x": X}, "neither test_factors nor test_y"),
        ({"x": X, "factors": Y, "test_x": X, "test_factors": Y + 1}, "no other values of them"),
        ({"x": X, "factors": Y, "test_x": X, "test_factors": np.eye(12)}, "no other values of them"),
    ],
)
@pytest.mark.usefixtures("without_type_checks")
def test_refuse_arrays(write: Any, arrays: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        tasks.npz(write(**arrays))


def test_refuse_options(write: Any) -> None:
    path = write(x=X, y=Y)
    with pytest.raises(InvalidInput, match="2 samples cannot cover 3 classes"):
        tasks.npz(path, samples=2)
    with pytest.raises(InvalidInput, match="13 training samples were asked for, but only 12"):
        tasks.npz(path, samples=13)
    with pytest.raises(InvalidInput, match="'9', which is not a label"):
        tasks.npz(path, classes=[0, 9])


def test_refuse_files(write: Any, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="there is no file"):
        tasks.npz(tmp_path / "missing.npz")
    with pytest.raises(InvalidInput, match="there is no file"):
        tasks.npz(tmp_path)
    whole = write(x=X, y=Y).read_bytes()
    broken = tmp_path / "broken.npz"
    for content in (b"", b"no archive at all", whole[: len(whole) // 2]):
        broken.write_bytes(content)
        with pytest.raises(InvalidInput, match=r"not a complete \.npz file"):
            tasks.npz(broken)
    broken.write_bytes(whole.replace(X.tobytes()[:64], bytes(64)))
    with pytest.raises(InvalidInput, match="damaged"):
        tasks.npz(broken)
    with zipfile.ZipFile(broken, "w") as archive:
        archive.writestr("notes.txt", "words")
    with pytest.raises(InvalidInput, match="it holds no arrays"):
        tasks.npz(broken)


@pytest.mark.real_data
def test_cifar10_as_own_arrays(image_folder: Path) -> None:
    path = image_folder / "cifar10_first4000_exact.npz"
    task = tasks.npz(path, classes=[0, 1, 2], samples=100)
    assert task.inputs.shape == (100, 3072)
    np.testing.assert_array_equal(np.bincount(task.labels), [34, 33, 33])
    np.testing.assert_array_equal(task.inputs, tasks.cifar10(samples=100).inputs)
