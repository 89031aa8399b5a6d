"""Linear networks: closed forms, the dual's identities, and a sampled run."""

import numpy as np
import pytest
from theory_problems import toy_posterior

import codingschemes as cs
from codingschemes.representation.kernels import block_means
from codingschemes.theory import predict
from codingschemes.theory.mean_field.solvers.linear import free_energy, solve_linear


def random_problem(samples=30, outputs=3, seed=0):
    rng = np.random.default_rng(seed)
    inputs = rng.standard_normal((samples, 50))
    values, vectors = np.linalg.eigh(inputs @ inputs.T / 50)
    return vectors * np.sqrt(values), np.eye(outputs)[rng.integers(0, outputs, samples)]


@pytest.mark.parametrize("tau", [1e-3, 0.1, 3.0])
def test_solution_is_its_own_fixed_point(tau):
    """t from the outputs, U from t, outputs from U and t: for inputs and targets that share no eigenvectors."""
    basis, targets = random_problem()
    found = solve_linear(free_energy(basis, targets, 0.2, tau))
    kernel = basis @ basis.T
    u = np.linalg.inv(np.eye(3) / 0.2 - found.t.T @ kernel @ found.t)
    assert np.allclose(u, found.readout_covariance, rtol=1e-8)
    assert np.allclose(kernel @ found.t @ u + tau * found.t, targets, atol=1e-6)
    joint = np.linalg.inv(np.block([[np.linalg.inv(kernel), -found.t], [-found.t.T, np.eye(3) / 0.2]]))
    assert np.allclose(joint[:30, :30], found.kernels[-1], rtol=1e-5, atol=1e-6)
    assert np.allclose(joint[:30, 30:], targets - tau * found.t, atol=1e-5)


def test_cold_limit():
    basis, targets = random_problem()
    cold = free_energy(basis, targets, 0.2, 1e-7).cold()
    assert np.allclose(solve_linear(free_energy(basis, targets, 0.2, 1e-7)).readout_covariance, cold, rtol=1e-5)
    second = targets.T @ np.linalg.solve(basis @ basis.T, targets)
    assert np.allclose(cold @ cold / 0.2 - cold, second, rtol=1e-8)


@pytest.mark.parametrize("layers", [2, 3])
def test_cold_limit_of_several_layers(layers):
    """Lambda^L (Lambda - 1) = Y^T K0^{-1} Y / s^2, and kernels in geometric progression from the input's."""
    basis, targets = random_problem()
    found = solve_linear(free_energy(basis, targets, 0.2, 1e-8, layers=layers))
    second = targets.T @ np.linalg.solve(basis @ basis.T, targets)
    grown = found.readout_covariance / 0.2
    assert np.allclose(np.linalg.matrix_power(grown, layers) @ (grown - np.eye(3)), second / 0.2, rtol=1e-4)
    chain = [basis @ basis.T, *found.kernels]
    for below, here, above in zip(chain, chain[1:], chain[2:], strict=False):
        assert np.allclose(here @ np.linalg.solve(below, here), above, rtol=1e-5, atol=1e-8)


def test_papers_formula_at_many_samples():
    """U = s_a (Y^T K0^{-1} Y / P)^{1/2} and K_1 = K0 + Y U^{-1} Y^T; prior variance s_a^2 / P."""
    samples = 1000
    labels = np.repeat([0, 1, 2], [500, 250, 250])
    targets = np.eye(3)[labels]
    found = solve_linear(free_energy(np.eye(samples), targets, 1 / samples, 1e-6))
    paper = np.diag(np.sqrt([0.5, 0.25, 0.25]))
    assert np.allclose(found.readout_covariance, paper, atol=1e-3)
    kernel = np.eye(samples) + targets @ np.linalg.inv(paper) @ targets.T
    assert np.allclose(found.kernels[-1][::200, ::200], kernel[::200, ::200], atol=4e-3)


def test_mean_predictor_is_the_lazy_one_and_the_variance_is_the_papers():
    rng = np.random.default_rng(1)
    inputs, tests = rng.standard_normal((20, 40)), rng.standard_normal((7, 40))
    task = planted_task(inputs, tests)
    posterior = cs.Posterior(task, cs.Network("linear", width=200), temperature=1e-10)
    prediction = predict(posterior)
    k0, cross, alone = inputs @ inputs.T / 40, inputs @ tests.T / 40, (tests**2).sum(1) / 40
    assert np.allclose(prediction.test_outputs, cross.T @ np.linalg.solve(k0, task.targets), atol=1e-5)
    u = np.diagonal(prediction.details.readout_covariance)
    left = alone - np.sum(cross * np.linalg.solve(k0, cross), axis=0)
    assert np.allclose(prediction.test_variance, left[:, None] * u / 200, rtol=1e-4)


