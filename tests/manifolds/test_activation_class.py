"""Classes are read off the function itself."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from codingschemes.manifolds import classify
from codingschemes.networks import ACTIVATIONS

CLASSES = {
    "linear": "odd",
    "relu": "vanishing",
    "threshold-tanh": "vanishing",
    "sigmoid": "generic",
    "hardtanh": "odd",
    "erf": "odd",
    "softplus": "generic",
    "gelu": "vanishing",
    "cos": "even",
}


@pytest.mark.parametrize(("name", "symmetry"), CLASSES.items())
def test_registered_activations(name, symmetry):
    found = classify(ACTIVATIONS[name])
    assert found.symmetry == symmetry
    assert found.homogeneous is (name in ("linear", "relu"))
    assert found.polynomial is (name == "linear")
    assert found.kinked is ACTIVATIONS[name].kinked
    if name != "threshold-tanh":
        assert found.slope == pytest.approx(
            np.mean(jax.jit(jax.vmap(jax.grad(ACTIVATIONS[name])))(np.array([-1e-9, 1e-9])))
        )


def test_a_small_odd_part_or_value_is_seen():
    assert classify(lambda z: jnp.tanh(z) + 1e-6 * z**2).symmetry == "vanishing"
    assert classify(lambda z: jnp.tanh(z) + 1e-6).symmetry == "generic"
    assert classify(lambda z: jnp.cos(z) + 1e-6 * jnp.tanh(z)).symmetry == "generic"


def test_roots_with_a_bias():
    np.testing.assert_allclose(classify(ACTIVATIONS["gelu"]).slope_roots, [-0.7517915247], atol=1e-10)
    np.testing.assert_allclose(classify(ACTIVATIONS["silu"]).slope_roots, [-1.2784645428], atol=1e-10)
    cosine = classify(ACTIVATIONS["cos"])
    np.testing.assert_allclose(cosine.slope_roots, np.pi * np.arange(-3, 4), atol=1e-12)
    np.testing.assert_allclose(cosine.value_roots, np.pi * (np.arange(-3, 3) + 0.5), atol=1e-12)
    assert classify(ACTIVATIONS["softplus"]).slope_roots == ()


def test_caveats_say_what_is_not_listed():
    def said(name, bias=False):
        return " ".join(classify(ACTIVATIONS[name]).caveats(bias))

    assert "no symmetry induces" in said("gelu")
    assert "conserves" in said("relu")
    assert "constant differences" in said("cos")
    assert "sigma'(b) = 0" in said("gelu", bias=True)
    assert "sigma'(b) = 0" not in said("gelu")
    assert said("tanh") == ""
