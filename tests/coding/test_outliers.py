"""Outliers of planted populations."""

import numpy as np
import pytest
from scipy.stats import binom, chi2

from codingschemes.coding import ClassMeans, find_outliers, population
from codingschemes.coding.outliers import (
    SIGNIFICANCE,
    are_outliers,
    carriers,
    effective_neurons,
    gaussian_reference,
    output_parts,
)
from codingschemes.coding.planted import plant_analog, plant_redundant, plant_sparse, plant_sparse_without_gap


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
    assert np.allclose([there.share, there.participation], [here.share, here.participation])
    assert np.allclose(there.norm, here.norm)


def test_parts_of_the_output_sum_to_one() -> None:
    assert np.isclose(output_parts(plant_sparse(np.random.default_rng(0), 50).population).sum(), 1)


def test_effective_numbers_of_equal_and_of_single_neurons() -> None:
    assert effective_neurons(np.full(40, 0.025)) == pytest.approx(40)
    assert effective_neurons(np.eye(40)[3]) == pytest.approx(1)
    assert carriers(np.full(40, 0.025)) == 36
    assert carriers(np.array([0.5, 0.02, -0.45, 0.03])) == 2


def test_the_gaussian_reference_of_one_direction_is_that_of_a_square() -> None:
    """The fourth moment of a Gaussian is three times the square of its variance."""
    latent = np.random.default_rng(0).standard_normal((900, 1))
    latent = (latent - latent.mean()) / latent.std()
    neurons = ClassMeans(latent * [1.0, -1.0], np.full((900, 2), 0.1), np.abs(latent[:, 0]), latent * [2.0, -2.0])
    found = gaussian_reference(neurons)
    assert found.effective_neurons == pytest.approx(300, rel=0.05)
    # 90 % of the mean of chi^2 with one degree of freedom lies above the chi^2_3 quantile of .1
    assert found.carriers == pytest.approx(900 * chi2.sf(chi2.ppf(0.1, 3), 1), rel=0.05)


def test_squares_of_gaussians_are_no_outliers_more_often_than_said() -> None:
    """The worst case of the bound: parts that are squares of one Gaussian number."""
    parts = np.random.default_rng(5).standard_normal((4000, 50)) ** 2
    false = int(are_outliers(parts).any(-1).sum())
    assert binom.sf(false - 1, 4000, 5 * SIGNIFICANCE) > 1e-3
    loud = parts.copy()
    loud[:, :3] = 100 * parts.sum(1, keepdims=True) / 50
    assert are_outliers(loud)[:, :3].all()


@pytest.mark.parametrize("seed", range(4))
def test_strengths_without_a_gap_hide_no_carriers(seed: int) -> None:
    planted = plant_sparse_without_gap(np.random.default_rng(seed), 100)
    neurons = planted.population
    strength = np.sort(neurons.norm * np.linalg.norm(neurons.readout, axis=-1))[::-1]
    assert np.max(strength[:20] / strength[1:21]) < 4
    parts = output_parts(neurons)
    assert carriers(parts) < 0.5 * gaussian_reference(neurons).carriers
    assert set(np.argsort(-parts)[:3]) <= set(planted.outliers)


def test_silent_networks_have_no_outliers() -> None:
    found = find_outliers(population(np.zeros((30, 6)), np.zeros((30, 2)), np.repeat([0, 1, 2], 2)))
    assert found.count == 0
    assert found.share == 0
