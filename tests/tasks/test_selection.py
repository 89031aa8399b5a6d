"""Balanced draws without replacement."""

import numpy as np
import pytest

from codingschemes.errors import InvalidInput
from codingschemes.tasks.selection import (
    LabelledSamples,
    balanced_counts,
    choose_labels,
    draw_balanced,
    draw_task,
    one_hot_labelling,
)
from codingschemes.tasks.task import Task


@pytest.mark.parametrize(
    ("samples", "available", "expected"),
    [
        (10, [50, 50, 50], [4, 3, 3]),
        (10, [50, 1, 50], [5, 1, 4]),
        (10, [2, 1, 50], [2, 1, 7]),
        (0, [5, 5], [0, 0]),
        (10, [5, 5], [5, 5]),
        (4, [0, 5], [0, 4]),
    ],
)
def test_balanced_counts(samples: int, available: list[int], expected: list[int]) -> None:
    np.testing.assert_array_equal(balanced_counts(samples, np.array(available)), expected)


def test_draw_balanced() -> None:
    classes = np.random.default_rng(0).integers(-1, 3, size=200)
    rows = draw_balanced(classes, 60, 3, "training", np.random.default_rng(1))
    assert len(set(rows.tolist())) == 60
    np.testing.assert_array_equal(classes[rows], np.repeat([0, 1, 2], 20))


def numbered(labels: list[int]) -> LabelledSamples:
    """Samples whose only feature is their row number."""
    return LabelledSamples(np.arange(len(labels)), np.array(labels), "numbered")


def draw(samples: int | None, test: int, held_out: LabelledSamples | None = None) -> Task:
    labelling = one_hot_labelling(("a", "b", "c"), [2, 0])
    return draw_task("numbered", numbered([0, 1, 2] * 20), held_out, labelling, samples, test, 0, {})


def test_test_samples_are_not_trained_on() -> None:
    task = draw(samples=15, test=25)
    assert task.class_names == ("c", "a")
    rows = np.concatenate([task.inputs, task.test_inputs])[:, 0]
    assert len(set(rows)) == 40
    np.testing.assert_array_equal(rows % 3, [2] * 8 + [0] * 7 + [2] * 12 + [0] * 13)
    assert task.provenance["train_rows"] + task.provenance["test_rows"] == rows.tolist()


def test_all_samples_that_are_not_held_out() -> None:
    task = draw(samples=None, test=10)
    assert sorted(task.provenance["train_rows"] + task.provenance["test_rows"]) == [
        row for row in range(60) if row % 3 != 1
    ]


def test_training_set_does_not_depend_on_the_test_set() -> None:
    np.testing.assert_array_equal(draw(samples=15, test=25).inputs, draw(samples=15, test=0).inputs)


def test_held_out_samples() -> None:
    task = draw(samples=None, test=4, held_out=numbered([0, 0, 2, 2, 1]))
    assert task.sample_count == 40
    assert sorted(task.test_inputs[:, 0]) == [0, 1, 2, 3]


def test_too_few() -> None:
    with pytest.raises(InvalidInput, match="41 training samples were asked for, but only 40"):
        draw(samples=41, test=0)
    with pytest.raises(InvalidInput, match="11 test samples were asked for, but only 10"):
        draw(samples=30, test=11)
    with pytest.raises(InvalidInput, match="1 samples cannot cover 2 classes"):
        draw(samples=1, test=0)
    with pytest.raises(InvalidInput, match="0 samples cannot cover 2 classes"):
        draw(samples=None, test=40)


def test_choose_labels() -> None:
    names, numbers = ("cat", "dog", "frog"), ("0", "1", "2")
    assert choose_labels(2, names, numbers) == [0, 1]
    assert choose_labels(["frog", "cat"], names, numbers) == [2, 0]
    assert choose_labels([2, "cat"], names, numbers) == [2, 0]
    with pytest.raises(InvalidInput, match="'cow', which is not a label: choose from cat, dog, frog"):
        choose_labels(["cow"], names, numbers)
    with pytest.raises(InvalidInput, match="4 classes, but there are 3"):
        choose_labels(4, names, numbers)
    with pytest.raises(InvalidInput, match="twice"):
        choose_labels([0, "cat"], names, numbers)


def test_numbers_that_are_not_classes() -> None:
    with pytest.raises(InvalidInput, match="too many"):
        one_hot_labelling(tuple(map(str, range(5000))), list(range(5000)))
