"""The collapsed likelihood against textbook formulas, quadrature and automatic differentiation."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import integrate
from scipy.stats import multivariate_normal

from codingschemes.posterior.collapsed import collapsed_misfit, draw_readout


def problem(width, samples=5, outputs=2, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(width, samples)), rng.normal(size=(samples, outputs)), np.asarray(0.3), np.asarray(0.07)


misfit = jax.jit(collapsed_misfit)


def plain_misfit(activity, targets, scaled_readout_variance, noise):
    covariance = scaled_readout_variance * activity.T @ activity + noise * jnp.eye(activity.shape[1])
    _, log_det = jnp.linalg.slogdet(covariance / noise)
    return jnp.sum(targets * jnp.linalg.solve(covariance, targets)) / 2 + targets.shape[1] * log_det / 2


@pytest.mark.parametrize("width", [3, 5, 9])
def test_value_is_the_gaussian_density(width):
    activity, targets, scaled_readout_variance, noise = problem(width)
    covariance = np.asarray(scaled_readout_variance * activity.T @ activity + noise * np.eye(5))
    log_density = multivariate_normal(cov=covariance).logpdf(np.asarray(targets).T).sum()
    reference = multivariate_normal(cov=float(noise)).logpdf(0.0) * targets.size
    np.testing.assert_allclose(
        misfit(activity, targets, scaled_readout_variance, noise), reference - log_density, rtol=1e-12
    )


@pytest.mark.parametrize("width", [3, 5, 9])
def test_gradients_are_those_of_the_plain_formula(width):
    arguments = problem(width)
    found = jax.jit(jax.grad(collapsed_misfit, argnums=(0, 1, 2, 3)))(*arguments)
    expected = jax.jit(jax.grad(plain_misfit, argnums=(0, 1, 2, 3)))(*arguments)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-10)


def test_collapsing_is_integrating_the_readout_out():
    activity, targets, scaled_readout_variance, noise = problem(width=1, outputs=1)

    def joint(readout):
        residual = np.asarray(targets)[:, 0] - np.asarray(activity)[0] * readout
        return np.exp(-(readout**2) / (2 * scaled_readout_variance) - residual @ residual / (2 * noise)) / np.sqrt(
            2 * np.pi * scaled_readout_variance
        )

    mass, _ = integrate.quad(joint, -10, 10, points=[0], epsabs=0, epsrel=1e-12, limit=500)
    np.testing.assert_allclose(misfit(activity, targets, scaled_readout_variance, noise), -np.log(mass), rtol=1e-10)


@pytest.mark.parametrize("width", [3, 9])
def test_readout_draws_have_the_conditional_mean_and_covariance(width):
    activity, targets, scaled_readout_variance, noise = problem(width)
    draws = np.asarray(
        jax.jit(jax.vmap(draw_readout, (0, None, None, None, None)))(
            jax.random.split(jax.random.PRNGKey(1), 40_000), activity, targets, scaled_readout_variance, noise
        )
    )
    phi = np.asarray(activity)
    covariance = np.linalg.inv(np.eye(width) / float(scaled_readout_variance) + phi @ phi.T / float(noise))
    mean = covariance @ phi @ np.asarray(targets) / float(noise)
    deviations = np.sqrt(np.diag(covariance))[:, None]
    assert np.abs((draws.mean(0) - mean) / deviations).max() < 4.5 / np.sqrt(len(draws))
    for output in range(targets.shape[1]):
        found = np.cov(draws[:, :, output].T) / (deviations @ deviations.T)
        assert np.abs(found - covariance / (deviations @ deviations.T)).max() < 6 / np.sqrt(len(draws))
