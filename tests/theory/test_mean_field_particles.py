"""Particles and test inputs: against quadrature where both reach, and against sampled networks."""

import numpy as np
import pytest
from theory_problems import fractions_of, sample_networks, toy_posterior

import codingschemes as cs
from codingschemes.theory import Annealing, predict

COPIED = [0, 30]
HELD = {"110": 0.35, "101": 0.35, "011": 0.3}


@pytest.fixture(scope="module")
def both():
    posterior = toy_posterior(samples=36, width=60, temperature=2e-4, test=4)
    task = posterior.task
    tests = np.concatenate([task.test_inputs[:2], task.inputs[COPIED]])
    task = task.with_inputs(task.inputs, tests, "two test inputs copied")
    posterior = cs.Posterior(task, posterior.network, temperature=2e-4)
    return (
        predict(posterior, code_fractions=HELD),
        predict(posterior, code_fractions=HELD, method="particles", particles=1000),
    )


def test_particles_agree_with_quadrature(both):
    exact, particles = both
    assert exact.certificate.holds
    assert particles.certificate.holds
    assert np.allclose(particles.outputs, exact.outputs, atol=0.01)
    blocks = [each.to_json()["kernel"] for each in both]
    assert np.allclose(blocks[1]["between"], blocks[0]["between"], atol=0.015)
    shares = fractions_of(particles)
    for code, share in HELD.items():  # single particles find other codes once they are let go
        assert shares[code] == pytest.approx(share, abs=0.01)
    for group in exact.codes:
        other = next(each for each in particles.codes if each.name == group.name)
        # 500 particles a code with readouts of order s/sqrt(500) apart, amplified by the soft directions of t
        assert np.allclose(other.activity, group.activity, atol=0.03)
        assert np.allclose(other.readout, group.readout, atol=0.15)


def test_rounds_and_tolerance_are_those_given(both):
    _, settled = both
    rounds = Annealing(cooling=2, settling=1, corrections=0, measuring=2, tolerance=1e-3)
    hasty = predict(settled.posterior, code_fractions=HELD, method="particles", particles=1000, annealing=rounds)
    assert hasty.certificate.tolerance == 1e-3
    assert hasty.certificate.gap > max(settled.certificate.gap, 1e-3)
    assert not hasty.certificate.holds


def test_test_predictions_agree(both):
    exact, particles = both
    assert np.allclose(particles.test_outputs, exact.test_outputs, atol=0.03)
    assert np.allclose(particles.test_variance, exact.test_variance, rtol=0.3)


def test_orthogonal_test_inputs_see_the_mean_readout(both):
    """Their preactivation is independent of everything: f = <a> <phi>, <phi> = 1/2."""
    exact, _ = both
    assert np.allclose(exact.test_outputs[:2], 0.5 * exact.details.mean_readout, atol=2e-3)


def test_a_training_input_tested_gets_its_output(both):
    for prediction in both:
        # thousands of neurons, a tenth of whose noise the regression leaves at this temperature
        assert np.allclose(prediction.test_outputs[2:], prediction.outputs[COPIED], atol=5e-3)


def test_against_sampled_networks():
    """N = 60, P = 40, two classes: both codes hold half of the neurons from any start, so that nothing is frozen."""
    task = cs.tasks.orthogonal(samples=40, ratios=(0.5, 0.5))
    posterior = cs.Posterior(task, cs.Network("sigmoid", width=60), temperature=1e-3, readout_variance=0.05)
    prediction = predict(posterior)
    outputs, kernels = sample_networks(posterior, sweeps=450)
    half = task.labels == 0
    for sampled, predicted in (
        (outputs[:, half].mean(axis=1), prediction.outputs[half].mean(axis=0)),
        (kernels[:, half][:, :, ~half].mean(axis=(1, 2)), prediction.kernel[half][:, ~half].mean()),
    ):
        batches = sampled.reshape(6, 50, *sampled.shape[1:]).mean(axis=1)
        error = batches.std(axis=0) / np.sqrt(5)
        # Monte Carlo error, and corrections of relative order 1/N
        assert np.all(np.abs(batches.mean(axis=0) - predicted) < 4 * error + predicted / 60)
    assert prediction.outputs[0, 0] < 0.9  # the temperature is felt, so that the agreement says something


@pytest.mark.real_data
def test_images(image_folder):
    task = cs.tasks.mnist(samples=36, classes=(3, 5, 8), test=9)  # shapes that are compiled already
    posterior = cs.Posterior(task, cs.Network("sigmoid", width=100), temperature=2e-4)
    prediction = predict(posterior, particles=1000)
    assert prediction.certificate.holds
    assert prediction.scheme.label == "redundant"
    assert not all(assumption.holds for assumption in prediction.assumptions)  # frozen fractions
    assert np.array_equal(prediction.outputs.argmax(axis=1), task.labels)
    assert prediction.certificate.bounds["output_error"] < 0.004 * np.sqrt(prediction.outputs.size)
    assert np.all(np.isfinite(prediction.test_variance))
