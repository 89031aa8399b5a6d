"""Gaussian processes against theory and brute force, a trained network against the minimum in closed form."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

import codingschemes as cs
from codingschemes.baselines import GaussianProcess, train
from codingschemes.errors import InvalidInput


@pytest.fixture(scope="module")
def digits() -> cs.Posterior:
    return cs.Posterior(cs.tasks.digits(samples=21, test=40), cs.Network("relu", width=30), temperature=1e-3)


def test_at_the_temperature_of_the_run_it_is_the_lazy_theory(digits):
    found, theory = GaussianProcess(digits).predict(1e-3), cs.predict(digits, theory="lazy")
    assert found.outputs == pytest.approx(theory.test_outputs, abs=1e-9)
    assert found.spread[:, 0] ** 2 == pytest.approx(theory.test_variance, abs=1e-9)
    assert GaussianProcess(digits).predict(1e-3, test=False).outputs == pytest.approx(theory.outputs, abs=1e-9)


def test_without_noise_it_interpolates_also_where_inputs_are_dependent(digits):
    inputs = np.concatenate([digits.task.inputs, digits.task.inputs[:3]])
    targets, labels = (np.concatenate([each, each[:3]]) for each in (digits.task.targets, digits.task.labels))
    twice = cs.Posterior(replace(digits.task, inputs=inputs, targets=targets, labels=labels), digits.network)
    for posterior in (digits, twice):
        found = GaussianProcess(posterior).predict(0.0, test=False)
        assert found.outputs == pytest.approx(posterior.task.targets, abs=1e-6)
    assert found.outputs[-3:] == pytest.approx(targets[-3:], abs=1e-6)


@pytest.mark.parametrize("temperature", [1e-6, 1e-3, 0.3])
def test_left_out_samples_are_those_of_regressions_without_them(digits, temperature):
    found = GaussianProcess(digits).left_out(temperature)
    kernel = GaussianProcess(digits)._kernel[:21, :21]
    for index in range(21):
        others = np.delete(np.arange(21), index)
        dual = np.linalg.solve(kernel[np.ix_(others, others)] + temperature * np.eye(20), digits.task.targets[others])
        # both solve systems of this condition
        condition = np.linalg.cond(kernel + temperature * np.eye(21))
        assert found[index] == pytest.approx(kernel[index, others] @ dual, abs=1e3 * condition * np.finfo(float).eps)


def test_the_best_ridge_of_noisy_targets_does_not_depend_on_the_scale_and_no_other_leaves_a_smaller_error(digits):
    noise = 3 * np.random.default_rng(0).normal(size=digits.task.targets.shape)
    noisy = cs.Posterior(replace(digits.task, targets=digits.task.targets + noise), digits.network)
    one, other = GaussianProcess(noisy), GaussianProcess(noisy, scale=1.0)
    assert other.best_temperature == pytest.approx(one.best_temperature / one.scale)
    errors = [
        np.mean((other.left_out(factor * other.best_temperature) - noisy.task.targets) ** 2)
        for factor in (0.1, 0.5, 1.0, 2.0, 10.0)
    ]
    assert np.argmin(errors) == 2


def test_scores_of_a_gaussian_process_are_those_of_its_density(digits):
    found = GaussianProcess(digits, scale=1.0).predict(0.1)
    targets = digits.task.test_targets
    width = np.sqrt(found.spread**2 + 0.1)
    assert found.log_score == pytest.approx(norm.logpdf(targets, found.outputs, width).sum() / len(targets))
    assert found.coverage == pytest.approx(np.mean(np.abs(targets - found.outputs) < norm.ppf(0.95) * width))
    assert found.bias == pytest.approx(np.mean((targets - found.outputs) ** 2))
    assert found.loss.mean == pytest.approx(found.bias + np.mean(found.spread**2))


def test_a_trained_linear_network_is_at_the_minimum_in_closed_form():
    """Weight decay on both layers is the nuclear norm of their product, whose minimum is a soft threshold of singular
    values where inputs are orthonormal (Srebro et al. 2004; Cai et al. 2010)."""
    temperature = 1e-2
    task = cs.tasks.orthogonal(samples=12, ratios=[0.5, 0.25, 0.25])
    posterior = cs.Posterior(task, cs.Network("linear", width=8), temperature=temperature)
    size = posterior.input_kernel()[0, 0]
    assert posterior.input_kernel() == pytest.approx(size * np.eye(12), abs=1e-12)
    gain = posterior.network.readout_scale * np.sqrt(posterior.prior.readout_variance * size)
    left, singular, right = np.linalg.svd(task.targets, full_matrices=False)
    kept = np.maximum(singular / gain - temperature / gain**2, 0)
    assert np.any(kept > 0)
    minimum = np.sum((singular - gain * kept) ** 2) / (2 * temperature) + kept.sum()

    trained = train(posterior)
    # thousands of terms are added up
    round_off = 1e4 * np.finfo(float).eps * minimum
    assert trained.loss == pytest.approx(minimum, abs=round_off)
    # U is at least 1 / T times as convex as half a square in the outputs
    outputs = gain * (left * kept) @ right
    found = trained.predict(test=False)
    assert np.sum((found.outputs - outputs) ** 2) <= 2 * temperature * round_off
    assert found.variance == 0
    assert found.loss.mean == found.bias == pytest.approx(np.mean((task.targets - outputs) ** 2))


def test_the_loss_of_a_trained_network_is_that_of_its_weights(digits):
    """Over all weights, also where there are more of them than samples; with hidden layers and biases."""
    network = cs.Network("relu", width=5, depth=2, bias=True)
    posterior = cs.Posterior(digits.task, network, temperature=0.05, weight_variance=0.7)
    trained = train(posterior, steps=200)
    prior, weights = posterior.prior, trained.weights
    misfit = np.sum((digits.task.targets - trained.predict(test=False).outputs) ** 2) / (2 * prior.temperature)
    below = sum(float(np.sum(np.square(each))) for each in (weights.input, weights.hidden)) / prior.weight_variance
    above = float(np.sum(np.square(weights.readout))) / prior.readout_variance
    assert trained.loss == pytest.approx(misfit + (below + above) / 2)
    assert trained.predict().outputs.shape == (40, 3)


def test_refusals(digits):
    untested = cs.Posterior(cs.tasks.orthogonal(samples=6), cs.Network("linear", width=4))
    for call, words in [
        (lambda: GaussianProcess(digits, scale=0.0), "`scale` is 0.0"),
        (lambda: GaussianProcess(digits).predict(-1.0), "`temperature` is -1.0"),
        (lambda: GaussianProcess(digits).left_out(0.0), "give a positive number"),
        (lambda: GaussianProcess(untested).predict(0.0), "make it with `test`"),
        (lambda: train(digits, steps=0), "at least one step"),
        (lambda: train(untested, steps=1).predict(), "make it with `test`"),
    ]:
        with pytest.raises(InvalidInput, match=words):
            call()
