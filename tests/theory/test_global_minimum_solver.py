"""The certified solver: it finds the closed forms without being told, and its bounds catch what is wrong."""

import jax.numpy as jnp
import numpy as np
import pytest
from direct import minimise
from hypercubes import hypercube_posterior, with_gram, xor_gram
from known_answers import small_posterior
from scipy.special import erf

from codingschemes import Network, Posterior, tasks
from codingschemes.errors import InvalidInput
from codingschemes.networks import ACTIVATIONS
from codingschemes.representation import class_kernel, parallelism_score_from_kernel
from codingschemes.theory import predict
from codingschemes.theory.convex import ConvexProblem
from codingschemes.theory.global_minimum import frank_wolfe, relaxation
from codingschemes.theory.global_minimum.bounds import lower_bound, separable_bound
from codingschemes.theory.global_minimum.measures import NeuronMeasure, best_masses, energy, kernel, residual
from codingschemes.theory.global_minimum.oracle import gains, search
from codingschemes.theory.global_minimum.pointwise import pointwise

# what the formulas say, written out here: energies of whitened inputs with bias
RELU = [(1, 1), (2, 1), *(pytest.param(*each, marks=pytest.mark.slow) for each in ((3, 1), (2, 3))), (4, 1)]


def relu_energy(labels_dim: int, samples: int, penalty1: float, penalty2: float) -> float:
    product = penalty1 * penalty2 * (1 + 1 / (samples + 1))
    return labels_dim * (2 * np.sqrt(product * samples) - product)


@pytest.mark.parametrize(("labels_dim", "repeats"), RELU)
def test_relu_hypercubes(labels_dim, repeats):
    posterior = hypercube_posterior("relu", labels_dim, repeats, width=40, penalty2=0.3)
    solved = predict(posterior, "global-minimum", method="solver", searches=2)
    expected = relu_energy(labels_dim, posterior.task.sample_count, 0.1, 0.3)
    assert solved.energy == pytest.approx(expected, rel=1e-6)
    assert solved.details.method == "solver"
    assert solved.certificate.holds
    assert solved.certificate.bounds["hit_rate"] > 0.05
    assert solved.certificate.bounds["rigorous_gap"] < 1e-5
    if labels_dim > 1:
        assert solved.parallelism == pytest.approx(1.0, abs=1e-3)
    assert solved.details.kernel.misfit < 1e-3


@pytest.mark.parametrize(
    ("activation", "psi", "width"),
    [
        ("linear", None, 8),
        ("tanh", np.tanh, 8),
        ("hardtanh", lambda z: np.clip(z, -1, 1), 6),
        ("logistic", lambda z: 0.5 * np.tanh(z / 2), 8),
        pytest.param("sigmoid", lambda z: 0.5 * erf(np.sqrt(np.pi) * z / 2), 8, marks=pytest.mark.slow),
    ],
)
def test_other_activations_on_the_hypercube(activation, psi, width):
    posterior = hypercube_posterior(activation, 2, 1, width=width, penalty1=0.05)
    if psi is None:
        expected = 2 * (2 * np.sqrt(0.05 * 0.1 * 4) - 0.05 * 0.1)
    else:
        z = np.linspace(0, 10, 2_000_001)
        expected = np.min(2 * (0.05 * (width / 2) * 4 * z**2 + 0.1 * 4 / (0.1 + (width / 2) * 4 * psi(z) ** 2)))
    solved = predict(posterior, "global-minimum", method="solver", searches=1)
    assert solved.details.relaxed_energy == pytest.approx(expected, rel=1e-6)
    assert solved.energy == pytest.approx(expected, rel=1e-6)
    assert solved.certificate.holds


