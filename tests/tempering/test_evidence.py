"""Log evidences that are known by other means: quadrature, a Gaussian likelihood, a chi-squared kernel."""

import dataclasses
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from known_answers import prior_draw, propagate, small_posterior
from scipy.integrate import quad
from scipy.special import logsumexp
from scipy.stats import chi2, multivariate_normal, norm
from tempering_answers import by_wishart, linear_posterior

import codingschemes as cs
from codingschemes.tempering import sweeps

#: With errors from 12 sweeps (11 degrees of freedom): four false alarms in ten thousand.
Z_LIMIT = 5
#: With the error that the weights of two sweeps imply: four false alarms in ten thousand.
Z_LIMIT_TWO = 3.5
QUICK = {"particles": 24, "sweeps": 12, "adapting": 6, "steps": 4, "sampler": "hmc"}


def points(inputs: list[float], targets: np.ndarray) -> cs.Task:
    """One-dimensional inputs, a class a sample."""
    count = len(inputs)
    names = tuple(str(index) for index in range(count))
    return cs.Task(
        name="points",
        inputs=np.array(inputs)[:, None],
        targets=targets,
        labels=np.arange(count),
        class_names=names,
        target_names=tuple(str(index) for index in range(targets.shape[1])),
        factors=None,
        test_inputs=np.zeros((0, 1)),
        test_targets=np.zeros((0, targets.shape[1])),
        test_labels=np.zeros(0, dtype=int),
    )


def one_neuron_posterior(activation: str, temperature: float) -> cs.Posterior:
    """The ratio of the two targets fixes the one preactivation: the path has many temperatures."""
    task = points([1.0, -0.6], np.array([[0.9], [0.2]]))
    return cs.Posterior(task, cs.Network(activation, width=1), temperature=temperature, readout_variance=1.5)


def by_quadrature(posterior: cs.Posterior, temperature: float) -> float:
    """log ∫ du N(u; 0, 1) N(y; 0, c phi phi^T + T I) for one neuron with two inputs, on a grid."""
    u, spacing = np.linspace(-9, 9, 40_001, retstep=True)
    targets = posterior.task.targets[:, 0]
    activity = np.asarray(posterior.network.activation(jnp.asarray(np.outer(u, posterior.task.inputs[:, 0]))))
    covariance = posterior.prior.readout_variance * activity[:, :, None] * activity[:, None] + temperature * np.eye(2)
    quadratic = np.einsum("p,gpq,q->g", targets, np.linalg.inv(covariance), targets)
    log_joint = -(u**2 + quadratic + np.linalg.slogdet(2 * np.pi * covariance)[1] + np.log(2 * np.pi)) / 2
    return logsumexp(log_joint) + np.log(spacing)


