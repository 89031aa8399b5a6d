"""Planted groups and states are found again; where there are none, none are, as often as p says."""

import numpy as np
import pytest
from planted_populations import factorised

import codingschemes as cs

PROFILES = np.array([[2.0, 0, 0, 1], [0, 2, 1, 0], [1, 0, 2, 2]])


def grouped(rng, sizes=(20, 12, 8), noise=0.5, trials=10):
    """Neurons of three graded profiles, which are no codes."""
    kinds = rng.permutation(np.repeat(np.arange(3), sizes))
    labels = np.repeat(np.arange(4), trials)
    return PROFILES[kinds][:, labels].T + noise * rng.standard_normal((4 * trials, len(kinds))), labels, kinds


def test_planted_groups_are_found_and_stable():
    rng = np.random.default_rng(0)
    activity, labels, kinds = grouped(rng)
    found = cs.populations.functional_groups(cs.Population(activity, labels), bootstraps=4, shuffles=19, most=5)
    np.testing.assert_array_equal(found.members, kinds)  # planted with the largest first
    assert found.sizes.tolist() == [20, 12, 8]
    np.testing.assert_allclose(found.profiles, PROFILES, atol=0.2)
    assert found.stability.min() > 0.9
    assert found.null.p == 1 / 20
    assert found.words == "3 groups, 3 of them stable (overlap of at least 0.75), p = 0.05"


def test_neurons_without_groups_have_none():
    """Correlated profiles of one Gaussian, and noise alone: p is at most .05 in one of twenty."""
    rng = np.random.default_rng(1)
    p = []
    for _ in range(5):
        population = cs.Population(*factorised(rng, trials=5, neurons=30))
        p.append(cs.populations.functional_groups(population, most=4, bootstraps=0, shuffles=19).null.p)
    assert np.sum(np.array(p) <= 0.05) <= 2  # of 5 at 5 %: more in one of nine hundred
    noise = cs.Population(rng.standard_normal((20, 30)), np.repeat(np.arange(4), 5))
    assert cs.populations.functional_groups(noise, bootstraps=0, shuffles=0).count == 1


def visited(rng, *, timed, neurons=40, strength=1.5):
    """Two patterns, three and five times among samples of nothing but each neuron's own noise; in time each visit is
    four bins long and noise is slow."""
    length, stay = (160, 4) if timed else (60, 1)
    activity = rng.standard_normal((length, neurons))
    if timed:
        activity = sum(np.roll(activity, lag, axis=0) for lag in range(3)) / np.sqrt(3)
    patterns = 2 * rng.integers(2, size=(2, neurons)) - 1.0
    starts = (np.arange(8) * length // 8)[rng.permutation(8)]
    states = np.full(length, -1)
    for place, start in enumerate(starts):
        which = int(place < 3)
        states[start : start + stay] = which
        activity[start : start + stay] += 2 * strength * patterns[which]
    return activity * np.exp(rng.standard_normal(neurons)) + 5, states


@pytest.mark.parametrize("timed", [False, True])
def test_planted_states_are_found_with_their_visits(timed):
    activity, states = visited(np.random.default_rng(2), timed=timed)
    found = cs.populations.recurring_states(activity, timed=timed, shuffles=19)
    assert found.visits.tolist() == [5, 3]
    assert (found.p <= 0.05).all()
    assert np.mean(found.members == states) > 0.95
    assert found.expected < 2
    assert found.patterns.shape == (2, 40)


@pytest.mark.parametrize("timed", [False, True])
def test_neurons_that_go_each_their_own_way_have_no_states(timed):
    """The same values of every neuron, with nothing in common."""
    rng = np.random.default_rng(3)
    activity, _ = visited(rng, timed=timed)
    alarms = 0
    for _ in range(5):
        apart = np.stack([np.roll(each, rng.integers(len(each))) for each in activity.T], axis=1)
        if not timed:
            apart = rng.permuted(activity, axis=0)
        found = cs.populations.recurring_states(apart, timed=timed, shuffles=19)
        alarms += len(found.p) > 0 and found.p[0] <= 0.05
    assert alarms <= 2  # of 5 at 5 %: more in one of nine hundred


def test_classes_are_states_in_the_order_that_samples_were_given():
    rng = np.random.default_rng(4)
    activity, labels = factorised(rng, trials=6, neurons=60, noise=0.3, parity=1.0)
    order = rng.permutation(24)
    population = cs.Population(activity[order], labels[order])
    found = cs.populations.recurring_states(population, shuffles=19)
    assert found.visits.tolist() == [6] * 4
    assert all(len(set(labels[order][found.members == state])) == 1 for state in range(4))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"activity": np.eye(5)}, "too few for states"),
        ({"activity": np.eye(20), "gap": 1}, "set `timed`"),
        ({"activity": np.eye(20), "timed": True, "max_samples": 10}, "average over bins"),
        ({"activity": np.cumsum(np.ones((20, 4)) * np.arange(1, 5), 0), "timed": True}, "too long for states"),
        ({"activity": np.eye(20), "shuffles": 3}, "`shuffles` is 3"),
    ],
)
def test_what_has_no_states_is_refused(words, said):
    with pytest.raises(cs.InvalidInput, match=said):
        cs.populations.recurring_states(**words)


def test_few_neurons_have_no_groups():
    with pytest.raises(cs.InvalidInput, match="too few for groups"):
        cs.populations.functional_groups(cs.Population(np.eye(4), [0, 0, 1, 1]))


def test_a_group_that_no_draw_holds_a_neuron_of_has_no_stability():
    """One neuron of its own: with one draw it is left out in a third of the seeds."""
    rng = np.random.default_rng(30)
    labels = np.repeat(np.arange(3), 6)
    profiles = np.vstack([np.tile([0.0, 1.0, 0.0], (12, 1)), np.tile([1.0, 0.0, 1.0], (12, 1)), [[9.0, -9.0, 4.0]]])
    population = cs.Population(profiles.T[labels] + 0.05 * rng.standard_normal((18, 25)), labels)
    found = [cs.populations.functional_groups(population, bootstraps=1, shuffles=0, seed=seed) for seed in range(8)]
    alone = [each.stability[each.sizes == 1] for each in found]
    assert all(len(each) == 1 for each in alone)
    assert {bool(np.isnan(each[0])) for each in alone} == {True, False}
    assert all(np.isfinite(each.stability[each.sizes > 1]).all() for each in found)
