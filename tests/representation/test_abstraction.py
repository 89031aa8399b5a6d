import itertools

import numpy as np
import pytest
from sklearn.svm import SVC

from codingschemes.errors import InvalidInput
from codingschemes.representation import (
    abstraction_scores,
    abstraction_scores_from_kernel,
    balanced_dichotomies,
    ccgp,
    ccgp_from_kernel,
    class_kernel,
    class_means,
    dichotomy_ccgp,
    dichotomy_parallelism,
    dichotomy_parallelism_from_kernel,
    parallelism_score,
    parallelism_score_from_kernel,
    representational_kernel,
    shattering_dimensionality,
)


def test_factorised_code_is_abstract(hypercube, rotation):
    factors = hypercube(3)
    code = rotation(20, 0)[:, :3] @ np.diag([1.0, 2.0, 0.5]) @ factors.T + 1.0
    scores = abstraction_scores(np.repeat(code.T, 2, axis=0), np.repeat(np.arange(8), 2), factors)
    assert scores.definition.startswith("factors")
    assert scores.parallelism == pytest.approx(1, abs=1e-12)
    assert scores.ccgp == 1
    assert scores.ccgp_by_factor == (1, 1, 1)
    assert scores.reasons == {}


def test_adding_the_parity_direction_brings_the_code_to_chance(hypercube):
    factors = hypercube(2)
    code = np.column_stack([factors, factors.prod(axis=1)]).T
    scores = abstraction_scores(np.repeat(code.T, 2, axis=0), np.repeat(np.arange(4), 2), factors)
    assert scores.parallelism == pytest.approx(0, abs=1e-12)
    assert scores.ccgp == 0.5
    assert scores.shattering == 1


def test_pure_parity_code_is_antiparallel(hypercube):
    factors = hypercube(2)
    code = np.repeat(factors.prod(axis=1)[None, :], 2, axis=1)
    scores = abstraction_scores(code.T, np.repeat(np.arange(4), 2), factors)
    assert scores.parallelism == pytest.approx(-1, abs=1e-12)
    assert scores.ccgp == 0
    assert dict(zip(scores.dichotomies, scores.shattering_by_dichotomy, strict=True)) == {
        "1100": 0.5,
        "1010": 0.5,
        "1001": 1.0,
    }


@pytest.mark.parametrize(("count", "separable", "total"), [(2, 2, 3), (3, 7, 35)])
@pytest.mark.parametrize("repeats", [2, 3])
@pytest.mark.parametrize("constant", [True, False])
def test_global_minimum_kernel(hypercube, count, separable, total, repeats, constant):
    factors = hypercube(count)
    labels = np.repeat(np.arange(2**count), repeats)
    targets = factors[labels]
    kernel = 0.37 * (targets @ targets.T + (count if constant else 0))
    scores = abstraction_scores_from_kernel(kernel, labels, factors)
    assert scores.parallelism == pytest.approx(1, abs=1e-12)
    assert scores.ccgp == 1
    assert len(scores.dichotomies) == scores.dichotomies_available == total
    assert sum(accuracy == 1 for accuracy in scores.shattering_by_dichotomy) == separable


def test_unrelated_class_means_have_no_parallelism_and_chance_generalization(hypercube):
    factors, labels = hypercube(3), np.repeat(np.arange(8), 2)
    rng = np.random.default_rng(5)
    measured = []
    for _ in range(25):
        activity = rng.normal(size=(40, 8))[:, labels] + 0.1 * rng.normal(size=(40, 16))
        measured.append((parallelism_score(activity.T, labels, factors).value, ccgp(activity.T, labels, factors).value))
    parallelism, generalization = np.array(measured).T
    assert abs(parallelism.mean()) < 4 * parallelism.std() / 5
    assert abs(generalization.mean() - 0.5) < 4 * generalization.std() / 5
    assert parallelism.std() < 0.1


