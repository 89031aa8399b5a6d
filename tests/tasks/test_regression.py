"""Targets that are real numbers: a teacher's, and own ones without labels."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from codingschemes import tasks
from codingschemes.errors import InvalidInput
from codingschemes.tasks.levels import level_edges, level_names, levels_of

X = np.random.default_rng(0).standard_normal((12, 5))
Y = X @ np.arange(5.0)


def test_a_teacher_interpolates_what_it_said() -> None:
    """Its hidden activities, from the same seed, fit training and test targets with the readout that it has."""
    task = tasks.teacher(6, samples=40, teacher_activation="tanh", teacher_width=4, test=30, seed=3)
    generator = np.random.default_rng(3)
    weights, readout = generator.standard_normal((4, 6)), generator.standard_normal((4, 1))
    said, said_of_test = (np.tanh(each @ weights.T / np.sqrt(6)) @ readout for each in (task.inputs, task.test_inputs))
    size = np.sqrt(np.mean(said**2))
    np.testing.assert_allclose(task.targets, said / size, atol=1e-13)
    np.testing.assert_allclose(task.test_targets, said_of_test / size, atol=1e-13)


def test_a_linear_teacher_is_linear_but_for_the_noise() -> None:
    task, noisy = (
        tasks.teacher(8, samples=500, teacher_activation="linear", noise=noise, test=20, seed=1) for noise in (0, 0.3)
    )
    np.testing.assert_array_equal(np.sort(noisy.test_targets[:, 0]), np.sort(task.test_targets[:, 0]))
    fit = LinearRegression(fit_intercept=False).fit(task.inputs, task.targets)
    assert fit.score(task.inputs, task.targets) == pytest.approx(1, abs=1e-12)
    residual = noisy.targets - fit.predict(noisy.inputs)
    assert abs(np.mean(residual**2) / 0.3**2 - 1) < 4 * np.sqrt(2 / 500)


def test_levels_are_thirds_that_are_named_so() -> None:
    task = tasks.teacher(samples=60, test=30)
    assert (task.levels, task.class_names, task.factors) == (True, ("low", "middle", "high"), None)
    assert "3 levels of the target" in repr(task)
    assert "levels of the target (samples)" in task._repr_html_()
    np.testing.assert_array_equal(np.bincount(task.labels), [20, 20, 20])
    bounds = [task.targets[task.labels == level] for level in range(3)]
    assert bounds[0].max() < bounds[1].min() <= bounds[1].max() < bounds[2].min()
    assert all(task.test_targets[task.test_labels == 2] >= bounds[2].min())
    assert not tasks.orthogonal(samples=6).levels


@pytest.mark.parametrize(
    ("values", "sizes"),
    [([0, 0, 0, 1, 1, 1], [3, 3]), ([0, 1], [1, 1]), ([5, 5], [2]), ([3, 1, 2], [1, 1, 1]), ([0, 0, 0, 0, 9], [5])],
)
def test_equal_targets_are_of_one_level(values: list[float], sizes: list[int]) -> None:
    targets = np.array(values, dtype=float)
    edges = level_edges(targets)
    assert np.bincount(levels_of(targets, edges)).tolist() == sizes
    assert len(level_names(1 + len(edges))) == len(sizes)


def test_own_targets_without_labels(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    np.savez(path, x=X, targets=Y, test_x=X[:4], test_targets=Y[:4])
    task = tasks.npz(path, preprocess="none")
    assert (task.levels, task.class_names, task.target_names) == (True, ("low", "middle", "high"), ("target 1",))
    for inputs, targets in ((task.inputs, task.targets), (task.test_inputs, task.test_targets)):
        np.testing.assert_allclose(targets[:, 0], inputs @ np.arange(5.0), atol=1e-12)
    assert (len(task.inputs), len(task.test_inputs)) == (12, 4)
    assert len(tasks.npz(path, samples=6, test=0).inputs) == 6
    with pytest.raises(InvalidInput, match="no `classes` to choose"):
        tasks.npz(path, classes=2)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": X, "targets": Y, "test_x": X}, "no test_targets"),
        ({"x": X, "targets": Y * np.nan}, "targets hold NaN"),
        ({"x": X, "targets": Y.astype(str)}, "targets must hold real numbers"),
        ({"x": X, "targets": Y[:0]}, "targets must hold real numbers"),
        ({"x": X, "targets": Y[:5]}, "12 rows in x and 5"),
        ({"targets": Y}, "no array 'x' or 'inputs'"),
    ],
)
def test_refuse_own_targets(tmp_path: Path, arrays: dict[str, np.ndarray], message: str) -> None:
    np.savez(tmp_path / "mine.npz", **arrays)
    with pytest.raises(InvalidInput, match=message):
        tasks.npz(tmp_path / "mine.npz")


def test_no_teacher_without_its_activation() -> None:
    with pytest.raises(InvalidInput, match="did you mean 'relu'"):
        tasks.teacher(teacher_activation="rellu")


def test_no_teacher_that_says_nothing() -> None:
    silent = next(seed for seed in range(50) if np.random.default_rng(seed).standard_normal(3)[0::2].prod() < 0)
    with pytest.raises(InvalidInput, match="says 0 of every input"):
        tasks.teacher(dimension=1, samples=1, teacher_width=1, seed=silent)
