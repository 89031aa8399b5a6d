"""Depth in function space: the same law as the weights, without jitter, at kernels of any rank."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from known_answers import agreement_z, potential, prior_draw, propagate, small_posterior

from codingschemes.diagnostics import mean_and_error
from codingschemes.posterior.function import gram_root

#: Fewer samples than features, and so P coordinates a neuron instead of N (+ 1 for the bias).
NARROW = {"samples": 4, "width": 6, "depth": 2}


def features_of(case: str) -> jnp.ndarray:
    features = np.random.default_rng(0).normal(size=(7, 4))
    if case == "equal samples":
        features[:, 1] = features[:, 0]
    if case == "nearly equal samples":
        features[:, 1] = features[:, 0] + 1e-9 * features[:, 1]
    if case == "dead sample":
        features[:, 2] = 0
    if case == "dead layer":
        features[:] = 0
    return jnp.asarray(features)


RANKS = ["regular", "equal samples", "nearly equal samples", "dead sample", "dead layer"]


@pytest.mark.parametrize("case", RANKS)
def test_the_root_is_exact_at_any_rank(case):
    features = features_of(case)
    root = gram_root(features)
    np.testing.assert_allclose(root @ root, features.T @ features, atol=1e-14 * max(1.0, float(jnp.sum(features**2))))
    np.testing.assert_array_equal(np.isfinite(root), True)


@pytest.mark.parametrize("case", RANKS)
def test_the_gradient_of_the_root_is_bounded_at_any_rank(case):
    # |dH| <= sqrt(2) |dF| in the Frobenius norm, and the adjoint has the same norm.
    _, pull_back = jax.vjp(gram_root, features_of(case))
    cotangents = np.random.default_rng(1).normal(size=(50, 4, 4))
    (gradients,) = jax.vmap(pull_back)(jnp.asarray(cotangents))
    ratios = np.linalg.norm(gradients, axis=(1, 2)) / np.linalg.norm(cotangents, axis=(1, 2))
    assert ratios.max() <= np.sqrt(2)


def assert_gradient_is_that_of_finite_differences(density, position):
    evaluate = jax.jit(jax.value_and_grad(density.potential))
    _, gradient = evaluate(position)
    position = jax.tree.map(np.asarray, position)
    rng = np.random.default_rng(100)
    for _ in range(5):
        direction = {name: rng.normal(size=block.shape) for name, block in position.items()}
        slope = sum(np.sum(gradient[name] * direction[name]) for name in position)
        # steps of 1e-5: the cube root of round-off; both errors of a difference are about its square.
        ahead, behind = (
            evaluate({name: position[name] + step * direction[name] for name in position})[0] for step in (1e-5, -1e-5)
        )
        np.testing.assert_allclose((ahead - behind) / 2e-5, slope, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("options", [{}, {"bias": True}, {"depth": 3}])
@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_the_gradient_is_that_of_finite_differences(activation, options):
    density = small_posterior(activation, **{**NARROW, **options}).density("function")
    assert_gradient_is_that_of_finite_differences(density, prior_draw(density, jax.random.PRNGKey(0)))


def test_the_gradient_holds_where_no_relu_is_active_at_a_sample():
    density = small_posterior("relu", **NARROW).density("function")
    position = prior_draw(density, jax.random.PRNGKey(0))
    first = np.array(density.first_preactivation(position))
    first[:, 0] = -np.abs(first[:, 0])
    position["input"] = density.input_coordinates(jnp.asarray(first))
    preactivations = np.asarray(propagate(density, position)[0])
    assert (preactivations[0, :, 0] < 0).all()
    np.testing.assert_allclose(preactivations[1, :, 0], 0, atol=1e-15)
    assert_gradient_is_that_of_finite_differences(density, position)


@pytest.mark.parametrize("options", [{"bias": True}, {"weight_variance": 2.5}, {"depth": 3}])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_the_misfit_at_given_weights_is_that_of_the_reduced_form(activation, options):
    posterior = small_posterior(activation, **{**NARROW, **options})
    reduced, function = posterior.density("reduced"), posterior.density("function")
    position = jax.tree.map(np.asarray, prior_draw(reduced, jax.random.PRNGKey(1)))
    preactivations, misfit = (np.asarray(array) for array in _layers_and_misfit(reduced, position))
    hidden = []
    for weights, below in zip(position["hidden"], preactivations, strict=False):
        left, _, right = np.linalg.svd(posterior.network.features(posterior.network.activation(jnp.asarray(below))))
        hidden.append(weights @ left[:, : len(right)] @ right)
    same = {"input": position["input"], "hidden": np.stack(hidden)}
    assert {name: block.shape for name, block in same.items()} == function.shapes
    found, found_misfit = _layers_and_misfit(function, same)
    np.testing.assert_allclose(found, preactivations, atol=1e-12)
    np.testing.assert_allclose(found_misfit, misfit, rtol=1e-11)


@jax.jit
def _layers_and_misfit(density, position):
    return density.propagate(position)[0], density.misfit(position)


@pytest.mark.parametrize("options", [{"depth": 1, "samples": 4}, {"depth": 2, "samples": 8}])
def test_where_weights_are_the_fewer_numbers_it_is_the_reduced_form(options):
    posterior = small_posterior("tanh", **options)
    reduced, function = posterior.density("reduced"), posterior.density("function")
    assert function.shapes == reduced.shapes
    position = prior_draw(function, jax.random.PRNGKey(0))
    assert potential(function, position) == potential(reduced, position)
    key = jax.random.PRNGKey(1)
    assert function.hidden_norm(key, position) == reduced.hidden_norm(key, position)


@pytest.mark.parametrize(("activation", "bias"), [("sigmoid", True), ("relu", False)])
def test_under_the_prior_a_layer_has_the_kernel_below_as_covariance(activation, bias):
    posterior = small_posterior(activation, **NARROW, bias=bias, weight_variance=1.7)

    def products(space):
        density = posterior.density(space)

        def draw(key):
            preactivations, activity = density.propagate(density.prior_draw(key))
            below = posterior.network.features(posterior.network.activation(preactivations[0]))
            covariance = preactivations[1].T @ preactivations[1] / posterior.network.width
            return covariance, 1.7 * below.T @ below, activity.T @ activity

        draws = jax.jit(jax.vmap(draw))(jax.random.split(jax.random.PRNGKey(0), 5000))
        return [np.asarray(array)[None] for array in draws]

    covariance, kernel, above = products("function")
    mean, error = mean_and_error(covariance - kernel)
    assert np.abs(mean / error).max() < 4.9
    for ours, theirs in zip((covariance, kernel, above), products("weights"), strict=True):
        assert np.abs(agreement_z(*mean_and_error(ours), *mean_and_error(theirs))).max() < 4.9


def test_the_hidden_norm_is_that_of_weights_drawn_given_the_preactivations():
    posterior = small_posterior("tanh", samples=4, width=6, depth=3, bias=True, weight_variance=1.7)
    density = posterior.density("function")
    position = prior_draw(density, jax.random.PRNGKey(0))
    preactivations, _ = propagate(density, position)

    def norms(key):
        weights = posterior.draw_weights(key, preactivations, jnp.zeros((6, 2)))
        return jnp.sum(weights.hidden**2) / 1.7, density.hidden_norm(key, position)

    exact, ours = jax.jit(jax.vmap(norms))(jax.random.split(jax.random.PRNGKey(1), 5000))
    unseen = 2 * 6 * (7 - 4)
    least = float(jnp.sum(position["hidden"] ** 2))
    for drawn in (exact, ours):
        excess = np.asarray(drawn)[None] - least
        for power, moment in ((1, unseen), (2, unseen**2 + 2 * unseen)):
            mean, error = mean_and_error(excess**power)
            assert abs((mean - moment) / error) < 4.9
