"""One neuron, and a pair, among the others: against the whole likelihood, its derivatives, and a fresh start."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from known_answers import small_posterior

import codingschemes as cs
from codingschemes.posterior.collapsed import collapsed_misfit
from codingschemes.samplers import neighbourhood, rotations
from codingschemes.samplers.neighbourhood import LastLayer
from codingschemes.samplers.rotations import log_selection as log_selection_of
from codingschemes.samplers.rotations import rotate_pair, shrinking_angles, slice_angle
from codingschemes.tasks import make_task

# One program each: step by step they would be hundreds.
populate = jax.jit(neighbourhood.populate)
without = jax.jit(neighbourhood.without)
with_neuron = jax.jit(neighbourhood.with_neuron)
updated = jax.jit(rotations._update)
pair_log_likelihood = jax.jit(rotations._log_likelihood)
rotate = jax.jit(rotate_pair)

#: S has a condition number of about 1e3 (small networks), which multiplies the round-off of float64.
ROUND_OFF = 1e-11

NEURON = np.asarray(2)
PAIR = np.array([4, 1])


@pytest.fixture(params=["sigmoid", "relu"])
def scene(request):
    """A density, its population at a prior draw, and other coordinates for two neurons."""
    density = small_posterior(request.param, samples=8, width=6).density()
    population = drawn(jax.random.PRNGKey(1), density)
    others = np.random.default_rng(2).normal(size=(2, population.coordinates.shape[1]))
    return density, population, others


@jax.jit
def drawn(key, density) -> LastLayer:
    return populate(density, *density.last_layer(density.prior_draw(key)))


@jax.jit
def active(coordinates, population, density):
    """Activities of neurons with these coordinates, as rows."""
    return density.network.activation(coordinates @ population.basis.T)


def misfit(activity, density):
    return collapsed_misfit(activity, density.targets, density.scaled_readout_variance, density.temperature)


@jax.jit
def log_likelihoods(population, places, rows, density):
    """Of the whole, up to a constant, with other activities of some neurons, one after another."""
    return jax.vmap(lambda row: -misfit(population.activity.at[places].set(row), density))(rows)


def response(population: LastLayer) -> np.ndarray:
    """S^{-1} (I, Y)."""
    return np.concatenate([population.inverse, population.field], axis=1)


def assert_same(found: LastLayer, expected: LastLayer):
    for name, one, other in zip(LastLayer._fields, found, expected, strict=True):
        largest = np.abs(np.asarray(other)).max()
        np.testing.assert_allclose(one, other, rtol=0, atol=ROUND_OFF * largest, err_msg=name)


def test_a_population_knows_its_misfit_before_and_after_a_neuron_changes(scene):
    density, population, others = scene
    assert np.isclose(population.misfit(density), misfit(population.activity, density), rtol=ROUND_OFF)
    cavity = without(population, NEURON, density)
    changed, _ = with_neuron(population, NEURON, cavity, others[0], active(others[:1], population, density)[0])
    assert np.isclose(changed.misfit(density), misfit(changed.activity, density), rtol=ROUND_OFF)
    assert not np.isclose(changed.misfit(density), population.misfit(density), rtol=1e-3)


def test_a_neurons_log_likelihood_is_what_it_adds_to_the_misfit(scene):
    density, population, others = scene
    activity = active(others, population, density)
    cavity = without(population, NEURON, density)
    found = jax.jit(cavity.log_likelihood)(activity, np.asarray(activity) @ population.inverse)
    silent_too = np.concatenate([activity, np.zeros_like(activity[:1])])
    *expected, silent = np.asarray(log_likelihoods(population, NEURON, silent_too, density))
    np.testing.assert_allclose(found[1] - found[0], expected[1] - expected[0], rtol=ROUND_OFF)
    np.testing.assert_allclose(found, expected - silent, rtol=ROUND_OFF)


def test_slope_and_curvature_are_the_derivatives(scene):
    density, population, others = scene
    activity = active(others, population, density)
    cavity = without(population, NEURON, density)

    def alone(row):
        return -misfit(population.activity.at[NEURON].set(row), density)

    def smooth(row):  # jax.hessian goes through the Cholesky factor: collapsed_misfit has a first derivative only
        whole = population.activity.at[NEURON].set(row)
        kernel = density.scaled_readout_variance * whole.T @ whole + density.temperature * jnp.eye(whole.shape[1])
        fit = jnp.sum(density.targets * jnp.linalg.solve(kernel, density.targets))
        return -(fit + density.targets.shape[1] * jnp.linalg.slogdet(kernel)[1]) / 2

    @jax.jit
    def derivatives(activity):
        """Found, and expected."""
        slopes = cavity.slope(activity, activity @ population.inverse), jax.vmap(jax.grad(alone))(activity)
        curvatures = jax.vmap(cavity.curvature, (0, None))(activity, population.inverse)
        return slopes, (curvatures, jax.vmap(jax.hessian(smooth))(activity))

    (found, slopes), (curvatures, hessians) = derivatives(activity)
    np.testing.assert_allclose(found, slopes, rtol=0, atol=ROUND_OFF * np.abs(slopes).max())
    for found, hessian in zip(curvatures, hessians, strict=True):
        np.testing.assert_allclose(found, hessian, rtol=0, atol=10 * ROUND_OFF * np.abs(hessian).max())


def test_a_neuron_replaced_is_a_population_from_scratch(scene):
    density, population, others = scene
    coordinates, activity = others[0], active(others, population, density)[0]
    cavity = without(population, NEURON, density)
    found, update = with_neuron(population, NEURON, cavity, coordinates, activity)
    assert_same(found, populate(density, population.coordinates.at[NEURON].set(coordinates), population.basis))
    rows = np.random.default_rng(4).normal(size=(3, activity.size))
    images = jax.jit(update.image)(rows, rows @ population.inverse)
    np.testing.assert_allclose(images, rows @ found.inverse, rtol=0, atol=ROUND_OFF * np.abs(found.inverse).max())


def test_a_neuron_put_back_leaves_everything_as_it_was(scene):
    density, population, _ = scene
    cavity = without(population, NEURON, density)
    back, _ = with_neuron(population, NEURON, cavity, population.coordinates[NEURON], population.activity[NEURON])
    assert_same(back, population)


def test_a_pairs_log_likelihood_is_what_it_adds_to_the_misfit(scene):
    density, population, others = scene
    pairs = np.stack([others, rotate(np.array([0.7]), np.asarray(population.coordinates)[PAIR])[0]])
    activity = active(pairs, population, density)
    without_pair = updated(response(population), population.activity[PAIR], -density.scaled_readout_variance)
    found = pair_log_likelihood(activity, without_pair, density.scaled_readout_variance)
    expected = log_likelihoods(population, PAIR, activity, density)
    np.testing.assert_allclose(found[1] - found[0], expected[1] - expected[0], rtol=ROUND_OFF)


def test_a_pair_replaced_is_a_population_from_scratch(scene):
    density, population, others = scene
    activity = active(others, population, density)
    without_pair = updated(response(population), population.activity[PAIR], -density.scaled_readout_variance)
    found = updated(without_pair, activity, density.scaled_readout_variance)
    coordinates = np.array(population.coordinates)
    coordinates[PAIR] = others
    fresh = response(populate(density, coordinates, population.basis))
    np.testing.assert_allclose(found, fresh, rtol=0, atol=ROUND_OFF * np.abs(fresh).max())


rotated = jax.jit(rotations.rotation_sweep, static_argnums=3)


def toy_density(temperature):
    """A hundred ReLUs that see a hundred samples."""
    task = make_task("orthogonal", samples=100, classes=3, ratios=".5,.25,.25")
    return task, cs.Posterior(task, cs.Network("relu", width=100), temperature=temperature).density()


def test_a_sweep_over_outliers_at_low_temperature_keeps_its_accuracy():
    """Taking an outlier out leaves a matrix that is nearly singular next to what it was. An update that loses digits
    there accepts what it should not: networks at T = 1e-4 fell apart once in some hundred draws."""
    task, density = toy_density(1e-4)
    own = np.where(task.labels == np.arange(3)[:, None], 1.0, -0.3)
    norms = np.sqrt(np.mean(np.maximum(own, 0) ** 2, axis=1, keepdims=True))
    coordinates = np.random.default_rng(0).normal(size=(100, density.basis.shape[1]))
    coordinates[:3] = density.input_coordinates(jnp.asarray(7 * own / norms))
    after = rotated(jax.random.PRNGKey(2), populate(density, coordinates, density.basis), density, 50)
    assert np.linalg.norm(after.coordinates - coordinates) > 1
    assert_same(after, populate(density, after.coordinates, density.basis))


def test_silent_neurons_rotate_too():
    """Pairs are drawn, and turn, where no neuron or only one answers to anything; |u|^2 is conserved."""
    _, density = toy_density(0.05)
    positive = np.linalg.pinv(density.basis) @ np.ones(100)
    silent = -np.outer(np.linspace(1, 3, 100), positive)
    lonely = np.concatenate([positive[None], silent[1:]])
    for coordinates in (silent, lonely):
        before = populate(density, coordinates, density.basis)
        assert not np.asarray(before.activity)[1:].any()
        after = rotated(jax.random.PRNGKey(0), before, density, 50)
        assert not np.allclose(after.coordinates, coordinates)
        np.testing.assert_allclose(np.sum(np.square(after.coordinates)), np.sum(coordinates**2), rtol=1e-12)
        assert_same(after, populate(density, after.coordinates, density.basis))


def test_a_turn_keeps_the_prior_and_turns_back():
    pair = np.random.default_rng(3).normal(size=(2, 4))
    turned = np.asarray(rotate(np.array([1.1]), pair)[0])
    np.testing.assert_allclose(np.sum(turned**2), np.sum(pair**2), rtol=1e-14)
    np.testing.assert_allclose(rotate(np.array([-1.1]), turned)[0], pair, atol=1e-14)


def test_selection_probabilities_of_all_pairs_add_up_to_one():
    weights = np.array([5.0, 0.3, 1e-9, 2.0])
    pairs = [[i, j] for i in range(4) for j in range(i)]
    log_selection = jax.jit(log_selection_of)
    found = [np.exp(log_selection(weights[pair][None], weights.sum() - weights[pair].sum()))[0] for pair in pairs]
    np.testing.assert_allclose(sum(found), 1, rtol=1e-12)


def test_angles_shrink_to_where_a_neuron_is():
    """Every angle lies between zero and the last one on its side, uniformly on the circle at first."""
    angles = np.asarray(jax.jit(shrinking_angles)(np.random.default_rng(0).uniform(size=(4, 8)))).ravel()
    assert 0 < angles[0] < 2 * np.pi
    low, high = angles[0] - 2 * np.pi, angles[0]
    for angle in angles[1:]:
        assert low < angle < high
        low, high = (angle, high) if angle < 0 else (low, angle)


def test_slice_sampling_takes_the_first_angle_above_the_level():
    angles = jnp.asarray([[3.0, -2.0], [1.0, -0.5]])

    def parabola(angle):
        return -(angle**2)

    first_above = jax.jit(lambda level: slice_angle(parabola, angles, level))
    for level, expected in ((-0.1, 0.0), (-0.3, -0.5), (-1.5, 1.0), (-5.0, -2.0), (-10.0, 3.0)):
        assert first_above(level) == expected