def test_a_network_made_of_the_solution_has_its_energy():
    """Weights and readouts written out, on data without any structure."""
    posterior = small_posterior("relu", width=30, bias=True, temperature=0.05)
    solution = frank_wolfe.solve(ConvexProblem.of(posterior), searches=2, starts=100)
    neurons = solution.measure.positions * np.sqrt(solution.measure.masses)[:, None]
    assert len(neurons) <= 30
    problem = ConvexProblem.of(posterior)
    features = np.asarray(posterior.network.features(jnp.asarray(posterior.task.inputs.T)))
    weights = (problem.basis @ neurons.T).T @ np.linalg.pinv(features)
    phi = np.maximum(weights @ features, 0)
    penalty1, penalty2 = posterior.prior.penalties
    gamma = posterior.network.readout_scale
    ridge = penalty2 / gamma**2
    readout = np.linalg.solve(phi @ phi.T + ridge * np.eye(len(phi)), phi @ posterior.task.targets) / gamma
    loss = np.sum((posterior.task.targets - gamma * phi.T @ readout) ** 2)
    total = loss + penalty1 * np.sum(weights**2) + penalty2 * np.sum(readout**2)
    assert total == pytest.approx(solution.energy, rel=1e-9)
    assert solution.gap < 1e-6


@pytest.mark.slow
def test_saturating_neurons_that_cannot_be_divided_evenly():
    """Seven tanh neurons for three labels: no network reaches the relaxed energy; both are given."""
    posterior = hypercube_posterior("tanh", 3, 1, width=7)
    solved = predict(posterior, "global-minimum", searches=1)
    assert solved.details.method == "solver"
    relaxed = solved.details.relaxed_energy
    assert solved.certificate.holds
    # facts: the best networks are .17 % above, at other penalties more or less
    assert 1e-5 < solved.details.above_relaxed < 0.02
    found = minimise(posterior, starts=10)
    assert found.energy > relaxed * (1 + 1e-6)
    assert solved.energy == pytest.approx(found.energy, rel=1e-5)
    assert any("split" in each.statement and not each.holds for each in solved.assumptions)


def test_the_same_seed_gives_the_same_answer():
    posterior = small_posterior("relu", width=30, bias=True)
    first, second = (predict(posterior, "global-minimum", searches=1, starts=60, rigorous=False) for _ in range(2))
    np.testing.assert_array_equal(first.kernel, second.kernel)
    assert first.to_json() == second.to_json()


@pytest.mark.parametrize(("labels_dim", "repeats"), [(1, 1), (2, 1), (2, 3), (3, 1), (4, 1)])
def test_the_relaxation_is_tight_on_the_hypercube(labels_dim, repeats):
    problem, v = at_the_formula(labels_dim, repeats)
    samples = len(problem.targets)
    bound = relaxation.largest_gain(problem, v).bound
    assert 1 - 1e-10 < bound < 1 + 1e-6
    expected = relu_energy(labels_dim, samples, 0.1, 0.1)
    assert lower_bound(problem, v, bound) == pytest.approx(expected, rel=1e-5)


def at_the_formula(labels_dim: int, repeats: int) -> tuple[ConvexProblem, np.ndarray]:
    posterior = hypercube_posterior("relu", labels_dim, repeats, width=40)
    samples = posterior.task.sample_count
    shrunk = np.sqrt(0.1 * 0.1 * (1 + 1 / (samples + 1)) / samples)
    return ConvexProblem.of(posterior), shrunk * posterior.task.targets.T


def test_an_unconverged_relaxation_is_still_a_bound():
    problem = ConvexProblem.of(small_posterior("relu", samples=12, bias=True))
    v = np.random.default_rng(0).normal(size=(2, 12))
    found = search(problem, v, np.zeros((0, problem.basis.shape[1])), np.random.default_rng(1)).largest
    bounds = [relaxation.largest_gain(problem, v, iterations=count).bound for count in (25, 100, 1500)]
    assert all(bound >= found * (1 - 1e-9) for bound in bounds)
    assert bounds == sorted(bounds, reverse=True)
    # |V phi| <= |V| |h| says as much without any work
    trivial = np.linalg.norm(v, 2) ** 2 * np.linalg.norm(problem.basis, 2) ** 2 / (problem.penalty * problem.ridge)
    assert bounds[-1] < 0.9 * trivial


def test_the_relaxation_of_linear_networks_is_exact():
    problem = ConvexProblem.of(small_posterior("linear", samples=12))
    v = np.random.default_rng(0).normal(size=(2, 12))
    found = search(problem, v, np.zeros((0, problem.basis.shape[1])), np.random.default_rng(1)).largest
    assert relaxation.largest_gain(problem, v).bound == pytest.approx(found, rel=1e-8)


