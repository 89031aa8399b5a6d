"""Several hidden layers: the coupling of layers against closed forms and quadrature, the whole against networks."""

import jax.numpy as jnp
import numpy as np
import pytest
from theory_problems import fitted_noise, fractions_of, regressed_error, standard_error, toy_posterior

import codingschemes as cs
from codingschemes.networks.activations import ACTIVATIONS
from codingschemes.theory import predict
from codingschemes.theory.mean_field import Annealing, MeanFieldProblem
from codingschemes.theory.mean_field.dual import refitted_gap
from codingschemes.theory.mean_field.solvers.deep import Layers, settle_deep
from codingschemes.theory.mean_field.solvers.layer import covariance_gradient, symmetric_root
from codingschemes.theory.mean_field.solvers.linear import free_energy, solve_linear
from codingschemes.theory.mean_field.theory import route_to

HEAT = 0.1
GAIN = 1.3


def orthogonal_columns(kernel):
    values, vectors = np.linalg.eigh(kernel)
    return (vectors * np.sqrt(values))[:, ::-1]


FEW = Annealing(cooling=30, settling=40, measuring=30)
"""A fifth of what predictions take; what is left unsolved is larger, and still accepted."""


@pytest.fixture(scope="module")
def linear_layers():
    """Two linear layers, in which all is Gaussian: the self-consistency iterated in closed form."""
    rng = np.random.default_rng(0)
    inputs, targets = rng.standard_normal((6, 10)), np.eye(2)[[0, 0, 0, 1, 1, 1]]
    k0, variance, tau = inputs @ inputs.T / 10, 0.4, 0.1
    tilt, covariance = np.zeros((6, 6)), k0
    for _ in range(250):
        k1 = GAIN * covariance
        last = solve_linear(free_energy(orthogonal_columns(k1), targets, variance, tau))
        inverse = np.linalg.inv(k1)
        found = GAIN * (inverse @ last.kernels[-1] @ inverse - inverse)
        tilt = tilt + 0.1 * ((found + found.T) / 2 - tilt)
        covariance = np.linalg.inv(np.linalg.inv(k0) - tilt)
        covariance = (covariance + covariance.T) / 2
    return k0, targets, variance, tau, tilt, covariance, last


def test_the_free_energy_of_linear_layers_is_stationary(linear_layers):
    k0, targets, variance, tau, _, first, last = linear_layers

    def divergence(s, k):
        return (np.trace(np.linalg.solve(k, s)) - len(s) - np.linalg.slogdet(s)[1] + np.linalg.slogdet(k)[1]) / 2

    def free_energy(a, b):
        s1, s2 = a @ a.T, b @ b.T
        fit = np.sum(targets * np.linalg.solve(tau * np.eye(6) + variance * s2, targets)) / 2
        return divergence(s1, k0) + divergence(s2, GAIN * s1) + fit

    assert np.linalg.norm(first - k0) > 0.1 * np.linalg.norm(k0)  # the layer below the last has learned something
    rng, factors = np.random.default_rng(1), [np.linalg.cholesky(each) for each in (first, last.kernels[-1])]
    for _ in range(6):
        along = [1e-4 * np.tril(rng.standard_normal((6, 6))) for _ in factors]
        up, down = (free_energy(*(f + sign * a for f, a in zip(factors, along, strict=True))) for sign in (1, -1))
        assert abs(up - down) < 1e-3 * (up + down - 2 * free_energy(*factors))


def test_linear_layers_in_closed_form(linear_layers):
    k0, targets, variance, tau, _, first, last = linear_layers
    found = solve_linear(free_energy(orthogonal_columns(k0), targets, variance, tau, layers=2, gain=GAIN))
    for closed, iterated in zip((*found.kernels, found.t), (first, *last.kernels, last.t), strict=True):
        assert np.allclose(closed, iterated, rtol=0, atol=1e-6 * np.abs(iterated).max())


