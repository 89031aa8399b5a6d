"""Class means, their errors and the planted populations that the other tests rely on."""

import numpy as np
import pytest

from codingschemes.coding import population
from codingschemes.coding.planted import TRUTHS, plant, plant_redundant, plant_sparse


def test_class_means_and_errors_are_those_of_the_samples() -> None:
    activity = np.random.default_rng(0).normal(size=(3, 2, 5, 9))
    labels = np.array([0, 1, 1, 2, 2, 2, 0, 0, 0])
    found = population(activity, np.zeros((3, 2, 5, 4)), labels)
    of_class = activity[1, 0, 2, labels == 2]
    assert found.draws == (3, 2)
    assert found.size == 5
    assert np.isclose(found.activity[1, 0, 2, 2], of_class.mean())
    assert np.isclose(found.activity_error[1, 0, 2, 2], of_class.std(ddof=1) / np.sqrt(3))
    assert np.isclose(found.norm[1, 0, 2], np.sqrt(np.mean(activity[1, 0, 2] ** 2)))


def test_a_class_with_one_sample_takes_the_spread_of_the_others() -> None:
    found = population(np.array([[0.0, 2.0, 5.0]]), np.ones((1, 1)), np.array([0, 0, 1]))
    assert np.allclose(found.activity_error, [[1.0, np.sqrt(2)]])


def test_labels_with_a_missing_class_are_refused() -> None:
    with pytest.raises(ValueError, match="every class"):
        population(np.zeros((2, 3)), np.zeros((2, 1)), np.array([0, 2, 2]))


def test_thinning_keeps_the_first_and_the_last_draw() -> None:
    activity = np.arange(10.0)[None, :, None, None] * np.ones((2, 10, 4, 2))
    found = population(activity, np.zeros((2, 10, 4, 1)), np.array([0, 1])).thin(3)
    assert found.draws == (2, 3)
    assert found.activity[0, [0, -1], 0, 0].tolist() == [0.0, 9.0]


@pytest.mark.parametrize("truth", TRUTHS)
def test_the_same_seed_plants_the_same_population(truth: str) -> None:
    first, second = (plant(truth, np.random.default_rng(5), 30) for _ in range(2))
    assert np.array_equal(first.activity, second.activity)
    assert first.truth == truth


def test_planted_outliers_carry_the_class_specific_output() -> None:
    planted = plant_sparse(np.random.default_rng(2), 200)
    neurons = planted.population
    output = neurons.activity.T @ neurons.readout
    of_outliers = neurons.activity[planted.outliers].T @ neurons.readout[planted.outliers]
    contrast, carried = (each - each.mean(0) for each in (output, of_outliers))
    assert np.sum(contrast * carried) / np.sum(contrast**2) >= 0.85


def test_planted_codes_have_the_counts_asked_for() -> None:
    planted = plant_redundant(np.random.default_rng(1), 40, counts=(30, 9, 1))
    assert sorted(np.unique(planted.codes, return_counts=True)[1].tolist()) == [1, 9, 30]