@pytest.mark.parametrize("activation", ["tanh", "logistic"])
def test_the_separable_bound_is_a_bound_and_tight_without_bias(activation):
    posterior = hypercube_posterior(activation, 2, 1, width=8, bias=False, penalty1=0.05)
    problem = ConvexProblem.of(posterior)
    predicted = predict(posterior, "global-minimum", method="closed-form")
    v = (posterior.task.targets - predicted.outputs).T
    bound = separable_bound(problem, v)
    found = search(problem, v, np.zeros((0, 4)), np.random.default_rng(0)).largest
    assert bound >= found * (1 - 1e-9)
    assert lower_bound(problem, v, bound) == pytest.approx(predicted.energy, rel=1e-5)
    uneven = np.random.default_rng(0).normal(size=v.shape)
    found = search(problem, uneven, np.zeros((0, 4)), np.random.default_rng(0)).largest
    assert separable_bound(problem, uneven) > found


def test_bounds_hold_at_any_residual():
    """Weak duality: whatever V, the bound is below the minimum."""
    problem, v = at_the_formula(2, 1)
    minimum = relu_energy(2, 4, 0.1, 0.1)
    rng = np.random.default_rng(0)
    for _ in range(4):
        wrong = v + 0.3 * np.max(np.abs(v)) * rng.normal(size=v.shape)
        largest = search(problem, wrong, np.zeros((0, problem.basis.shape[1])), rng, starts=60).largest
        assert lower_bound(problem, wrong, largest) < minimum


@pytest.mark.parametrize("planted", ["one label", "wrong directions", "too large"])
def test_planted_wrong_solutions_are_caught(planted):
    """Neurons for one label only, neurons for their product, or the right ones too large: a gap of over a percent."""
    problem, _ = at_the_formula(2, 1)
    targets = problem.targets
    xor = targets[:, 0] * targets[:, 1]
    patterns = {
        "one label": [1 + targets[:, 0], 1 - targets[:, 0]],
        "wrong directions": [1 + xor, 1 - xor, 1 + targets[:, 0]],
        "too large": [1 + sign * targets[:, label] for label in (0, 1) for sign in (1, -1)],
    }[planted]
    positions = np.array(patterns) @ np.linalg.pinv(problem.basis).T
    positions /= np.linalg.norm(positions, axis=1)[:, None]
    measure = best_masses(problem, positions)
    if planted == "too large":
        measure = NeuronMeasure(measure.positions, 1.5 * measure.masses)
    v = residual(problem, kernel(problem, measure))
    estimate = frank_wolfe.certify(problem, v, measure.positions)
    rigorous = relaxation.largest_gain(problem, v).bound
    value = energy(problem, measure)
    assert (value - lower_bound(problem, v, estimate.largest)) / value > 0.01
    assert (value - lower_bound(problem, v, rigorous)) / value > 0.01
    assert value > relu_energy(2, 4, 0.1, 0.1) * 1.001


def test_best_masses_equalise_gains():
    """On the support no neuron gains more than another, and with free masses none gains at all."""
    rng = np.random.default_rng(0)
    for activation in ("relu", "tanh"):
        problem = ConvexProblem.of(hypercube_posterior(activation, 2, 2, width=8))
        measure = best_masses(problem, rng.normal(size=(40, problem.basis.shape[1])))
        v = residual(problem, kernel(problem, measure))
        on_support = gains(problem, v, measure.positions)
        assert np.ptp(on_support) < 1e-5 * np.max(np.abs(on_support))
        if activation == "relu":
            np.testing.assert_allclose(on_support, 1, atol=1e-5)
        else:
            assert measure.masses.sum() == pytest.approx(8)


def test_gains_are_slopes_of_the_energy():
    problem = ConvexProblem.of(hypercube_posterior("tanh", 2, 1, width=8))
    rng = np.random.default_rng(0)
    positions = rng.normal(size=(5, problem.basis.shape[1]))
    measure = NeuronMeasure(positions, rng.uniform(1, 2, 5))
    v = residual(problem, kernel(problem, measure))
    step = 1e-6
    moved = [NeuronMeasure(positions, measure.masses + sign * step * np.eye(5)[2]) for sign in (1, -1)]
    slope = (energy(problem, moved[0]) - energy(problem, moved[1])) / (2 * step)
    assert slope == pytest.approx(-gains(problem, v, positions)[2], rel=1e-5)


