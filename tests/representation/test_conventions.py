"""One convention: activities with samples first, labels of any kind; what looks otherwise is refused in a sentence."""

import itertools

import numpy as np
import pytest

import codingschemes as cs
from codingschemes.errors import InvalidInput

FACTORS = np.array(list(itertools.product([-1.0, 1.0], repeat=2)))
LABELS = np.repeat(np.arange(4), 5)
RNG = np.random.default_rng(0)
#: 20 samples of 8 neurons: four classes on a square, some noise.
ACTIVITY = (FACTORS @ RNG.normal(size=(2, 8)))[LABELS] + 0.3 * RNG.normal(size=(20, 8)) + 1.0
SIDES = cs.representation.balanced_dichotomies(4)

#: Every measure of labelled activities.
MEASURES = {
    "ccgp": lambda activity, labels: cs.representation.ccgp(activity, labels, FACTORS),
    "parallelism": lambda activity, labels: cs.representation.parallelism_score(activity, labels, FACTORS),
    "dichotomy ccgp": lambda activity, labels: cs.representation.dichotomy_ccgp(activity, labels, SIDES),
    "dichotomy parallelism": lambda activity, labels: cs.representation.dichotomy_parallelism(activity, labels, SIDES),
    "shattering": lambda activity, labels: cs.representation.shattering_dimensionality(activity, labels, SIDES),
    "scores": lambda activity, labels: cs.representation.abstraction_scores(activity, labels, FACTORS),
    "collapse": lambda activity, labels: cs.representation.neural_collapse(activity, labels),
    "means": lambda activity, labels: cs.representation.class_means(activity, labels).tolist(),
}
#: Every measure of activities alone.
UNLABELLED = {
    "participation ratio": cs.representation.participation_ratio,
    "kernel": cs.representation.representational_kernel,
    "cka": lambda activity: cs.representation.linear_cka(activity, ACTIVITY),
    "shape": lambda activity: cs.representation.shape_distance(activity, ACTIVITY),
    "permutation": lambda activity: cs.representation.permutation_distance(activity, ACTIVITY),
    "rsa": lambda activity: cs.representation.rsa(activity, ACTIVITY),
}
KERNELS = {
    "ccgp": lambda kernel: cs.representation.ccgp_from_kernel(kernel, LABELS, FACTORS),
    "shattering": lambda kernel: cs.representation.shattering_dimensionality_from_kernel(kernel, LABELS, SIDES),
    "scores": lambda kernel: cs.representation.abstraction_scores_from_kernel(kernel, LABELS, FACTORS),
    "participation ratio": cs.representation.participation_ratio_from_kernel,
    "cka": lambda kernel: cs.representation.linear_cka_from_kernel(kernel, np.eye(20)),
    "blocks": lambda kernel: cs.representation.block_means(kernel, LABELS),
    "classes": lambda kernel: cs.representation.class_kernel(kernel, LABELS),
    "eigenvalues": cs.representation.eigenvalues,
}

pytestmark = pytest.mark.usefixtures("without_type_checks")


def test_known_answers_with_samples_first():
    assert cs.representation.ccgp(FACTORS[LABELS], LABELS, FACTORS).value == 1
    assert cs.representation.parallelism_score(FACTORS[LABELS], LABELS, FACTORS).value == pytest.approx(1, abs=1e-12)
    # two equal directions among nine neurons, seen by 20 samples
    assert cs.representation.participation_ratio(np.tile(FACTORS[LABELS], (1, 4))) == pytest.approx(2, abs=1e-12)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(
    "named",
    [
        LABELS - 2,
        3 * LABELS + 10,
        np.array(["cat", "dog", "eel", "fox"])[LABELS],
        np.array(["cat", "dog", "eel", "fox"], dtype=object)[LABELS],
        LABELS.astype(float),
        LABELS.tolist(),
    ],
    ids=["negative", "gaps", "text", "objects", "floats", "list"],
)
def test_names_of_classes_change_nothing(measure, named):
    assert MEASURES[measure](ACTIVITY, named) == MEASURES[measure](ACTIVITY, LABELS)


