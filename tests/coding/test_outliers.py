"""Outliers of planted populations."""

import numpy as np
import pytest

from codingschemes.coding import find_outliers, population
from codingschemes.coding.outliers import output_parts
from codingschemes.coding.planted import plant_analog, plant_redundant, plant_sparse


@pytest.mark.parametrize("count", [1, 2, 5])
def test_planted_outliers_are_found_with_their_classes(count: int) -> None:
    planted = plant_sparse(np.random.default_rng(count), 100, outlier_count=count)
    neurons = planted.population
    found = find_outliers(neurons)
    assert set(found.neurons) == set(planted.outliers)
    assert np.array_equal(found.classes, neurons.activity[found.neurons].argmax(1))
    assert np.all(found.selectivity > 0.8)
    assert np.all(np.diff(found.strength) <= 0)
    assert found.share > 0.8
    assert found.participation < 2 * count + 1


def test_two_collinear_outliers_of_one_class_are_both_found() -> None:
    planted = plant_sparse(np.random.default_rng(7), 100, outlier_count=4)
    classes = find_outliers(planted.population).classes
    assert len(classes) == 4
    assert len(set(classes)) == 3


@pytest.mark.parametrize("seed", range(10))
def test_clouds_and_codes_have_no_outliers(seed: int) -> None:
    rng = np.random.default_rng(seed)
    assert find_outliers(plant_analog(rng, 100).population).count == 0
    assert find_outliers(plant_redundant(rng, 100).population).count == 0


def test_outliers_do_not_depend_on_units_or_order() -> None:
    planted = plant_sparse(np.random.default_rng(3), 60, outlier_count=3)
    order = np.random.default_rng(0).permutation(60)
    here = find_outliers(planted.population)
    there = find_outliers(population(7 * planted.activity[order], 0.2 * planted.readout[order], planted.labels))
    assert np.array_equal(order[there.neurons], here.neurons)
    assert np.allclose([there.gap, there.share, there.participation], [here.gap, here.share, here.participation])
    assert np.allclose(there.norm, here.norm)


def test_parts_of_the_output_sum_to_one() -> None:
    assert np.isclose(output_parts(plant_sparse(np.random.default_rng(0), 50).population).sum(), 1)


def test_silent_networks_have_no_outliers() -> None:
    found = find_outliers(population(np.zeros((30, 6)), np.zeros((30, 2)), np.repeat([0, 1, 2], 2)))
    assert found.count == 0
    assert found.share == 0
