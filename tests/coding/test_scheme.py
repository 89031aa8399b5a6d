"""The scheme of planted populations is named, mixtures are not named with confidence, and evidence can be missing."""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from codingschemes.coding import ClassMeans, classify, population
from codingschemes.coding.planted import (
    FOREIGN,
    ActivityScale,
    Planted,
    plant,
    plant_analog,
    plant_analog_and_outliers,
    plant_analog_and_redundant,
    plant_any,
    plant_foreign,
    plant_many_codes,
    plant_rectified,
    plant_redundant,
    plant_redundant_and_outliers,
    plant_sparse,
    plant_sparse_without_gap,
    plant_unselective,
)
from codingschemes.coding.scheme import LABELS
from codingschemes.coding.support import NEIGHBOURS, support_of
from codingschemes.networks import ACTIVATIONS


@pytest.mark.parametrize("truth", ["analog", "redundant", "sparse"])
@pytest.mark.parametrize("seed", range(6))
def test_planted_schemes_are_named(truth: str, seed: int) -> None:
    planted = plant(truth, np.random.default_rng([11, seed]), 100)
    scheme = classify(planted.population, planted.bounds)
    assert scheme.label == truth
    assert scheme.probability >= 0.9
    assert np.isclose(sum(scheme.probabilities.values()), 1)


@pytest.mark.parametrize(
    "mixture", [plant_analog_and_redundant, plant_redundant_and_outliers, plant_analog_and_outliers]
)
@pytest.mark.parametrize("size", [20, 120])
@pytest.mark.parametrize("seed", range(3))
def test_mixtures_are_undecided(mixture: Callable[..., Planted], size: int, seed: int) -> None:
    planted = mixture(np.random.default_rng([12, size, seed]), size)
    scheme = classify(planted.population, planted.bounds)
    assert scheme.label == "undecided"
    if scheme.unlike is None and scheme.probability > 0.9:
        assert f"graded {scheme.evidence.graded:.2f}".replace(" 0.", " .") in scheme.words


@pytest.mark.parametrize(("classes", "size"), [(6, 40), (10, 60)])
@pytest.mark.parametrize("scaling", ["sigmoidal", "odd", "unbounded"])
def test_a_code_of_its_own_for_every_neuron_is_redundant(classes: int, size: int, scaling: ActivityScale) -> None:
    labels = np.repeat(np.arange(classes), 10)
    planted = plant_many_codes(np.random.default_rng(classes), size, scaling=scaling, labels=labels)
    scheme = classify(planted.population, planted.bounds)
    assert scheme.label == "redundant"
    assert scheme.evidence.coded == scheme.evidence.decided == 1
    assert scheme.evidence.codes == len(set(planted.codes))


@pytest.mark.parametrize("seed", range(4))
def test_strengths_without_a_gap_are_sparse(seed: int) -> None:
    planted = plant_sparse_without_gap(np.random.default_rng([1, seed]), 100)
    scheme = classify(planted.population, None)
    assert scheme.label == "sparse"
    assert scheme.evidence.carriers <= 20


@pytest.mark.parametrize("shape", ["coded", "graded", "three clusters"])
def test_a_bulk_that_carries_next_to_nothing_has_no_say(shape: str) -> None:
    """Whatever the bulk's shape, outliers with 98 % of the class-specific output make the population sparse."""
    rng = np.random.default_rng(2)
    labels = np.repeat([0, 1, 2], 30)
    bulk = {
        "coded": np.eye(3)[rng.integers(0, 3, 100)],
        "graded": rng.standard_normal((100, 3)),
        "three clusters": np.array([0.2, 1.0, 3.0])[rng.integers(0, 3, 100)][:, None] * [1.0, 0.5, 0.5],
    }[shape]
    means, readout = 0.1 * bulk, 0.1 * rng.standard_normal((100, 3))
    means[:6], readout[:6] = 4 * np.tile(np.eye(3), (2, 1)), 4 * np.tile(np.eye(3), (2, 1))
    activity = means[:, labels] + 0.02 * rng.standard_normal((100, 90))
    assert classify(population(activity, readout, labels), None).label == "sparse"


@pytest.mark.parametrize("scaling", ["sigmoidal", "odd", "unbounded"])
def test_the_prior_is_undecided(scaling: ActivityScale) -> None:
    planted = plant_unselective(np.random.default_rng(0), 100, scaling=scaling)
    assert classify(planted.population, planted.bounds).label == "undecided"


@pytest.mark.parametrize("truth", LABELS)
def test_coordinates_place_a_population(truth: str) -> None:
    evidence = classify(plant(truth, np.random.default_rng(5), 100).population, None).evidence
    place = {
        "analog": evidence.graded,
        "redundant": evidence.binary,
        "sparse": evidence.concentrated,
        "undecided": evidence.unspecific,
    }
    assert np.isclose(sum(place.values()), 1)
    assert min(place.values()) >= 0
    if truth != "undecided":
        assert max(place, key=lambda name: place[name]) == truth


