"""`precision="mixed"`: forces in single precision but for the factor of S, and draws that are exact all the same."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from blackjax.mcmc import integrators
from known_answers import potential, prior_draw, small_posterior

import codingschemes as cs
from codingschemes.benchmark.targets import two_points
from codingschemes.diagnostics import mean_and_error
from codingschemes.errors import InvalidInput
from codingschemes.runs.configuration import Sampling, describe, resolve
from codingschemes.runs.identity import differences, identity
from codingschemes.samplers.softened import _kinetic, softened_trajectory
from codingschemes.samplers.transition import evaluate

#: Neurons and samples: S is factorised where there are as many neurons as samples, and by another route from twice as
#: many on; else A is.
SHAPES = {"S": (7, 5), "the inverse of S": (12, 5), "A": (4, 6)}
#: Errors of single precision, relative to the largest force: its unit is 6e-8, S has a condition of some hundred here.
_SINGLE = 1e-4


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("space", ["reduced", "weights"])
def test_forces_are_those_of_the_density_but_for_rounding(space, shape):
    width, samples = SHAPES[shape]
    density = small_posterior("sigmoid", width=width, samples=samples).density(space)
    mixed = density.in_mixed_precision()
    position = prior_draw(density, jax.random.PRNGKey(3))
    approximate = jax.grad(mixed.approximate_potential)
    exact, found = jax.jit(lambda position: (jax.grad(density.potential)(position), approximate(position)))(position)
    for name, block in exact.items():
        assert found[name].dtype == block.dtype == jnp.float64
        assert 0 < np.abs(found[name] - block).max() < _SINGLE * np.abs(block).max()
    assert density.approximate_potential is None
    lines = str(jax.make_jaxpr(approximate)(position)).splitlines()
    if space == "reduced":
        assert all("f64" in line for line in lines if " cholesky" in line)
    # Products in double precision are with the targets' columns alone, or over these.
    outputs = density.targets.shape[1]
    double = [line for line in lines if "dot_general" in line and ":f64" in line]
    large = [line for line in double if f",{outputs}]" not in line and f"[{outputs}," not in line]
    assert len(large) == (space == "reduced" and shape == "the inverse of S")
    assert any("dot_general" in line and ":f32" in line for line in lines)


def test_a_trajectory_in_mixed_precision_goes_back_where_it_came_from():
    """What makes it exact: forces depend on the position alone, and positions are in double precision. A negative
    control: forces of another place on the way back."""
    density = small_posterior("sigmoid", samples=5).density().in_mixed_precision()
    position = prior_draw(density, jax.random.PRNGKey(1))
    momentum = prior_draw(density, jax.random.PRNGKey(2))

    @jax.jit
    def there_and_back(shift):
        def along(start, shift):
            def forces(position):
                return -density.approximate_potential(jax.tree.map(lambda block: block + shift, position))

            step = integrators.mclachlan(forces, _kinetic)
            state = integrators.new_integrator_state(forces, *start)
            state = jax.lax.fori_loop(0, 6, lambda _, state: step(state, 0.1), state)
            return state.position, jax.tree.map(jnp.negative, state.momentum)

        return along(along((position, momentum), 0.0), shift)

    found, turned = there_and_back(0.0)
    for name in position:
        np.testing.assert_allclose(found[name], position[name], atol=1e-6)
        np.testing.assert_allclose(turned[name], momentum[name], atol=1e-6)
    elsewhere, _ = there_and_back(1e-2)
    assert max(np.abs(elsewhere[name] - position[name]).max() for name in position) > 1e-5


def test_proposals_are_judged_by_the_exact_energy():
    """The energy of a point that is accepted is the exact one, to the last digit of double precision."""
    density = small_posterior("sigmoid", samples=5).density().in_mixed_precision()
    point = evaluate(density, prior_draw(density, jax.random.PRNGKey(1)))

    @jax.jit
    def moved(key):
        def logdensity(position):
            return -density.potential(position)

        def forces(position):
            return -density.approximate_potential(position)

        return softened_trajectory(
            key, point, logdensity, forces, jnp.asarray(0.05), jnp.asarray(3), integrators.mclachlan, 2, at_hand=True
        )

    found, outcome = moved(jax.random.PRNGKey(4))
    assert int(outcome.gradients) == 2 * 3
    assert float(outcome.acceptance_rate) > 0.9
    assert any(np.any(found.position[name] != point.position[name]) for name in found.position)
    np.testing.assert_allclose(found.logdensity, -potential(density, found.position), rtol=1e-14)
    # and its gradient that which the next trajectory begins with
    for name, block in evaluate(density, found.position).logdensity_grad.items():
        np.testing.assert_allclose(found.logdensity_grad[name], block, rtol=0, atol=_SINGLE * np.abs(block).max())


def test_what_has_no_mixed_precision_says_so():
    with pytest.raises(InvalidInput, match=r"^nuts has no mixed precision: choose codes or hmc as `sampler`, or"):
        Sampling(sampler="nuts", precision="mixed")
    with pytest.raises(InvalidInput, match=r"^function space has no mixed precision: choose `space` reduced or"):
        Sampling(space="function", precision="mixed")
    with pytest.raises(InvalidInput, match=r"^there is no precision 'half': choose one of double, mixed$"):
        Sampling(precision="half")


def test_a_run_that_goes_on_keeps_its_precision():
    posterior = small_posterior("sigmoid")
    double, mixed = (
        identity(posterior.task, describe(posterior, Sampling(warmup=1, precision=each)), {})
        for each in ("double", "mixed")
    )
    assert list(differences(double, mixed)) == [("sampling", "precision", "double", "mixed")]
    assert not Sampling().density(posterior).mixed


def test_forces_are_in_single_precision_where_nothing_is_lost_by_it():
    posterior = small_posterior("sigmoid")
    cold = small_posterior("sigmoid", temperature=1e-8)
    assert resolve(posterior, {}).precision == "mixed"
    assert resolve(posterior, {"precision": "double"}).precision == "double"
    for other, options in ((posterior, {"sampler": "nuts"}), (posterior, {"space": "function"}), (cold, {})):
        assert resolve(other, options).precision == "double"


def test_a_density_in_mixed_precision_is_asked_for():
    posterior = small_posterior("sigmoid")
    assert Sampling(precision="mixed").density(posterior).mixed


@functools.cache
def _run(precision):
    return cs.sample(
        two_points("sigmoid", 0.1), sampler="hmc", draws=1500, warmup=150, chains=4, seed=1, precision=precision,
        progress=False,
    )  # fmt: skip


@pytest.mark.slow
def test_one_neuron_agrees_with_quadrature_and_acceptance_with_double():
    """One number to integrate over: the kernel's diagonal, on a grid."""
    posterior = two_points("sigmoid", 0.1)
    u = np.linspace(-9, 9, 20_001)
    activity = np.asarray(posterior.network.activation(jnp.asarray(np.outer(u, posterior.task.inputs[:, 0]))))
    precision = 1 / posterior.prior.readout_variance + (activity**2).sum(1) / posterior.prior.temperature
    mean = activity @ posterior.task.targets / posterior.prior.temperature / precision[:, None]
    log_weight = -(u**2) / 2 - np.log(precision) + (precision[:, None] * mean**2).sum(1) / 2
    weight = np.exp(log_weight - log_weight.max())
    expected = weight @ activity**2 / weight.sum()
    found, error = mean_and_error(_run("mixed").data["posterior"]["kernel_diagonal"].values)
    assert error.max() < 0.05
    assert np.abs((found[0] - expected) / error[0]).max() < 4.9
    rates = {
        name: mean_and_error(_run(name).data["sample_stats"]["acceptance_rate"].values) for name in ("double", "mixed")
    }
    gap = rates["double"][0] - rates["mixed"][0]
    assert np.abs(gap) < 0.02 + 4.9 * np.hypot(rates["double"][1], rates["mixed"][1])
