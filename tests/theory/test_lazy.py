"""Lazy limit: kernels against quadrature and wide random networks, regression against numpy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import codingschemes as cs
from codingschemes.networks import ACTIVATIONS
from codingschemes.theory import predict
from codingschemes.theory.lazy import gaussian_kernels, prior_kernel
from codingschemes.theory.lazy.gaussian_kernels import activity_kernel

COVARIANCE = np.array([[1.4, 0.6, -0.3], [0.6, 0.9, 0.2], [-0.3, 0.2, 2.1]])


@pytest.mark.parametrize("name", [name for name, phi in ACTIVATIONS.items() if phi.second_moment is not None])
def test_closed_forms_are_the_quadrature(name):
    closed = activity_kernel(ACTIVATIONS[name], COVARIANCE)
    numerical = gaussian_kernels._by_quadrature(ACTIVATIONS[name], COVARIANCE, *np.triu_indices(3))
    assert closed.error == 0
    assert np.allclose(closed.kernel, numerical.kernel, atol=1e-10)


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "gelu"])
def test_the_series_is_the_quadrature(name):
    """Within the bound that it says, which is small but near perfect correlation."""
    activation, strong = ACTIVATIONS[name], COVARIANCE.copy()
    strong[0, 1] = strong[1, 0] = 0.9999 * np.sqrt(1.4 * 0.9)
    for covariance in (COVARIANCE, 9 * COVARIANCE, strong, np.zeros((3, 3))):
        kernel, left = gaussian_kernels._by_series(activation, covariance)
        exact = gaussian_kernels._by_quadrature(activation, covariance, *np.triu_indices(3))
        assert np.all(np.abs(kernel - exact.kernel) <= left + exact.error + 1e-11)
        assert activity_kernel(activation, covariance).error < 1e-9
    assert gaussian_kernels._by_series(activation, COVARIANCE)[1].max() < 1e-9


@pytest.mark.parametrize("name", ["tanh", "hardtanh"])
def test_quadrature_is_a_monte_carlo_average(name):
    draws = np.random.default_rng(0).multivariate_normal(np.zeros(3), COVARIANCE, 200_000)
    phi = np.asarray(ACTIVATIONS[name](jnp.asarray(draws)))
    products = phi[:, :, None] * phi[:, None, :]
    found = activity_kernel(ACTIVATIONS[name], COVARIANCE)
    assert found.error < 1e-9
    assert np.all(np.abs(found.kernel - products.mean(0)) < 4.5 * products.std(0) / np.sqrt(len(draws)))


@pytest.mark.parametrize("options", [{"depth": 3}, {"depth": 2, "bias": True}, {"depth": 2, "scaling": "none"}])
def test_prior_kernel_is_that_of_wide_random_networks(options):
    width = 700
    task = cs.tasks.hypercube(labels_dim=2)
    network = cs.Network("relu", width=width, **options)
    variance = 1.0 / width if network.scaling == "none" else 0.8
    posterior = cs.Posterior(task, network, weight_variance=variance, readout_variance=1.0)
    rng = np.random.default_rng(0)
    kernels = []
    for _ in range(30):
        units = np.asarray(network.features(jnp.asarray(task.inputs.T)))
        for _layer in range(network.depth):
            weights = np.sqrt(variance) * rng.standard_normal((width, units.shape[0]))
            phi = np.maximum(weights @ units, 0)
            units = np.asarray(network.features(jnp.asarray(phi)))
        kernels.append(phi.T @ phi / width)
    mean, error = np.mean(kernels, axis=0), np.std(kernels, axis=0) / np.sqrt(30)
    predicted = prior_kernel(posterior).kernel
    # corrections of finite width are of relative order depth/width
    assert np.all(np.abs(mean - predicted) < 4.5 * error + 3 / width * np.diagonal(predicted).max())


@pytest.mark.parametrize("options", [{"scaling": "lazy"}, {"bias": True}, {"scaling": "none"}])
def test_prior_kernel_of_a_recurrent_network_is_that_of_wide_random_ones(options):
    """The same weights at every of its time steps."""
    width, draws = 400, 40
    task = cs.tasks.hypercube(labels_dim=2)
    network = cs.Network("tanh", width=width, depth=4, recurrent=True, **options)
    variance = 1.0 / width if network.scaling == "none" else 0.8
    posterior = cs.Posterior(task, network, weight_variance=variance, readout_variance=1.0)
    rng = np.random.default_rng(0)

    @jax.jit
    def kernel(first, recurrent):
        phi = network.propagate(first, recurrent[None])[1]
        return phi.T @ phi / width

    features = np.asarray(network.features(jnp.asarray(task.inputs.T)))
    kernels = []
    for _ in range(draws):
        first = np.sqrt(variance) * rng.standard_normal((width, len(features))) @ features
        kernels.append(np.asarray(kernel(first, np.sqrt(variance) * rng.standard_normal((width, width)))))
    mean, error = np.mean(kernels, axis=0), np.std(kernels, axis=0) / np.sqrt(draws)
    predicted = prior_kernel(posterior).kernel
    # corrections of finite width are of relative order steps/width
    assert np.all(np.abs(mean - predicted) < 4.5 * error + 4 / width * np.diagonal(predicted).max())


def test_prior_kernel_of_a_linear_recurrent_network_is_a_geometric_sum():
    """z^L = sum_k W_rec^k z^1, of independent summands in the limit."""
    network = cs.Network("linear", width=50, depth=4, recurrent=True, bias=True)
    posterior = cs.Posterior(cs.tasks.hypercube(labels_dim=2), network, weight_variance=0.7)
    expected = (1 + 0.7 + 0.7**2 + 0.7**3) * posterior.input_kernel()
    assert np.allclose(prior_kernel(posterior, test=False).kernel, expected, rtol=1e-12)


def test_regression_is_numpys():
    task = cs.tasks.hypercube(labels_dim=2, repeats=2)
    network = cs.Network("relu", width=400, depth=2, scaling="lazy", bias=True)
    posterior = cs.Posterior(task, network, temperature=0.03, readout_variance=1.3)
    prediction = predict(posterior, "lazy")
    kernel = 1.3 * prior_kernel(posterior).kernel[: task.sample_count, : task.sample_count]
    inverse = np.linalg.inv(kernel + 0.03 * np.eye(len(kernel)))
    assert np.allclose(prediction.outputs, kernel @ inverse @ task.targets, atol=1e-9)
    assert np.allclose(prediction.details.training_variance, np.diagonal(kernel - kernel @ inverse @ kernel), atol=1e-9)
    assert prediction.certificate.holds


def test_test_inputs_that_equal_training_inputs_get_their_outputs():
    task = cs.tasks.orthogonal(samples=12, test=3)
    twin = task.with_inputs(task.inputs, task.inputs[:3], "test inputs copied")
    prediction = predict(cs.Posterior(twin, cs.Network("erf", width=50, scaling="lazy"), temperature=0.1), "lazy")
    assert np.allclose(prediction.test_outputs, prediction.outputs[:3], atol=1e-10)
    assert np.allclose(prediction.test_variance, prediction.details.training_variance[:3], atol=1e-9)


def test_assumptions_name_the_scaling():
    task = cs.tasks.orthogonal(samples=10)
    for scaling, holds in (("lazy", True), ("mean-field", False)):
        prediction = predict(cs.Posterior(task, cs.Network("relu", width=200, scaling=scaling)), "lazy")
        assert prediction.assumptions[0].holds is holds


def test_certificate_notices_a_coarse_quadrature(monkeypatch):
    monkeypatch.setattr(gaussian_kernels, "_COARSE", 2)
    task = cs.tasks.hypercube(labels_dim=2)
    prediction = predict(cs.Posterior(task, cs.Network("hardtanh", width=50, scaling="lazy")), "lazy")
    assert not prediction.certificate.holds