def test_linear_layers_pull_as_in_closed_form(linear_layers):
    _, _, variance, _, tilt, _, last = linear_layers
    drawn = np.random.default_rng(2).standard_normal((50, 6))
    whitened = drawn @ symmetric_root(drawn.T @ drawn / 50, -0.5)  # covariance one exactly
    z = whitened @ symmetric_root(last.kernels[-1])
    found = covariance_gradient(
        ACTIVATIONS["linear"], jnp.asarray(z), jnp.asarray(variance * last.t @ last.t.T), jnp.eye(6)
    )
    assert np.allclose(GAIN * np.asarray(found), tilt, rtol=0, atol=1e-8 * np.abs(tilt).max())


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "hardsigmoid"])
def test_the_pull_is_the_slope_of_the_partition_function(name):
    activation = ACTIVATIONS[name]
    kernel, tilt = np.array([[2.0, 0.7], [0.7, 1.5]]), np.array([[3.0, 1.5], [1.5, -2.0]])
    axis = np.linspace(-6, 6, 301)
    u = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)

    def weights(kernel):
        z = u @ symmetric_root(kernel)
        phi = np.asarray(activation(jnp.asarray(z)))
        return z, np.exp(-np.sum(u**2, axis=1) / 2 + np.sum(phi * (phi @ tilt), axis=1) / 2)

    def slope(direction):
        up, down = (np.log(weights(kernel + sign * 1e-4 * direction)[1].sum()) for sign in (1, -1))
        return (up - down) / 2e-4

    expected = 2 * np.array([slope(np.diag([1.0, 0.0])), slope(np.diag([0.0, 1.0])), slope(np.eye(2)[::-1]) / 2])
    z, weight = weights(kernel)
    rng, draws, found = np.random.default_rng(0), 10_000, []
    for _ in range(10):  # independent sets of systematic draws
        chosen = np.searchsorted(np.cumsum(weight) / weight.sum(), (np.arange(draws) + rng.random()) / draws)
        drawn = covariance_gradient(
            activation, jnp.asarray(z[chosen]), jnp.asarray(tilt), jnp.asarray(np.linalg.inv(kernel))
        )
        found.append(np.asarray(drawn)[[0, 1, 0], [0, 1, 1]])
    error = np.std(found, axis=0, ddof=1) / np.sqrt(len(found))
    assert np.all(np.abs(np.mean(found, axis=0) - expected) < 4 * error)
    assert np.all(error < 0.01 * np.abs(expected))  # so that the sentence above says something


def test_one_layer_is_recovered_with_its_equilibrium():
    posterior = toy_posterior(samples=12, width=60, temperature=HEAT / 60)
    exact, problem = predict(posterior), MeanFieldProblem(posterior)
    count = 500
    found = settle_deep(problem, count=count, seed=0, annealing=FEW)
    kernel = problem.variance * found.kernels[-1]
    gap = refitted_gap(problem.targets - problem.tau * found.t - kernel @ found.t, kernel, problem.tau)
    assert gap < fitted_noise(problem.targets.size, count)
    # the gap bounds the error of all outputs together
    outputs = problem.targets - problem.tau * problem.fit(kernel)
    assert np.linalg.norm(outputs - exact.outputs) < np.sqrt(2 * problem.tau * gap)
    names, counts = np.unique(found.codes, axis=0, return_counts=True)
    shares = {"".join(str(int(bit)) for bit in name): n / counts.sum() for name, n in zip(names, counts, strict=True)}
    for code, share in fractions_of(exact).items():
        assert shares.get(code, 0.0) == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / count))


PARTICLES = 1500


@pytest.fixture(scope="module")
def posterior():
    task = cs.tasks.orthogonal(samples=12, ratios=(0.5, 0.25, 0.25), test=2)
    task = task.with_inputs(task.inputs, np.concatenate([task.test_inputs[:1], task.inputs[:1]]), "one copied")
    return cs.Posterior(task, cs.Network("sigmoid", width=60, depth=2), temperature=HEAT / 60)


@pytest.fixture(scope="module")
def prediction(posterior):
    return predict(posterior, particles=PARTICLES, annealing=FEW)


