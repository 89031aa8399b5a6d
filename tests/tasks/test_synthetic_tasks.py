"""Orthogonal and hypercube tasks have the Gram matrices that their theories assume."""

import numpy as np
import pytest

from codingschemes import tasks
from codingschemes.errors import InvalidInput
from codingschemes.tasks.orthogonal import class_counts


def test_orthogonal_inputs() -> None:
    task = tasks.orthogonal(samples=20, ratios=[0.5, 0.25, 0.25], test=10, seed=3)
    rows = np.concatenate([task.inputs, task.test_inputs])
    assert rows.shape == (30, 30)
    np.testing.assert_allclose(rows @ rows.T / 30, np.eye(30), atol=1e-13)
    np.testing.assert_array_equal(np.bincount(task.labels), [10, 5, 5])
    assert task.class_names == ("0", "1", "2")
    assert task.factors is None


@pytest.mark.parametrize(
    ("samples", "shares", "smallest", "expected"),
    [
        (100, [1, 1, 1], 1, [34, 33, 33]),
        (10, [0.5, 0.25, 0.25], 1, [5, 3, 2]),
        (7, [0.6, 0.3, 0.1], 1, [4, 2, 1]),
        (5, [0.96, 0.02, 0.02], 1, [3, 1, 1]),
        (1, [0.5, 0.5], 0, [1, 0]),
        (0, [0.5, 0.5], 0, [0, 0]),
    ],
)
def test_class_counts(samples: int, shares: list[float], smallest: int, expected: list[int]) -> None:
    np.testing.assert_array_equal(class_counts(samples, np.array(shares), smallest), expected)


def test_orthogonal_refuses() -> None:
    with pytest.raises(InvalidInput, match="2 samples cannot cover 3 classes"):
        tasks.orthogonal(samples=2)
    with pytest.raises(InvalidInput, match="`ratios` has 2 numbers for 3 classes"):
        tasks.orthogonal(classes=3, ratios=[0.5, 0.5])
    with pytest.raises(InvalidInput, match="how many classes"):
        tasks.orthogonal(classes=[0, 1])
    with pytest.raises(InvalidInput, match="at most 10000"):
        tasks.orthogonal(samples=10**12)


@pytest.mark.parametrize("repeats", [1, 3])
@pytest.mark.parametrize(
    ("inputs", "labels_dim"),
    [(i, d) for i in ("whitened", "aligned", "clustered") for d in (1, 2, 3)] + [("anisotropic", d) for d in (2, 3)],
)
def test_hypercube_gram(inputs: str, labels_dim: int, repeats: int) -> None:
    g = 2.0
    task = tasks.hypercube(labels_dim=labels_dim, repeats=repeats, inputs=inputs, alignment=g, seed=1)
    samples = repeats * 2**labels_dim
    label_kernel = task.targets @ task.targets.T
    same_class = np.kron(np.eye(2**labels_dim), np.ones((repeats, repeats)))
    eigenvalues = np.geomspace(1 / 3, 3, labels_dim) - 1
    expected = {
        "whitened": np.eye(samples),
        "aligned": np.eye(samples) + g * label_kernel,
        "clustered": (same_class + g * np.eye(samples)) / (1 + g),
        "anisotropic": np.eye(samples) + task.targets @ np.diag(eigenvalues) @ task.targets.T / samples,
    }[inputs]
    np.testing.assert_allclose(task.inputs @ task.inputs.T, expected, atol=1e-11)


def test_hypercube_eigenvalues_on_labels() -> None:
    """Along the labels and along 1, with the constant input of a bias added as in the table of the theory."""
    g, n, samples = 0.5, 4, 16
    ones = np.ones(samples)
    s = 1 / (1 + g)
    expected = {
        "whitened": (1 + samples, 1, 1),
        "aligned": (1 + samples, 1 + g * samples, 1 + g * samples),
        "clustered": (s * n + s * g + samples, s * n + s * g, s * n + s * g),
        "anisotropic": (1 + samples, 1 / (1 + g), 1 + g),
    }
    for inputs, values in expected.items():
        task = tasks.hypercube(inputs=inputs, alignment=g)
        kernel = task.inputs @ task.inputs.T + np.outer(ones, ones)
        for direction, value in zip((ones, *task.targets.T), values, strict=True):
            np.testing.assert_allclose(kernel @ direction, value * direction, atol=1e-11)


def test_hypercube_labels() -> None:
    task = tasks.hypercube(labels_dim=2, repeats=2)
    assert task.class_names == ("--", "-+", "+-", "++")
    assert task.target_names == ("label 1", "label 2")
    assert not task.one_hot
    np.testing.assert_array_equal(task.factors, [[-1, -1], [-1, 1], [1, -1], [1, 1]])
    np.testing.assert_array_equal(task.targets, task.factors[task.labels])
    np.testing.assert_array_equal(task.labels, [0, 0, 1, 1, 2, 2, 3, 3])


def test_hypercube_refuses() -> None:
    with pytest.raises(InvalidInput, match="too many"):
        tasks.hypercube(labels_dim=2, repeats=10**9)
    with pytest.raises(InvalidInput, match="`labels_dim`"):
        tasks.hypercube(labels_dim=1, inputs="anisotropic")
