"""The free energy of the readouts' covariance: derivatives, several minima, networks of few neurons done exactly."""

import dataclasses

import numpy as np
import pytest

import codingschemes as cs
from codingschemes.theory import predict
from codingschemes.theory.readout_covariance import FreeEnergy


def planted(samples, outputs, **options):
    rng = np.random.default_rng(3)
    values, vectors = np.linalg.eigh(np.cov(rng.standard_normal((samples, 3 * samples))))
    targets = np.eye(outputs)[rng.integers(0, outputs, samples)]
    return FreeEnergy(eigenvalues=values, directions=vectors, targets=targets, **options)


@pytest.mark.parametrize(("layers", "inverse_width"), [(1, 0.0), (1, 0.05), (3, 0.02)])
def test_slope_and_curvature_are_derivatives(layers, inverse_width):
    energy = planted(12, 3, readout_variance=0.2, tau=0.1, layers=layers, inverse_width=inverse_width)
    rng = np.random.default_rng(0)
    root = rng.standard_normal((3, 3))
    v, step = root @ root.T + 0.3 * np.eye(3), 1e-5
    along = np.stack([each + each.T for each in rng.standard_normal((4, 3, 3))])
    slopes = np.einsum("akl,kl->a", along, energy.slope(v))
    values = [(energy.value(v + step * each) - energy.value(v - step * each)) / (2 * step) for each in along]
    assert np.allclose(slopes, values, rtol=1e-6)
    bent = [(energy.slope(v + step * each) - energy.slope(v - step * each)) / (2 * step) for each in along]
    assert np.allclose(energy.curvature(v, along), np.einsum("akl,bkl->ab", along, bent), rtol=1e-6)


@pytest.mark.parametrize("outputs", [1, 3])
def test_of_two_minima_the_lower_is_found(outputs):
    """A first-order transition, scanned: at white inputs every mode of the targets has a free energy of its own."""
    layers, variance, power = 3, 0.001, 30.0
    log_growth = np.linspace(-1, 4, 20_001)
    lower = []
    for tau in (0.5, 0.7, 0.85, 0.95):
        growth = np.exp(log_growth)
        scanned = power / (tau + variance * growth**layers) / 2 + layers * (growth - 1 - log_growth) / 2
        targets = np.sqrt(power) * np.eye(4)[:, :outputs]
        energy = FreeEnergy(np.ones(4), np.eye(4), targets, readout_variance=variance, tau=tau, layers=layers)
        minimum, minima = energy.minimise()
        minima_of_mode = np.sum((scanned[1:-1] < scanned[2:]) & (scanned[1:-1] < scanned[:-2]))
        assert minima_of_mode == 2
        assert minima >= 2
        assert np.isclose(minimum.value, outputs * scanned.min(), rtol=0, atol=1e-6)
        lower.append(bool(log_growth[scanned.argmin()] > 1))
    assert set(lower) == {True, False}  # learned on one side of the transition, not on the other


def exact_moments(energy, width, weights):
    """Mean and variance of f for one output, whose V is s^2 times a product of chi-squares: by quadrature of these."""
    log_scale = np.linspace(-1, 4, 251)
    measure = width / 2 * (log_scale - np.exp(log_scale))  # of log chi^2 / width
    axes = np.meshgrid(*[log_scale] * energy.layers, indexing="ij")
    logs = sum(np.meshgrid(*[measure] * energy.layers, indexing="ij")).ravel()
    v = energy.variance * np.exp(sum(axes)).ravel()
    noisy = energy.tau + energy.eigenvalues * v[:, None]
    logs = logs - (np.log(noisy) + width * energy.rows[:, 0] ** 2 / noisy).sum(1) / 2
    share = np.exp(logs - logs.max())
    share /= share.sum()
    along = energy.directions.T @ weights
    signal = energy.eigenvalues * v[:, None] / noisy
    mean = signal * energy.rows[:, 0] @ along
    given = energy.tau * signal @ along**2 / width
    return share @ mean, share @ given + share @ (mean - share @ mean) ** 2


@pytest.mark.parametrize("layers", [1, 2])
def test_as_many_samples_as_neurons_done_exactly(layers):
    off = []
    for width in (20, 40):
        energy = planted(width, 1, readout_variance=1.0, tau=0.5, layers=layers, inverse_width=1 / width)
        weights = energy.targets[:, 0] / width
        mean, variance = exact_moments(energy, width, weights)
        v = energy.minimise()[0].v
        predicted = weights @ (energy.targets - energy.tau * energy.dual(v))
        spread = energy.output_covariance(v, weights[:, None]) / width
        many = dataclasses.replace(energy, inverse_width=0.0)
        unlimited = weights @ (energy.targets - energy.tau * many.dual(many.minimise()[0].v))
        off.append([abs(predicted[0] / mean - 1), abs(spread[0, 0] / variance - 1)])
        assert off[-1][0] < abs(unlimited[0] / mean - 1) / 5  # the determinant is what makes the difference
    errors = np.array(off)
    assert np.all(errors < 1 / np.array([20, 40])[:, None] ** 2)  # of order 1/N^2 where all is learned
    assert np.all(errors[1] < errors[0] / 2)


def test_kernels_of_all_layers_are_those_of_weighted_random_networks():
    """Draws of the prior, weighted by the likelihood; the mean diagonal is predicted up to 1/N^2."""
    width, layers, temperature = 16, 3, 3.0
    task = cs.tasks.orthogonal(samples=width, classes=2)
    network = cs.Network("linear", width=width, depth=layers, scaling="lazy")
    posterior = cs.Posterior(task, network, temperature=temperature, readout_variance=1.0)
    prediction = predict(posterior, "proportional")
    rng, logs, traces = np.random.default_rng(0), [], []
    for _ in range(10):
        z, diagonals = np.broadcast_to(np.eye(width), (4000, width, width)), []
        for layer in range(layers):
            z = rng.standard_normal((4000, width, width)) @ z / np.sqrt(width if layer else 1)
            diagonals.append((z**2).mean((1, 2)))
        f = np.swapaxes(z, 1, 2) @ rng.standard_normal((4000, width, 2)) / np.sqrt(width)
        logs.append(-((task.targets - f) ** 2).sum((1, 2)) / (2 * temperature))
        traces.append(np.stack(diagonals, axis=1))
    weight = np.exp(np.concatenate(logs) - np.max(logs))
    draws = np.concatenate(traces)
    sampled = weight @ draws / weight.sum()
    error = np.sqrt(weight**2 @ (draws - sampled) ** 2) / weight.sum()
    kernels = (*prediction.lower_kernels, prediction.kernel)
    predicted = np.array([np.diagonal(kernel).mean() for kernel in kernels])
    allowed = 4 * error + (np.arange(1, layers + 1) / width) ** 2
    assert np.all(np.abs(predicted - sampled) < allowed)
    assert np.all(np.abs(predicted - 1) > 2 * allowed)  # of which the prior would be
