"""A network of odd activations does the same with any neurons turned round, in every form, and codes take turns."""

import jax
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
    # ReLU has no mirror image: the same turn shows.
    other = _density("relu", depth, space)

    @jax.jit
    def both(key, signs):
        position = density.prior_draw(key)
        places = position, mirrors._mirror(signs, position, density)
        return [(density.potential(each), density.propagate(each)[0], other.potential(each)) for each in places]

    signs = np.random.default_rng(1).choice([-1.0, 1.0], (depth, 5))
    (energy, before, elsewhere), (energy_after, after, elsewhere_after) = both(jax.random.PRNGKey(0), signs)
    np.testing.assert_allclose(energy_after, energy, rtol=1e-12)
    np.testing.assert_allclose(after, signs[:, :, None] * before, atol=1e-9)
    assert abs(elsewhere_after - elsewhere) > 1e-3


def test_signs_are_fresh_in_every_layer():
    density = _density("tanh", 2, "reduced")

    @jax.jit
    def often(key_position, key_signs):
        position = density.prior_draw(key_position)
        keys = jax.random.split(key_signs, 400)
        return position, jax.vmap(lambda key: mirrors.mirror(key, position, density))(keys)

    position, turned = jax.tree.map(np.asarray, often(jax.random.PRNGKey(0), jax.random.PRNGKey(2)))
    first = np.sign(turned["input"][:, :, 0] / position["input"][:, 0])
    above = np.sign(turned["hidden"][:, 0, :, -1] / position["hidden"][0, :, -1])  # the bias follows its neuron alone
    for signs in (first, above):
        assert np.all(np.abs(np.mean(signs, axis=0)) < 4 / np.sqrt(400))
