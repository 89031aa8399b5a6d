"""Recurrent networks: one matrix for all steps, counted once, in every form that is offered."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from known_answers import potential, prior_draw, propagate, small_posterior

import codingschemes as cs
from codingschemes.posterior import Posterior
from codingschemes.theory import THEORIES


def recurrent_posterior(**options) -> Posterior:
    return small_posterior("tanh", **{"depth": 3, "bias": True, "recurrent": True, **options})


def unrolled(posterior: Posterior, position: dict) -> tuple[np.ndarray, ...]:
    """Weights as they stand, the last activity and the outputs, from a position of the weights form."""
    variance = posterior.prior.weight_variance
    inner, recurrent = (np.sqrt(variance) * np.asarray(position[name]) for name in ("input", "hidden"))
    readout = np.sqrt(posterior.prior.readout_variance) * np.asarray(position["readout"])
    inputs, width = posterior.task.inputs.T, posterior.network.width
    drive = inner[:, :-1] @ inputs / np.sqrt(len(inputs)) + inner[:, -1:]
    z = drive
    for _ in range(posterior.network.depth - 1):
        z = drive + recurrent[0] @ np.tanh(z) / np.sqrt(width)
    return inner, recurrent, readout, np.tanh(z), np.tanh(z).T @ readout / width


def test_the_weights_form_is_the_regularised_loss_with_each_weight_once():
    posterior = recurrent_posterior()
    density = posterior.density("weights")
    position = prior_draw(density, jax.random.PRNGKey(0))
    inner, recurrent, readout, _, outputs = unrolled(posterior, position)
    assert density.dimension == inner.size + recurrent.size + readout.size == 6 * 6 + 6 * 6 + 6 * 2
    penalty1, penalty2 = posterior.prior.penalties
    loss = ((posterior.task.targets - outputs) ** 2).sum()
    energy = loss + penalty1 * ((inner**2).sum() + (recurrent**2).sum()) + penalty2 * (readout**2).sum()
    np.testing.assert_allclose(potential(density, position), energy / (2 * posterior.prior.temperature), rtol=1e-12)
    assert density.hidden_norm(jax.random.PRNGKey(1), position) == pytest.approx(
        (recurrent**2).sum() / posterior.prior.weight_variance, rel=1e-12
    )


def test_the_reduced_form_is_the_weights_form_with_readouts_integrated_out():
    posterior = recurrent_posterior()
    weights, reduced = posterior.density("weights"), posterior.density("reduced")
    position = prior_draw(weights, jax.random.PRNGKey(3))
    _, _, _, activity, _ = unrolled(posterior, position)
    first = weights.first_preactivation(position)
    same = {"input": reduced.input_coordinates(first), "hidden": position["hidden"]}
    np.testing.assert_allclose(propagate(reduced, same)[0], propagate(weights, position)[0], atol=1e-12)
    # U = -log of the integral - log of the Gaussian conditional of whitened readouts, up to norms of the coordinates
    scaled_readout_variance, temperature, targets = (
        float(weights.scaled_readout_variance),
        posterior.prior.temperature,
        posterior.task.targets,
    )
    precision = np.eye(6) + scaled_readout_variance * activity @ activity.T / temperature
    mean = np.linalg.solve(precision, np.sqrt(scaled_readout_variance) * activity @ targets / temperature)
    off = np.asarray(position["readout"]) - mean
    gaussian = np.trace(off.T @ precision @ off) / 2 - np.linalg.slogdet(precision)[1] * targets.shape[1] / 2
    norms = np.sum(np.asarray(position["input"]) ** 2) / 2 - np.sum(np.asarray(same["input"]) ** 2) / 2
    np.testing.assert_allclose(potential(weights, position), potential(reduced, same) + gaussian + norms, rtol=1e-11)


def test_the_gradient_is_the_slope():
    density = recurrent_posterior().density()
    position, direction = (jax.tree.map(np.asarray, prior_draw(density, jax.random.PRNGKey(seed))) for seed in (4, 5))
    gradient = jax.jit(jax.grad(lambda position: density.potential(position)))(position)
    step = 1e-5
    ahead, behind = (
        potential(density, jax.tree.map(lambda x, d, s=sign: x + s * step * d, position, direction)) for sign in (1, -1)
    )
    slope = sum(np.sum(gradient[name] * direction[name]) for name in position)
    np.testing.assert_allclose(slope, (ahead - behind) / (2 * step), rtol=1e-6)


def test_recovered_weights_reproduce_all_steps():
    # more directions than the steps and samples see; the opposite case is in tests/coding/test_summary.py
    posterior = recurrent_posterior(samples=3, width=9)
    density = posterior.density()

    @jax.jit
    def recovered(key):
        position_key, readout_key, weights_key = jax.random.split(key, 3)
        position = density.prior_draw(position_key)
        preactivations, activity = density.propagate(position)
        readout = density.readout(readout_key, position, activity)
        weights = posterior.draw_weights(weights_key, preactivations, readout)
        outputs = posterior.network.outputs(activity, readout)
        return (preactivations, outputs), posterior.network.apply(weights, jnp.asarray(posterior.task.inputs))

    for expected, found in zip(*recovered(jax.random.PRNGKey(2)), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-9)


def test_what_assumes_layers_of_their_own_is_refused():
    posterior = recurrent_posterior()
    with pytest.raises(cs.InvalidInput, match="use `space` reduced or weights"):
        posterior.density("function")
    for theory in THEORIES:
        if theory != "lazy":
            with pytest.raises(cs.InvalidInput, match="which time steps share: choose lazy"):
                cs.predict(posterior, theory)
