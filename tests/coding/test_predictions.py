"""What is said of outputs: errors of classification only where there are any."""

import numpy as np
import pytest

from codingschemes.coding.predictions import Estimate, Predictions


def test_held_out_errors_come_with_their_binomial_error() -> None:
    found = Predictions(np.zeros((100, 1)), np.zeros((100, 1)), 0.1, 0.8, Estimate(0.02, 0.001))
    assert found.error_se == pytest.approx(np.sqrt(0.1 * 0.9 / 100 + 1 / (4 * 100**2)) / (1 + 1 / 100))
    assert "10.0% +- 3.0% (binomial, of 100)" in found.words(held_out=True)
    assert "+-" not in found.words()
    shared = Predictions(np.zeros((100, 1)), np.zeros((100, 1)), float("nan"), 0.8, Estimate(0.02, 0.001))
    assert shared.words() == "R^2 0.8, loss 0.02; no error of classification, as no class has a target of its own"
    assert shared.to_json()["classified"] is False
    faultless = Predictions(np.zeros((300, 1)), np.zeros((300, 1)), 0.0, 0.9, Estimate(0.02, 0.001))
    assert faultless.error_se == pytest.approx(1 / 602)
    assert "error 0.0% +- 0.2% (binomial, of 300)" in faultless.words(held_out=True)
