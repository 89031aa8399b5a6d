"""Codes of planted populations are exact, matched over draws, and need evidence."""

import numpy as np
import pytest

from codingschemes.coding import Population, drift, find_codes, occupancies, population
from codingschemes.coding.planted import Planted, plant_analog, plant_redundant, plant_sparse
from codingschemes.networks.activations import Family

FAMILIES: dict[str, Family] = {"sigmoidal": "sigmoidal", "odd": "odd", "unbounded": "threshold"}


@pytest.mark.parametrize("scaling", ["sigmoidal", "odd", "unbounded"])
@pytest.mark.parametrize("code_count", [2, 4, 7])
def test_codes_of_a_planted_population_are_exact(scaling: str, code_count: int) -> None:
    planted = plant_redundant(np.random.default_rng(code_count), 100, scaling=scaling, code_count=code_count)
    codes = find_codes(planted.population, FAMILIES[scaling])
    assert tuple(codes.strings()) == planted.codes
    assert np.isclose(codes.fractions.sum(), 1)
    assert np.all(np.diff(codes.fractions) <= 0)


@pytest.mark.parametrize("counts", [(60, 39, 1), (990, 9, 1), (1, 19)])
def test_a_code_of_one_neuron_is_kept(counts: tuple[int, ...]) -> None:
    planted = plant_redundant(np.random.default_rng(0), sum(counts), counts=counts)
    assert tuple(find_codes(planted.population, "sigmoidal").strings()) == planted.codes


def test_eight_codes_of_four_classes() -> None:
    planted = plant_redundant(np.random.default_rng(3), 200, classes=4, code_count=9)
    assert tuple(find_codes(planted.population, "sigmoidal").strings()) == planted.codes


def test_code_means_are_those_of_its_neurons() -> None:
    planted = plant_redundant(np.random.default_rng(4), 80, code_count=3)
    neurons, codes = planted.population, find_codes(planted.population, "sigmoidal")
    chosen = np.array(planted.codes) == codes.names[1]
    assert np.allclose(codes.activity[1], neurons.activity[chosen].mean(0))
    assert np.allclose(codes.readout[1], neurons.readout[chosen].mean(0))


def test_a_bit_needs_distance_from_the_midpoint() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 30)
    level = np.where(np.arange(40)[:, None] < 20, [0.9, 0.1], [0.1, 0.6])
    activity = level[:, labels] + 0.02 * rng.standard_normal((40, 60))
    readout = np.where(np.arange(40)[:, None] < 20, 1.0, -1.0) + 0.05 * rng.standard_normal((40, 1))
    codes = find_codes(population(activity, readout, labels), "sigmoidal")
    assert codes.names == ("10",)
    assert np.isclose(codes.fractions.sum(), 0.5)


@pytest.mark.parametrize(
    "planted", [plant_analog(np.random.default_rng(0), 100), plant_sparse(np.random.default_rng(0), 100)]
)
def test_a_cloud_has_no_codes(planted: Planted) -> None:
    found = planted.population
    bulk = found.neurons(np.setdiff1d(np.arange(found.size), planted.outliers))
    assert find_codes(bulk, "threshold").names == ()


def test_shuffled_labels_leave_no_class_specific_codes() -> None:
    rng = np.random.default_rng(1)
    planted = plant_redundant(rng, 100, code_count=4)
    shuffled = population(planted.activity, planted.readout, rng.permutation(planted.labels))
    assert set(find_codes(shuffled, "sigmoidal").names) <= {"000", "111"}


def test_codes_are_the_same_in_another_unit_and_order() -> None:
    planted = plant_redundant(np.random.default_rng(2), 100, scaling="unbounded", code_count=5)
    order = np.random.default_rng(0).permutation(100)
    moved = population(30 * planted.activity[order], 0.01 * planted.readout[order], planted.labels)
    assert tuple(find_codes(moved, "threshold").strings()) == tuple(np.array(planted.codes)[order])


def test_codes_are_matched_over_chains_and_draws() -> None:
    chains = [_jittered_draws(plant_redundant(np.random.default_rng(6), 60, code_count=3), seed) for seed in (0, 1)]
    codes = find_codes(_stack(chains), "sigmoidal")
    planted = np.array(plant_redundant(np.random.default_rng(6), 60, code_count=3).codes)
    assert np.all(codes.strings() == planted)
    assert np.array_equal(codes.assign(chains[0]), codes.assignment[0])
    counts = occupancies(codes.assignment, len(codes.names))
    assert counts.shape == (2, 8, 3)
    assert np.all(counts.sum(-1) == 60)


def test_drift_counts_planted_switches() -> None:
    planted = plant_redundant(np.random.default_rng(8), 50, code_count=3)
    draws = _jittered_draws(planted, 0)
    names = np.array(planted.codes)
    here, there = np.flatnonzero(names == names[0])[0], np.flatnonzero(names != names[0])[:2]
    arrays = [draws.activity, draws.activity_error, draws.norm, draws.readout]
    for array in arrays:
        array[3:, here] = array[3:, there[0]]
        array[5, there[1]] = array[5, np.flatnonzero(names != names[there[1]])[0]]
    moved = drift(find_codes(Population(*arrays), "sigmoidal").assignment[None])
    assert moved.switches.tolist() == [3]  # one neuron goes for good, another leaves for one draw and returns
    assert moved.steps.tolist() == [7 * 50]
    assert np.isclose(moved.probability, 3 / 350)


def test_a_neuron_without_a_code_in_between_has_not_switched() -> None:
    assignment = np.array([[[0, 0, -1], [-1, -1, 0], [0, 1, -1]]])
    assert drift(assignment).switches.tolist() == [1]


def _jittered_draws(planted: Planted, seed: int, draws: int = 8) -> Population:
    rng = np.random.default_rng(seed)
    activity, readout = planted.activity, planted.readout
    return population(
        activity + 0.02 * rng.standard_normal((draws, *activity.shape)),
        readout + 0.05 * rng.standard_normal((draws, *readout.shape)),
        planted.labels,
    )


def _stack(chains: list[Population]) -> Population:
    return Population(
        np.stack([chain.activity for chain in chains]),
        np.stack([chain.activity_error for chain in chains]),
        np.stack([chain.norm for chain in chains]),
        np.stack([chain.readout for chain in chains]),
    )
