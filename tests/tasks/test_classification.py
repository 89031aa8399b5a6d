"""Errors of classification, only where there are any."""

import numpy as np

from codingschemes.tasks.classification import classification_error

CORNERS = np.array([[-1.0, -1], [-1, 1], [1, -1], [1, 1]])
XOR = CORNERS.prod(axis=1, keepdims=True)
LABELS = np.arange(8) % 4


def test_classes_that_share_a_target_are_not_told_apart() -> None:
    assert np.isnan(classification_error(XOR[LABELS], LABELS, XOR))
    assert np.isnan(classification_error(XOR[LABELS], LABELS, XOR + 1e-13 * CORNERS[:, :1]))
    assert classification_error(CORNERS[LABELS], LABELS, CORNERS) == 0


def test_an_error_counts_outputs_nearest_to_another_class() -> None:
    outputs = CORNERS[LABELS].copy()
    outputs[0] = [0.2, -1]
    assert classification_error(outputs, LABELS, CORNERS) == 1 / 8
