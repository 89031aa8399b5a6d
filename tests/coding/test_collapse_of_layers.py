import numpy as np
import pytest

from codingschemes.coding.collapse import Collapse, collapse_of, mean_collapse


def test_one_vertex_of_a_simplex_a_class_is_full_collapse() -> None:
    labels = np.repeat(np.arange(3), 4)
    vertices = np.eye(3) - 1 / 3
    found = collapse_of(vertices[:, labels], labels, readout=vertices)
    np.testing.assert_allclose(list(vars(found).values()), 0, atol=1e-12)


def test_spread_within_classes_is_their_part_of_the_variance() -> None:
    """Means -1 and 1, deviations of +-d within: d^2 / (1 + d^2)."""
    labels = np.array([0, 0, 1, 1])
    activity = np.array([[-1.5, -0.5, 0.5, 1.5], [-1.5, -0.5, 1.5, 0.5]])
    found = collapse_of(activity, labels)
    assert found.spread_within == pytest.approx(0.25 / 1.25)
    assert found.nc1 == pytest.approx(0.25 / 2 / 2)  # S_W along the line of means .25, S_B 2, two classes
    assert np.isnan(found.nc3)


def test_means_over_networks_leave_out_what_is_undefined() -> None:
    nan = float("nan")
    first, second = Collapse(1.0, 0.0, 0.0, 0.0, nan, 0.5, 0.0), Collapse(2.0, 0.0, 0.0, 0.0, nan, nan, 0.0)
    found = mean_collapse([first, second])
    assert found.nc1 == 1.5
    assert found.nc4 == 0.5
    assert np.isnan(found.nc3)