@pytest.mark.parametrize(
    ("name", "kinks", "homogeneous"),
    [
        ("relu", [0.0], True),
        ("linear", [], True),
        ("hardtanh", [-1.0, 1.0], False),
        ("hardsigmoid", [-3.0, 3.0], False),
        ("threshold-tanh", [0.0], False),
        ("tanh", [], False),
    ],
)
def test_kinks_and_homogeneity_are_found(name, kinks, homogeneous):
    phi = pointwise(ACTIVATIONS[name])
    np.testing.assert_allclose(phi.kinks, kinks, atol=1e-9)
    assert phi.homogeneous is homogeneous
    z = np.linspace(-5, 5, 101) + 0.013
    for rounding in (0.3, 1e-2):
        value, slope = phi(z, rounding)
        ahead, behind = phi(z + 1e-6, rounding)[0], phi(z - 1e-6, rounding)[0]
        np.testing.assert_allclose(slope, (ahead - behind) / 2e-6, atol=1e-6)
        np.testing.assert_allclose(value, phi(z)[0], atol=0.5 * rounding)


@pytest.mark.parametrize(
    ("activation", "certified"), [("logistic", True), pytest.param("softplus", False, marks=pytest.mark.slow)]
)
def test_data_without_closed_form(activation, certified):
    """One-hot targets, singular input kernel. Where activity grows without limit there is no certificate, and the
    prediction says so."""
    posterior = small_posterior(activation, samples=10, width=4, bias=True, temperature=0.02)
    solved = predict(posterior, "global-minimum", searches=1)
    assert solved.details.method == "solver"
    assert solved.certificate.holds is certified
    assert solved.certificate.gap <= 1
    assert any("softplus" in each.statement and each.holds is certified for each in solved.assumptions)
    assert solved.parallelism is None
    gamma = posterior.network.readout_scale
    plain = Posterior(
        posterior.task.with_inputs(posterior.task.inputs / np.sqrt(5), posterior.task.test_inputs, "fan-in"),
        Network(activation, width=4, bias=True, scaling="none"),
        penalty1=posterior.prior.penalties[0],
        penalty2=posterior.prior.penalties[1] / gamma**2,
    )
    assert solved.energy < minimise(plain, starts=8).energy * (1 + 1e-5)


def test_the_relaxation_refuses_other_activations():
    problem = ConvexProblem.of(hypercube_posterior("tanh", 2, 1, width=8))
    with pytest.raises(InvalidInput, match="relu and linear: use separable_bound"):
        relaxation.largest_gain(problem, problem.targets.T)


def test_xor_inputs_go_to_the_solver_and_the_gap_of_the_formula_is_large():
    posterior = with_gram(hypercube_posterior("relu", 2, 1, width=40), xor_gram(hypercube_posterior(), 10.0))
    formula = predict(posterior, "global-minimum", method="closed-form")
    assert formula.certificate.gap > 0.01
    solved = predict(posterior, "global-minimum", searches=1, rigorous=False)
    assert solved.certificate.gap < 1e-6
    assert abs(solved.parallelism) < 1e-3


@pytest.mark.real_data
def test_labels_of_images(image_folder):
    """Parity and magnitude of 20 digits: unwhitened inputs, so that parallelism is far from 1."""
    task = tasks.mnist(samples=20, labels="parity-magnitude")
    posterior = Posterior(task, Network("relu", width=60, bias=True, scaling="none"), penalty1=30.0, penalty2=30.0)
    problem = ConvexProblem.of(posterior)
    solution = frank_wolfe.solve(problem, searches=1, starts=60, particles=60, tolerance=1e-3)
    assert solution.gap < 1e-3
    total = kernel(problem, solution.measure)
    assert parallelism_score_from_kernel(class_kernel(total, task.labels), task.factors).value < 0.9
