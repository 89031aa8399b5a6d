"""Linear networks drawn given a few numbers: exact identities, the law of the weights, and whole steps at depth 2."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from checks import joint, verdict
from problems import Problem
from scipy import stats
from subjects import SETTINGS

import codingschemes as cs
from codingschemes.samplers import SAMPLERS
from codingschemes.samplers.linear_networks import Factors, covers

WIDTH, TEMPERATURE = 7, 0.03
of_network = jax.jit(Factors.of_network)


def density(*, depth=3, scaling="mean-field", width=WIDTH, space="reduced", **options):
    task = cs.tasks.digits(classes=[0, 1, 2], samples=12)
    network = cs.Network("linear", width=width, depth=depth, scaling=scaling, **options)
    posterior = cs.Posterior(task, network, temperature=TEMPERATURE, weight_variance=0.6, readout_variance=0.7)
    return posterior.density(space)


@pytest.mark.parametrize(("depth", "scaling"), [(3, "lazy"), (2, "none")])
def test_a_drawn_network_has_its_factors(depth, scaling):
    """G = b^T b of the readout through all layers, and outputs of the whole network from the first layer's."""
    whole = density(depth=depth, scaling=scaling)
    factors = Factors(whole)
    position = of_network(factors, jax.random.PRNGKey(1), whole.prior_draw(jax.random.PRNGKey(0)))
    matrices = factors.matrices(position)
    assert np.allclose(factors.coordinates(matrices)["factors"], position["factors"], atol=1e-12)
    network, first = jax.jit(Factors._draw)(factors, jax.random.PRNGKey(2), position)
    assert jax.tree.map(jnp.shape, network) == whole.shapes
    through = np.eye(WIDTH)  # of the first layer's preactivations to the last one's
    for weights in np.asarray(network.get("hidden", ())):
        through = float(factors._weight_scale) * weights @ through
    readout = np.linalg.solve(through.T, first)
    moment = float(whole.scaled_readout_variance) * matrices[-1] @ matrices[-1].T
    assert np.allclose(np.linalg.eigvalsh(readout.T @ readout), np.linalg.eigvalsh(moment), rtol=1e-8)
    assert np.allclose(first.T @ first, factors.root(matrices) @ factors.root(matrices).T, rtol=1e-10)
    _, activity = whole.propagate(network)
    assert np.allclose(activity.T @ readout, whole.basis @ network["input"].T @ first, atol=1e-10)


def test_the_density_of_the_factors_is_that_of_bartlett_times_the_evidence():
    whole = density()
    factors = Factors(whole)
    position = of_network(factors, jax.random.PRNGKey(1), whole.prior_draw(jax.random.PRNGKey(0)))
    kernel, targets = np.asarray(whole.basis @ whole.basis.T), np.asarray(whole.targets)

    def log_density(position):
        matrices = np.asarray(factors.matrices(position))
        diagonal, below = np.diagonal(matrices, axis1=1, axis2=2), matrices[:, *np.tril_indices(3, -1)]
        prior = np.sum(stats.chi(WIDTH - np.arange(3)).logpdf(diagonal) + np.log(diagonal)) - np.sum(below**2) / 2
        root = np.asarray(factors.root(factors.matrices(position)))
        covariance = np.kron(kernel, root @ root.T) + TEMPERATURE * np.eye(targets.size)
        return prior + stats.multivariate_normal(cov=covariance).logpdf(targets.ravel())

    elsewhere = {"factors": 1.1 * position["factors"] + 0.1}
    expected = log_density(elsewhere) - log_density(position)
    assert np.isclose(factors.potential(position) - factors.potential(elsewhere), expected, rtol=1e-9)


def test_without_data_weights_drawn_from_drawn_factors_are_the_priors():
    """Whitened weights of 2,000 networks, their factors drawn from the prior: normal, and their kernels Wishart."""
    whole = density(width=3, depth=2).at_temperature(jnp.asarray(1e9))
    factors = Factors(whole)

    def draw(key):
        prior_key, factor_key, draw_key = jax.random.split(key, 3)
        position = factors.of_network(factor_key, whole.prior_draw(prior_key))
        return factors.draw_network(draw_key, position), position["factors"]

    networks, numbers = jax.jit(jax.vmap(draw))(jax.random.split(jax.random.PRNGKey(3), 2000))
    off_diagonal = np.asarray(numbers)[:, :, 0, 3:].reshape(2000, -1)
    blocks = [np.asarray(block).reshape(2000, -1) for block in networks.values()]
    for values in (*blocks, off_diagonal):
        p = [stats.kstest(column, "norm").pvalue for column in values.T]
        assert min(p) > 1e-4 / len(p)
    first, second = np.asarray(networks["hidden"])[:, 0], np.asarray(networks["input"])
    through = np.einsum("kij,kjr->kir", first, second).reshape(2000, -1)
    # a product of independent matrices: uncorrelated entries of variance `width`
    assert np.all(np.abs(through.var(axis=0) / 3 - 1) < 4.5 * np.sqrt((through**4).mean(0) / 9 - 1) / np.sqrt(2000))


def test_what_is_covered():
    assert covers(density(depth=1, bias=True))
    assert covers(density(width=3))
    assert not covers(density(width=2))
    assert not covers(density(bias=True))
    assert not covers(density(space="weights"))
    assert not covers(density(space="function"))


def test_chains_that_are_renewed_adapt_again_where_they_are_put():
    kernel, whole = SAMPLERS["codes"](SETTINGS), density(depth=2)
    assert kernel.renew is not None
    keys, positions = jax.random.split(jax.random.PRNGKey(4), 2), whole.prior_draws(jax.random.PRNGKey(5), 2)
    states = jax.jit(jax.vmap(kernel.init, (0, 0, None)))(keys, positions, whole)
    states = states._replace(flow=states.flow._replace(iteration=states.flow.iteration + SETTINGS.warmup))
    elsewhere, colder = whole.prior_draws(jax.random.PRNGKey(6), 2), whole.at_temperature(jnp.asarray(0.01))
    renewed = jax.jit(kernel.renew)(states, elsewhere, colder)
    jax.tree.map(np.testing.assert_array_equal, jax.vmap(kernel.position)(renewed), elsewhere)
    assert np.all(renewed.flow.iteration == 0)
    again = Factors(colder)
    for energy, numbers in zip(renewed.flow.point.logdensity, renewed.flow.point.position["factors"], strict=True):
        assert np.isclose(-energy, again.potential({"factors": numbers}), rtol=1e-9)


@pytest.mark.slow
def test_steps_of_two_layers():
    """Parameters and data together against direct draws of both (Geweke 2004), at depth 2 with three outputs."""
    kernel = SAMPLERS["codes"](SETTINGS)
    assert not verdict(joint, kernel, Problem("deep linear", density(width=4, depth=2)), seed=31)
