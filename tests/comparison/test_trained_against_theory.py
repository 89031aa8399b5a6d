"""A linear network at its global minimum, in closed form, and networks that are not there."""

import numpy as np
import pytest

import codingschemes as cs

FACTORS = np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
PENALTIES = {"penalty1": 0.3, "penalty2": 0.1}


def minimum(targets, neurons=5):
    """(W, a) of least ||Y - W^T a||^2 + penalty1 ||W||^2 + penalty2 ||a||^2 at the inputs 1: the singular values of Y
    lose sqrt(penalty1 penalty2), and both layers share what is left."""
    left, sizes, right = np.linalg.svd(targets, full_matrices=False)
    kept = np.maximum(sizes - np.sqrt(0.3 * 0.1), 0)
    first, readout = np.zeros((neurons, len(targets))), np.zeros((neurons, targets.shape[1]))
    first[: len(kept)] = (0.1 / 0.3) ** 0.25 * np.sqrt(kept)[:, None] * left.T
    readout[: len(kept)] = (0.3 / 0.1) ** 0.25 * np.sqrt(kept)[:, None] * right
    return first, readout


@pytest.fixture(scope="module")
def learned():
    """Labels in no order, targets, and the network."""
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(4), 2))
    return labels, FACTORS[labels], minimum(FACTORS[labels])


def test_a_network_at_the_global_minimum_is_seen_to_be_there(learned):
    labels, targets, (first, readout) = learned
    population = cs.Population(first.T, labels, factors=FACTORS, activation="linear")
    found = cs.compare_population(population, np.eye(8), targets=targets, weights=(first, readout), **PENALTIES)
    theory = found.geometries["global-minimum"]
    assert (theory.alignment, theory.scale, theory.parallelism) == pytest.approx((1, 1, 1), abs=1e-6)
    np.testing.assert_allclose(theory.kernel, found.geometries["population"].kernel, atol=1e-6)
    assert found.geometries["inputs"].alignment < 0.6
    assert found.geometries["inputs"].parallelism == pytest.approx(0, abs=1e-12)
    assert found.stationarity.residual < 1e-12
    assert found.stationarity.neurons.tolist() == pytest.approx([0] * 5, abs=1e-12)
    assert found.stationarity.energy == pytest.approx(found.predictions["global-minimum"].energy, rel=1e-6)
    assert "0.0% above the global minimum" in repr(found)
    assert set(found.to_json()) == {"geometries", "certificates", "stationarity"}


def test_a_network_that_is_not_there_is_seen_not_to_be(learned):
    labels, targets, (first, readout) = learned
    moved = first + 0.3 * np.random.default_rng(1).standard_normal(first.shape)
    population = cs.Population(moved.T, labels, factors=FACTORS, activation="linear")
    found = cs.compare_population(population, np.eye(8), targets=targets, weights=(moved, readout), **PENALTIES)
    assert found.stationarity.residual > 0.1
    assert found.stationarity.energy > 1.1 * found.predictions["global-minimum"].energy
    assert found.geometries["global-minimum"].alignment < 0.95
    # a saddle is stationary, and no minimum: one singular value is not learned at all
    lost = [np.where(np.arange(5)[:, None] == 1, 0, each) for each in (first, readout)]
    population = cs.Population(lost[0].T, labels, factors=FACTORS, activation="linear")
    found = cs.compare_population(population, np.eye(8), targets=targets, weights=lost, **PENALTIES)
    assert found.stationarity.residual < 1e-12
    assert found.stationarity.energy > 1.5 * found.predictions["global-minimum"].energy


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"inputs": np.eye(7)}, "came with inputs of shape"),
        ({"targets": np.ones((7, 2))}, "came with targets of shape"),
        ({"theories": ["mean-field"]}, "needs a `temperature`"),
        ({"weights": (np.ones((8, 5)), np.ones((5, 2)))}, "neurons first"),
        ({"weights": (np.ones((5, 8)), np.ones((5, 2)))}, "do not give the activities"),
        ({"population": None}, "needs the activation"),
    ],
)
def test_what_does_not_belong_together_is_refused(learned, words, said):
    labels, targets, (first, _) = learned
    population = cs.Population(first.T, labels, activation="linear")
    given = {"population": population, "inputs": np.eye(8), "targets": targets, **words}
    if given["population"] is None:
        given["population"] = cs.Population(first.T, labels)
    with pytest.raises(cs.InvalidInput, match=said):
        cs.compare_population(**given, **PENALTIES)
