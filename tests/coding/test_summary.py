"""A summary agrees with itself, with the draws it was made from, and with what must be so."""

import json
from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
from known_answers import correlated_task
from zarr.storage import MemoryStore

import codingschemes as cs
from codingschemes.cli.summarize import summary_rows
from codingschemes.coding import ClassMeans, neurons
from codingschemes.coding.layers import code_rhat, outlier_rhat
from codingschemes.reports.page import render
from codingschemes.reports.words import score
from codingschemes.representation import abstraction_scores, block_means
from codingschemes.runs.dimensions import DIMENSIONS
from codingschemes.runs.store import DrawStore

#: Of tests/runs/test_parent.py, too: compiled once for both.
DEEP = cs.Network("sigmoid", width=6, depth=2, bias=True)


@pytest.fixture(scope="module")
def run() -> cs.Run:
    """A recurrent network; its test inputs are its training inputs, in another order."""
    task = cs.tasks.hypercube(labels_dim=2, repeats=2)
    shuffled = np.arange(8)[::-1]
    task = replace(
        task,
        test_inputs=task.inputs[shuffled],
        test_targets=task.targets[shuffled],
        test_labels=task.labels[shuffled],
    )
    network = cs.Network("sigmoid", width=6, depth=2, recurrent=True)
    posterior = cs.Posterior(task, network, temperature=0.02, readout_variance=6.0)
    # a local dynamics: drift is that of its draws
    return cs.sample(posterior, sampler="hmc", warmup=60, draws=20, chains=2, progress=False)


@pytest.fixture(scope="module")
def summary(run: cs.Run) -> cs.Summary:
    return cs.summarize(run)


def test_test_inputs_that_are_training_inputs_get_the_same_outputs(summary):
    np.testing.assert_allclose(summary.test.outputs[::-1], summary.training.outputs, atol=1e-4)
    np.testing.assert_allclose(summary.test.spread[::-1], summary.training.spread, atol=1e-4)
    assert summary.test.error == summary.training.error
    assert summary.test.loss.mean == pytest.approx(summary.training.loss.mean, abs=1e-4)


def test_kernels_agree_with_each_other(summary, run):
    labels = run.posterior.task.labels
    assert len(summary.kernels) == 2
    for kernels in summary.kernels:
        blocks = block_means(kernels.full.astype(float), labels)
        np.testing.assert_allclose(kernels.between, blocks.between, rtol=1e-4)
        np.testing.assert_allclose(kernels.within, np.diag(kernels.between))
        np.testing.assert_allclose(kernels.diagonal, blocks.diagonal, rtol=1e-4)


def test_every_time_step_is_scored(summary, run):
    task, network = run.posterior.task, run.posterior.network
    drawn = run.values("neurons", "preactivation")[:, [9, 19]].reshape(-1, 2, 6, 8)
    for step, found in enumerate(summary.abstraction_by_layer):
        activities = [np.asarray(network.activation(jnp.asarray(each[step], float))) for each in drawn]
        own = [abstraction_scores(activity.T, task.labels, task.factors).parallelism for activity in activities]
        assert found.scores.parallelism == pytest.approx(np.mean(own), abs=1e-5)
        assert found.spread["parallelism"] == pytest.approx(np.std(own), abs=1e-5)
    layers = summary.to_json()["abstraction"]["layers"]
    assert len(layers) == 2
    assert layers[-1]["ccgp"] == summary.abstraction.ccgp
    assert summary.to_json()["abstraction"]["factors"] == ["label 1", "label 2"]
    by_factor = summary.abstraction.parallelism_by_factor
    said = dict(summary_rows(summary))["parallelism by factor"]
    assert said == f"label 1 {by_factor[0]:.3f}, label 2 {by_factor[1]:.3f}"
    page = render(run, summary, {})
    assert "a recurrent layer of 6 sigmoid neurons over 2 time steps" in page
    assert "Every time step" in page
    assert f'<td>label 2</td><td class="number">{score(by_factor[1])}</td>' in page


def test_shares_of_codes_add_up(summary):
    assert sum(code.fraction for code in summary.codes) == pytest.approx(summary.coded)
    for code in summary.codes:
        assert np.mean(code.by_chain) == pytest.approx(code.fraction)
        assert code.interval[0] <= code.interval[1]
    for portrait in summary.portraits:
        assert sorted(portrait.order) == list(range(6))
        assert portrait.output_part.sum() == pytest.approx(1)


def test_every_layer_says_the_same_as_the_whole(summary, run):
    values = json.loads(json.dumps(summary.to_json()))
    assert len(values["layers"]) == 2
    last = values["layers"][-1]
    for name in ("scheme", "codes", "outliers", "outlier_share", "code_sizes", "decided", "kernel", "drift"):
        np.testing.assert_equal(values[name], last[name])
    for layer, step in zip(values["layers"], summary.layers, strict=True):
        assert {"effective_neurons", "collapse", "abstraction"} <= set(layer)
        assert sum(layer["code_sizes"]) == pytest.approx(float(step.coded > 0))
        assert 0 <= layer["decided"] <= 1
        assert layer["drift"]["dynamics"].startswith("hmc")
        assert layer["drift"]["time"] > 0
        assert len(step.portraits) == 2
        assert 0 < layer["collapse"]["spread_within"] < 1
    activity = run.posterior.network.activation(jnp.asarray(run.values("neurons", "preactivation")[1, -1, 0]))
    np.testing.assert_allclose(summary.layers[0].portraits[1].activity, np.asarray(activity), atol=1e-6)
    assert values["jumps"] is None