def test_kernel_form_equals_cosines_of_class_mean_differences(hypercube):
    factors = hypercube(3)
    labels = np.concatenate([np.arange(8), [0, 0, 3, 5]])
    activity = np.random.default_rng(6).normal(size=(17, 12)) + 2.0
    means = class_means(activity.T, labels).T
    index = {tuple(row): number for number, row in enumerate(factors)}
    expected = []
    for factor in range(3):
        deltas = []
        for context in itertools.product([-1.0, 1.0], repeat=2):
            plus, minus = (index[(*context[:factor], side, *context[factor:])] for side in (1.0, -1.0))
            delta = means[:, plus] - means[:, minus]
            deltas.append(delta / np.linalg.norm(delta))
        expected.append(np.mean([first @ second for first, second in itertools.combinations(deltas, 2)]))
    score = parallelism_score(activity.T, labels, factors)
    kernel = class_kernel(representational_kernel(activity.T), labels)
    assert parallelism_score_from_kernel(kernel, factors).parts == pytest.approx(score.parts, abs=1e-12)
    np.testing.assert_allclose(score.parts, expected, atol=1e-12)
    assert score.value == pytest.approx(np.mean(expected), abs=1e-12)
    assert abs(score.value) > 1e-3


def test_dichotomy_parallelism_is_the_best_matching():
    means = np.random.default_rng(7).normal(size=(9, 6))
    dichotomies = balanced_dichotomies(6)
    score = dichotomy_parallelism(means.T, np.arange(6), dichotomies)
    expected = []
    for dichotomy in dichotomies:
        plus, minus = np.flatnonzero(dichotomy > 0), np.flatnonzero(dichotomy < 0)
        matched = []
        for order in itertools.permutations(minus):
            deltas = means[:, plus] - means[:, list(order)]
            deltas /= np.linalg.norm(deltas, axis=0)
            matched.append(np.mean((deltas.T @ deltas)[np.triu_indices(3, 1)]))
        expected.append(max(matched))
    np.testing.assert_allclose(score.parts, expected, atol=1e-12)
    assert score.value == max(score.parts)


def test_square_without_factors(hypercube):
    """A square has two parallel dichotomies; held-out pairs on its diagonals are ties, and parity turns round."""
    labels = np.repeat(np.arange(4), 3)
    scores = abstraction_scores(hypercube(2)[labels], labels)
    assert scores.definition.startswith("balanced dichotomies")
    assert scores.dichotomies == ("1100", "1010", "1001")
    assert scores.parallelism_by_factor == pytest.approx((1, 1, -1), abs=1e-12)
    assert scores.ccgp_by_factor == (0.75, 0.75, 0.0)
    assert (scores.parallelism, scores.ccgp) == (pytest.approx(1, abs=1e-12), 0.75)
    assert (scores.splits_used, scores.splits_available) == (12, 12)


def test_ccgp_averages_to_one_half_over_all_dichotomies():
    """Dichotomies that differ by swapping the held-out classes share a training set, whatever the code."""
    activity = np.random.default_rng(8).normal(size=(12, 6)) + np.arange(6.0)
    score = dichotomy_ccgp(activity.T, np.arange(6), balanced_dichotomies(6))
    assert np.mean(score.parts) == pytest.approx(0.5, abs=1e-12)
    assert score.value > 0.6


@pytest.mark.parametrize("with_factors", [True, False])
def test_scores_do_not_depend_on_the_basis_of_neurons(hypercube, rotation, with_factors):
    labels = np.repeat(np.arange(4), 5)
    rng = np.random.default_rng(9)
    activity = rng.normal(size=(15, 4))[:, labels] + rng.normal(size=(15, 20))
    factors = hypercube(2) if with_factors else None
    reference = abstraction_scores(activity.T, labels, factors)
    for changed in (
        rotation(15, 1) @ activity,
        1e-3 * activity,
        activity[rng.permutation(15)],
        activity + 4.0,
        np.vstack([activity, activity]),
    ):
        scores = abstraction_scores(changed.T, labels, factors)
        assert scores.parallelism_by_factor == pytest.approx(reference.parallelism_by_factor, abs=1e-10)
        assert scores.ccgp_by_factor == pytest.approx(reference.ccgp_by_factor, abs=1e-12)
        assert scores.shattering_by_dichotomy == pytest.approx(reference.shattering_by_dichotomy, abs=1e-12)
    assert 0.5 < reference.shattering < 1


