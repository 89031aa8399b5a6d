"""Activations do what their family says; networks are what their equation says."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import erf

from codingschemes import InvalidInput, Network
from codingschemes.networks import ACTIVATIONS, Weights

GRID = np.linspace(-4, 4, 401)


@functools.partial(jax.jit, static_argnums=0)
def apply(network, weights, inputs):
    return network.apply(weights, inputs)


@pytest.mark.parametrize("name", list(ACTIVATIONS))
def test_activation_protocol(name):
    activation = ACTIVATIONS[name]
    values = np.asarray(activation(jnp.asarray(GRID)))
    assert values.shape == GRID.shape
    assert values.dtype == np.float64
    assert np.isfinite(values).all()
    assert np.isfinite(jax.jit(jax.vmap(jax.grad(activation)))(GRID)).all()
    if activation.family == "odd":
        np.testing.assert_allclose(values, -values[::-1], atol=1e-15)
        assert np.abs(values).max() <= 1
    if activation.family == "sigmoidal":
        assert values.min() >= 0
        assert values.max() <= 1
        np.testing.assert_allclose(values + values[::-1], 1, atol=1e-15)
    if activation.family == "threshold":
        assert (values[GRID <= 0] == 0).all()
        assert (values[GRID > 0] > 0).all()
    if activation.family == "linear":
        np.testing.assert_array_equal(values, GRID)


def test_thresholded_activations_are_concave_where_active():
    positive = np.linspace(0.01, 4, 100)
    for name in ("threshold-tanh", "threshold-log1p", "threshold-ratio"):
        curvature = jax.jit(jax.vmap(jax.grad(jax.grad(ACTIVATIONS[name]))))(positive)
        assert (np.asarray(curvature) < 0).all()


def test_sigmoid_is_the_erf_form():
    np.testing.assert_allclose(
        ACTIVATIONS["sigmoid"](jnp.asarray(GRID)), 0.5 * (1 + erf(np.sqrt(np.pi) * np.asarray(GRID) / 2)), atol=1e-15
    )


@pytest.mark.parametrize(("scaling", "fan_in", "fan_out"), [("mean-field", 1, 2), ("lazy", 1, 1), ("none", 0, 0)])
@pytest.mark.parametrize("bias", [False, True])
def test_forward_pass_is_the_equation(scaling, fan_in, fan_out, bias):
    rng = np.random.default_rng(0)
    width, features, samples = 4, 3, 5
    network = Network("tanh", width=width, depth=3, bias=bias, scaling=scaling)
    weights = Weights(
        jnp.asarray(rng.normal(size=(width, features + bias))),
        jnp.asarray(rng.normal(size=(2, width, width + bias))),
        jnp.asarray(rng.normal(size=(width, 2))),
    )
    inputs = rng.normal(size=(samples, features))
    units, expected = inputs.T, []
    for matrix in (weights.input, *weights.hidden):
        matrix = np.asarray(matrix)
        shift = matrix[:, -1:] if bias else 0.0
        z = matrix[:, : len(units)] @ units / len(units) ** (0.5 * fan_in) + shift
        expected.append(z)
        units = np.tanh(z)
    outputs = units.T @ np.asarray(weights.readout) / width ** (0.5 * fan_out)
    preactivations, found = apply(network, weights, jnp.asarray(inputs))
    np.testing.assert_allclose(preactivations, np.stack(expected), rtol=1e-12)
    np.testing.assert_allclose(found, outputs, rtol=1e-12)


@pytest.mark.parametrize(("scaling", "fan_in", "gamma"), [("mean-field", 1, 1 / 4), ("none", 0, 1)])
@pytest.mark.parametrize("bias", [False, True])
def test_recurrent_steps_are_the_equation(scaling, fan_in, gamma, bias):
    rng = np.random.default_rng(0)
    network = Network("tanh", width=4, depth=3, bias=bias, scaling=scaling, recurrent=True)
    inner, recurrent, readout = (rng.normal(size=shape) for shape in ((4, 3 + bias), (1, 4, 4), (4, 2)))
    inputs = rng.normal(size=(5, 3))
    drive = inner[:, :3] @ inputs.T / 3 ** (0.5 * fan_in) + (inner[:, -1:] if bias else 0)
    expected = [drive]
    for _ in range(2):
        expected.append(drive + recurrent[0] @ np.tanh(expected[-1]) / 4 ** (0.5 * fan_in))
    weights = Weights(*(jnp.asarray(each) for each in (inner, recurrent, readout)))
    preactivations, outputs = apply(network, weights, jnp.asarray(inputs))
    np.testing.assert_allclose(preactivations, np.stack(expected), rtol=1e-12)
    np.testing.assert_allclose(outputs, gamma * np.tanh(expected[-1]).T @ readout, rtol=1e-12)
    still = np.asarray(apply(network, weights._replace(hidden=jnp.zeros((1, 4, 4))), jnp.asarray(inputs))[0])
    np.testing.assert_array_equal(still, np.stack([still[0]] * 3))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"activation": "sigmod"}, "did you mean 'sigmoid'"),
        ({"width": 0}, "`width` is 0"),
        ({"depth": 0}, "`depth` is 0"),
        ({"recurrent": True}, "depth of at least 2"),
    ],
)
def test_wrong_networks_are_refused(options, words):
    with pytest.raises(InvalidInput, match=words):
        Network(**options)