def test_probabilities_are_frequencies() -> None:
    """On populations that calibration has not seen, as many are of the likeliest truth as its probabilities say."""
    probability, right = [], []
    for truth in LABELS:
        for index in range(25):
            rng = np.random.default_rng([31, LABELS.index(truth), index])
            planted = plant_any(truth, rng, int(rng.integers(20, 200)))
            found = classify(planted.population, planted.bounds).probabilities
            best = max(found, key=lambda label: found[label])
            probability.append(found[best])
            right.append(best == truth)
    chance = np.array(probability)
    error = np.sqrt(np.sum(chance * (1 - chance)))
    assert abs(np.sum(right) - chance.sum()) < 3 * error + 1
    assert np.mean(right) > 0.9


SAMPLED = np.load(Path(__file__).parents[2] / "benchmarks" / "sampled_populations.npz")


@pytest.mark.parametrize("activation", ["linear", "sigmoid", "relu"])
def test_sampled_networks_are_named_or_undecided(activation: str) -> None:
    """Draws of short runs on the toy task, digits, MNIST and CIFAR-10, two to ten classes."""
    truth = {"linear": "analog", "sigmoid": "redundant", "relu": "sparse"}[activation]
    names = sorted({key.split("/")[0] for key in SAMPLED if f"-{activation}-" in key})
    labels = [classify(_sampled(name), ACTIVATIONS[activation].bounds).label for name in names]
    assert set(labels) <= {truth, "undecided"}
    assert np.mean([label == truth for label in labels]) >= 0.8


def _sampled(name: str) -> ClassMeans:
    fields = ("activity", "activity_error", "norm", "readout")
    return ClassMeans(*(SAMPLED[f"{name}/{field}"].astype(float) for field in fields))


