"""ReLU networks: condensation, known numbers, and a certificate that catches what is wrong."""

from dataclasses import replace

import numpy as np
import pytest
from theory_problems import class_problem, toy_posterior

import codingschemes as cs
from codingschemes.theory import predict
from codingschemes.theory.mean_field.solution import DRAWN
from codingschemes.theory.mean_field.solvers.outliers import condense, condensed_gap, directions, solve_condensed

COPIED = [0, 150]
T_SMALL = np.array([[2.0, -1.0, -0.5], [-1.5, 2.5, -1.0], [-0.7, -1.2, 2.2]])


@pytest.fixture(scope="module")
def many_samples():
    problem = class_problem("relu", counts=(250.0, 125.0, 125.0), tau=0.002)
    return problem, solve_condensed(problem)


def test_bound_is_the_maximum_over_the_sphere():
    problem = class_problem("relu")
    draws = 200_000
    angles = np.random.default_rng(0).standard_normal((draws, 3))
    e = angles / np.linalg.norm(angles, axis=1, keepdims=True)
    kappa = np.maximum(e @ T_SMALL.T, 0) ** 2 @ problem.counts
    found = directions(problem, T_SMALL)
    # with odds of a million to one some direction is within the angle b of the maximum, exp(-draws b^2 / 4) = 1e-6;
    # kappa is convex with the slope 2 kappa there, and so loses at most b^2 of itself
    assert found.value.max() == pytest.approx(kappa.max(), rel=4 * np.log(1e6) / draws)
    assert found.value.max() >= kappa.max()


def test_derivatives_of_the_barrier():
    problem = class_problem("relu", tau=0.1)
    t = 0.25 * T_SMALL
    here = condense(problem, t, 0.5)[1]
    d = 1e-4
    for index in (0, 4, 5):
        shift = np.zeros(9)
        shift[index] = d
        up, down = (condense(problem, t + sign * shift.reshape(3, 3), 0.5)[1] for sign in (1, -1))
        assert (up.value - down.value) / (2 * d) == pytest.approx(here.gradient[index], rel=1e-4, abs=1e-4)
        assert np.allclose((up.gradient - down.gradient) / (2 * d), here.hessian[index], rtol=1e-3, atol=1e-2)


def test_bulk_and_outliers_have_the_known_sizes(many_samples):
    """N T = .002, P large: a_0 = (.313, .168, .171), zbar_1 = 1.085, zbar_2 = 1.366; corrections of order 1/P."""
    problem, found = many_samples
    assert condensed_gap(problem, found)[0] < 1e-6
    assert found.weight @ found.lattice.readouts == pytest.approx([0.313, 0.1695, 0.1695], abs=0.002)
    assert sorted(found.activities.max(axis=1)) == pytest.approx([1.085, 1.366, 1.366], abs=0.006)
    assert np.allclose(found.outputs, problem.targets - problem.tau * found.t, atol=1e-5)


def test_certificate_catches_what_is_planted(many_samples):
    problem, found = many_samples
    assert condensed_gap(problem, replace(found, readouts=found.readouts * [[1], [1], [0.9]]))[0] > 0.1
    assert condensed_gap(problem, replace(found, t=found.t * 1.01))[0] == np.inf


@pytest.fixture(scope="module")
def tested():
    """A prediction with two new test inputs, orthogonal to all others, and copies of two training inputs."""
    posterior = toy_posterior("relu", samples=200, temperature=2e-5, test=4)
    task = posterior.task
    tests = np.concatenate([task.test_inputs[:2], task.inputs[COPIED]])
    task = task.with_inputs(task.inputs, tests, "two test inputs copied")
    return predict(cs.Posterior(task, posterior.network, temperature=2e-5))


def test_prediction_says_sparse(tested):
    prediction = tested
    assert prediction.certificate.holds
    assert prediction.scheme.label == "sparse"
    assert [group.name for group in prediction.outliers] == ["0", "1", "2"]
    for index, group in enumerate(prediction.outliers):
        assert np.argmax(group.readout) == index
    outliers = sum(np.outer(group.activity, group.readout) for group in prediction.outliers) / 100
    assert np.allclose(outliers + prediction.details.bulk_outputs, prediction.outputs[[0, 100, 150]], atol=1e-5)


def test_test_inputs(tested):
    """A copy of a training input gets its output; orthogonal ones see <a> <phi>, <phi> = 1/sqrt(2 pi)."""
    # not the noise of drawn neurons, which is a tenth of this: outliers that are silent, taken to be Gaussian, keep an
    # activity of some .06 of readouts of about 7 / 100, for two other classes
    assert np.allclose(tested.test_outputs[2:], tested.outputs[COPIED], atol=0.01)
    readout = tested.bulk.readout + sum(group.readout for group in tested.outliers) / 100
    # readouts of drawn neurons scatter by less than s each
    error = np.sqrt(tested.posterior.prior.readout_variance / DRAWN)
    assert np.allclose(tested.test_outputs[:2] * np.sqrt(2 * np.pi), readout, rtol=0, atol=2 * error)
    assert readout.min() / np.sqrt(2 * np.pi) > 0.05  # so that a prediction of nothing fails
