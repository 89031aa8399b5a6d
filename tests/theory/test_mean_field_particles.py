"""Particles and test inputs: against quadrature where both reach, and against sampled networks."""

import os

import numpy as np
import pytest
from theory_problems import fractions_of, toy_posterior

import codingschemes as cs
from codingschemes.theory import predict

HELD = {"110": 0.35, "101": 0.35, "011": 0.3}


@pytest.fixture(scope="module")
def both():
    posterior = toy_posterior(samples=36, width=60, temperature=2e-4, test=4)
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


def test_test_predictions_agree(both):
    exact, particles = both
    assert np.allclose(particles.test_outputs, exact.test_outputs, atol=0.03)
    assert np.allclose(particles.test_variance, exact.test_variance, rtol=0.3)


def test_orthogonal_test_inputs_see_the_mean_readout(both):
    """Their preactivation is independent of everything: f = <a> <phi>, <phi> = 1/2."""
    exact, _ = both
    assert np.allclose(exact.test_outputs, 0.5 * np.array(exact.details["mean_readout"]), atol=2e-3)


def test_a_training_input_tested_gets_its_output():
    posterior = toy_posterior(samples=20, width=60, temperature=5e-4, test=3)
    twin = posterior.task.with_inputs(posterior.task.inputs, posterior.task.inputs[[0, 10, 15]], "copied")
    prediction = predict(cs.Posterior(twin, posterior.network, temperature=5e-4))
    # 4000 neurons, a tenth of whose noise (1/sqrt(4000)) the regression leaves at this temperature
    assert np.allclose(prediction.test_outputs, prediction.outputs[[0, 10, 15]], atol=5e-3)


def test_against_a_sampled_run():
    """Ordinary sampling at its own fractions of codes; errors of Monte Carlo and of order 1/N."""
    posterior = toy_posterior(samples=40, width=60, temperature=1e-3)
    prediction = predict(posterior)
    run = cs.sample(posterior, sampler="hmc", space="reduced", chains=1, draws=100, warmup=200, seed=0, progress=False)
    outputs = run.values("posterior", "outputs")[..., [0, 20, 30], :].mean(axis=(0, 1))
    assert np.all(np.abs(outputs - prediction.outputs[[0, 20, 30]]) < 0.05)


@pytest.mark.real_data
@pytest.mark.skipif("CODINGSCHEMES_DATA" not in os.environ, reason="needs the image files")
def test_images():
    task = cs.tasks.mnist(samples=36, classes=(3, 5, 8), test=9)  # shapes that are compiled already
    posterior = cs.Posterior(task, cs.Network("sigmoid", width=100), temperature=2e-4)
    prediction = predict(posterior, particles=1000)
    assert prediction.certificate.holds
    assert prediction.scheme == "redundant"
    assert not all(assumption.holds for assumption in prediction.assumptions)  # frozen fractions
    assert np.array_equal(prediction.outputs.argmax(axis=1), task.labels)
    assert prediction.certificate.bounds["output_error_rms"] < 0.004
    assert np.all(np.isfinite(prediction.test_variance))
