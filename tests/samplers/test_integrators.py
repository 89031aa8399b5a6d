"""The integrators of HMC on a real density: of second order, and reversible."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from blackjax.mcmc import integrators
from known_answers import small_posterior

LENGTH = 0.4


def final(integrator, density, position, momentum, steps: int):
    """Where a trajectory of LENGTH ends, and the energy error there."""

    def logdensity(position):
        return -density.potential(position)

    def kinetic(momentum, position=None):
        return sum(jnp.sum(block**2) for block in momentum.values()) / 2

    start = integrators.new_integrator_state(logdensity, position, momentum)
    one_step = integrator(logdensity, kinetic)
    end = jax.lax.fori_loop(0, steps, lambda _, state: one_step(state, LENGTH / steps), start)
    return end, (kinetic(end.momentum) - end.logdensity) - (kinetic(momentum) - start.logdensity)


@pytest.mark.parametrize("integrator", [integrators.velocity_verlet, integrators.mclachlan])
def test_the_energy_error_falls_with_the_square_of_the_step(integrator):
    density = small_posterior("sigmoid").density()
    position, momentum = (density.prior_draw(key) for key in jax.random.split(jax.random.PRNGKey(0)))
    run = jax.jit(lambda steps: final(integrator, density, position, momentum, steps)[1])
    coarse, fine, finest = (float(run(jnp.asarray(steps))) for steps in (64, 128, 256))
    # error = a h^2 + b h^4: ratios of 4, ever more closely
    assert abs(coarse / fine - 4) < 0.2
    assert abs(fine / finest - 4) < 0.05


@pytest.mark.parametrize("integrator", [integrators.velocity_verlet, integrators.mclachlan])
@pytest.mark.parametrize("activation", ["sigmoid", "relu"])
def test_a_trajectory_with_its_momentum_flipped_goes_back(integrator, activation):
    density = small_posterior(activation).density()
    position, momentum = (density.prior_draw(key) for key in jax.random.split(jax.random.PRNGKey(1)))
    run = jax.jit(lambda position, momentum: final(integrator, density, position, momentum, 32)[0])
    there = run(position, momentum)
    back = run(there.position, jax.tree.map(jnp.negative, there.momentum))
    assert np.abs(there.position["input"] - position["input"]).max() > 0.1
    np.testing.assert_allclose(back.position["input"], position["input"], atol=1e-10)
    np.testing.assert_allclose(-back.momentum["input"], momentum["input"], atol=1e-10)
