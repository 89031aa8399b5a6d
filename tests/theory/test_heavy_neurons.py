"""ReLU networks at any inputs: bulk and heavy neurons."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
from known_answers import potential
from theory_problems import standard_error, toy_posterior

from codingschemes.theory import predict
from codingschemes.theory.convex import ConvexProblem
from codingschemes.theory.global_minimum.bounds import lower_bound
from codingschemes.theory.global_minimum.measures import NeuronMeasure, best_masses, energy, kernel, residual
from codingschemes.theory.global_minimum.oracle import gains
from codingschemes.theory.mean_field.dual import refitted_gap
from codingschemes.theory.mean_field.solution import DRAWN
from codingschemes.theory.mean_field.solvers.heavy import neuron_potential


def test_density_of_one_neuron_is_the_posterior_given_the_others():
    posterior = toy_posterior("relu", samples=8, width=5, temperature=1e-3)
    density = posterior.density("reduced")
    scaled_readout_variance, width = float(density.scaled_readout_variance), 5
    rng = np.random.default_rng(0)
    u = rng.standard_normal((width, density.basis.shape[1]))
    basis = np.asarray(density.basis)
    others = np.maximum(u[1:] @ basis.T, 0)
    inverse = np.linalg.inv(1e-3 * np.eye(8) + scaled_readout_variance * others.T @ others)
    tried = rng.standard_normal((6, u.shape[1])) * np.geomspace(0.1, 10, 6)[:, None]
    exact = [float(potential(density, {"input": jnp.asarray(np.vstack([each, u[1:]]))})) for each in tried]
    ours = neuron_potential(
        jnp.maximum(tried @ basis.T, 0),
        jnp.asarray(tried),
        jnp.asarray(inverse @ posterior.task.targets / width),
        jnp.asarray(inverse / width**2),
        jnp.asarray(width**2 * scaled_readout_variance),
    )
    assert np.asarray(ours) - float(ours[0]) == pytest.approx(np.array(exact) - exact[0], rel=1e-8, abs=1e-8)


def test_neurons_of_the_background_are_like_others():
    problem = ConvexProblem.of(toy_posterior("relu", samples=12, width=20, temperature=1e-2))
    rng = np.random.default_rng(1)
    positions = rng.standard_normal((12, problem.basis.shape[1]))
    masses = rng.uniform(0.5, 2, 12)
    whole, given, left = (
        NeuronMeasure(positions, masses),
        *(NeuronMeasure(positions[i::2], masses[i::2]) for i in (0, 1)),
    )
    partly = replace(problem, background=kernel(problem, given))
    norm = problem.penalty * given.masses @ np.sum(given.positions**2, axis=1)
    assert energy(partly, left) + norm == pytest.approx(energy(problem, whole), rel=1e-12)
    # at the best masses no neuron of the measure gains, and the bound meets the energy
    best = best_masses(partly, left.positions)
    v = residual(partly, kernel(partly, best))
    assert lower_bound(partly, v, float(gains(partly, v, best.positions).max())) == pytest.approx(
        energy(partly, best), rel=1e-6
    )


def test_gap_after_readouts_are_fitted():
    """F of neurons with the best readouts less D, from the definitions, with the relative entropy of the
    preactivations cancelled."""
    rng = np.random.default_rng(2)
    phi, tau = rng.standard_normal((30, 6)), 0.1
    total, t, targets = phi.T @ phi / 30, rng.standard_normal((6, 2)), rng.standard_normal((6, 2))
    best = np.linalg.solve(total + tau * np.eye(6), targets)
    primal = np.sum(best * (total @ best)) / 2 + np.sum((targets - total @ best) ** 2) / (2 * tau)
    # -log Z + KL = -<gain> of the preactivations
    dual = np.sum(t * targets) - tau / 2 * np.sum(t**2) - np.sum(t * (total @ t)) / 2
    assert refitted_gap(targets - tau * t - total @ t, total, tau) == pytest.approx(primal - dual, rel=1e-10)


@pytest.mark.slow
def test_agrees_with_quadrature_where_bulk_and_outliers_are_separate():
    tau, count = 0.1, 800
    posterior = toy_posterior("relu", samples=24, width=400, temperature=tau / 400, test=9)
    exact, ours = predict(posterior), predict(posterior, method="particles", particles=count)
    assert ours.certificate.holds
    # the gap bounds the error of all outputs together, the dual being concave as tau |t|^2 / 2 is
    assert np.linalg.norm(ours.outputs - exact.outputs) < np.sqrt(2 * tau * ours.certificate.gap)
    bulk = ours.neurons.weight < 1
    # orthogonal inputs see the mean readout, times <phi> = 1/sqrt(2 pi), of these particles and of the drawn neurons
    error = standard_error(ours.neurons.readout[bulk], 1 / (1 / count + 1 / DRAWN)) / np.sqrt(2 * np.pi)
    assert np.all(np.abs(ours.test_outputs - exact.test_outputs) < 4 * error)
    within, expected = (np.array(each.to_json()["kernel"]["within"]) for each in (ours, exact))
    # two standard errors of one sweep; the kernel is averaged over 20
    error = 2 * standard_error(ours.neurons.activity[bulk] ** 2, count)
    assert np.all(np.abs(within - expected) < error)
    # so that the loss of one heavy neuron shows
    assert np.all(error < np.max([each.activity**2 for each in ours.details.heavy], axis=0) / 400)
    assert {each.class_name for each in ours.details.heavy} == {each.name for each in exact.outliers}
