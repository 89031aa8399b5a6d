"""A network of odd activations does the same with any neurons turned round, in every form, and codes take turns."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import codingschemes as cs
from codingschemes.samplers import mirrors


def _density(activation: str, depth: int, space: str, bias: bool = True):
    task = cs.tasks.orthogonal(samples=4, classes=2, seed=1)
    network = cs.Network(activation, width=5, depth=depth, bias=bias)
    return cs.Posterior(task, network, temperature=0.05).density(space)


@pytest.mark.parametrize(("depth", "space"), [(1, "weights"), (3, "weights"), (3, "reduced"), (3, "function")])
def test_the_potential_is_that_of_the_mirror_image(depth, space):
    density = _density("tanh", depth, space)
    position = density.prior_draw(jax.random.PRNGKey(0))
    signs = jax.random.rademacher(jax.random.PRNGKey(1), (depth, 5), float)
    turned = mirrors._mirror(signs, position, density)
    np.testing.assert_allclose(density.potential(turned), density.potential(position), rtol=1e-12)
    before, after = density.propagate(position)[0], density.propagate(turned)[0]
    np.testing.assert_allclose(after, signs[:, :, None] * before, atol=1e-9)
    # ReLU has no mirror image: the same turn shows.
    other = _density("relu", depth, space)
    assert abs(other.potential(turned) - other.potential(position)) > 1e-3


def test_signs_are_fresh_in_every_layer():
    density = _density("tanh", 2, "reduced")
    position = density.prior_draw(jax.random.PRNGKey(0))
    turned = jax.vmap(lambda key: mirrors.mirror(key, position, density))(jax.random.split(jax.random.PRNGKey(2), 400))
    first = jnp.sign(turned["input"][:, :, 0] / position["input"][:, 0])
    above = jnp.sign(turned["hidden"][:, 0, :, -1] / position["hidden"][0, :, -1])  # the bias follows its neuron alone
    for signs in (first, above):
        assert np.all(np.abs(np.mean(signs, axis=0)) < 4 / np.sqrt(400))
