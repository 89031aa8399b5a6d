"""Neurons recorded apart, as if recorded together."""

import numpy as np
import pytest
from planted_populations import FACTORS, factorised

import codingschemes as cs

ACTIVITY, LABELS = factorised(np.random.default_rng(0), trials=30, neurons=40, noise=2.0)


def sessions() -> list[cs.Population]:
    """Two, the second with a trial in three, in another order."""
    some = np.arange(len(LABELS))[::-3]
    return [
        cs.Population(ACTIVITY[:, :25], LABELS, factors=FACTORS),
        cs.Population(ACTIVITY[some, 25:], LABELS[some], factors=FACTORS),
    ]


def test_trials_of_a_condition_are_dealt_once_each_and_keep_their_neurons():
    found = cs.populations.pseudo_population(sessions())
    assert (found.size, found.class_sizes.tolist()) == (40, [10] * 4)
    np.testing.assert_array_equal(found.factors, FACTORS)
    for first, end in ((0, 25), (25, 40)):
        for label in range(4):
            kept = found.activity[found.labels == label, first:end]
            there = ACTIVITY[label == LABELS, first:end]
            matches = (kept[:, None] == there).all(2)
            assert matches.sum(1).tolist() == [1] * 10
            assert matches.sum(0).max() == 1
    assert "2 recordings" in found.notes[0]
    few = cs.populations.pseudo_population(sessions(), trials=4)
    assert few.class_sizes.tolist() == [4] * 4


def test_correlations_within_a_recording_stay_and_those_between_go():
    """Noise that all neurons share: correlation 1/2 of any two, over trials of a condition."""
    rng = np.random.default_rng(1)
    labels = np.repeat([0, 1], 400)
    shared = rng.standard_normal((800, 1)) + rng.standard_normal((800, 4)) + labels[:, None]
    apart = [cs.Population(shared[:, :2], labels), cs.Population(shared[:, 2:], labels)]
    found = cs.populations.pseudo_population(apart)
    correlation = np.corrcoef(found.activity[found.labels == 0].T)
    assert correlation[0, 1] == pytest.approx(0.5, abs=0.15)  # the error over 400 trials is .04
    assert np.abs(correlation[:2, 2:]).max() < 0.2


@pytest.mark.usefixtures("without_type_checks")
@pytest.mark.parametrize(
    ("recordings", "options", "said"),
    [
        ([], {}, "give a list"),
        ([cs.Population(ACTIVITY, LABELS), cs.Population(ACTIVITY[:90], LABELS[:90])], {}, r"different classes \(3\)"),
        ([cs.Population(ACTIVITY, LABELS), cs.Population(ACTIVITY, LABELS, factors=FACTORS)], {}, "different factors"),
        ([cs.Population(ACTIVITY, LABELS, readout=np.ones((40, 2)))], {}, "without `readout`"),
        ([cs.Population(ACTIVITY, LABELS)], {"trials": 0}, "`trials` = 0"),
    ],
)
def test_wrong_input_is_one_sentence(recordings, options, said):
    with pytest.raises(cs.InvalidInput, match=said):
        cs.populations.pseudo_population(recordings, **options)