def test_comparison_and_summary_read_the_neurons_once(run, monkeypatch):
    read = []
    original = neurons.activity_chunks
    monkeypatch.setattr(neurons, "activity_chunks", lambda *args: read.append(args[1:]) or original(*args))
    again = cs.Run(run.posterior, run.config, run.provenance, run.store)
    first, second = neurons.read_neurons(again), neurons.read_neurons(again)
    assert first is second
    assert read == [()]
    longer = cs.Run(run.posterior, run.config, run.provenance, run.store)
    assert neurons.read_neurons(longer) is not first


def test_json_is_plain(summary):
    values = json.loads(json.dumps(summary.to_json()))
    assert values["scheme"]["label"] == summary.scheme.label
    assert sum(values["scheme"]["probabilities"].values()) == pytest.approx(1)
    np.testing.assert_array_equal(values["outputs"], summary.training.outputs)


@pytest.mark.parametrize("draws", [1, 2])
def test_a_run_cut_short_is_summarised_with_a_warning(draws):
    task = correlated_task(8)
    untested = replace(task, test_inputs=task.inputs[:0], test_targets=task.targets[:0], test_labels=task.labels[:0])
    posterior = cs.Posterior(untested, DEEP, temperature=0.02)
    summary = cs.summarize(cs.sample(posterior, sampler="hmc", warmup=60, draws=draws, chains=2, progress=False))
    assert "too few draws" in summary.diagnostics.warnings[0]


def test_rhat_of_code_shares_tells_frozen_from_mixing_chains():
    rng = np.random.default_rng(0)
    mixing = rng.integers(0, 5, size=(4, 200, 2))
    apart = mixing + np.array([0, 0, 8, 8])[:, None, None]
    frozen = np.broadcast_to(np.array([[[3, 5]], [[4, 4]]]), (2, 50, 2))
    assert code_rhat(mixing) < 1.05
    assert code_rhat(apart) > 1.5
    assert code_rhat(frozen) == float("inf")
    assert code_rhat(np.full((2, 50, 2), 4)) == 1
    assert code_rhat(np.zeros((2, 50, 0), int)) == 1
    assert np.isnan(code_rhat(mixing[:, :3]))


def test_a_neuron_with_another_code_in_the_middle_draw_alone_is_no_doubt():
    """Halves of an odd number of draws leave the one in the middle out."""
    steady = np.full((4, 51, 2), 3)
    steady[0, 25] = [2, 4]
    assert code_rhat(steady) == 1


@pytest.fixture(scope="module")
def deep() -> cs.Run:
    """Converged, as far as invariants tell: two sigmoid layers of six neurons."""
    posterior = cs.Posterior(correlated_task(8), DEEP, temperature=0.02)
    return cs.sample(posterior, sampler="hmc", warmup=60, draws=2, chains=2, progress=False)


@pytest.mark.parametrize("layer", [0, 1])
def test_chains_frozen_in_different_codes_of_any_layer_are_not_trusted(deep, layer):
    """Neurons answer to the one class or to the other, three each; in one chain a neuron has changed sides, so that
    invariants, which are planted to have converged, are all that chains agree in."""
    found = cs.summarize(_with_codes(deep, layer, (3, 2)))
    assert found.layers[layer].code_rhat == float("inf")
    assert found.diagnostics.neurons_apart == (layer + 1,)
    assert found.diagnostics.convergence.converged
    assert not found.diagnostics.converged
    assert found.diagnostics.trust == "not converged"
    assert f"of layer {layer + 1}" in found.warnings[-1]
    same = cs.summarize(_with_codes(deep, layer, (3, 3)))
    assert same.diagnostics.trust == "yes"
    assert same.to_json()["diagnostics"]["converged"]


def _with_codes(run: cs.Run, layer: int, first: tuple[int, int]) -> cs.Run:
    """Independent draws of all invariants, and in each chain so many of six neurons in the first of two codes."""
    rng = np.random.default_rng(0)
    draws = 200
    records = {
        group: {name: run.values(group, name)[:, :1].repeat(draws, axis=1) for name in DIMENSIONS[group]}
        for group in DIMENSIONS
    }
    for name in ("posterior", "sample_stats"):
        for values in records[name].values():
            if values.dtype.kind == "f":
                values[...] = 1 + 0.01 * rng.standard_normal(values.shape)
    records["posterior"]["gradient"] -= 1
    records["sample_stats"]["diverging"][...] = False
    own = run.posterior.task.labels == 0
    for chain, count in enumerate(first):
        answers = np.arange(6) < count
        for each in range(2):
            side = answers if each == layer else np.arange(6) < 3
            drive = np.where(side[:, None] == own, 3.0, -3.0)
            noise = rng.standard_normal((draws, *drive.shape))
            records["neurons"]["preactivation"][chain, :, each] = drive + 0.01 * noise
    store = DrawStore(MemoryStore())
    store.append(records)
    return cs.Run(run.posterior, run.config, run.provenance, store)


def test_outliers_of_different_strength_are_apart():
    rng = np.random.default_rng(0)
    norm = rng.standard_normal((2, 100, 20)) ** 2
    norm[:, :, :2] += 50
    drawn = np.zeros((2, 100, 20, 2))
    alike = ClassMeans(drawn, drawn, norm, drawn)
    assert outlier_rhat(alike, 2) < 1.1
    assert outlier_rhat(alike, 0) == 1
    stronger = norm + 10 * (np.arange(20) == 1) * np.array([0, 1])[:, None, None]
    assert outlier_rhat(ClassMeans(drawn, drawn, stronger, drawn), 2) > 1.5
    assert outlier_rhat(ClassMeans(drawn, drawn, stronger, drawn), 1) > 1.5
