"""What people bring becomes a population, or one sentence."""

import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import codingschemes as cs

ACTIVITY = np.random.default_rng(0).standard_normal((12, 5))
LABELS = np.repeat([3, 7], 6)


@pytest.mark.parametrize(
    "labels",
    [LABELS, LABELS.astype(str), LABELS == 7, LABELS.astype(float), pd.Series(LABELS.astype(str)), list(LABELS)],
)
def test_labels_of_any_kind_name_the_same_classes(labels):
    found = cs.Population(ACTIVITY[::-1], labels)
    assert found.labels.tolist() == [0] * 6 + [1] * 6
    np.testing.assert_array_equal(found.activity, ACTIVITY[::-1])


def test_samples_are_sorted_by_class():
    order = np.random.default_rng(1).permutation(12)
    found = cs.Population(ACTIVITY[order], LABELS[order], names=["left", "right"])
    assert found.class_names == ("left", "right")
    np.testing.assert_array_equal(np.sort(found.activity[:6], axis=0), np.sort(ACTIVITY[:6], axis=0))


def test_tables_and_labelled_arrays_are_known_by_what_they_can_do():
    table = pd.DataFrame(ACTIVITY).assign(stimulus=pd.Categorical(LABELS.astype(str), categories=["3", "5", "7"]))
    array = xr.DataArray(ACTIVITY.T, dims=("unit", "trial"), coords={"stimulus": ("trial", LABELS)})
    annotated = SimpleNamespace(X=ACTIVITY, obs={"stimulus": LABELS})
    for brought in (table, array, annotated):
        found = cs.Population(brought, "stimulus")
        np.testing.assert_array_equal(found.activity, ACTIVITY)
        assert found.class_names == ("3", "7")
    assert "class 5 has no sample" in cs.Population(table, "stimulus").notes


def test_time_is_averaged_over_a_window():
    times = np.arange(4) / 10
    activity = ACTIVITY[:, :, None] + np.array([0, 1, 3, 100.0])
    array = xr.DataArray(activity, dims=("trial", "neuron", "time"), coords={"time": times})
    found = cs.Population(array, LABELS, window=(0.1, 0.3))
    np.testing.assert_allclose(found.activity, ACTIVITY + 2)
    assert any("2 of 4 time bins" in note for note in found.notes)
    np.testing.assert_allclose(cs.Population(activity, LABELS, window=(1, 3)).activity, ACTIVITY + 2)


def test_factors_of_samples_or_classes_are_the_same():
    labels = np.tile(np.arange(4), 3)
    of_class = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    words = np.where(of_class == 1, "right", "left")
    found = [cs.Population(ACTIVITY, labels, factors=each).factors for each in (of_class, words, of_class[labels])]
    found.append(cs.Population(ACTIVITY, factors=words[labels]).factors)
    for factors in found:
        np.testing.assert_array_equal(factors, 2 * of_class - 1)


def test_neurons_never_recorded_are_left_out_with_their_readouts_and_said():
    activity = ACTIVITY.copy()
    activity[:, 1] = np.nan
    found = cs.Population(activity, LABELS, readout=np.arange(5.0))
    assert found.readout.ravel().tolist() == [0, 2, 3, 4]
    assert any("1 of 5 neurons hold no finite value" in note for note in found.notes)
    silent = np.where(np.arange(5) == 2, 0, ACTIVITY)
    assert any("1 of 5 neurons do the same" in note for note in cs.Population(silent, LABELS).notes)
    single = cs.Population(ACTIVITY, np.r_[LABELS[:-1], 9])
    assert any("one sample only of class 9" in note for note in single.notes)


WITH_NAN = np.where((np.arange(12) == 3)[:, None] & (np.arange(5) == 2), np.nan, ACTIVITY)


@pytest.mark.usefixtures("without_type_checks")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"activity": ACTIVITY.T, "labels": LABELS}, "look transposed"),
        ({"activity": ACTIVITY, "labels": LABELS[1:]}, "exactly one label a sample"),
        ({"activity": ACTIVITY, "labels": np.linspace(0, 1, 12)}, "whole numbers, text or booleans"),
        ({"activity": ACTIVITY, "labels": LABELS * 0}, "same label"),
        ({"activity": ACTIVITY}, "there are no labels"),
        ({"activity": ACTIVITY * 0 + 3, "labels": LABELS}, "same in every sample"),
        ({"activity": WITH_NAN, "labels": LABELS}, "the first is neuron 2"),
        ({"activity": ACTIVITY, "labels": LABELS, "readout": np.ones((2, 5))}, "give readout.T"),
        ({"activity": ACTIVITY, "labels": LABELS, "readout": np.ones((4, 2))}, "one row a neuron"),
        ({"activity": ACTIVITY, "labels": LABELS, "factors": [[1], [2], [3]]}, "takes 3 values"),
        ({"activity": ACTIVITY, "labels": LABELS, "factors": [[0], [1], [0]]}, "3 rows of factors"),
        ({"activity": ACTIVITY, "labels": LABELS, "activation": "rellu"}, "did you mean 'relu'"),
        ({"activity": ACTIVITY, "labels": LABELS, "activation": "sigmoid"}, "are not those of sigmoid"),
        ({"activity": ACTIVITY, "labels": LABELS, "names": ["one"]}, "give one a class"),
        ({"activity": ACTIVITY, "labels": LABELS, "window": (0, 1)}, "have no time"),
        ({"activity": ACTIVITY, "labels": LABELS, "readuot": 1}, "did you mean 'readout'"),
        ({"activity": pd.DataFrame(ACTIVITY), "labels": "stimulus"}, "no column 'stimulus'"),
    ],
)
def test_wrong_input_is_one_sentence(words, said):
    with pytest.raises(cs.InvalidInput, match=re.escape(said)) as found:
        cs.Population(**words)
    assert "\n" not in str(found.value)
