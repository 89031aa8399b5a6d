"""Every registered sampler, on posteriors whose answers are known by other means."""

import itertools
import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from known_answers import agreement_z, small_posterior
from subjects import TREES

import codingschemes as cs
from codingschemes.benchmark.targets import two_points
from codingschemes.diagnostics import diagnose, mean_and_error
from codingschemes.samplers import SAMPLERS, Settings

#: 4.9 standard errors: one false alarm in a million entries.
Z_LIMIT = 4.9

#: Forms other than the weights: function space is the reduced form at depth 1, and with fewer neurons than samples.
EVERY = ("reduced", "function")


def by_quadrature(posterior: cs.Posterior) -> dict[str, np.ndarray]:
    """Posterior means over u (one number) and a (Gaussian given u), on a grid."""
    u = np.linspace(-9, 9, 20_001)
    inputs, targets = posterior.task.inputs[:, 0], posterior.task.targets
    activity = np.asarray(posterior.network.activation(jnp.asarray(np.outer(u, inputs))))
    temperature, variance = posterior.prior.temperature, posterior.prior.readout_variance
    precision = 1 / variance + (activity**2).sum(1) / temperature
    mean = activity @ targets / temperature / precision[:, None]
    # log of the integral over both readouts of prior times likelihood
    log_weight = -(u**2) / 2 - np.log(variance * precision) + (precision[:, None] * mean**2).sum(1) / 2
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    outputs = activity[:, :, None] * mean[:, None, :]
    return {
        "outputs": np.einsum("g,gpc->pc", weight, outputs),
        "kernel_diagonal": (weight @ activity**2)[None],
    }


@pytest.mark.parametrize(
    "sampler", [pytest.param(name, marks=[] if name == "nuts" else pytest.mark.slow) for name in TREES]
)
def test_one_neuron_agrees_with_quadrature(sampler):
    """A nonlinear network for the samplers that the tests with drawn data leave out."""
    posterior = two_points("sigmoid", 0.1)
    # as the tests of the bench sample it: compiled once for both
    run = cs.sample(
        posterior, sampler=sampler, space="weights", draws=1200, warmup=100, max_tree_depth=8, chains=4, seed=1,
        progress=False,
    )  # fmt: skip
    for name, expected in by_quadrature(posterior).items():
        mean, error = mean_and_error(run.data["posterior"][name].values)
        assert np.abs((mean - expected) / error).max() < Z_LIMIT, name
        assert error.max() < 0.05


@pytest.mark.slow
def test_all_forms_give_the_same_posterior():
    posterior = small_posterior("tanh", depth=2, samples=4)
    moments = {}
    for space in (*EVERY, "weights"):
        run = cs.sample(posterior, sampler="hmc", space=space, draws=700, warmup=250, seed=2, progress=False)
        findings = diagnose(run)
        assert findings.convergence.rhat_max < 1.1
        assert findings.identities.hold
        moments[space] = {
            name: mean_and_error(run.data["posterior"][name].values)
            for name in ("energy", "training_loss", "outputs", "kernel_block", "kernel_eigenvalue")
        }
        moments[space]["readout_norm"] = mean_and_error(run.data["posterior"]["readout_norm_quantile"].values)
    for space, name in itertools.product(EVERY, moments["weights"]):
        z = agreement_z(*moments[space][name], *moments["weights"][name])
        assert np.abs(z).max() < Z_LIMIT, (space, name)


def test_no_other_file_knows_a_sampler_by_name():
    """But for the names that can be typed, what the bench measures and examples; two of them are also words of their
    own."""
    package = Path(cs.__file__).parent
    named = re.compile("|".join(f"[\"'`]{name}[\"'`]" for name in SAMPLERS if name not in ("codes", "langevin")))
    allowed = ("samplers", "benchmark", "cli/names.py")
    files = [path.relative_to(package).as_posix() for path in package.rglob("*.py")]
    code = {file: re.sub(r"^ *>>> .*", "", (package / file).read_text(), flags=re.MULTILINE) for file in files}
    knowing = [file for file in files if named.search(code[file])]
    assert any(file.startswith("samplers") for file in knowing)
    assert [file for file in knowing if not file.startswith(allowed)] == []


@pytest.mark.parametrize("sampler", list(SAMPLERS))
def test_builders_return_the_same_kernel_for_the_same_settings(sampler):
    assert SAMPLERS[sampler](Settings(warmup=7)) is SAMPLERS[sampler](Settings(warmup=7))
    assert SAMPLERS[sampler](Settings(warmup=7)) is not SAMPLERS[sampler](Settings(warmup=8))


def _bytes(tree: object) -> int:
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_checkpoint_holds_a_few_copies_of_the_weights(sampler):
    """At the size of the toy task, where all that follows from the rest would be thirty copies and more."""
    posterior = cs.Posterior(cs.tasks.orthogonal(samples=100), cs.Network("sigmoid", width=100), temperature=1e-3)
    density, kernel = posterior.density(), SAMPLERS[sampler](Settings(warmup=10))
    key = jax.random.PRNGKey(0)
    weights = jax.eval_shape(density.prior_draw, key)
    state = jax.eval_shape(lambda key, position: kernel.init(key, position, density), key, weights)
    assert _bytes(state) < 10 * _bytes(weights)
    if sampler == "codes":
        states = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct((1, *leaf.shape), leaf.dtype), state)
        common = jax.eval_shape(kernel.search.common, states, density)
        assert _bytes(common) > 30 * _bytes(weights)
