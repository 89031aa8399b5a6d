"""The integrators of HMC on a real density: of second order, and reversible."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from blackjax.mcmc import integrators
from known_answers import prior_draw, small_posterior

from codingschemes.networks import ACTIVATIONS

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
    position, momentum = (prior_draw(density, key) for key in jax.random.split(jax.random.PRNGKey(0)))
    run = jax.jit(lambda steps: final(integrator, density, position, momentum, steps)[1])
    coarse, fine, finest = (float(run(jnp.asarray(steps))) for steps in (64, 128, 256))
    # error = a h^2 + b h^4: ratios of 4, ever more closely
    assert abs(coarse / fine - 4) < 0.2
    assert abs(fine / finest - 4) < 0.05


@pytest.mark.parametrize("integrator", [integrators.velocity_verlet, integrators.mclachlan])
@pytest.mark.parametrize("activation", ["sigmoid", "relu"])
def test_a_trajectory_with_its_momentum_flipped_goes_back(integrator, activation):
    density = small_posterior(activation).density()
    position, momentum = (prior_draw(density, key) for key in jax.random.split(jax.random.PRNGKey(1)))
    run = jax.jit(lambda position, momentum: final(integrator, density, position, momentum, 32)[0])
    there = run(position, momentum)
    back = run(there.position, jax.tree.map(jnp.negative, there.momentum))
    assert np.abs(there.position["input"] - position["input"]).max() > 0.1
    np.testing.assert_allclose(back.position["input"], position["input"], atol=1e-10)
    np.testing.assert_allclose(-back.momentum["input"], momentum["input"], atol=1e-10)


def test_rounded_kinks_average_the_ramp_over_their_reach():
    reach = 0.3
    activation = ACTIVATIONS["relu"].softened(jnp.asarray(reach))
    middle, weights = np.polynomial.legendre.leggauss(2)  # exact for each straight piece
    for z in (-0.5, -0.3, -0.1, 0.0, 0.2, 0.3, 0.7):
        low, high = max(z - reach, 0.0), max(z + reach, 0.0)
        average = (weights @ ((high - low) * middle / 2 + (high + low) / 2)) * (high - low) / (4 * reach)
        np.testing.assert_allclose(activation(jnp.asarray(z)), average, atol=1e-15)
    assert not activation.kinked


@pytest.mark.parametrize(
    ("space", "bias"),
    [
        ("reduced", True),
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in (("reduced", False), ("weights", True), ("weights", False))
        ),
    ],
)
def test_forces_in_single_precision_are_computed_in_it_and_those_of_the_softened_density(space, bias):
    density = small_posterior("relu", depth=2, bias=bias).density(space)
    reach = jnp.asarray(0.5)
    slope = jax.grad(density.softened_potential(reach))

    @jax.jit
    def both(key):
        position = density.prior_draw(key)
        return position, jax.grad(density.softened(reach).potential)(position), slope(position)

    position, exact, found = both(jax.random.PRNGKey(3))
    for name, block in exact.items():
        assert found[name].dtype == block.dtype
        assert 0 < np.abs(found[name] - block).max() < 1e-4 * np.abs(block).max()
    products = [line for line in str(jax.make_jaxpr(slope)(position)).splitlines() if "dot_general" in line]
    assert products
    assert not any("f64" in line for line in products)


def test_forces_are_in_double_precision_where_that_is_needed():
    cold = small_posterior("relu", temperature=1e-9)
    assert not cold.density().single_forces
    assert small_posterior("relu").density().single_forces
    assert not small_posterior("relu", depth=2).density("function").single_forces


@pytest.mark.parametrize("space", ["reduced", "weights", "function"])
def test_forces_with_rounded_kinks_keep_an_energy_that_tends_to_the_exact_one(space):
    """They conserve the energy of the softened density to second order, and that density tends to the exact one."""
    density = small_posterior("relu", depth=2).density(space)
    position, momentum = (prior_draw(density, key) for key in jax.random.split(jax.random.PRNGKey(2)))

    @jax.jit
    def gap(reach):
        return density.softened(reach).potential(position) - density.potential(position)

    gaps = [abs(float(gap(reach))) for reach in (1e-1, 1e-3, 1e-5)]
    assert gaps[0] > gaps[1] >= gaps[2]
    soft = density.softened(jnp.asarray(0.5))
    run = jax.jit(lambda steps: final(integrators.velocity_verlet, soft, position, momentum, steps)[1])
    coarse, fine = (float(run(jnp.asarray(steps))) for steps in (256, 512))
    assert abs(coarse / fine - 4) < 0.5
