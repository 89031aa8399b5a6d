"""Inconsistent tasks and broken task files are refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from codingschemes import tasks
from codingschemes.errors import InvalidInput
from codingschemes.tasks.task import Task


@pytest.fixture
def task() -> Task:
    return tasks.orthogonal(samples=6, test=2)


@pytest.mark.usefixtures("without_type_checks")
def test_refuse_inconsistent_tasks(task: Task) -> None:
    changes = {
        "6 inputs came with 5 labels": {"labels": task.labels[1:]},
        "2 test inputs came with 1 labels": {"test_labels": task.test_labels[1:]},
        "do not fit 7 features": {"inputs": task.inputs[:, 1:]},
        "3 outputs": {"test_targets": task.test_targets[:, 1:]},
        "labels must be whole numbers from 0 to 2": {"labels": task.labels + 1},
        "rows of factors": {"factors": np.ones((2, 2))},
        "2 names do not fit 1 factors": {"factors": np.ones((3, 1)), "factor_names": ("a", "b")},
        "1 names do not fit 0 factors": {"factor_names": ("a",)},
        "the inputs hold NaN": {"inputs": task.inputs * np.nan},
        "the test inputs hold NaN": {"test_inputs": task.test_inputs * np.inf},
        "the targets hold NaN": {"test_targets": task.test_targets * np.nan},
        "no training sample belongs to the class 2": {"labels": np.minimum(task.labels, 1)},
        "inputs are constant": {"inputs": np.zeros_like(task.inputs)},
    }
    for message, change in changes.items():
        with pytest.raises(InvalidInput, match=message):
            replace(task, **change)


def test_one_sample_is_a_task() -> None:
    assert tasks.orthogonal(samples=1, classes=1).sample_count == 1


def test_saved_name_is_kept(task: Task, tmp_path: Path) -> None:
    task.save(tmp_path / "no suffix")
    assert [path.name for path in tmp_path.iterdir()] == ["no suffix"]
    assert Task.load(str(tmp_path / "no suffix")).provenance == task.provenance


@pytest.mark.usefixtures("without_type_checks")
def test_refuse_broken_files(task: Task, tmp_path: Path) -> None:
    path = tmp_path / "task.npz"
    with pytest.raises(InvalidInput, match="there is no file"):
        Task.load(path)
    task.save(path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InvalidInput, match=r"not a complete \.npz file"):
        Task.load(path)

    task.save(path)
    with np.load(path) as archive:
        arrays = dict(archive)
    assert all(not array.dtype.hasobject for array in arrays.values())
    for change, message in (
        ({"labels": task.labels.astype(float)}, "labels is not an array of int64"),
        ({"inputs": task.inputs[0]}, "inputs is not an array of float64 with 2 dimensions"),
        ({"words": np.array("{")}, "not a task"),
        ({"words": np.array("{}")}, "not a task"),
        ({"words": np.array("[]")}, "not a task"),
        ({"targets": task.targets[1:]}, "6 inputs came with 6 labels and 5 targets"),
    ):
        np.savez(path, **(arrays | change))
        with pytest.raises(InvalidInput, match=message):
            Task.load(path)
    del arrays["targets"]
    np.savez(path, **arrays)
    with pytest.raises(InvalidInput, match="no array 'targets'"):
        Task.load(path)