def test_the_layer_below_learns(posterior, prediction):
    """Networks of 60 neurons a layer, sampled once by Hamiltonian Monte Carlo: corrections of relative order 1/60."""
    first = posterior.task.labels == 0
    sampled = np.array([[0.3285, 0.2011], [0.5640, 0.3467]])  # kernel of layer 1 and of layer 2, within and between
    below, last = (
        np.array([kernel[np.ix_(first, first)].mean(), kernel[np.ix_(first, ~first)].mean()])
        for kernel in (*prediction.lower_kernels, prediction.kernel)
    )
    # means of what lies between 0 and 1 and has the mean m: its variance is at most m (1 - m)
    most = np.sqrt(sampled[0] * (1 - sampled[0]) / PARTICLES)
    assert np.all(np.abs(below - sampled[0]) < 2 * most + sampled[0] / 60)
    activity = prediction.neurons.activity
    products = np.stack([activity[:, 0] ** 2, activity[:, 0] * activity[:, 1:].mean(axis=1)], axis=1)
    assert np.all(np.abs(last - sampled[1]) < 4 * standard_error(products, PARTICLES) + sampled[1] / 60)
    # the gap bounds the error of all outputs together
    error = np.sqrt(2 * HEAT * prediction.certificate.gap / first.sum())
    assert prediction.outputs[first, 0].mean() == pytest.approx(0.6452, abs=error + 0.6452 / 60)
    # without a tilt the kernel of layer 1 would be that of the prior, 1/4 between samples
    assert prediction.lower_kernels[0][np.ix_(first, ~first)].mean() < 0.22


@pytest.mark.parametrize(("samples", "particles"), [(12, 2000), (40, 6400), (200, 16000)])
def test_particles_grow_with_samples(samples, particles):
    posterior = cs.Posterior(cs.tasks.orthogonal(samples=samples), cs.Network("sigmoid", width=8, depth=2))
    assert route_to(MeanFieldProblem(posterior)).particles == particles


def test_what_is_not_solved_is_said(prediction):
    parts = prediction.certificate.bounds
    assert prediction.certificate.gap == pytest.approx(sum(parts.values()))
    assert prediction.certificate.holds
    assert any("stationary point" in each.statement and not each.holds for each in prediction.assumptions)


def test_test_inputs(prediction):
    assert prediction.test_variance is None
    error = regressed_error(HEAT, PARTICLES)
    assert np.allclose(prediction.test_outputs[1], prediction.outputs[0], rtol=0, atol=3 * error)
    assert np.all(np.abs(prediction.test_outputs[0]) < 1)


@pytest.mark.slow
def test_kernels_of_all_layers_are_written(prediction):
    values = prediction.to_json()
    assert len(values["lower_kernels"]) == 1
    assert values["lower_kernels"][0].keys() == values["kernel"].keys()


def test_codes_can_be_given(posterior):
    given = {"110": 0.3, "101": 0.3, "011": 0.4}
    problem = MeanFieldProblem(posterior)
    # as many as in the prediction above: compiled once for both
    layers = Layers(problem, count=PARTICLES, seed=0, fractions=given)
    for _ in range(15):
        layers.sweep()
        layers.couple(problem.tau, 1.0)
    names, counts = np.unique(layers.codes, axis=0, return_counts=True)
    shares = {"".join(str(int(bit)) for bit in name): n / PARTICLES for name, n in zip(names, counts, strict=True)}
    assert shares == pytest.approx(given)


@pytest.mark.parametrize(
    ("activation", "network", "options"),
    [("relu", {}, {}), ("linear", {"bias": True}, {}), ("sigmoid", {}, {"method": "quadrature"})],
)
def test_refusals(activation, network, options):
    task = cs.tasks.orthogonal(samples=10)
    with pytest.raises(cs.InvalidInput, match=r"proportional|particles"):
        predict(cs.Posterior(task, cs.Network(activation, width=10, depth=2, **network)), **options)