@pytest.mark.parametrize(
    ("activation", "temperature", "space"),
    [("sigmoid", 1e-4, "reduced"), pytest.param("relu", 1e-2, "weights", marks=pytest.mark.slow)],
)
def test_one_neuron_agrees_with_quadrature_at_every_temperature(activation, temperature, space):
    posterior = one_neuron_posterior(activation, temperature)
    found = cs.evidence(posterior, space=space, seed=1, **QUICK)
    assert found.temperatures[-1] == temperature
    assert found.standard_error < 0.2
    assert len(found.temperatures) >= 3
    for index in {0, len(found.temperatures) // 2, len(found.temperatures) - 1}:
        expected = by_quadrature(posterior, found.temperatures[index])
        assert abs(found.log_curve[index] - expected) < Z_LIMIT * found.curve_error[index]
    assert found.log_evidence == found.log_curve[-1]


@pytest.mark.slow
def test_defaults_move_the_particles_of_a_kinked_network():
    posterior = one_neuron_posterior("relu", 1e-2)
    found = cs.evidence(posterior, sweeps=8)
    assert found.options.sampler == "hmc"
    assert abs(found.log_evidence - by_quadrature(posterior, 1e-2)) < Z_LIMIT * found.standard_error


@pytest.mark.slow
def test_defaults_agree_with_the_closed_form_of_a_linear_network():
    posterior = linear_posterior()
    found = cs.evidence(posterior)
    assert abs(found.log_evidence - by_wishart(posterior)) < Z_LIMIT_TWO * found.standard_error
    assert found.standard_error < 0.5
    assert found.warnings == ()


@pytest.mark.slow
def test_defaults_move_the_particles_at_every_temperature():
    """Kinked and steep, in 400 coordinates: with step sizes that are too long nothing is ever accepted."""
    task = cs.tasks.orthogonal(samples=20, ratios=[0.5, 0.25, 0.25])
    posterior = cs.Posterior(task, cs.Network("relu", width=20), temperature=1e-2)
    found = cs.evidence(posterior, particles=16, sweeps=1)
    target = found.options.kernel.target_acceptance
    assert np.all(np.abs(found.acceptance - target) < 0.2)


def test_moves_that_are_not_accepted_are_a_warning():
    found = cs.evidence(one_neuron_posterior("sigmoid", 1e-3), **{**QUICK, "sweeps": 2})
    assert found.warnings == ()
    acceptance = found.acceptance.copy()
    acceptance[1, 1] = 0.05
    frozen = dataclasses.replace(found, acceptance=acceptance)
    assert f"at 1 of {len(found.temperatures)} temperatures" in frozen.warnings[0]
    assert frozen.to_json()["warnings"] == list(frozen.warnings)
    apart = found.curves + np.array([[0.0], [10 * found.weight_error]])
    assert "raise `steps`" in dataclasses.replace(found, curves=apart).warnings[0]


@pytest.mark.slow
def test_a_network_that_ignores_its_inputs_is_a_gaussian_process():
    """Sigmoids of vanishing preactivations are 1/2: outputs are one Gaussian number, exactly."""
    network = cs.Network("sigmoid", width=3)
    task = points([1.0, 0.5, -0.6], np.eye(3)[:, :2])
    posterior = cs.Posterior(task, network, temperature=0.01, weight_variance=1e-16, readout_variance=4.0)
    covariance = 4.0 * 3 / 3**2 / 4 * np.ones((3, 3)) + 0.01 * np.eye(3)
    expected = multivariate_normal(cov=covariance).logpdf(task.targets.T).sum()
    found = cs.evidence(posterior, space="weights", **QUICK)
    assert abs(found.log_evidence - expected) < Z_LIMIT * found.standard_error


@pytest.mark.slow
def test_a_linear_network_with_one_sample_has_a_chi_squared_kernel():
    posterior = cs.Posterior(
        points([1.3], np.array([[4.0]])), cs.Network("linear", width=5, scaling="lazy"),
        temperature=0.02, readout_variance=0.7,
    )  # fmt: skip
    scale = 0.7 / 5 * 1.3**2
    mass, _ = quad(lambda q: chi2.pdf(q, 5) * norm.pdf(4.0, scale=np.sqrt(scale * q + 0.02)), 0, 60, epsrel=1e-8)
    found = cs.evidence(posterior, **QUICK)
    assert abs(found.log_evidence - np.log(mass)) < Z_LIMIT * found.standard_error
    assert found.standard_error < 0.1


def test_the_error_of_one_sweep_is_of_the_size_of_the_spread_of_many():
    found = cs.evidence(one_neuron_posterior("sigmoid", 1e-3), **QUICK)
    spread = found.estimates.std(ddof=1)
    assert 0.4 < spread / found.weight_error < 2.5  # 12 sweeps say their spread to a factor of 1.6 (95 %)


def test_the_log_likelihood_is_normalised_in_both_forms():
    posterior = small_posterior("tanh", depth=2)
    targets, prior = posterior.task.targets, posterior.prior
    for space in ("weights", "reduced"):
        density = posterior.density(space)
        position = prior_draw(density, jax.random.PRNGKey(0))
        activity = np.asarray(propagate(density, position)[1])
        if space == "weights":
            readout = np.sqrt(prior.readout_variance) * np.asarray(position["readout"])
            mean, covariance = posterior.network.readout_scale * activity.T @ readout, prior.temperature * np.eye(8)
        else:
            scaled_readout_variance = posterior.network.readout_scale**2 * prior.readout_variance
            mean, covariance = (
                0 * targets,
                scaled_readout_variance * activity.T @ activity + prior.temperature * np.eye(8),
            )
        expected = multivariate_normal(cov=covariance).logpdf((targets - mean).T).sum()
        np.testing.assert_allclose(density.log_likelihood(position), expected, rtol=1e-10)


def test_the_path_is_compiled_once_and_followed_by_every_repeat():
    posterior = one_neuron_posterior("sigmoid", 1e-3)
    options = {**QUICK, "sweeps": 2}
    first = cs.evidence(posterior, **options)
    compiled = sweeps.move._cache_size()
    other = one_neuron_posterior("sigmoid", 1e-5)
    assert len(cs.evidence(other, **options).temperatures) > len(first.temperatures)
    assert sweeps.move._cache_size() == compiled
    again = cs.evidence(posterior, **options)
    np.testing.assert_array_equal(again.curves, first.curves)
    assert not np.array_equal(cs.evidence(posterior, seed=9, **options).curves, first.curves)
    assert first.curves.shape == first.acceptance.shape == (2, len(first.temperatures))
    assert (np.diff(first.temperatures) < 0).all()
    assert (first.effective_particles[0] >= 0.5 * 24 - 0.1).all()
    assert ((first.acceptance > 0) & (first.acceptance <= 1)).all()
    assert first.gradients > 2 * 24 * 10 * len(first.temperatures)


def test_what_is_written_is_plain_json():
    found = cs.evidence(one_neuron_posterior("sigmoid", 1e-3), **{**QUICK, "sweeps": 1})
    values = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert values["log_evidence"] == found.log_evidence
    assert values["standard_error"] == found.weight_error
    assert len(values["curves"]) == 1
    assert len(values["curves"][0]) == len(values["temperatures"])
    assert values["options"]["particles"] == 24


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sampler": "nutz"}, "did you mean 'nuts'"),
        ({"particles": 1}, "`particles` is 1"),
        ({"sweeps": 0}, "`sweeps` is 0"),
        ({"steps": 0}, "`steps` is 0"),
        ({"threshold": 1.0}, "`threshold` is 1"),
        ({"target_acceptance": 0.0}, "`target_acceptance` is 0"),
        ({"seed": -1}, "`seed` is -1"),
    ],
)
def test_wrong_options_are_refused(options, words):
    with pytest.raises(cs.InvalidInput, match=words):
        cs.evidence(one_neuron_posterior("sigmoid", 1e-3), **options)
