"""Drift along planted trajectories whose drift is known, and along those of a real network."""

import jax
import numpy as np
import pytest
from known_answers import correlated_task
from zarr.storage import MemoryStore

import codingschemes as cs
from codingschemes.coding import find_codes, population
from codingschemes.coding.dynamics import (
    Trajectory,
    continued_trajectory,
    last_positions,
    layer_drift,
    own_trajectory,
)
from codingschemes.runs.dimensions import DIMENSIONS
from codingschemes.runs.store import DrawStore

CLASSES, WIDTH, STEPS, STEP_TIME = 3, 60, 20, 0.5


def planted(signs: np.ndarray) -> Trajectory:
    """One layer of saturated odd units that answer to each class with a sign of its own, (chain, step, neuron, class),
    at times .5 apart."""
    labels = np.repeat(np.arange(CLASSES), 5)
    noise = 0.02 * np.random.default_rng(1).standard_normal((*signs.shape[:3], len(labels)))
    neurons = population(np.tanh(3.0 * signs[..., labels]) + noise, signs.astype(float), labels)
    return Trajectory((neurons,), np.full((signs.shape[0], signs.shape[1] - 1), STEP_TIME), "planted")


def test_a_frozen_population_does_not_drift() -> None:
    signs = np.random.default_rng(0).choice([-1, 1], size=(2, 1, WIDTH, CLASSES))
    trajectory = planted(np.broadcast_to(signs, (2, STEPS, WIDTH, CLASSES)))
    found = layer_drift(trajectory, 0, find_codes(trajectory.layers[0], (-1.0, 1.0)))
    assert found.changes == 0
    assert found.correlation > 0.999
    assert found.time == pytest.approx(STEP_TIME * (STEPS - 1))


def test_a_population_drawn_anew_from_an_odd_prior_forgets_everything_at_each_step() -> None:
    trajectory = planted(np.random.default_rng(0).choice([-1, 1], size=(2, STEPS, WIDTH, CLASSES)))
    found = layer_drift(trajectory, 0, find_codes(trajectory.layers[0], (-1.0, 1.0)))
    expected = 1 - 2.0**-CLASSES  # all codes are alike under an odd prior
    error = np.sqrt(expected * (1 - expected) / (2 * (STEPS - 1) * WIDTH))
    assert abs(found.changes * STEP_TIME - expected) < 4 * error
    assert abs(found.correlation) < 4 / np.sqrt(2 * WIDTH * CLASSES)


def test_one_neuron_that_turns_in_one_class_is_one_change() -> None:
    signs = np.broadcast_to(
        np.random.default_rng(0).choice([-1, 1], size=(1, 1, WIDTH, CLASSES)), (1, STEPS, WIDTH, CLASSES)
    ).copy()
    codes = find_codes(planted(signs).layers[0], (-1.0, 1.0))
    signs[0, STEPS // 2 :, 7, 1] *= -1
    found = layer_drift(planted(signs), 0, codes)
    assert found.changes == pytest.approx(1 / (WIDTH * STEP_TIME * (STEPS - 1)))


def test_neurons_without_codes_have_a_correlation_alone() -> None:
    activity = np.random.default_rng(0).standard_normal((1, 1, WIDTH, 15)) * np.ones((1, 4, 1, 1))
    neurons = population(activity, np.zeros((1, 4, WIDTH, 1)), np.repeat(np.arange(CLASSES), 5))
    found = layer_drift(Trajectory((neurons,), np.ones((1, 3)), "planted"), 0, find_codes(neurons, None))
    assert np.isnan(found.changes)
    assert found.correlation == pytest.approx(1)


@pytest.fixture(scope="module")
def run() -> cs.Run:
    # the shapes of tests/coding/test_summary.py: compiled once for both
    posterior = cs.Posterior(correlated_task(8), cs.Network("sigmoid", width=6, depth=2, bias=True), temperature=0.02)
    return cs.sample(posterior, sampler="hmc", warmup=60, draws=20, chains=2, progress=False)


@pytest.mark.slow
def test_the_draws_of_a_local_sampler_are_a_trajectory(run: cs.Run) -> None:
    found = own_trajectory(run)
    steps, size, acceptance = (run.values("sample_stats", name) for name in ("n_steps", "step_size", "acceptance_rate"))
    np.testing.assert_allclose(found.times, (steps * size * acceptance)[:, 1:])
    assert [layer.draws for layer in found.layers] == [(2, 20), (2, 20)]
    assert "hmc" in found.dynamics


def test_a_trajectory_without_a_test_moves_for_all_of_its_time_unless_it_is_refused(run: cs.Run) -> None:
    asked = {**run.config["sampling"], "sampler": "langevin", "precision": "double"}
    records = {group: {name: run.values(group, name).copy() for name in DIMENSIONS[group]} for group in DIMENSIONS}
    stats = records["sample_stats"]
    stats["acceptance_rate"][:], stats["diverging"][:] = 0.9, False
    stats["diverging"][1, 7] = True
    store = DrawStore(MemoryStore())
    store.append(records)
    found = own_trajectory(cs.Run(run.posterior, {**run.config, "sampling": asked}, run.provenance, store))
    whole = (stats["n_steps"] * stats["step_size"])[:, 1:]
    assert found.times[1, 6] == 0
    whole[1, 6] = 0
    np.testing.assert_allclose(found.times, whole)


@pytest.mark.slow
def test_networks_go_on_from_where_the_chains_ended(run: cs.Run) -> None:
    density = run.posterior.density("reduced")
    positions = last_positions(run, jax.random.PRNGKey(3), density)
    again = np.asarray(jax.vmap(density.propagate)(positions)[0])
    np.testing.assert_allclose(again, run.values("neurons", "preactivation")[:, -1], atol=1e-4)
    found = continued_trajectory(run, steps=20)
    assert [layer.draws for layer in found.layers] == [(2, 20), (2, 20)]
    assert found.times.shape == (2, 19)
    assert np.all(found.times > 0)
    first, second = found.layers[1].activity[:, 0], found.layers[1].activity[:, -1]
    assert np.abs(first - second).max() > 1e-3  # it moves