def test_renaming_factors_and_classes_changes_nothing(hypercube):
    factors, labels = hypercube(3), np.repeat(np.arange(8), 2)
    rng = np.random.default_rng(10)
    activity = rng.normal(size=(10, 8))[:, labels] + rng.normal(size=(10, 16))
    kernel = representational_kernel(activity.T)
    names = rng.permutation(8)
    renamed = np.empty_like(factors)
    renamed[names] = -factors
    for score, other in (
        (
            parallelism_score_from_kernel(class_kernel(kernel, labels), factors),
            parallelism_score_from_kernel(class_kernel(kernel, names[labels]), renamed),
        ),
        (ccgp_from_kernel(kernel, labels, factors), ccgp(activity.T, names[labels], renamed)),
    ):
        assert score.parts == pytest.approx(other.parts, abs=1e-12)


def test_ccgp_trains_on_all_contexts_but_the_held_out_one(hypercube):
    factors = hypercube(3)
    activity = np.random.default_rng(12).normal(size=(20, 8))
    expected = []
    for factor in range(3):
        rest = np.delete(factors, factor, axis=1)
        correct = []
        for context in hypercube(2):
            held_out = np.all(rest == context, axis=1)
            decoder = SVC(kernel="linear", C=1e6).fit(activity.T[~held_out], factors[~held_out, factor])
            correct.append(decoder.score(activity.T[held_out], factors[held_out, factor]))
        expected.append(np.mean(correct))
    score = ccgp(activity.T, np.arange(8), factors)
    assert score.parts == tuple(expected)
    assert (score.used, score.available) == (12, 12)


def test_classes_weigh_the_same_whatever_their_size():
    """Two large classes on [-1, 3] against two small ones on [-3, 1]: unweighted, the large side would win."""
    sizes = [100, 100, 10, 10]
    ends = [(-1, 3), (-1, 3), (-3, 1), (-3, 1)]
    activity = np.concatenate([np.linspace(*end, size) for end, size in zip(ends, sizes, strict=True)])[None, :]
    labels = np.repeat(np.arange(4), sizes)
    score = shattering_dimensionality(activity.T, labels, np.array([[1.0, 1.0, -1.0, -1.0]]))
    assert score.value == pytest.approx(0.75, abs=0.03)


def test_folds_are_random_and_repeatable(hypercube):
    labels = np.repeat(np.arange(4), 10)
    activity = np.random.default_rng(13).normal(size=(5, 40)) + np.repeat(hypercube(2).sum(axis=1), 10)
    first, again, other = (
        shattering_dimensionality(activity.T, labels, balanced_dichotomies(4), seed=seed).parts for seed in (0, 0, 1)
    )
    assert first == again != other
    assert abstraction_scores(activity.T, labels, None, 1).shattering_by_dichotomy == other


def test_subsets_are_counted_and_repeatable():
    labels = np.arange(10).repeat(2)
    activity = np.random.default_rng(11).normal(size=(12, 20))
    options = {"max_dichotomies": 4, "max_splits": 3}
    scores = abstraction_scores(activity.T, labels, None, 1, **options)
    assert (len(set(scores.dichotomies)), scores.dichotomies_available) == (4, 126)
    assert (scores.splits_used, scores.splits_available) == (12, 100)
    assert scores == abstraction_scores(activity.T, labels, None, 1, **options)
    assert scores.dichotomies != abstraction_scores(activity.T, labels, None, 2, **options).dichotomies


@pytest.mark.parametrize("class_count", [2, 4, 6, 8])
def test_balanced_dichotomies_are_all_there_once(class_count):
    sides = balanced_dichotomies(class_count)
    assert len(np.unique(sides, axis=0)) == len(sides) == {2: 1, 4: 3, 6: 10, 8: 35}[class_count]
    assert np.all(sides.sum(axis=1) == 0)
    assert np.all(sides[:, 0] == 1)


