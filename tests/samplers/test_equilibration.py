"""Codes and outliers do not remember where chains began under `codes`; codes do under HMC alone."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jaxtyping import Array, Float

import codingschemes as cs
from codingschemes.convergence import rhat
from codingschemes.posterior import Density, Position
from codingschemes.samplers import SAMPLERS, Settings
from codingschemes.samplers.settling import nothing_in_common, step_together
from codingschemes.tasks import orthogonal

#: Chains from either start.
CHAINS = 2
WARMUP, STEPS = 60, 150
#: R-hat of chains from both starts.
LIMIT = 1.06


def toy(activation: str) -> Density:
    network = cs.Network(activation, width=24)
    return cs.Posterior(orthogonal(samples=24), network, temperature=1e-4).density()


def starts(density: Density, planted: Position) -> Position:
    """CHAINS times the planted network, jittered, then CHAINS prior draws."""
    draws = jax.tree.map(np.asarray, density.prior_draws(jax.random.PRNGKey(0), 2 * CHAINS))
    near = jax.tree.map(lambda block, noise: np.asarray(block) + 0.1 * noise[:CHAINS], planted, draws)
    return jax.tree.map(lambda one, other: np.concatenate([one, other[CHAINS:]]), near, draws)


def run(
    sampler: str, density: Density, positions: Position, observe, count: int = STEPS
) -> Float[np.ndarray, "chain step K"]:
    kernel = SAMPLERS[sampler](Settings(warmup=WARMUP))

    @jax.jit
    def chains(keys, positions, density):
        def body(chains, step):
            states, common, _ = step_together(kernel, *chains, step, density)
            return (states, common), jax.vmap(observe, (0, None))(jax.vmap(kernel.position)(states), density)

        states = jax.vmap(kernel.init, (0, 0, None))(keys, positions, density)
        chains = states, nothing_in_common(kernel, states, density)
        return jax.lax.scan(body, chains, jnp.arange(WARMUP + count))[1]

    values = chains(jax.random.split(jax.random.PRNGKey(1), 2 * CHAINS), positions, density)
    return np.moveaxis(np.asarray(values)[WARMUP:], 0, 1)


def occupancies(position: Position, density: Density) -> Float[Array, " K"]:
    """Share of the neurons in each of the eight codes."""
    activity = density.propagate(position)[1]
    bits = (activity @ density.class_average > density.network.activation(jnp.zeros(()))).astype(int)
    return jnp.mean(bits @ jnp.array([1, 2, 4])[:, None] == jnp.arange(8), axis=0)


def largest_norms(position: Position, density: Density) -> Float[Array, " K"]:
    """log |phi|^2 of the strongest neuron, and the number of neurons that have a tenth of it."""
    norms = jnp.sum(density.propagate(position)[1] ** 2, axis=1)
    return jnp.stack([jnp.log(jnp.max(norms)), jnp.sum(norms > jnp.max(norms) / 10).astype(float)])


@pytest.mark.slow
def test_planted_codes_are_forgotten_by_jumps_alone():
    """All neurons in one code: jumps bring them to the occupancies that chains from the prior find, in all chains."""
    density = toy("sigmoid")
    pattern = np.where(np.repeat(np.arange(3), 8) == 0, 1.5, -1.5)
    planted = {"input": density.input_coordinates(jnp.tile(jnp.asarray(pattern), (24, 1)))}
    begin = starts(density, planted)

    def spread(sampler: str) -> float:
        return float(np.ptp(run(sampler, density, begin, occupancies).mean(axis=1), axis=0).max())

    # a neuron is 0.04; means over 150 steps of occupancies that stray by one neuron, and by two
    assert spread("codes") < 0.04
    assert spread("hmc") > 0.08


@pytest.mark.slow
def test_planted_outliers_are_forgotten():
    """Every ReLU neuron a strong one: the largest activity norm becomes that of chains from the prior, under long
    trajectories without rotations, too."""
    density = toy("relu")
    owner = np.arange(24)[:, None] % 3 == np.repeat(np.arange(3), 8)
    begin = starts(density, {"input": density.input_coordinates(jnp.asarray(3.0 * owner))})
    assert rhat(run("codes", density, begin, largest_norms, 500)).max() < LIMIT
    assert rhat(run("hmc", density, begin, largest_norms, 500)).max() < LIMIT
