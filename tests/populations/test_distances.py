"""Populations that are copies, rotations, or unrelated."""

import numpy as np
import pytest
from planted_populations import coded

import codingschemes as cs
from codingschemes.reports.distances import draw_distances

ACTIVITY, LABELS = coded(np.random.default_rng(0), neurons=9, trials=5)


def test_only_the_permutation_distance_sees_a_rotation_and_debiased_cka_no_relation():
    rng = np.random.default_rng(1)
    rotation = np.linalg.qr(rng.standard_normal((9, 9)))[0]
    others = [ACTIVITY[:, ::-1], ACTIVITY @ rotation, rng.standard_normal((20, 30))]
    populations = [cs.Population(each, LABELS) for each in (ACTIVITY, *others)]
    found = cs.populations.distances(populations, names=["itself", "permuted", "rotated", "unrelated"])
    assert found.compared == "samples"
    first = {name: matrix[0, 1:] for name, matrix in found.values.items()}
    for name in ("procrustes", "whitened"):
        assert first[name][:2] == pytest.approx([0, 0], abs=1e-6)
    assert first["permutation"][0] == pytest.approx(0, abs=1e-6)
    assert first["permutation"][1] > 0.3
    assert first["cka"][1] == pytest.approx(1)
    assert abs(first["cka_debiased"][2]) < 0.2 < first["cka"][2]
    for matrix in found.values.values():
        np.testing.assert_array_equal(matrix, matrix.T)
    figure = draw_distances(found)
    assert len(figure.axes) == 7
    # colours say how far, the same in every figure: rounding errors of copies have none
    assert [axes.images[0].get_clim() for axes in figure.axes[:4]] == [(0, np.pi / 2)] * 3 + [(0, 1)]


def test_other_samples_are_compared_by_their_classes():
    fewer = cs.Population(ACTIVITY[1:], LABELS[1:])
    found = cs.populations.distances([cs.Population(ACTIVITY, LABELS), fewer])
    assert found.compared == "classes"
    assert found.values["procrustes"][0, 1] < 0.1


def test_what_cannot_be_compared_is_refused():
    population = cs.Population(ACTIVITY, LABELS, name="one")
    with pytest.raises(cs.InvalidInput, match="two `Population`s or more"):
        cs.populations.distances([population])
    with pytest.raises(cs.InvalidInput, match="one and other have different classes"):
        cs.populations.distances([population, cs.Population(ACTIVITY, LABELS > 1, name="other")])
