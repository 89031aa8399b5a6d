"""How options are read: each case is what a user may type."""

from typing import Any

import numpy as np
import pytest

from codingschemes import tasks
from codingschemes.cli.output import in_flags
from codingschemes.errors import InvalidInput
from codingschemes.tasks.options import argument, read_option


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("samples", np.int64(7), 7),
        ("classes", "3", 3),
        ("classes", 3, 3),
        ("classes", "0,1, 2", [0, 1, 2]),
        ("classes", (3, np.int64(5)), [3, 5]),
        ("classes", "cat,dog", ["cat", "dog"]),
        ("classes", "cat", ["cat"]),
        ("classes", ["01", "-1"], ["01", -1]),
        ("ratios", ".5,.25,.25", [0.5, 0.25, 0.25]),
        ("ratios", np.array([0.75, 0.25]), [0.75, 0.25]),
        ("alignment", 2, 2.0),
    ],
)
def test_read(name: str, value: Any, expected: Any) -> None:
    read = read_option(name, value)
    assert read == expected
    assert type(read) is type(expected)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("samples", 0),
        ("samples", -3),
        ("samples", 2.5),
        ("samples", "many"),
        ("samples", True),
        ("test", -1),
        ("seed", -1),
        ("classes", 0),
        ("classes", "0"),
        ("classes", ""),
        ("classes", "1,,2"),
        ("classes", "1,1"),
        ("classes", [1.5, 2.5]),
        ("ratios", "1/2,1/2"),
        ("ratios", [0.5, 0.4]),
        ("ratios", [1.5, -0.5]),
        ("ratios", [float("nan"), 1.0]),
        ("ratios", []),
        ("alignment", -1.0),
        ("alignment", float("inf")),
        ("labels_dim", 0),
        ("labels_dim", 30),
        ("inputs", "white"),
        ("labels", "parity"),
        ("dimension", 0),
        ("relevant", 11),
        ("stimuli", 1),
        ("teacher_activation", 3),
        ("teacher_width", 0),
        ("noise", -1.0),
        ("preprocess", "whiten"),
        ("data", 3),
    ],
)
def test_refuse(name: str, value: Any) -> None:
    with pytest.raises(InvalidInput, match=f"{argument(name)} takes .*, not "):
        read_option(name, value)


def test_flags_are_what_people_type() -> None:
    assert in_flags(argument("labels_dim")) == "--labels-dim"
    assert in_flags(argument("seed")) == "--task-seed"  # --seed is the sampler's


def test_constructors_read_their_options() -> None:
    with pytest.raises(InvalidInput, match="`samples` takes a whole number of at least 1, not -5"):
        tasks.orthogonal(samples=-5)
    task = tasks.orthogonal(4, classes="2")
    assert task.provenance["options"] == {
        "samples": 4,
        "classes": 2,
        "ratios": None,
        "test": 0,
        "preprocess": "none",
        "seed": 0,
    }
