"""What is said of outputs: errors of classification only where there are any."""

import numpy as np
import pytest
from scipy.stats import norm

import codingschemes as cs
from codingschemes.coding.predictions import Estimate, Predictions, _predictions


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


def test_the_loss_of_single_networks_is_bias_and_variance() -> None:
    posterior = cs.Posterior(cs.tasks.digits(samples=12, test=50), cs.Network("relu", width=4), temperature=0.01)
    targets = posterior.task.test_targets
    rng = np.random.default_rng(0)
    shift, spread = 0.3, 0.2
    outputs = targets + shift + spread * rng.normal(size=(4, 200, *targets.shape))
    found = _predictions(outputs, posterior, test=True)
    assert found.networks == 800
    assert found.loss.mean == pytest.approx(np.mean((outputs - targets) ** 2))
    assert found.loss.mean == pytest.approx(found.bias + found.variance)
    assert found.bias == pytest.approx(np.mean((found.outputs - targets) ** 2))
    # independent numbers with a relative error of the root of 2 / (800 x 150)
    assert found.variance == pytest.approx(spread**2, rel=5 * np.sqrt(2 / outputs.size))
    density = norm(shift, np.sqrt(spread**2 + 0.01))
    width = spread / np.sqrt(800)  # of the mean outputs
    assert found.log_score == pytest.approx(3 * density.logpdf(0), abs=3 * 5 * width * shift / (spread**2 + 0.01))
    assert found.coverage == float(abs(shift) <= norm.ppf(0.95) * np.sqrt(spread**2 + 0.01))


def test_chains_that_disagree_give_the_error_an_error() -> None:
    posterior = cs.Posterior(cs.tasks.digits(samples=12, test=50), cs.Network("relu", width=4))
    right = posterior.task.test_targets
    wrong = np.roll(right, 1, axis=1)
    found = _predictions(np.stack([right, wrong, 0.9 * right, 0.9 * wrong])[:, None], posterior, test=True)
    assert found.error_mcse == pytest.approx(np.std([0, 1, 0, 1], ddof=1) / 2)
    assert np.isnan(_predictions(right[None, None], posterior, test=True).error_mcse)
