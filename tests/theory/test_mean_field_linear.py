"""Linear networks: closed forms, the dual's identities, and a sampled run."""

import numpy as np
import pytest
from theory_problems import toy_posterior

import codingschemes as cs
from codingschemes.theory import predict
from codingschemes.theory.mean_field.linear import cold_readout_covariance, solve_linear


def random_problem(samples=30, outputs=3, seed=0):
    rng = np.random.default_rng(seed)
    inputs = rng.standard_normal((samples, 50))
    values, vectors = np.linalg.eigh(inputs @ inputs.T / 50)
    return vectors * np.sqrt(values), np.eye(outputs)[rng.integers(0, outputs, samples)]


@pytest.mark.parametrize("tau", [1e-3, 0.1, 3.0])
def test_solution_is_its_own_fixed_point(tau):
    """t from the outputs, U from t, outputs from U and t: for inputs and targets that share no eigenvectors."""
    basis, targets = random_problem()
    found = solve_linear(basis, targets, 0.2, tau)
    kernel = basis @ basis.T
    u = np.linalg.inv(np.eye(3) / 0.2 - found.t.T @ kernel @ found.t)
    assert np.allclose(u, found.readout_covariance, rtol=1e-8)
    assert np.allclose(kernel @ found.t @ u + tau * found.t, targets, atol=1e-6)
    joint = np.linalg.inv(np.block([[np.linalg.inv(kernel), -found.t], [-found.t.T, np.eye(3) / 0.2]]))
    assert np.allclose(joint[:30, :30], found.covariance, rtol=1e-5, atol=1e-6)
    assert np.allclose(joint[:30, 30:], targets - tau * found.t, atol=1e-5)


def test_cold_limit():
    basis, targets = random_problem()
    cold = cold_readout_covariance(basis, targets, 0.2)
    assert np.allclose(solve_linear(basis, targets, 0.2, 1e-7).readout_covariance, cold, rtol=1e-5)
    second = targets.T @ np.linalg.solve(basis @ basis.T, targets)
    assert np.allclose(cold @ cold / 0.2 - cold, second, rtol=1e-8)


def test_papers_formula_at_many_samples():
    """U = s_a (Y^T K0^{-1} Y / P)^{1/2} and K_1 = K0 + Y U^{-1} Y^T; prior variance s_a^2 / P."""
    samples = 2000
    labels = np.repeat([0, 1, 2], [1000, 500, 500])
    targets = np.eye(3)[labels]
    found = solve_linear(np.eye(samples), targets, 1 / samples, 1e-6)
    paper = np.diag(np.sqrt([0.5, 0.25, 0.25]))
    assert np.allclose(found.readout_covariance, paper, atol=1e-3)
    kernel = np.eye(samples) + targets @ np.linalg.inv(paper) @ targets.T
    assert np.allclose(found.covariance[::200, ::200], kernel[::200, ::200], atol=4e-3)


def test_mean_predictor_is_the_lazy_one_and_the_variance_is_the_papers():
    rng = np.random.default_rng(1)
    inputs, tests = rng.standard_normal((20, 40)), rng.standard_normal((7, 40))
    task = planted_task(inputs, tests)
    posterior = cs.Posterior(task, cs.Network("linear", width=200), temperature=1e-10)
    prediction = predict(posterior)
    k0, cross, alone = inputs @ inputs.T / 40, inputs @ tests.T / 40, (tests**2).sum(1) / 40
    assert np.allclose(prediction.test_outputs, cross.T @ np.linalg.solve(k0, task.targets), atol=1e-5)
    u = np.diagonal(prediction.details["readout_covariance"])
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


def test_against_a_sampled_run():
    posterior = toy_posterior("linear", samples=24, width=60, temperature=2e-3)
    prediction = predict(posterior)
    assert prediction.certificate.holds
    assert prediction.scheme == "analog"
    run = cs.sample(posterior, sampler="hmc", space="reduced", chains=1, draws=200, warmup=100, seed=0, progress=False)
    outputs = run.values("posterior", "outputs")
    task = posterior.task
    means = np.stack([outputs[:, :, task.labels == label].mean(axis=(2)) for label in range(3)], axis=2)
    error = means.std(axis=(0, 1)) / np.sqrt(20)  # draws are worth a tenth of their number
    predicted = np.stack([prediction.outputs[task.labels == label].mean(0) for label in range(3)])
    # Monte Carlo error, and corrections of relative order 1/N
    assert np.all(np.abs(means.mean(axis=(0, 1)) - predicted) < 4 * error + 1 / 60)
    assert np.diagonal(predicted).min() < 0.95  # the temperature is felt, so that the agreement says something
