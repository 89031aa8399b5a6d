"""Codes of planted populations are exact, matched over draws, and need evidence."""

from math import comb

import jax.numpy as jnp
import numpy as np
import pytest

from codingschemes.coding import ClassMeans, drift, find_codes, occupancies, population
from codingschemes.coding.bits import GAUSSIAN, SINGLE_MODE, SYMMETRIC_MODE, levels
from codingschemes.coding.codes import code_counts
from codingschemes.coding.layers import code_rhat, code_shares
from codingschemes.coding.planted import (
    ActivityScale,
    Planted,
    plant_analog,
    plant_many_codes,
    plant_redundant,
    plant_sparse,
)
from codingschemes.coding.population import join
from codingschemes.networks import ACTIVATIONS


@pytest.mark.parametrize("scaling", ["sigmoidal", "odd", "unbounded"])
@pytest.mark.parametrize("code_count", [2, 4, 7])
def test_codes_of_a_planted_population_are_exact(scaling: str, code_count: int) -> None:
    planted = plant_redundant(np.random.default_rng(code_count), 100, scaling=scaling, code_count=code_count)
    codes = find_codes(planted.population, planted.bounds)
    assert tuple(codes.strings()) == planted.codes
    assert np.isclose(codes.fractions.sum(), 1)
    assert np.all(np.diff(codes.fractions) <= 0)


def test_bits_are_cut_between_the_bounds_of_the_activation() -> None:
    """Those of 1 + 3 sigma of one's own, say."""
    planted = plant_redundant(np.random.default_rng(0), 100)
    moved = population(1 + 3 * planted.activity, planted.readout, planted.labels)
    assert tuple(find_codes(moved, (1.0, 4.0)).strings()) == planted.codes
    assert tuple(find_codes(moved, (0.0, 1.0)).strings()) != planted.codes


@pytest.mark.parametrize("counts", [(60, 39, 1), (990, 9, 1), (1, 19)])
def test_a_code_of_one_neuron_is_kept(counts: tuple[int, ...]) -> None:
    planted = plant_redundant(np.random.default_rng(0), sum(counts), counts=counts)
    assert tuple(find_codes(planted.population, (0.0, 1.0)).strings()) == planted.codes


def test_eight_codes_of_four_classes() -> None:
    planted = plant_redundant(np.random.default_rng(3), 200, classes=4, code_count=9)
    assert tuple(find_codes(planted.population, (0.0, 1.0)).strings()) == planted.codes


@pytest.mark.parametrize("scaling", ["sigmoidal", "odd", "unbounded"])
@pytest.mark.parametrize(("classes", "active", "size"), [(6, 3, 40), (10, 5, 60), (20, 10, 60)])
def test_codes_that_hardly_any_neurons_share_are_exact(
    scaling: ActivityScale, classes: int, active: int, size: int
) -> None:
    """Six classes and 40 neurons: most of the 20 codes with three classes on, each in two neurons."""
    rng = np.random.default_rng(classes)
    labels = np.repeat(np.arange(classes), 20)
    planted = plant_many_codes(rng, size, scaling=scaling, active=active, labels=labels)
    codes = find_codes(planted.population, planted.bounds)
    assert tuple(codes.strings()) == planted.codes
    assert np.array_equal(codes.code_sizes, np.eye(classes + 1)[active])
    assert codes.decided == 1
    assert codes.possible == comb(classes, active)
    assert len(codes.names) == len(set(planted.codes))


def test_code_sizes_count_neurons_with_a_code() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 20)
    level = np.repeat([[0.95, 0.95, 0.05], [0.95, 0.05, 0.05], [0.95, 0.55, 0.05]], [60, 20, 20], axis=0)
    activity = level[:, labels] + 0.01 * rng.standard_normal((100, 60))
    codes = find_codes(population(activity, rng.standard_normal((100, 3)), labels), (0.0, 1.0))
    assert codes.names == ("110", "100")
    assert np.allclose(codes.code_sizes, [0, 0.25, 0.75, 0])
    assert np.isclose(codes.decided, 1 - 20 / 300)
    assert codes.possible == 6


