import numpy as np
import pytest

from codingschemes.errors import InvalidInput
from codingschemes.representation import neural_collapse

LABELS = np.repeat(np.arange(4), [3, 3, 3, 3])


def test_simplex_has_collapsed(simplex, rotation):
    means = rotation(10, 0)[:, :4] @ simplex
    metrics = neural_collapse(5 * means.T[LABELS] + 2.0, LABELS, 0.3 * means)
    assert metrics.variability == pytest.approx(0, abs=1e-12)
    assert metrics.norm_variation == pytest.approx(0, abs=1e-12)
    assert metrics.angle_variation == pytest.approx(0, abs=1e-12)
    assert metrics.angle_excess == pytest.approx(0, abs=1e-12)
    assert metrics.self_duality == pytest.approx(0, abs=1e-12)
    assert metrics.nearest_mean_mismatch == 0
    assert metrics.reasons == {}


def test_metrics_equal_their_definitions():
    rng = np.random.default_rng(1)
    activity, readout, bias = rng.normal(size=(6, 12)), rng.normal(size=(6, 4)), rng.normal(size=4)
    means = np.stack([activity[:, label == LABELS].mean(axis=1) for label in range(4)])
    offsets = means - means.mean(axis=0)
    scatter_within = np.mean([np.outer(d, d) for d in (activity - means[LABELS].T).T], axis=0)
    scatter_between = np.mean([np.outer(d, d) for d in offsets], axis=0)
    norms = np.linalg.norm(offsets, axis=1)
    cosines = [offsets[a] @ offsets[b] / norms[a] / norms[b] for a in range(4) for b in range(a)]
    decided = [np.argmax(readout.T @ h + bias) for h in activity.T]
    nearest = [np.argmin(np.linalg.norm(means - h, axis=1)) for h in activity.T]
    metrics = neural_collapse(activity.T, LABELS, readout, bias)
    inverse = np.linalg.pinv(scatter_between, rcond=1e-10)
    assert metrics.variability == pytest.approx(np.trace(scatter_within @ inverse) / 4, rel=1e-10)
    assert metrics.norm_variation == pytest.approx(np.std(norms) / np.mean(norms), rel=1e-12)
    assert metrics.angle_variation == pytest.approx(np.std(cosines), rel=1e-12)
    assert metrics.angle_excess == pytest.approx(np.mean(np.abs(np.array(cosines) + 1 / 3)), rel=1e-12)
    scaled = readout.T / np.linalg.norm(readout) - offsets / np.linalg.norm(offsets)
    assert metrics.self_duality == pytest.approx(np.sum(scaled**2), rel=1e-12)
    assert metrics.nearest_mean_mismatch == np.mean(np.array(decided) != nearest)
    assert 0 < metrics.nearest_mean_mismatch < 1


def test_rotation_and_scale_change_nothing(rotation):
    rng = np.random.default_rng(2)
    activity, readout = rng.normal(size=(6, 12)), rng.normal(size=(6, 4))
    reference = neural_collapse(activity.T, LABELS, readout)
    turn = rotation(6, 3)
    rotated = neural_collapse((4 * turn @ activity).T, LABELS, turn @ readout)
    for name, value in vars(reference).items():
        assert getattr(rotated, name) == pytest.approx(value, rel=1e-10)


def test_undefined_metrics_say_why(simplex):
    without_readout = neural_collapse(simplex[LABELS], LABELS)
    assert without_readout.self_duality is None
    assert without_readout.reasons["nearest_mean_mismatch"] == "no readout was given"
    factors = neural_collapse(simplex[LABELS], LABELS, np.ones((4, 2)))
    assert "2 outputs for 4 classes" in factors.reasons["self_duality"]
    dead = neural_collapse(np.zeros((12, 5)), LABELS, np.ones((5, 4)))
    assert dead.variability is None
    assert "same mean activity" in dead.reasons["angle_excess"]
    assert "zero" in dead.reasons["self_duality"]
    collinear = neural_collapse(np.array([[-1.0], [0.0], [1.0]]), np.arange(3))
    assert collinear.angle_excess is None
    assert collinear.variability == 0
    assert "no direction" in collinear.reasons["angle_variation"]


def test_a_single_class_is_refused():
    with pytest.raises(InvalidInput, match="two classes"):
        neural_collapse(np.ones((3, 2)), np.zeros(3, dtype=np.int64))
