"""Prediction for linear networks: closed form, whatever the inputs."""

import numpy as np
from jaxtyping import Float

from codingschemes.posterior import Posterior
from codingschemes.theory.mean_field.dual import Units
from codingschemes.theory.mean_field.linear import LinearSolution, solve_linear
from codingschemes.theory.mean_field.predictor import extension
from codingschemes.theory.mean_field.routes.shared import NEURONS, TOLERANCE, assumptions
from codingschemes.theory.prediction import Certificate, NeuronSample, Prediction
from codingschemes.theory.scheme import scheme_of


def in_closed_form(posterior: Posterior, seed: int) -> Prediction:
    task, units = posterior.task, Units.of(posterior)
    basis = np.asarray(posterior.density("reduced").basis)
    found = solve_linear(basis, task.targets, units.variance, units.tau)
    tests = _linear_tests(posterior, found, units) if len(task.test_inputs) else None
    neurons = _sample(posterior, found, units, seed)
    return Prediction(
        theory="mean-field",
        posterior=posterior,
        outputs=task.targets - units.tau * found.t,
        kernel=found.covariance,
        certificate=Certificate(
            gap=found.gap,
            tolerance=TOLERANCE,
            meaning="duality gap in nats a neuron",
            bounds={"output_error": found.residual},
        ),
        assumptions=assumptions(posterior, conditional=False),
        neurons=neurons,
        scheme=scheme_of(posterior, neurons),
        test_outputs=None if tests is None else tests[0],
        test_variance=None if tests is None else tests[1],
        details={
            "method": "closed form",
            "readout_covariance": (units.readout**2 * found.readout_covariance).tolist(),
        },
    )


def _sample(posterior: Posterior, found: LinearSolution, units: Units, seed: int) -> NeuronSample:
    """Readouts and preactivations are one Gaussian, with covariances U, <z z^T> and <z a^T>."""
    rng = np.random.default_rng(seed)
    u, cross = found.readout_covariance, found.outputs
    values, vectors = np.linalg.eigh(np.block([[u, cross.T], [cross, found.covariance]]))
    drawn = rng.standard_normal((NEURONS, len(values))) * np.sqrt(np.maximum(values, 0)) @ vectors.T
    response = drawn[:, len(u) :]
    return NeuronSample(
        activity=response @ np.asarray(posterior.density("reduced").class_average),
        readout=units.readout * drawn[:, : len(u)],
        weight=np.full(NEURONS, posterior.network.width / NEURONS),
        response=response,
    )


def _linear_tests(
    posterior: Posterior, found: LinearSolution, units: Units
) -> tuple[Float[np.ndarray, "Q C"], Float[np.ndarray, "Q C"]]:
    """z(x) = w . z + noise: the part along w fluctuates with the training outputs, the noise by itself."""
    extend = extension(posterior)
    outputs = extend.weights.T @ found.outputs
    u, k, cross = found.readout_covariance, found.covariance, found.outputs
    samples, count = cross.shape
    # Cov(z_m a_k, z_n a_l) = K_mn U_kl + <z_m a_l><z_n a_k>, Wick's theorem
    fluctuation = np.kron(k, u) + np.einsum("ml,nk->mknl", cross, cross).reshape(samples * count, samples * count)
    noise = units.tau
    # of the training outputs' empirical mean after conditioning: C - C (C + tau)^{-1} C = tau (C + tau)^{-1} C
    left = noise * np.linalg.solve(fluctuation + noise * np.eye(samples * count), fluctuation)
    left = left.reshape(samples, count, samples, count)
    along = np.einsum("mq,mknk,nq->qk", extend.weights, left, extend.weights, optimize=True)
    variance = along + extend.variance[:, None] * np.diagonal(u)
    return outputs, variance / posterior.network.width