@pytest.mark.parametrize(("code", "names"), [((0.95, 0.95, 0.05), ("110",)), ((0.95, 0.95, 0.95), ())])
def test_one_code_for_all_is_a_code_if_it_tells_classes_apart(code: tuple[float, ...], names: tuple[str, ...]) -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], 20)
    activity = np.array(code)[labels] + 0.02 * rng.standard_normal((50, 60))
    assert find_codes(population(activity, rng.standard_normal((50, 3)), labels), (0.0, 1.0)).names == names


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu", "linear"])
@pytest.mark.parametrize("classes", [2, 10])
def test_the_prior_of_correlated_inputs_has_no_codes(activation: str, classes: int) -> None:
    """Class means are far from the midpoint by chance where inputs of a class are alike: bits are decided, yet neurons
    form one cloud."""
    rng = np.random.default_rng(classes)
    labels = np.repeat(np.arange(classes), 12)
    drive = 0.8 * rng.standard_normal((400, classes))[:, labels] + 0.6 * rng.standard_normal((400, len(labels)))
    function = ACTIVATIONS[activation]
    found = population(np.asarray(function(jnp.asarray(drive))), rng.standard_normal((400, classes)), labels)
    codes = find_codes(found, function.bounds)
    assert codes.names == ()
    assert np.all(codes.assignment == -1)
    assert not codes.code_sizes.any()
    if activation == "sigmoid":
        assert codes.decided > 0.2


