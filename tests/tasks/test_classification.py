"""Errors of classification, only where there are any."""

import numpy as np

from codingschemes.tasks.classification import classification_error

CORNERS = np.array([[-1.0, -1], [-1, 1], [1, -1], [1, 1]])
XOR = CORNERS.prod(axis=1, keepdims=True)
LABELS = np.arange(8) % 4


def test_classes_that_share_a_target_are_one_label() -> None:
    for targets in (XOR, XOR + 1e-13 * CORNERS[:, :1]):
        assert classification_error(XOR[LABELS], LABELS, targets) == 0
        assert classification_error(-XOR[LABELS], LABELS, targets) == 1
    outputs = XOR[LABELS].copy()
    outputs[0] = -0.1
    assert classification_error(outputs, LABELS, XOR) == 1 / 8
    assert classification_error(CORNERS[LABELS], LABELS, CORNERS) == 0


def test_one_target_for_all_leaves_nothing_to_tell_apart() -> None:
    assert np.isnan(classification_error(XOR[LABELS], LABELS, np.ones((4, 1))))
    assert classification_error(np.zeros((3, 1)), np.zeros(3, dtype=int), np.ones((1, 1))) == 0


def test_an_error_counts_outputs_nearest_to_another_class() -> None:
    outputs = CORNERS[LABELS].copy()
    outputs[0] = [0.2, -1]
    assert classification_error(outputs, LABELS, CORNERS) == 1 / 8
