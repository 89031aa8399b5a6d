"""Particles and test inputs: against quadrature where both reach, and against sampled networks."""

import numpy as np
import pytest
from theory_problems import fitted_noise, fractions_of, regressed_error, sample_networks, standard_error, toy_posterior

import codingschemes as cs
from codingschemes.theory import Annealing, predict
from codingschemes.theory.mean_field.solution import DRAWN
from codingschemes.theory.mean_field.solvers.tilted import _MORE, _STABLE

COPIED = [0, 30]
HELD = {"110": 0.35, "101": 0.35, "011": 0.3}
TAU = 60 * 2e-4
PARTICLES = 1000


@pytest.fixture(scope="module")
def both():
    posterior = toy_posterior(samples=36, width=60, temperature=2e-4, test=4)
    task = posterior.task
    tests = np.concatenate([task.test_inputs[:2], task.inputs[COPIED]])
    task = task.with_inputs(task.inputs, tests, "two test inputs copied")
    posterior = cs.Posterior(task, posterior.network, temperature=2e-4)
    return (
        predict(posterior, code_fractions=HELD),
        predict(posterior, code_fractions=HELD, method="particles", particles=PARTICLES),
    )


def codes_of(neurons):
    return neurons.activity > 0.5


def test_particles_agree_with_quadrature(both):
    exact, particles = both
    assert exact.certificate.holds
    assert particles.certificate.holds
    # the certificate bounds the error of all outputs together
    assert np.linalg.norm(particles.outputs - exact.outputs) < particles.certificate.bounds["output_error"]
    assert particles.certificate.gap < fitted_noise(particles.outputs.size, PARTICLES)
    # all else: four standard errors of means over particles, from how they spread within codes
    neurons, codes = particles.neurons, codes_of(particles.neurons)
    between = [np.array(each.to_json()["kernel"]["between"]) for each in both]
    products = neurons.activity[:, :, None] * neurons.activity[:, None, :]
    assert np.all(np.abs(between[1] - between[0]) < 4 * standard_error(products, PARTICLES, codes))
    shares = fractions_of(particles)
    for code, share in HELD.items():  # particles that find other codes once they are let go are this few
        assert shares[code] == pytest.approx(share, abs=_STABLE)
    for group in exact.codes:
        other = next(each for each in particles.codes if each.name == group.name)
        those = np.all(codes == [bit == "1" for bit in group.name], axis=1)
        for name in ("activity", "readout"):
            error = standard_error(getattr(neurons, name)[those], shares[group.name] * PARTICLES)
            assert np.all(np.abs(getattr(other, name) - getattr(group, name)) < 4 * error), name


def test_particles_that_jump_have_the_numbers_in_codes_of_equilibrium():
    """Twice as many samples in one class: cooling alone freezes 13 % of the particles in its code, not 8."""
    posterior = toy_posterior(samples=36, width=60, temperature=5e-4)
    exact, found = predict(posterior), predict(posterior, method="particles", particles=PARTICLES)
    assert found.certificate.holds
    assert all(assumption.holds for assumption in found.assumptions)
    shares, count = fractions_of(found), _MORE * PARTICLES
    for code, share in fractions_of(exact).items():
        assert shares[code] == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / count))


def test_rounds_and_tolerance_are_those_given(both):
    _, settled = both
    rounds = Annealing(cooling=2, settling=1, corrections=0, measuring=2, tolerance=1e-3)
    hasty = predict(settled.posterior, code_fractions=HELD, method="particles", particles=PARTICLES, annealing=rounds)
    assert hasty.certificate.tolerance == 1e-3
    assert hasty.certificate.gap > max(settled.certificate.gap, 1e-3)
    assert not hasty.certificate.holds


def test_test_predictions_agree(both):
    exact, particles = both
    count = 1 / (1 / PARTICLES + 1 / DRAWN)  # both are means, over particles and over drawn neurons
    # orthogonal inputs see half of the mean readout; the variance of a mean over N neurons is given for all inputs
    errors = (
        standard_error(particles.neurons.readout, count, codes_of(particles.neurons)) / 2,
        np.sqrt(exact.test_variance[2:] * 60 / count),
    )
    for part, error in zip((slice(2), slice(2, None)), errors, strict=True):
        assert np.all(np.abs(particles.test_outputs[part] - exact.test_outputs[part]) < 4 * error)
    # a variance of n draws errs by sqrt(2 / n) of itself
    assert np.allclose(particles.test_variance, exact.test_variance, rtol=4 * np.sqrt(2 / count))


def test_orthogonal_test_inputs_see_the_mean_readout(both):
    """Their preactivation is independent of everything: f = <a> <phi>, <phi> = 1/2."""
    exact, _ = both
    error = 0.5 * standard_error(exact.neurons.readout, DRAWN, codes_of(exact.neurons))
    assert np.all(np.abs(exact.test_outputs[:2] - 0.5 * exact.details.mean_readout) < 4 * error)


def test_a_training_input_tested_gets_its_output(both):
    for prediction, count in zip(both, (DRAWN, PARTICLES), strict=True):
        error = regressed_error(TAU, count)
        assert np.allclose(prediction.test_outputs[2:], prediction.outputs[COPIED], rtol=0, atol=3 * error)


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
    prediction = predict(posterior, particles=PARTICLES)
    assert prediction.certificate.holds
    assert prediction.scheme.label == "redundant"
    assert all(assumption.holds for assumption in prediction.assumptions)  # particles move between codes
    assert np.array_equal(prediction.outputs.argmax(axis=1), task.labels)
    assert prediction.certificate.gap < fitted_noise(prediction.outputs.size, PARTICLES)
    assert np.all(np.isfinite(prediction.test_variance))