def test_a_skewed_cloud_has_no_codes() -> None:
    """Drives of the same inputs, rectified above their mean: one continuous cloud, most of it at zero."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(10), 12)
    drive = rng.standard_normal((2000, 10))[:, labels] + 0.01 * rng.standard_normal((2000, len(labels)))
    found = population(np.maximum(drive - 1, 0), rng.standard_normal((2000, 10)), labels)
    explained = levels(found, None)
    assert explained.explained - 2 * explained.error > SYMMETRIC_MODE
    assert find_codes(found, None).names == ()


def test_outliers_have_codes_and_their_bulk_has_none() -> None:
    planted = plant_sparse(np.random.default_rng(1), 100, outlier_count=6)
    codes = find_codes(planted.population, None)
    assert set(np.flatnonzero(codes.assignment >= 0)) == set(planted.outliers)
    assert set(codes.names) == {"100", "010", "001"}
    favourite = planted.population.activity[planted.outliers].argmax(1)
    assert [name.index("1") for name in codes.strings()[planted.outliers]] == favourite.tolist()


def test_two_levels_explain_what_they_must() -> None:
    """2/pi of a Gaussian, 3/4 of a uniform law, all of two points."""
    rng = np.random.default_rng(0)
    zero = np.zeros((20_000, 2))
    drawn = {
        GAUSSIAN: rng.standard_normal((20_000, 2)),
        SYMMETRIC_MODE: rng.random((20_000, 2)),
        1.0: rng.integers(0, 2, (20_000, 2)),
    }
    for expected, values in drawn.items():
        found = levels(ClassMeans(values.astype(float), zero, zero[:, 0], zero), None)
        assert abs(found.explained - expected) <= 4 * found.error + 1e-12
        assert found.are_two == (expected == 1)


def test_no_skewed_cloud_is_at_two_levels() -> None:
    """Nearly all weight at zero and the rest uniform beside it: up to 8/9 of the variance, and no more."""
    rng = np.random.default_rng(0)
    zero = np.zeros((200_000, 1))
    shares = []
    for weight in (0.02, 0.1, 0.3):
        values = rng.random((200_000, 1)) * (rng.random((200_000, 1)) < weight)
        found = levels(ClassMeans(values, zero, zero[:, 0], zero), None)
        assert not found.are_two
        shares.append(found.explained)
    assert SYMMETRIC_MODE < max(shares) < SINGLE_MODE


def test_levels_of_repeated_draws_are_no_surer() -> None:
    planted = plant_analog(np.random.default_rng(0), 100).population
    twice = join([planted, planted], axis=0)
    once, again = levels(planted, None), levels(twice, None, repeats=2)
    assert np.allclose([again.explained, again.error], [once.explained, once.error])


def test_codes_that_were_not_seen_are_not_assigned() -> None:
    planted = plant_redundant(np.random.default_rng(4), 80, code_count=3).population
    codes = find_codes(planted.neurons(slice(0, 60)), (0.0, 1.0))
    flipped = ClassMeans(1 - planted.activity, planted.activity_error, planted.norm, planted.readout)
    known = set(codes.names)
    for name, place in zip(_bits(flipped), codes.assign(flipped), strict=True):
        assert (place >= 0) == (name in known)


def _bits(neurons: ClassMeans) -> list[str]:
    return ["".join("01"[int(bit)] for bit in row > 0.5) for row in neurons.activity]


def test_code_means_are_those_of_its_neurons() -> None:
    planted = plant_redundant(np.random.default_rng(4), 80, code_count=3)
    neurons, codes = planted.population, find_codes(planted.population, (0.0, 1.0))
    chosen = np.array(planted.codes) == codes.names[1]
    assert np.allclose(codes.activity[1], neurons.activity[chosen].mean(0))
    assert np.allclose(codes.readout[1], neurons.readout[chosen].mean(0))


def test_a_bit_needs_distance_from_the_midpoint() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 30)
    level = np.where(np.arange(40)[:, None] < 20, [0.9, 0.1], [0.1, 0.6])
    activity = level[:, labels] + 0.02 * rng.standard_normal((40, 60))
    readout = np.where(np.arange(40)[:, None] < 20, 1.0, -1.0) + 0.05 * rng.standard_normal((40, 1))
    codes = find_codes(population(activity, readout, labels), (0.0, 1.0))
    assert codes.names == ("10",)
    assert np.isclose(codes.fractions.sum(), 0.5)


@pytest.mark.parametrize(
    "planted", [plant_analog(np.random.default_rng(0), 100), plant_sparse(np.random.default_rng(0), 100)]
)
def test_a_cloud_has_no_codes(planted: Planted) -> None:
    found = planted.population
    bulk = found.neurons(np.setdiff1d(np.arange(found.size), planted.outliers))
    assert find_codes(bulk, None).names == ()


def test_shuffled_labels_leave_no_class_specific_codes() -> None:
    rng = np.random.default_rng(1)
    planted = plant_redundant(rng, 100, code_count=4)
    shuffled = population(planted.activity, planted.readout, rng.permutation(planted.labels))
    assert set(find_codes(shuffled, (0.0, 1.0)).names) <= {"000", "111"}


def test_codes_are_the_same_in_another_unit_and_order() -> None:
    planted = plant_redundant(np.random.default_rng(2), 100, scaling="unbounded", code_count=5)
    order = np.random.default_rng(0).permutation(100)
    moved = population(30 * planted.activity[order], 0.01 * planted.readout[order], planted.labels)
    assert tuple(find_codes(moved, None).strings()) == tuple(np.array(planted.codes)[order])


def test_codes_are_matched_over_chains_and_draws() -> None:
    chains = [_jittered_draws(plant_redundant(np.random.default_rng(6), 60, code_count=3), seed) for seed in (0, 1)]
    codes = find_codes(_stack(chains), (0.0, 1.0))
    planted = np.array(plant_redundant(np.random.default_rng(6), 60, code_count=3).codes)
    assert np.all(codes.strings() == planted)
    assert np.array_equal(codes.assign(chains[0]), codes.assignment[0])
    counts = occupancies(codes.assignment, len(codes.names))
    assert counts.shape == (2, 8, 3)
    assert np.all(counts.sum(-1) == 60)


def test_drift_counts_planted_switches() -> None:
    planted = plant_redundant(np.random.default_rng(8), 50, code_count=3)
    draws = _jittered_draws(planted, 0)
    names = np.array(planted.codes)
    here, there = np.flatnonzero(names == names[0])[0], np.flatnonzero(names != names[0])[:2]
    arrays = [draws.activity, draws.activity_error, draws.norm, draws.readout]
    for array in arrays:
        array[3:, here] = array[3:, there[0]]
        array[5, there[1]] = array[5, np.flatnonzero(names != names[there[1]])[0]]
    moved = drift(find_codes(ClassMeans(*arrays), (0.0, 1.0)).assignment[None])
    assert moved.switches.tolist() == [3]  # one neuron goes for good, another leaves for one draw and returns
    assert moved.steps.tolist() == [7 * 50]
    assert np.isclose(moved.probability, 3 / 350)


def test_a_neuron_without_a_code_in_between_has_not_switched() -> None:
    assignment = np.array([[[0, 0, -1], [-1, -1, 0], [0, 1, -1]]])
    assert drift(assignment).switches.tolist() == [1]


def _jittered_draws(planted: Planted, seed: int, draws: int = 8) -> ClassMeans:
    rng = np.random.default_rng(seed)
    activity, readout = planted.activity, planted.readout
    return population(
        activity + 0.02 * rng.standard_normal((draws, *activity.shape)),
        readout + 0.05 * rng.standard_normal((draws, *readout.shape)),
        planted.labels,
    )


def _stack(chains: list[ClassMeans]) -> ClassMeans:
    return ClassMeans(
        np.stack([chain.activity for chain in chains]),
        np.stack([chain.activity_error for chain in chains]),
        np.stack([chain.norm for chain in chains]),
        np.stack([chain.readout for chain in chains]),
    )


def test_chains_frozen_in_different_codes_of_one_size_are_apart() -> None:
    """Six classes and all neurons answer to three of them: each chain has ten of the twenty codes."""
    codes = np.array([code for code in np.ndindex(*(2,) * 6) if sum(code) == 3], float)
    chains = [_draws_of(codes[half], 4) for half in (slice(0, 10), slice(10, 20))]
    found = find_codes(_stack(chains), (0.0, 1.0))
    assert len(found.names) == 20
    assert code_rhat(code_counts(found)) == float("inf")
    same = find_codes(_stack([chains[0], chains[0]]), (0.0, 1.0))
    assert code_rhat(code_counts(same)) == 1


def test_rare_codes_are_counted_by_size_and_class() -> None:
    """Of 20 draws one alone has a 17th code: the other 16 keep their counts, and its neuron is counted by its bits."""
    codes = np.array([code for code in np.ndindex(*(2,) * 6) if sum(code) == 3][:17], float)
    neurons = _draws_of(codes[:16], 3, draws=20)
    neurons.activity[7, 0] = 0.05 + 0.9 * codes[16]
    found = find_codes(neurons, (0.0, 1.0))
    counts = code_counts(found)
    assert (len(found.names), found.common) == (17, 16)
    assert counts.shape == (20, 16 + 7 + 6)
    assert np.array_equal(counts[:, :16].sum(1), 48 - (np.arange(20) == 7))
    assert np.array_equal(counts[7, 16:], [0, 0, 0, 1, 0, 0, 0, *codes[16]])
    assert not counts[np.arange(20) != 7, 16:].any()


def test_codes_too_many_to_list_are_counted() -> None:
    """300 neurons with codes of their own and 20 of one code, 16 classes: the most frequent are listed."""
    bits = np.array([[number >> place & 1 for place in range(16)] for number in range(1, 301)], float)
    neurons = _draws_of(np.concatenate([bits, np.ones((20, 16))]), 1, draws=2)
    neurons.activity[1, :300] = neurons.activity[1, :300, ::-1]
    found = find_codes(_stack([neurons]), (0.0, 1.0))
    shares = code_shares(found)
    assert len(found.names) > 256 == len(shares)
    assert (shares[0].code, shares[0].fraction) == ("1" * 16, 20 / 320)
    assert [share.fraction for share in shares] == sorted((share.fraction for share in shares), reverse=True)


def test_codes_of_more_classes_than_an_integer_has_bits() -> None:
    bits = np.random.default_rng(0).integers(0, 2, (30, 70))
    neurons = _draws_of(bits.astype(float), 1, draws=1)[0]
    found = find_codes(neurons, (0.0, 1.0))
    assert found.strings().tolist() == ["".join(map(str, row)) for row in bits]
    assert np.array_equal(found.assign(neurons), found.assignment)


def _draws_of(bits: np.ndarray, copies: int, draws: int = 8) -> ClassMeans:
    """The same neurons in every draw, some of each code."""
    activity = np.tile(0.05 + 0.9 * np.repeat(bits, copies, axis=0), (draws, 1, 1))
    readout = np.random.default_rng(0).standard_normal((activity.shape[1], 3)) * np.ones((draws, 1, 1))
    return ClassMeans(activity, np.full_like(activity, 0.01), np.sqrt((activity**2).mean(-1)), readout)