@pytest.mark.parametrize("class_count", [2, 3, 5])
def test_too_few_or_odd_classes_without_factors(class_count):
    labels = np.repeat(np.arange(class_count), 2)
    scores = abstraction_scores(np.random.default_rng(0).normal(size=(len(labels), 6)), labels)
    assert (scores.parallelism, scores.ccgp, scores.shattering) == (None, None, None)
    assert scores.definition.startswith("none")
    assert all(f"{class_count} classes" in scores.reasons[name] for name in ("parallelism", "ccgp", "shattering"))


def test_a_single_factor_has_no_contexts(hypercube):
    activity = np.random.default_rng(0).normal(size=(6, 4))
    scores = abstraction_scores(activity.T, np.array([0, 0, 1, 1]), hypercube(1))
    assert (scores.parallelism, scores.ccgp) == (None, None)
    assert "fewer than two contexts" in scores.reasons["parallelism"]
    assert "fewer than two contexts" in scores.reasons["ccgp"]


def test_dead_and_constant_activities_have_no_scores(hypercube):
    labels = np.repeat(np.arange(4), 2)
    rounding = 1e-9 * np.random.default_rng(0).normal(size=(5, 8))
    for activity in (np.zeros((5, 8)), np.full((5, 8), 0.1), 0.1 + rounding):
        for factors in (hypercube(2), None):
            scores = abstraction_scores(activity.T, labels, factors)
            assert (scores.parallelism, scores.ccgp, scores.shattering) == (None, None, None)
            assert "same mean activity" in scores.reasons["parallelism"]
            assert "the same for every sample" in scores.reasons["ccgp"]
            assert "the same for every sample" in scores.reasons["shattering"]


def test_one_context_without_difference_has_no_direction(hypercube, rotation):
    """The class means coincide up to rounding errors of an offset."""
    code = np.zeros((6, 4))
    code[0, 3] = 1.0
    rounding = 1e-7 * np.random.default_rng(0).normal(size=code.shape)
    score = parallelism_score((rotation(6, 0) @ code + np.pi + rounding).T, np.arange(4), hypercube(2))
    assert (score.value, score.parts) == (None, (None, None))
    assert "same mean activity" in score.reason


def test_single_samples_leave_nothing_to_test_shattering_on(hypercube):
    scores = abstraction_scores(hypercube(2), np.arange(4), hypercube(2))
    assert (scores.parallelism, scores.ccgp, scores.shattering) == (pytest.approx(1, abs=1e-12), 1, None)
    assert list(scores.reasons) == ["shattering"]
    assert "single sample" in scores.reasons["shattering"]


def test_more_classes_than_matchings_can_be_tried():
    labels = np.arange(14).repeat(2)
    activity = np.random.default_rng(0).normal(size=(6, 28))
    scores = abstraction_scores(activity.T, labels, max_dichotomies=2, max_splits=2)
    assert scores.parallelism is None
    assert "14 classes" in scores.reasons["parallelism"]
    assert scores.ccgp is not None


@pytest.mark.usefixtures("without_type_checks")
def test_wrong_input_is_refused(hypercube):
    activity, labels, factors = hypercube(2), np.arange(4), hypercube(2)
    with pytest.raises(InvalidInput, match="one row a class"):
        abstraction_scores(activity, labels, hypercube(3))
    with pytest.raises(InvalidInput, match=r"-1 or \+1"):
        abstraction_scores(activity, labels, (factors + 1) / 2)
    with pytest.raises(InvalidInput, match="same factors"):
        abstraction_scores(activity, labels, factors[:, :1])
    with pytest.raises(InvalidInput, match="give None"):
        abstraction_scores(activity, labels, factors[:, :0])
    with pytest.raises(InvalidInput, match="NaN"):
        abstraction_scores(np.full((4, 2), np.inf), labels, factors)
    with pytest.raises(InvalidInput, match="not of 14"):
        dichotomy_parallelism_from_kernel(np.eye(14), balanced_dichotomies(14, limit=2))
    with pytest.raises(InvalidInput, match="even number"):
        balanced_dichotomies(5)
    with pytest.raises(InvalidInput, match="two classes or more a side"):
        dichotomy_ccgp(np.eye(4), labels, np.array([[1.0, -1.0, -1.0, -1.0]]))
