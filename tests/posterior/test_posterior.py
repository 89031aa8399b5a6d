"""Priors, the two forms of the posterior, and exact conditional draws of weights."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from known_answers import potential, prior_draw, propagate, small_posterior

from codingschemes import InvalidInput, Network, Posterior, tasks
from codingschemes.posterior import resolve_prior


def test_penalties_and_variances_are_the_same_posterior():
    task, network = tasks.orthogonal(samples=6), Network(width=4)
    by_penalty = Posterior(task, network, temperature=0.01, penalty1=0.5, penalty2=2.0)
    by_variance = Posterior(task, network, temperature=0.01, weight_variance=0.02, readout_variance=0.005)
    assert by_penalty.prior[:3] == pytest.approx(by_variance.prior[:3])
    assert by_variance.prior.penalties == pytest.approx((0.5, 2.0))


def test_the_weights_form_is_the_regularised_loss():
    posterior = small_posterior("tanh", depth=2, bias=True, weight_variance=1.7)
    density = posterior.density("weights")
    position = prior_draw(density, jax.random.PRNGKey(0))
    prior = posterior.prior
    input_weights = np.sqrt(prior.weight_variance) * np.asarray(position["input"])
    hidden = np.sqrt(prior.weight_variance) * np.asarray(position["hidden"])
    readout = np.sqrt(prior.readout_variance) * np.asarray(position["readout"])
    units = posterior.task.inputs.T
    for matrix in (input_weights, *hidden):
        units = np.tanh(matrix[:, :-1] @ units / np.sqrt(len(units)) + matrix[:, -1:])
    residual = posterior.task.targets - units.T @ readout / 6
    penalty1, penalty2 = prior.penalties
    energy = (residual**2).sum() + penalty1 * ((input_weights**2).sum() + (hidden**2).sum())
    energy += penalty2 * (readout**2).sum()
    np.testing.assert_allclose(potential(density, position), energy / (2 * prior.temperature), rtol=1e-12)


def test_literature_values():
    sigmoid = resolve_prior(Network("sigmoid"), 50, temperature=1e-3)
    assert sigmoid.weight_variance == 1
    assert sigmoid.readout_variance == 1 / 50
    assert "literature" in sigmoid.source
    assert resolve_prior(Network("linear", depth=2), 49, temperature=1e-3).readout_variance == pytest.approx(1 / 7)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"temperature": 0.0}, "`temperature` is 0"),
        ({"temperature": float("nan")}, "`temperature` is nan"),
        ({"weight_variance": -1.0}, "`weight_variance` is -1"),
        ({"readout_variance": 0.0}, "`readout_variance` is 0"),
        ({"penalty1": 1.0}, "give `penalty2`"),
        ({"penalty1": 1.0, "penalty2": 1.0, "weight_variance": 1.0}, "say the same thing twice: give `penalty1`"),
        ({"penalty1": -1.0, "penalty2": 1.0}, "`penalty1` is -1"),
    ],
)
def test_wrong_priors_are_refused(options, words):
    with pytest.raises(InvalidInput, match=words):
        Posterior(tasks.orthogonal(samples=6), Network(width=4), **options)


@pytest.mark.parametrize("bias", [False, True])
def test_basis_factorises_the_input_kernel(bias):
    posterior = small_posterior(bias=bias)
    basis = np.asarray(posterior.density().basis)
    assert basis.shape == (8, 5 + bias)
    np.testing.assert_allclose(basis @ basis.T, posterior.input_kernel(), atol=1e-12)


def test_both_forms_see_the_same_preactivations():
    posterior = small_posterior(depth=2)
    weights, reduced = posterior.density("weights"), posterior.density("reduced")
    position = prior_draw(weights, jax.random.PRNGKey(3))
    first = weights.first_preactivation(position)
    same = {"input": reduced.input_coordinates(first), "hidden": position["hidden"]}
    np.testing.assert_allclose(propagate(reduced, same)[0], propagate(weights, position)[0], atol=1e-12)


@pytest.mark.parametrize(("depth", "bias"), [(1, False), (2, True), (3, False)])
def test_recovered_weights_reproduce_preactivations_and_outputs(depth, bias):
    posterior = small_posterior(depth=depth, bias=bias, width=4)
    density = posterior.density("reduced")

    @jax.jit
    def there_and_back(key):
        position_key, readout_key, weights_key = jax.random.split(key, 3)
        position = density.prior_draw(position_key)
        preactivations, activity = density.propagate(position)
        readout = density.readout(readout_key, position, activity)
        weights = posterior.draw_weights(weights_key, preactivations, readout)
        there = preactivations, posterior.network.outputs(activity, readout)
        return there, posterior.network.apply(weights, jnp.asarray(posterior.task.inputs))

    there, back = there_and_back(jax.random.PRNGKey(2))
    for expected, found in zip(there, back, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-9)


def test_weights_recovered_from_prior_draws_are_prior_draws():
    posterior = small_posterior(width=3, depth=2, samples=4)
    density = posterior.density("reduced")

    def draw(key):
        position_key, weights_key = jax.random.split(key)
        preactivations, _ = density.propagate(density.prior_draw(position_key))
        weights = posterior.draw_weights(weights_key, preactivations, jnp.zeros((3, 2)))
        return jnp.concatenate([weights.input.ravel(), weights.hidden.ravel()])

    draws = np.asarray(jax.jit(jax.vmap(draw))(jax.random.split(jax.random.PRNGKey(0), 20_000)))
    limit = 5 / np.sqrt(len(draws))
    assert np.abs(draws.mean(0)).max() < limit
    assert np.abs(np.cov(draws.T) - np.eye(draws.shape[1])).max() < np.sqrt(2) * limit
