import numpy as np
import pytest

from codingschemes.errors import InvalidInput
from codingschemes.representation import (
    linear_cka,
    permutation_distance,
    rsa,
    shape_distance,
)


@pytest.fixture
def pair() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.RandomState(0)
    return random.randn(50, 6), random.randn(50, 6)


def test_known_answers(pair):
    assert shape_distance(*pair) == pytest.approx(1.311490458298, abs=1e-10)
    assert shape_distance(*pair, alpha=0.0) == pytest.approx(1.300072161823, abs=1e-10)
    assert permutation_distance(*pair) == pytest.approx(1.410213536456, abs=1e-10)
    assert rsa(*pair) == pytest.approx(0.021410228039, abs=1e-10)


@pytest.mark.parametrize("alpha", [0.0, 0.4, 1.0])
def test_whitening_and_nuclear_norm_are_the_stated_ones(pair, alpha):
    """The definition of netrep (Williams et al. 2021), of which there is no version to install."""
    whitened = []
    for activity in pair:
        samples = activity - activity.mean(axis=0)
        spectrum, vectors = np.linalg.eigh(samples.T @ samples)
        whitened.append(samples @ vectors @ np.diag(alpha + (1 - alpha) / np.sqrt(spectrum)) @ vectors.T)
    first, second = whitened
    cosine = np.linalg.norm(first.T @ second, "nuc") / np.linalg.norm(first) / np.linalg.norm(second)
    assert shape_distance(*pair, alpha=alpha) == pytest.approx(np.arccos(cosine), abs=1e-10)


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_rotated_scaled_shifted_copy_is_at_distance_zero(pair, rotation, alpha):
    copy = 3 * pair[0] @ rotation(6, 1) + np.arange(6.0)
    assert shape_distance(pair[0], copy, alpha=alpha) == pytest.approx(0, abs=1e-12)
    assert permutation_distance(pair[0], copy) > 0.1


def test_whitened_distance_ignores_any_invertible_linear_map(pair):
    mixing = np.random.default_rng(2).normal(size=(6, 6))
    assert shape_distance(pair[0], pair[0] @ mixing, alpha=0.0) == pytest.approx(0, abs=1e-10)
    assert shape_distance(pair[0], pair[0] @ mixing, alpha=1.0) > 0.1


def test_permuted_copy_is_at_permutation_distance_zero(pair):
    order = np.random.default_rng(3).permutation(6)
    assert permutation_distance(pair[0], pair[0][:, order]) == pytest.approx(0, abs=1e-12)


def test_only_the_permutation_distance_sees_redundant_neurons():
    activity = np.random.default_rng(4).normal(size=(50, 3))
    redundant = np.repeat(activity, 2, axis=1) / np.sqrt(2)
    assert shape_distance(activity, redundant) == pytest.approx(0, abs=1e-12)
    assert shape_distance(activity, redundant, alpha=0.0) == pytest.approx(0, abs=1e-12)
    assert linear_cka(activity, redundant) == pytest.approx(1, abs=1e-12)
    assert permutation_distance(activity, redundant) == pytest.approx(np.pi / 4, abs=1e-12)
    assert permutation_distance(redundant, activity) == pytest.approx(np.pi / 4, abs=1e-12)


def test_distances_are_symmetric_and_obey_the_triangle_inequality():
    rng = np.random.default_rng(5)
    first, second, third = (rng.normal(size=(12, width)) for width in (3, 5, 4))
    for distance in (shape_distance, permutation_distance):
        assert distance(first, second) == pytest.approx(distance(second, first), abs=1e-12)
        assert distance(first, third) <= distance(first, second) + distance(second, third)


def test_rsa_of_a_monotone_change_of_dissimilarities_is_one(pair):
    assert rsa(pair[0], 2 * pair[0] + 1) == pytest.approx(1, abs=1e-12)


def test_wrong_input_is_refused(pair):
    with pytest.raises(InvalidInput, match="between 0"):
        shape_distance(*pair, alpha=1.5)
    with pytest.raises(InvalidInput, match="no shape"):
        shape_distance(pair[0], np.full((50, 2), 0.1))
    with pytest.raises(InvalidInput, match="equal activity in all neurons"):
        rsa(pair[0], pair[1][:, :1])
    with pytest.raises(InvalidInput, match="equally dissimilar"):
        rsa(pair[0][:, :2], pair[1][[0] * 50, :2])
    with pytest.raises(InvalidInput, match="NaN"):
        permutation_distance(pair[0], np.full((50, 2), np.nan))
