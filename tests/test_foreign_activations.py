"""Activations from outside the package, by one call each, through everything that reads an activation."""

import jax.numpy as jnp
import numpy as np
import pytest

import codingschemes as cs
from codingschemes.manifolds import (
    Neurons,
    classify,
    controls,
    manifold_of,
    partitions,
    random_problem,
    tangency_residuals,
)
from codingschemes.networks import ACTIVATIONS
from codingschemes.theory import choose
from codingschemes.theory.lazy.gaussian_kernels import activity_kernel
from codingschemes.theory.mean_field.single_input import SingleInput

FOREIGN = {
    "foreign-bounded": lambda z: 0.5 + jnp.arctan(2 * z) / jnp.pi,
    "foreign-rectifier": lambda z: jnp.maximum(z, 0.0) / (1 + jnp.maximum(z, 0.0) / 2),
    "foreign-kink": lambda z: 0.5 + jnp.tanh(jnp.where(z > 0.37, 2 * z - 0.37, z)) / 2,
}


@pytest.fixture(scope="module", autouse=True)
def registered():
    known = dict(ACTIVATIONS._entries)
    for name, function in FOREIGN.items():
        cs.register_activation(name, function)
    yield
    ACTIVATIONS._entries.clear()
    ACTIVATIONS._entries.update(known)


def posterior_of(name, **options):
    task = cs.tasks.orthogonal(samples=8, ratios=(0.5, 0.5), **options)
    return cs.Posterior(task, cs.Network(name, width=50), temperature=2e-3)


@pytest.mark.parametrize(
    ("name", "family", "kinks", "midpoint"),
    [
        ("foreign-bounded", "sigmoidal", (), 0.5),
        ("foreign-rectifier", "threshold", (0.0,), None),
        ("foreign-kink", "sigmoidal", (0.37,), 0.5),
    ],
)
def test_what_is_found(name, family, kinks, midpoint):
    found = ACTIVATIONS[name]
    assert (found.family, found.kinks) == (family, pytest.approx(kinks, abs=1e-12))
    assert found.bounded is (midpoint is not None)
    if found.bounded:
        assert found.midpoint == pytest.approx(midpoint, abs=1e-12)


@pytest.mark.parametrize("name", FOREIGN)
def test_the_mean_field_by_quadrature_is_the_integral(name):
    """Means over (a, z) at the theory's t, on plain grids: f = Y - tau t, and the kernel between classes."""
    posterior = posterior_of(name)
    prediction = cs.predict(posterior)
    assert prediction.certificate.holds
    assert prediction.details.method == "quadrature"
    t, variance = prediction.details.t, posterior.prior.readout_variance
    axis = np.sqrt(variance) * np.arange(-16, 16.1, 0.5)
    readouts = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    z = np.linspace(-8, 8, 1601)
    phi = np.asarray(ACTIVATIONS[name](jnp.asarray(z)))
    log_weight, means = -(readouts**2).sum(1) / (2 * variance), []
    for row in t:
        tilted = np.exp(np.outer(readouts @ row, phi) - z**2 / 2)
        log_weight += 4 * np.log(tilted.sum(1))
        means.append(tilted @ phi / tilted.sum(1))
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    edge = np.abs(readouts).max(1) == axis[-1]
    assert weight[edge].sum() < 1e-8
    # the rule in z errs by step^2 / 12 times the jump of the slope at a kink, 1e-5, in each of eight samples
    outputs = np.stack([(weight * mean) @ readouts for mean in means])
    assert np.allclose(outputs, prediction.outputs[[0, -1]], atol=1e-4)
    assert prediction.kernel[0, -1] == pytest.approx(weight @ (means[0] * means[1]), abs=1e-4)


@pytest.mark.parametrize("name", FOREIGN)
def test_the_kernel_of_random_networks_is_the_integral(name):
    covariance = np.array([[1.4, 0.6], [0.6, 0.9]])
    found = activity_kernel(ACTIVATIONS[name], covariance)
    u = np.stack(np.meshgrid(*[np.linspace(-8, 8, 401)] * 2), axis=-1).reshape(-1, 2)
    phi = np.asarray(ACTIVATIONS[name](jnp.asarray(u @ np.linalg.cholesky(covariance).T)))
    weight = np.exp(-(u**2).sum(1) / 2)
    assert found.error < 1e-6
    # kinks cross the grid's cells: step^2 / 12 = 1.3e-4 of a jump of the slope
    assert np.allclose(found.kernel, phi.T @ (weight[:, None] * phi) / weight.sum(), atol=2e-4)


def test_a_rectifier_of_another_name_is_one():
    own, relu = cs.register_activation("my-relu", lambda z: jnp.where(z > 0, z, 0.0)), ACTIVATIONS["relu"]
    assert own.shape == relu.shape
    said = [choose(posterior_of(name)).reason for name in ("my-relu", "relu")]
    assert said[0].replace("my-relu", "relu") == said[1]
    fields = np.linspace(-3, 3, 13)
    ours, expected = (SingleInput(phi, 1.3).energy(fields) for phi in (own, relu))
    assert np.array_equal(ours, expected)


@pytest.mark.parametrize("name", FOREIGN)
def test_gradients_stay_on_the_listed_manifolds(name):
    rng, kind = np.random.default_rng(0), classify(ACTIVATIONS[name])
    problem = random_problem(rng, cs.Network(name, width=3, scaling="none"))
    weights = Neurons(rng.normal(size=(3, 3, 2)), rng.normal(size=(3, 3, 3)))
    listed = [manifold_of(each, kind) for each in partitions(kind.symmetry, 3)]
    assert tangency_residuals(problem, listed, weights).max() < 1e-12
    assert tangency_residuals(problem, controls(kind, 3), weights).min() > 1e-2


@pytest.mark.slow
@pytest.mark.parametrize("name", FOREIGN)
def test_sampled_summarised_and_compared(name):
    posterior = posterior_of(name, test=2)
    run = cs.sample(posterior, draws=300, warmup=300, chains=2, progress=False)
    summary = cs.summarize(run)
    assert summary.to_json()["scheme"]["label"] in ("analog", "redundant", "sparse", "undecided")
    comparison = cs.compare(run)
    assert comparison.prediction.theory == "mean-field"
    sampled, error = comparison.deviation("output")
    assert sampled < 4 * error + 2 / posterior.network.width
