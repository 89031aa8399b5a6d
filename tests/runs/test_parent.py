"""A run as the start of another: the networks that chains begin with are those that its chains ended with."""

import dataclasses
import functools

import jax
import numpy as np
import pytest
from known_answers import correlated_task, small_posterior

import codingschemes as cs
from codingschemes.cli.sample import _of_parent
from codingschemes.coding.condensation import some_weights
from codingschemes.runs.parent import parents_positions

OPTIONS = {"sampler": "hmc", "chains": 2, "warmup": 30, "draws": 40, "seed": 5, "progress": False}


@pytest.fixture(scope="module")
def parent(tmp_path_factory) -> cs.Run:
    return cs.sample(small_posterior(), out=tmp_path_factory.mktemp("runs") / "run", **OPTIONS)


@pytest.fixture(scope="module")
def deep(tmp_path_factory) -> cs.Run:
    options = {**OPTIONS, "warmup": 2, "draws": 4}
    return cs.sample(small_posterior(depth=2, bias=True), out=tmp_path_factory.mktemp("runs") / "run", **options)


@jax.jit
@functools.partial(jax.vmap, in_axes=(0, None))
def seen(position, density):
    """Preactivations and outputs of a network, whose readout is drawn where it is integrated out."""
    z, activity = density.propagate(position)
    readout = density.readout(jax.random.PRNGKey(0), position, activity)
    return z, density.network.outputs(activity, readout)


@pytest.mark.parametrize("space", ["weights", "reduced", "function"])
def test_the_same_posterior_in_any_form_begins_at_the_last_draws(deep, space):
    density = deep.posterior.density(space)
    positions = parents_positions(jax.random.PRNGKey(0), density, deep.posterior, deep, 2)
    z, outputs = seen(positions, density)
    np.testing.assert_allclose(z, deep.values("neurons", "preactivation")[:, -1], atol=1e-4)
    if space == "weights":
        np.testing.assert_allclose(outputs, deep.values("posterior", "outputs")[:, -1], atol=1e-4)


@pytest.mark.parametrize("width", [12, 3])
def test_a_wider_network_has_copies_that_keep_the_outputs(deep, width):
    posterior = small_posterior(depth=2, bias=True, width=width, temperature=0.2)
    density = posterior.density("weights")
    positions = parents_positions(jax.random.PRNGKey(0), density, posterior, deep, 2)
    z, outputs = seen(positions, density)
    # three neurons cannot say to the layer above what six did
    layers = slice(None) if width == 12 else slice(1)
    stored = deep.values("neurons", "preactivation")[:, -1, :, np.arange(width) % 6]
    np.testing.assert_allclose(z[:, layers], np.moveaxis(stored, 0, 2)[:, layers], atol=1e-4)
    if width == 12:
        np.testing.assert_allclose(outputs, deep.values("posterior", "outputs")[:, -1], atol=1e-4)


def test_other_data_are_seen_by_the_same_weights(deep):
    """Inputs of which the old ones are a part: there the preactivations are those of the draw."""
    task = correlated_task(12)
    shared = np.concatenate([deep.posterior.task.inputs, task.inputs[8:, : deep.posterior.task.inputs.shape[1]]])
    other = dataclasses.replace(task, inputs=shared, test_inputs=task.test_inputs[:, : shared.shape[1]])
    posterior = cs.Posterior(other, deep.posterior.network, temperature=0.05, readout_variance=6.0)
    density = posterior.density()
    positions = parents_positions(jax.random.PRNGKey(0), density, posterior, deep, 3)
    z, _ = seen(positions, density)
    stored = deep.values("neurons", "preactivation")
    np.testing.assert_allclose(z[:2, :, :, :8], stored[:, -1], atol=1e-3)
    # a third chain takes an earlier draw of the first one
    np.testing.assert_allclose(z[2, :, :, :8], stored[0, 1], atol=1e-3)


def test_a_run_that_another_one_started_says_so_and_goes_on_like_any_other(parent, tmp_path):
    colder = small_posterior(temperature=0.02)
    options = {**OPTIONS, "warmup": 10, "seed": 6}
    whole = cs.sample(colder, out=tmp_path / "whole", parent=parent.path, **options)
    assert whole.config["parent"]["run"] == str(parent.path)
    assert whole.config["parent"]["draws"] == 40
    assert whole.config["sampling"]["start"] == "parent"
    cs.sample(colder, out=tmp_path / "run", parent=parent.path, **{**options, "draws": 7})
    run = cs.sample(colder, out=tmp_path / "run", resume=True, **options)
    np.testing.assert_array_equal(run.values("posterior", "energy"), whole.values("posterior", "energy"))
    # it begins where the parent ended, at energies of the posterior and not of the prior
    assert np.abs(whole.values("posterior", "training_loss")[:, 0]).max() < 1


def test_limits_and_precision_of_a_parent_are_its_own(parent):
    """Another temperature or form may need another precision."""
    _, taken = _of_parent(parent, {"temperature": 1e-6})
    assert not taken.keys() & {"precision", "time_limit", "sampling_limit", "start"}
    assert (taken["sampler"], taken["seed"]) == ("hmc", 6)


def test_as_many_networks_of_every_chain_are_looked_at(parent):
    assert len(some_weights(parent, 1).weight) == 2
    assert len(some_weights(parent, 3).weight) == 4


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"start": "prior"}, "leave out `start`"),
        ({"resume": True}, "`resume=True`"),
    ],
)
def test_a_parent_and_another_start_are_refused(parent, tmp_path, options, said):
    with pytest.raises(cs.InvalidInput, match=said):
        cs.sample(small_posterior(), out=tmp_path / "run", parent=parent.path, **OPTIONS, **options)


def test_networks_of_another_kind_and_no_parent_are_refused(parent, tmp_path):
    with pytest.raises(cs.InvalidInput, match=r"another depth \(1, not 2\)"):
        cs.sample(small_posterior(depth=2), out=tmp_path / "run", parent=parent.path, **OPTIONS)
    with pytest.raises(cs.InvalidInput, match="where `parent` names a run"):
        cs.sample(small_posterior(), out=tmp_path / "run", start="parent", **OPTIONS)
    with pytest.raises(cs.InvalidInput, match="no run folder"):
        cs.sample(small_posterior(), out=tmp_path / "run", parent=tmp_path / "nothing", **OPTIONS)
    assert not any(tmp_path.iterdir())