def test_the_linear_toy_network_is_analog() -> None:
    """Readouts follow the class means closely: U^{-1} a in van Meegen & Sompolinsky (2025)."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [50, 25, 25])
    readout = rng.standard_normal((100, 3)) * [0.83, 0.7, 0.7]
    activity = (readout * [1.42, 2.0, 2.0])[:, labels] + rng.standard_normal((100, 100))
    assert classify(population(activity, readout, labels), None).label == "analog"


def test_the_sigmoidal_toy_network_is_redundant() -> None:
    planted = plant_redundant(np.random.default_rng(0), 100, counts=(25, 24, 23, 19, 6, 3))
    scheme = classify(planted.population, (0.0, 1.0))
    assert scheme.label == "redundant"
    assert scheme.evidence.codes == 6
    assert scheme.evidence.coded >= 0.95


def test_the_rectified_toy_network_is_sparse() -> None:
    scheme = classify(plant_sparse(np.random.default_rng(0), 100, outlier_count=5).population, None)
    assert scheme.label == "sparse"
    assert scheme.evidence.outliers == 5
    assert scheme.evidence.outlier_share > 0.8


def test_unselective_neurons_have_no_scheme() -> None:
    rng = np.random.default_rng(0)
    activity = np.maximum(rng.standard_normal((100, 90)), 0)
    found = population(activity, rng.standard_normal((100, 3)), np.repeat([0, 1, 2], 30))
    assert classify(found, None).label == "undecided"


@pytest.mark.parametrize("size", [1, 2, 7])
def test_too_few_neurons_are_undecided(size: int) -> None:
    planted = plant_analog(np.random.default_rng(0), size)
    assert classify(planted.population, None).label == "undecided"


def test_silent_neurons_have_no_scheme() -> None:
    found = population(np.zeros((50, 30)), np.zeros((50, 3)), np.repeat([0, 1, 2], 10))
    assert classify(found, None).label == "undecided"


def test_shuffled_labels_take_the_scheme_away() -> None:
    rng = np.random.default_rng(3)
    planted = plant_redundant(rng, 100, counts=(40, 30, 30))
    shuffled = population(planted.activity, planted.readout, rng.permutation(planted.labels))
    assert classify(shuffled, (0.0, 1.0)).label == "undecided"


@pytest.mark.parametrize("truth", ["analog", "redundant", "sparse"])
def test_the_verdict_does_not_depend_on_units_or_order(truth: str) -> None:
    planted = plant(truth, np.random.default_rng(21), 80)
    order = np.random.default_rng(0).permutation(80)
    unit = 5.0 if planted.scaling == "unbounded" else 1.0
    moved = population(unit * planted.activity[order], 0.03 * planted.readout[order], planted.labels)
    here, there = classify(planted.population, planted.bounds), classify(moved, planted.bounds)
    assert here.label == there.label
    assert np.isclose(here.probability, there.probability, atol=0.02)


def test_draws_and_chains_are_combined() -> None:
    analog, redundant = plant_analog(np.random.default_rng(1), 60), plant_redundant(np.random.default_rng(1), 60)
    agree = _chains(redundant.population, redundant.population)
    assert classify(agree, (0.0, 1.0)).label == "redundant"
    assert classify(agree, (0.0, 1.0), draws_per_chain=1).by_draw.shape == (2, 1, 4)
    differ = _chains(analog.population, redundant.population)
    scheme = classify(differ, (0.0, 1.0))
    assert scheme.label == "undecided"
    assert scheme.by_draw.shape == (2, 2, 4)


def test_what_one_draw_has_by_chance_does_not_hide_the_scheme_of_all() -> None:
    """Unless draws are named differently: then they are no draws of one posterior that has a scheme."""
    draws = [plant("sparse", np.random.default_rng([7, seed]), 24, 3.0).population for seed in (45, 23, 25, 27)]
    together = ClassMeans(*(np.stack([getattr(each, field.name) for each in draws]) for field in fields(ClassMeans)))
    alone = [classify(each, None) for each in draws]
    assert [each.label for each in alone] == ["undecided", "sparse", "sparse", "sparse"]
    scheme = classify(together, None, draws_per_chain=4)
    assert scheme.by_draw[:, 2].mean() < 0.9
    assert scheme.label == "sparse"
    np.testing.assert_allclose(scheme.evidence.crowding, np.mean([each.evidence.crowding for each in alone]))


def _chains(*populations: ClassMeans) -> ClassMeans:
    """Each population as a chain of two equal draws."""
    return ClassMeans(
        *(
            np.stack([np.stack([getattr(each, name)] * 2) for each in populations])
            for name in ("activity", "activity_error", "norm", "readout")
        )
    )


@pytest.mark.parametrize("size", [50, 400])
@pytest.mark.parametrize("seed", range(3))
def test_a_rectified_cloud_is_undecided(seed: int, size: int) -> None:
    """Graded strengths above a threshold are no sparse code where more than a fifth of the neurons carry the output."""
    scheme = classify(plant_rectified(np.random.default_rng([seed, size]), size, noise=0.5).population, None)
    assert scheme.label == "undecided"


@pytest.mark.parametrize("seed", range(12))
def test_a_rectified_cloud_whose_readouts_are_its_own_is_unlike_a_sparse_one(seed: int) -> None:
    """A third of these would be called sparse with certainty, however few neurons of a kind that was never fitted
    carry the output."""
    scheme = classify(plant_foreign("rectified drives", np.random.default_rng([3, seed]), 100).population, None)
    assert scheme.label == "undecided"
    if scheme.unlike is not None:
        assert scheme.probability >= 0.9
        assert f"unlike all {scheme.unlike} populations" in scheme.words


@pytest.mark.parametrize("kind", FOREIGN)
def test_the_verdict_is_seldom_certain_of_shapes_that_it_was_not_fitted_to(kind: str) -> None:
    """Where few neurons are large in activity and in readout they are what sparse means, graded as they may be."""
    named = [
        classify(plant_foreign(kind, np.random.default_rng([4, seed]), 80).population, None).label for seed in range(12)
    ]
    assert np.mean([label != "undecided" for label in named]) <= (0.75 if kind == "two sizes" else 0.25)


def test_as_many_populations_as_said_are_taken_for_something_else() -> None:
    """Of traits from the law that a support was made of all but the share `UNLIKE` are within its reach; none of
    others."""
    rng = np.random.default_rng(0)
    own = support_of(rng.standard_normal((1000, 6)) @ rng.standard_normal((6, 6)))
    seen = rng.standard_normal((4000, 6)) @ np.linalg.inv(own.scale)
    far = own.tree.query(seen @ own.scale, NEIGHBOURS)[0][:, -1] > own.reach
    # the limit is itself the second of a thousand: its rate of exceedance is Beta(2, 999), below .0074 in 99.5 %
    assert far.mean() < 0.0074 + 3 * np.sqrt(0.0074 / 4000)
    away = (seen[:50] @ own.scale + 10) @ np.linalg.inv(own.scale)
    assert (own.tree.query(away @ own.scale, NEIGHBOURS)[0][:, -1] > own.reach).all()


def test_a_rectified_cloud_of_the_same_inputs_is_undecided() -> None:
    rng = np.random.default_rng(1)
    labels = np.repeat(np.arange(3), 30)
    drive = rng.standard_normal((400, 3))
    activity = np.maximum(drive - 1, 0)[:, labels] + 0.1 * rng.standard_normal((400, 90))
    readout = drive + 0.1 * rng.standard_normal((400, 3))
    assert classify(population(activity, readout, labels), None).label == "undecided"
