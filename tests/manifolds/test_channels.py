"""Channels to infinity: planted pairs, whose limit is known, and pairs that are in none."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from codingschemes.errors import InvalidInput
from codingschemes.manifolds import Neurons, channels, classify, gated_output
from codingschemes.networks import ACTIVATIONS

SMOOTH = ("tanh", "softplus", "sigmoid", "cos")


def in_a_channel(small: float, rng: np.random.Generator) -> tuple[Neurons, np.ndarray, np.ndarray]:
    """Two neurons with weights w -+ e v / 2 and readouts a / 2 -+ 1 / e between two others; w and v."""
    weight, gate = rng.normal(size=(2, 3))
    others = rng.normal(size=(2, 3)) + 5
    sides = np.array([[-1.0], [1.0]])
    pair = weight + small / 2 * sides * gate
    readout = np.concatenate([[[1.0]], 0.25 + sides / small, [[2.0]]])
    return Neurons(readout, np.concatenate([others[:1], pair, others[1:]])), weight, gate


@pytest.mark.parametrize("name", SMOOTH)
def test_a_pair_in_a_channel_is_a_gated_unit_up_to_the_square_of_its_gap(name):
    sigma = ACTIVATIONS[name]
    kind, inputs = classify(sigma), np.random.default_rng(1).normal(size=(30, 3))
    errors = []
    for small in (0.02, 0.01):
        neurons, weight, gate = in_a_channel(small, np.random.default_rng(0))
        (found,) = channels(neurons, kind)
        assert found.neurons == (1, 2)
        assert found.product == pytest.approx(2 * np.linalg.norm(gate))
        assert found.growth == pytest.approx(4 / small)
        pair, unit = gated_output(neurons, found, inputs, sigma, kind)
        value, slope = jax.jvp(sigma, (jnp.asarray(inputs @ weight),), (jnp.asarray(inputs @ gate),))
        np.testing.assert_allclose(unit[:, 0], value / 2 + slope, rtol=1e-9, atol=1e-9)
        errors.append(np.abs(pair - unit).max())
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.01)


@pytest.mark.parametrize(("name", "signs"), [("tanh", (-1, -1)), ("cos", (1, -1))])
def test_mirror_images_are_the_same_neuron(name, signs):
    neurons, _, _ = in_a_channel(0.01, np.random.default_rng(0))
    turned = Neurons(neurons.readout.copy(), neurons.weight.copy())
    turned.readout[2] *= signs[0]
    turned.weight[2] *= signs[1]
    kind, inputs = classify(ACTIVATIONS[name]), np.random.default_rng(1).normal(size=(30, 3))
    (before,), (after,) = channels(neurons, kind), channels(turned, kind)
    np.testing.assert_allclose(after[1:], before[1:], rtol=1e-9)
    outputs = [gated_output(each, before, inputs, ACTIVATIONS[name], kind) for each in (neurons, turned)]
    np.testing.assert_allclose(*outputs, rtol=1e-9)
    assert not channels(turned, classify(ACTIVATIONS["softplus"]))


def test_neurons_that_agree_or_lie_apart_are_in_no_channel():
    neurons, _, _ = in_a_channel(0.01, np.random.default_rng(0))
    kind = classify(ACTIVATIONS["softplus"])
    assert not channels(Neurons(np.abs(neurons.readout), neurons.weight), kind)
    apart = neurons.weight.copy()
    apart[2] += 3
    assert not channels(Neurons(neurons.readout, apart), kind)
    assert not channels(Neurons(np.zeros((4, 1)), neurons.weight), kind)


def test_lengths_that_are_free_are_refused():
    neurons, _, _ = in_a_channel(0.01, np.random.default_rng(0))
    with pytest.raises(InvalidInput, match="give a smooth activation"):
        channels(neurons, classify(ACTIVATIONS["relu"]))
    with pytest.raises(InvalidInput, match="give finite weights"):
        channels(Neurons(neurons.readout * np.nan, neurons.weight), classify(ACTIVATIONS["tanh"]))
