import itertools

import numpy as np
import pytest

from codingschemes.errors import InvalidInput
from codingschemes.representation import (
    block_means,
    class_kernel,
    class_means,
    eigenvalues,
    linear_cka,
    linear_cka_from_kernel,
    participation_ratio,
    participation_ratio_from_kernel,
    representational_kernel,
)
from codingschemes.representation.kernels import class_sizes

LABELS = np.array([0, 1, 0, 2, 1, 0, 1])


@pytest.fixture
def activity() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(len(LABELS), 11))


def test_block_means_equal_the_sums_they_stand_for(activity):
    kernel = representational_kernel(activity)
    within, between, diagonal = block_means(kernel, LABELS)
    for first, second in itertools.product(range(3), repeat=2):
        entries = [
            activity[mu] @ activity[nu] / 11
            for mu, nu in itertools.product(range(7), repeat=2)
            if mu != nu and (LABELS[mu], LABELS[nu]) == (first, second)
        ]
        if entries:
            np.testing.assert_allclose(between[first, second], np.mean(entries), atol=1e-14)
    np.testing.assert_array_equal(within, np.diagonal(between))
    assert np.isnan(within).tolist() == [False, False, True]
    np.testing.assert_allclose(diagonal[0], np.mean(activity[LABELS == 0] ** 2), atol=1e-14)


def test_class_kernel_is_the_kernel_of_the_class_means(activity):
    means = class_means(activity, LABELS)
    np.testing.assert_allclose(means[1], activity[[1, 4, 6]].mean(axis=0), atol=1e-14)
    expected = representational_kernel(means)
    np.testing.assert_allclose(class_kernel(representational_kernel(activity), LABELS), expected, atol=1e-14)


def test_eigenvalues_are_the_squared_singular_values_largest_first(activity):
    expected = np.linalg.svd(activity, compute_uv=False) ** 2 / 11
    np.testing.assert_allclose(eigenvalues(representational_kernel(activity)), expected, atol=1e-13)


def test_participation_ratio_counts_equal_directions(rotation):
    axes = np.concatenate([np.eye(5), -np.eye(5)], axis=1)
    planted = rotation(9, 0)[:, :5] @ axes + 3.0
    assert participation_ratio(planted.T) == pytest.approx(5, abs=1e-12)
    assert participation_ratio(np.zeros((4, 3))) == 0


def test_known_answers_of_cka_and_participation_ratio():
    random = np.random.RandomState(0)
    first, second = random.randn(50, 6), random.randn(50, 6)
    kernels = representational_kernel(first), representational_kernel(second)
    for cka in (linear_cka(first, second), linear_cka_from_kernel(*kernels)):
        assert cka == pytest.approx(0.091613724640, abs=1e-10)
    for ratio in (participation_ratio(first), participation_ratio_from_kernel(kernels[0])):
        assert ratio == pytest.approx(5.589466288711, abs=1e-10)


def test_debiased_cka_is_centred_on_zero_for_independent_data_and_the_plain_one_is_not():
    rng = np.random.default_rng(2)
    estimates = np.array(
        [
            [linear_cka(first, second, debiased=debiased) for debiased in (False, True)]
            for first, second in ([rng.normal(size=(32, 6)) for _ in range(2)] for _ in range(400))
        ]
    )
    error = estimates[:, 1].std() / np.sqrt(len(estimates))
    assert abs(estimates[:, 1].mean()) < 4 * error
    assert estimates[:, 0].mean() > 20 * error


@pytest.mark.parametrize("debiased", [False, True])
def test_cka_of_a_rotated_scaled_shifted_copy_is_one(activity, rotation, debiased):
    copy = 3 * activity @ rotation(11, 3) + np.arange(11.0)
    assert linear_cka(activity, copy, debiased=debiased) == pytest.approx(1, abs=1e-12)


def test_debiased_cka_uses_the_unbiased_estimate_of_song_et_al(activity):
    rng = np.random.default_rng(4)
    first, second = (representational_kernel(rng.normal(size=(9, 5))) for _ in range(2))

    def unbiased(kernel, other):
        kernel, other = kernel - np.diag(np.diag(kernel)), other - np.diag(np.diag(other))
        crossed = kernel.sum() * other.sum() / 56 - 2 / 7 * np.sum(kernel @ other)
        return (np.trace(kernel @ other) + crossed) / (9 * 6)

    expected = unbiased(first, second) / np.sqrt(unbiased(first, first) * unbiased(second, second))
    assert linear_cka_from_kernel(first, second, debiased=True) == pytest.approx(expected, abs=1e-12)


@pytest.mark.usefixtures("without_type_checks")
def test_wrong_input_is_refused(activity):
    kernel = representational_kernel(activity)
    with pytest.raises(InvalidInput, match="NaN"):
        representational_kernel(np.full((2, 3), np.nan))
    with pytest.raises(InvalidInput, match="one label a sample"):
        class_sizes(LABELS[:5], 7)
    with pytest.raises(InvalidInput, match="the same for every sample"):
        linear_cka_from_kernel(kernel, np.ones_like(kernel))
    with pytest.raises(InvalidInput, match="at least 4"):
        linear_cka_from_kernel(kernel[:3, :3], kernel[:3, :3], debiased=True)
