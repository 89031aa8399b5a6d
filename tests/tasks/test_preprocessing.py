"""Preprocessing is learned on training inputs alone."""

import numpy as np
import pytest

from codingschemes import tasks
from codingschemes.errors import InvalidInput
from codingschemes.tasks.preprocessing import preprocess


def test_center_and_scale() -> None:
    options = {"samples": 50, "test": 20, "seed": 2}
    raw = tasks.digits(**options, preprocess="none")
    task = tasks.digits(**options)
    mean = raw.inputs.mean(axis=0)
    size = np.sqrt(np.mean((raw.inputs - mean) ** 2))
    np.testing.assert_allclose(task.inputs, (raw.inputs - mean) / size, atol=1e-14)
    np.testing.assert_allclose(task.test_inputs, (raw.test_inputs - mean) / size, atol=1e-14)
    np.testing.assert_allclose(np.mean(np.sum(task.inputs**2, axis=1) / 64), 1)
    assert [step.partition(":")[0] for step in task.provenance["preprocessing"]] == ["center", "scale"]
    assert raw.provenance["preprocessing"] == []


def test_extreme_sizes() -> None:
    task = tasks.orthogonal(samples=6)
    for factor in (1e-250, 1e250):
        scaled = preprocess(task.with_inputs(factor * task.inputs, task.test_inputs, "made extreme"), "scale")
        np.testing.assert_allclose(scaled.inputs, task.inputs)


def test_unknown_step() -> None:
    with pytest.raises(InvalidInput, match="no preprocessing step 'whiten'"):
        preprocess(tasks.orthogonal(samples=6), "scale,whiten")