def planted_task(inputs, tests):
    labels = np.arange(len(inputs)) % 2
    names = ("0", "1")
    return cs.Task(
        name="planted",
        inputs=inputs,
        targets=np.eye(2)[labels],
        labels=labels,
        class_names=names,
        target_names=names,
        factors=None,
        test_inputs=tests,
        test_targets=np.eye(2)[np.arange(len(tests)) % 2],
        test_labels=np.arange(len(tests)) % 2,
    )


def gibbs(posterior, sweeps, seed=0):
    """Exact draws in turn of the readout and of the preactivations, both Gaussian: (draw, ...) outputs and kernels."""
    task, width, prior = posterior.task, posterior.network.width, posterior.prior
    rng = np.random.default_rng(seed)
    noise = prior.temperature * width**2
    z = rng.standard_normal((task.sample_count, width))
    outputs, kernels = [], []
    for _ in range(sweeps):
        root = np.linalg.cholesky(np.linalg.inv(np.eye(width) / prior.readout_variance + z.T @ z / noise))
        a = root @ (root.T @ (width * z.T @ task.targets / noise) + rng.standard_normal((width, 3)))
        root = np.linalg.cholesky(np.linalg.inv(np.eye(width) + a @ a.T / noise))
        z = (width * task.targets @ a.T / noise @ root + rng.standard_normal(z.shape)) @ root.T
        outputs.append(z @ a / width)
        kernels.append(z @ z.T / width)
    return np.array(outputs), np.array(kernels)


def test_as_many_samples_as_neurons():
    """At P = N the mean field is off, and the proportional limit is not."""
    task = cs.tasks.orthogonal(samples=24, ratios=(0.5, 0.25, 0.25))
    posterior = cs.Posterior(task, cs.Network("linear", width=24), temperature=0.05, readout_variance=1.0)
    outputs, kernels = (each[200:] for each in gibbs(posterior, 1800))
    # class means of outputs that should be one, and the mean diagonal of the kernel
    own = np.arange(24), task.labels
    sampled = np.stack([outputs[:, *own].mean(1), np.trace(kernels, axis1=1, axis2=2) / 24], axis=1)
    batches = sampled.reshape(8, 200, 2).mean(axis=1)
    mean, error = batches.mean(axis=0), batches.std(axis=0) / np.sqrt(7)
    found = {theory: predict(posterior, theory) for theory in ("proportional", "mean-field")}
    off = {name: [each.outputs[own].mean(), np.trace(each.kernel) / 24] - mean for name, each in found.items()}
    assert np.all(np.abs(off["proportional"]) < 4 * error + 1 / 24**2 + mean / 24)
    assert np.all(np.abs(off["mean-field"]) > np.abs(off["proportional"]) + 4 * error)


def test_against_sampled_networks():
    posterior = toy_posterior("linear", samples=24, width=60, temperature=2e-3)
    prediction = predict(posterior)
    assert prediction.certificate.holds
    assert prediction.scheme.label == "analog"
    outputs, kernels = (each[200:] for each in gibbs(posterior, 1000))
    labels = posterior.task.labels
    sampled = [
        np.stack([outputs[:, labels == label].mean(axis=1) for label in range(3)], axis=1),
        np.array([block_means(kernel, labels).within for kernel in kernels]),
    ]
    predicted = [
        np.stack([prediction.outputs[labels == label].mean(axis=0) for label in range(3)]),
        block_means(prediction.kernel, labels).within,
    ]
    for draws, expected in zip(sampled, predicted, strict=True):
        batches = draws.reshape(8, 100, *draws.shape[1:]).mean(axis=1)
        error = batches.std(axis=0) / np.sqrt(7)
        # Monte Carlo error, and corrections of relative order 1/N
        assert np.all(np.abs(batches.mean(axis=0) - expected) < 4 * error + np.max(expected) / 60)
    assert np.diagonal(predicted[0]).min() < 0.95  # the temperature is felt, so that the agreement says something
