"""What every registered task must do."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codingschemes.errors import InvalidInput
from codingschemes.tasks import OPTIONS, TASKS, Task, make_task

EXAMPLES: dict[str, dict[str, Any]] = {
    "orthogonal": {"samples": 12, "ratios": [0.5, 0.25, 0.25], "test": 5},
    "hypercube": {"labels_dim": 2, "repeats": 3, "inputs": "aligned"},
    "parity": {"dimension": 6, "relevant": 2, "samples": 20, "test": 9},
    "context": {"stimuli": 3, "repeats": 1, "inputs": "clustered"},
    "teacher": {"dimension": 4, "samples": 15, "teacher_activation": "tanh", "noise": 0.1, "test": 6},
    "digits": {"samples": 20, "classes": "0,1", "test": 6},
    "mnist": {"samples": 20, "classes": 2},
    "cifar10": {"samples": 20, "classes": "cat,dog", "test": 6},
    "npz": {"samples": 9, "test": 6},
}
NEED_IMAGES = {"mnist", "cifar10"}


@pytest.fixture(params=[pytest.param(n, marks=[pytest.mark.real_data] * (n in NEED_IMAGES)) for n in TASKS])
def name(request: pytest.FixtureRequest) -> str:
    if request.param in NEED_IMAGES:
        request.getfixturevalue("image_folder")
    return request.param


@pytest.fixture
def options(name: str, arrays_file: Path) -> dict[str, Any]:
    return EXAMPLES[name] | ({"data": str(arrays_file)} if name == "npz" else {})


def assert_same(task: Task, other: Task) -> None:
    for field in ("inputs", "targets", "labels", "test_inputs", "test_targets", "test_labels", "factors"):
        np.testing.assert_array_equal(getattr(task, field), getattr(other, field))
    for field in ("name", "class_names", "target_names", "factor_names", "levels", "provenance"):
        assert getattr(task, field) == getattr(other, field)


def test_every_task_has_an_example() -> None:
    assert set(EXAMPLES) == set(TASKS)


def test_every_option_has_one_meaning_and_a_default_that_is_allowed() -> None:
    for entry in TASKS.values():
        for option, default in entry.options.items():
            if isinstance(default, int | float | str):
                assert OPTIONS[option].parse(default) == default
        assert {"seed", "preprocess"} <= set(entry.options)
        assert entry.summary


def test_protocol(name: str, options: dict[str, Any], tmp_path: Path) -> None:
    task = make_task(name, **options)

    assert task.name == name
    for side in ("", "test_"):
        inputs, targets, labels = (getattr(task, side + field) for field in ("inputs", "targets", "labels"))
        assert inputs.dtype == targets.dtype == np.float64
        assert labels.dtype == np.int64
        assert inputs.shape == (len(labels), task.inputs.shape[1])
        assert targets.shape == (len(labels), len(task.target_names))
    assert np.all(np.diff(task.labels) >= 0)
    assert len(task.test_inputs) == options.get("test", 0)
    if task.one_hot:
        np.testing.assert_array_equal(task.targets, np.eye(task.class_count)[task.labels])

    # It can be stored, and its provenance is JSON that makes it again.
    task.save(tmp_path / "task.npz")
    assert_same(task, Task.load(tmp_path / "task.npz"))
    recorded = json.loads(json.dumps(task.provenance))
    assert recorded == task.provenance
    assert_same(task, make_task(name, **recorded["options"]))


@pytest.mark.parametrize("name", [n for n in TASKS if n not in NEED_IMAGES])
def test_seeds_give_different_tasks(name: str, options: dict[str, Any]) -> None:
    first, second = (make_task(name, **options, seed=seed) for seed in (0, 1))
    assert not np.array_equal(first.inputs, second.inputs)


def test_scaling_of_the_literature() -> None:
    assert {name: entry.scaling for name, entry in TASKS.items() if entry.scaling != "mean-field"} == {
        "hypercube": "none",
        "context": "none",
    }


def test_unknown_task_and_option() -> None:
    with pytest.raises(InvalidInput, match="did you mean 'mnist'"):
        make_task("minst")
    with pytest.raises(InvalidInput, match=r"hypercube does not take `ratios`: it takes `labels_dim`, `repeats`"):
        make_task("hypercube", ratios=[1.0])
    with pytest.raises(InvalidInput, match="npz needs `data`"):
        make_task("npz", data=None)


def test_none_means_not_given() -> None:
    assert make_task("hypercube", repeats=None, ratios=None).sample_count == 16