def test_booleans_are_two_classes():
    two = LABELS > 1
    assert cs.representation.neural_collapse(ACTIVITY, two) == cs.representation.neural_collapse(ACTIVITY, two * 1)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize(
    ("activity", "labels", "words"),
    [
        (ACTIVITY.T, LABELS, r"look transposed: samples come first.*activity\.T"),
        (ACTIVITY, LABELS[1:], "20 samples came with 19 labels"),
        (ACTIVITY, np.eye(4)[LABELS], "one a sample, of shape"),
        (ACTIVITY, LABELS + 0.5, "whole numbers, text or booleans"),
        (ACTIVITY, np.where(LABELS > 0, LABELS, np.nan), "whole numbers, text or booleans"),
        (np.where(ACTIVITY > 2, np.nan, ACTIVITY), LABELS, "NaN or infinite"),
        (ACTIVITY[:, 0], LABELS, "samples first"),
        (ACTIVITY.astype(str), LABELS, "real numbers"),
    ],
    ids=["transposed", "too few", "one-hot", "halves", "nan label", "nan", "vector", "text"],
)
def test_what_does_not_belong_together_is_refused(measure, activity, labels, words):
    with pytest.raises(InvalidInput, match=words):
        MEASURES[measure](activity, labels)


@pytest.mark.parametrize("measure", [name for name in MEASURES if name not in ("means", "scores")])
def test_a_single_class_is_refused_where_classes_are_compared(measure):
    with pytest.raises(InvalidInput, match="class"):
        MEASURES[measure](ACTIVITY, np.zeros(20, int))


@pytest.mark.parametrize("measure", UNLABELLED)
def test_other_arrays_are_no_activities(measure):
    for wrong in (ACTIVITY[0], ACTIVITY.astype(str), ACTIVITY * np.nan, np.zeros((0, 3)), [[None, 1.0]]):
        with pytest.raises(InvalidInput, match="activities"):
            UNLABELLED[measure](wrong)
    if measure not in ("participation ratio", "kernel"):
        with pytest.raises(InvalidInput, match="samples come first"):
            UNLABELLED[measure](ACTIVITY.T)


@pytest.mark.parametrize("measure", KERNELS)
def test_activities_are_no_kernel(measure):
    square = RNG.normal(size=(20, 20))
    KERNELS[measure](square @ square.T)
    for wrong in (ACTIVITY, square, np.full((20, 20), np.nan)):
        with pytest.raises(InvalidInput, match="kernel"):
            KERNELS[measure](wrong)


def test_wrong_factors_dichotomies_and_readouts_are_refused():
    three = np.array(list(itertools.product([-1.0, 1.0], repeat=3)))
    eight = np.repeat(np.arange(8), 2)
    with pytest.raises(InvalidInput, match=r"look transposed, give factors\.T"):
        cs.representation.ccgp(RNG.normal(size=(16, 5)), eight, three.T)
    with pytest.raises(InvalidInput, match=r"factors are numbers \(class, factor\)"):
        cs.representation.ccgp(ACTIVITY, LABELS, FACTORS[:, 0])
    with pytest.raises(InvalidInput, match="give one column a class"):
        cs.representation.shattering_dimensionality(ACTIVITY, LABELS, three)
    with pytest.raises(InvalidInput, match="takes both"):
        cs.representation.shattering_dimensionality(ACTIVITY, LABELS, np.ones((1, 4)))
    with pytest.raises(InvalidInput, match="give one row a neuron"):
        cs.representation.neural_collapse(ACTIVITY, LABELS, np.ones((4, 8)))
    with pytest.raises(InvalidInput, match="one an output"):
        cs.representation.neural_collapse(ACTIVITY, LABELS, np.ones((8, 4)), np.ones(3))
