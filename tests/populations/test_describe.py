"""Populations whose codes, geometry and noise are known."""

import json

import numpy as np
import pandas as pd
import pytest
from planted_populations import FACTORS, coded, factorised
from scipy.stats import binom

import codingschemes as cs
from codingschemes.cli.output import in_flags
from codingschemes.json_values import plain
from codingschemes.populations.axes import axes_of, rotate
from codingschemes.populations.geometry import Halves, Samples, dimensions, parallelism_of
from codingschemes.populations.nulls import break_geometry, class_patterns
from codingschemes.populations.resampling import SHARE, STEP, draws, interval, null_of, standard_error
from codingschemes.reports import described, populations
from codingschemes.reports.style import CODE_COLORS


def quick(population: cs.Population, **options) -> cs.Description:
    return cs.describe(population, **{"bootstraps": 0, "shuffles": 0, **options})


def test_planted_codes_are_found_and_named():
    activity, labels = coded(np.random.default_rng(0))
    found = quick(cs.Population(activity, labels, factors=FACTORS))
    assert found.scheme.label == "redundant"
    assert {code.code for code in found.codes} == {"1100", "0011", "1010"}
    for code in found.codes:
        assert code.fraction == pytest.approx(1 / 3)
        assert code.interval[0] < 1 / 3 < code.interval[1]
    means = np.stack([activity[labels == label].mean(0) for label in range(4)])
    assert found.kernels[0].between[0, 1] == pytest.approx(means[0] @ means[1] / 60)
    assert "redundant" in repr(found)
    assert len(repr(found).splitlines()) < 16


@pytest.mark.parametrize("count", [2, 3, 4, 6])
@pytest.mark.parametrize("size", [30, 240])
def test_a_few_neat_codes_are_redundant_without_a_readout(count, size):
    """Neurons of one code are the same but for little noise: nothing else may decide."""
    rng = np.random.default_rng([count, size])
    pairs = np.array([[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0], [0, 1, 0, 1], [1, 0, 0, 1], [0, 1, 1, 0]])
    labels = np.repeat(np.arange(4), 10)
    activity = pairs[np.arange(size) % count].T[labels] + 0.05 * rng.standard_normal((40, size))
    neurons = cs.coding.population(activity.T, rng.standard_normal((size, 2)), labels)
    found = cs.coding.classify(neurons, None, readout_known=False)
    assert (found.label, found.probability > 0.99) == ("redundant", True)
    turned = cs.coding.ClassMeans(rotate(neurons.activity, rng), neurons.activity_error, neurons.norm, neurons.readout)
    assert cs.coding.classify(turned, None, readout_known=False).probabilities["redundant"] < 0.01


def test_figures_and_headline_of_a_population_speak_of_no_draws():
    activity, labels = coded(np.random.default_rng(0))
    found = quick(cs.Population(activity, labels, name="area $b$"))
    figures = described.figures(found)
    assert {"activity", "codes", "contributions", "neurons", "kernel", "map"} == set(figures)
    legends = {
        name: [text.get_text() for legend in figure.legends for text in legend.get_texts()]
        for name, figure in figures.items()
    }
    assert legends["map"] == [r"area \$b\$"]
    assert legends["codes"] == ["share and 95% interval"]
    assert not any(word in text for told in legends.values() for text in told for word in ("draw", "chain"))
    assert figures["activity"].axes[0].get_title(loc="left") == r"area \$b\$"
    all_codes = np.array([[code >> place & 1 for place in range(4)] for code in np.arange(64) % 16]).T
    many = quick(cs.Population(all_codes[labels] + 0.05 * activity[:, :1], labels, name="all"))
    told = [text.get_text() for text in populations.neurons(many, many.shown).legends[0].get_texts()]
    assert len(told) == len(CODE_COLORS) + 1
    assert told[-1] == "other codes"
    assert described.headline(quick(cs.Population(activity[:, :9], labels))).endswith(
        "with confidence (concentrated .00, binary 1.00, graded .00)"
    )


def test_few_neurons_of_a_bulk_are_the_outliers():
    rng = np.random.default_rng(1)
    labels = np.repeat(np.arange(3), 20)
    activity = 0.1 * np.abs(rng.standard_normal((60, 100)))
    activity[:, :3] += 5 * np.eye(3)[labels]
    found = quick(cs.Population(activity, labels, activation="relu"))
    assert sorted(neuron.neuron for neuron in found.outliers) == [0, 1, 2]
    assert found.scheme.label == "sparse"
    assert any("stand in for it" in note for note in found.notes)


def test_json_has_the_keys_of_a_layer_and_every_score_its_error_and_null():
    activity, labels = factorised(np.random.default_rng(2), trials=12, neurons=30)
    found = cs.describe(cs.Population(activity, labels, factors=FACTORS), bootstraps=3, shuffles=4)
    values = json.loads(json.dumps(plain(found.to_json(), in_flags), allow_nan=False))
    assert values["structure"]["states"] is None  # which take 19 shuffles
    assert sum(values["structure"]["groups"]["sizes"]) == 30
    assert set(values["structure"]["axes"]) == {"two_levels", "concentration"}
    layer = {"scheme", "codes", "code_sizes", "decided", "outliers", "effective_neurons", "kernel", "collapse", "drift"}
    assert layer <= set(values)
    for name in ("parallelism", "ccgp", "shattering", "decoding", "participation"):
        score = values["abstraction"][name]
        assert score["interval"][0] <= score["value"] <= score["interval"][1]
        assert score["p"] in [k / 5 for k in range(1, 6)]
        assert np.isfinite(score["null"])


def test_rotated_axes_keep_the_geometry_and_lose_codes():
    rng = np.random.default_rng(17)
    activity, labels = coded(rng)
    samples = Samples(activity, labels)
    found = axes_of(samples, 39, 0)
    assert found.two_levels.value > 0.95 > 0.75 > found.two_levels.nulls[0].mean
    assert (found.two_levels.nulls[0].p, found.concentration.nulls[0].p) == (1 / 40, 1)
    contrast = rng.standard_normal((50, 2)) @ rng.standard_normal((2, 4))
    turned = rotate(contrast, rng)
    np.testing.assert_allclose(turned.T @ turned, contrast.T @ contrast, atol=1e-12)
    one = np.zeros((24, 50))
    one[:, 0] = np.repeat(np.arange(3), 8)
    alone = axes_of(Samples(one + 1e-3 * rng.standard_normal(one.shape), np.repeat(np.arange(3), 8)), 39, 0)
    assert alone.concentration.value > 0.95
    assert alone.concentration.nulls[0].p == 1 / 40
    graded = [axes_of(Samples(rng.standard_normal((4, 60)), np.arange(4)), 39, 0).two_levels for _ in range(5)]
    assert min(score.nulls[0].p for score in graded) > 1 / 40


def test_scores_that_are_not_defined_say_why():
    activity = np.random.default_rng(3).standard_normal((9, 25))
    scores = quick(cs.Population(activity, np.repeat(list("abc"), 3))).abstraction.scores
    assert {name for name, score in scores.items() if score.value is None} == {"parallelism", "ccgp", "shattering"}
    assert "even number of at least 4" in scores["ccgp"].reason
    many = quick(cs.Population(np.vstack([activity, activity]), np.arange(18) % 14)).abstraction.parallelism
    assert "too many matchings: give `factors`" in many.reason
    means = quick(cs.Population(activity, np.arange(9)))
    assert "single sample" in means.abstraction.decoding.reason
    assert not means.abstraction.participation.corrected


def test_plain_scores_are_those_of_the_metrics():
    activity, labels = factorised(np.random.default_rng(4), trials=5, neurons=20, noise=2.0)
    scores = quick(cs.Population(activity, labels, factors=FACTORS), max_splits=16).abstraction
    metrics = cs.representation.abstraction_scores(activity, labels, FACTORS.astype(float))
    assert scores.parallelism.plain == pytest.approx(metrics.parallelism)
    assert scores.ccgp.plain == pytest.approx(metrics.ccgp)


def test_noise_is_taken_off_parallelism_and_dimensions():
    """Four trials in noise twice the signal: the truth is the same without noise and with as many neurons as can be."""
    rng = np.random.default_rng(5)
    plain, corrected = [], []
    for _ in range(40):
        activity, labels = factorised(rng, trials=4, neurons=400, noise=2.0, parity=0.5)
        samples, ones = Samples(activity, labels), (np.ones(16), np.ones(400))
        of = [parallelism_of(kernel, FACTORS.astype(float), np.zeros((0, 4))) for kernel in samples.kernels(*ones)]
        plain.append((of[0], dimensions(samples.kernels(*ones)[0])))
        halves = Halves.of(samples, 0)
        corrected.append((of[1], halves.dimensions(halves.moments(samples, ones[0]), ones[1])))
    truth = np.array([0.75 / 1.25, 2.25**2 / (2 + 0.25**2)])
    error = np.std(corrected, axis=0) / np.sqrt(len(corrected))
    assert np.all(np.abs(np.mean(corrected, axis=0) - truth) < 3.5 * error)
    assert np.all(np.abs(np.mean(plain, axis=0) - truth) > 10 * error)


def test_corrected_kernel_is_the_mean_over_different_samples_even_when_some_were_drawn_twice():
    rng = np.random.default_rng(6)
    activity, labels = rng.standard_normal((7, 3)), np.repeat([0, 1], [4, 3])
    weights, neurons = np.array([2, 0, 1, 1, 1, 2, 0.0]), np.array([1, 2, 0.0])
    plain, corrected = Samples(activity, labels).kernels(weights, neurons)
    taken = np.repeat(np.arange(7), weights.astype(int))
    products = (activity * neurons) @ activity.T / 3
    for first in range(2):
        for second in range(2):
            pairs = [(i, j) for i in taken for j in taken if (labels[i], labels[j]) == (first, second)]
            assert plain[first, second] == pytest.approx(np.mean([products[pair] for pair in pairs]))
            different = [products[i, j] for i, j in pairs if i != j]
            assert corrected[first, second] == pytest.approx(np.mean(different))


def test_halves_share_no_sample_and_no_neuron():
    labels = np.repeat(np.arange(3), [4, 5, 8])
    samples = Samples(np.random.default_rng(7).standard_normal((17, 6)), labels)
    halves = Halves.of(samples, 0)
    assert np.all(np.add.reduceat(halves.samples, samples.edges[:-1], axis=1) == [2, 2, 4])
    assert np.all(halves.neurons.sum(1) == 3)
    with pytest.raises(cs.InvalidInput, match="four samples"):
        Halves.of(Samples(samples.activity[:9], labels[1:10]), 0)


def test_broken_geometry_keeps_each_class_and_loses_what_classes_share():
    rng = np.random.default_rng(8)
    activity, labels = factorised(rng, trials=10, neurons=600, noise=0.5)
    samples = Samples(activity, labels)
    centre, scale = class_patterns(samples)
    broken = Samples(break_geometry(samples, rng), labels)
    within = [np.sum(((each.activity - centre) / scale)[:10].std(0) ** 2) for each in (samples, broken)]
    assert within[0] == pytest.approx(within[1])
    kernel = broken.kernels(np.ones(40), np.ones(600))[0]
    assert dimensions(kernel) > 2.7 > 2.3 > dimensions(samples.kernels(np.ones(40), np.ones(600))[0])


@pytest.mark.parametrize("step", [None, STEP])
def test_standard_error_counts_what_both_drawings_show_once(step):
    """A mean over neurons and samples of noise that each neuron has in each sample: its variance is known."""
    rng = np.random.default_rng(10)
    labels = np.zeros(150, int)
    ratios = []
    for _ in range(12):
        noise = rng.standard_normal((150, 200))
        drawn = draws(labels, 200, 200, rng, step)
        scores = np.array([[w @ noise @ v / w.sum() / v.sum() for w, v in each] for each in drawn])
        ratios.append(standard_error(scores, step or 1.0) ** 2 * 150 * 200)
    assert np.mean(ratios) == pytest.approx(1, abs=0.25)


def test_short_steps_show_the_whole_variance_of_few_trials_and_drawn_trials_a_part_of_it():
    """The mean of four trials: drawn anew it varies by three quarters of its variance."""
    rng = np.random.default_rng(15)
    labels, trials = np.zeros(4, int), rng.standard_normal(4)
    for step, share in ((None, 0.75), (STEP, 1.0)):
        drawn = draws(labels, 2, 4000, rng, step)
        means = np.array([each.samples @ trials / 4 for _, each, _ in drawn])
        assert min(each.samples.min() for _, each, _ in drawn) >= 0
        found = means.var() / (step or 1.0) ** 2
        assert found == pytest.approx(share * trials.var(ddof=1) / 4, rel=0.1)


def test_intervals_of_shares_are_symmetric_on_the_angular_scale():
    """How often 100 samples are told right, p = .95, exactly: the error of the angle is 1 / sqrt(4 n) whatever p."""
    hits = np.arange(101)
    found, chance = hits / 100, binom.pmf(hits, 100, 0.95)
    angular = [interval(share, 400**-0.5, 1000, 0.0, 1.0, scale=SHARE) for share in found]
    errors = np.sqrt(found * (1 - found) / 100)
    plain = [interval(share, error, 1000, 0.0, 1.0) for share, error in zip(found, errors, strict=True)]
    held = [float(np.sum(chance[[low <= 0.95 <= high for low, high in each]])) for each in (angular, plain)]
    assert held[0] == pytest.approx(0.95, abs=0.005)
    assert held[1] < 0.9
    assert all(low <= share <= high for share, (low, high) in zip(found, angular, strict=True))


def test_intervals_of_cosines_are_symmetric_on_the_scale_of_fisher():
    """Correlations of 20 pairs of Gaussian numbers: their error is (1 - r^2) / sqrt(20 - 3)."""
    rng = np.random.default_rng(11)
    truth, held = 0.8, {True: [], False: []}
    for _ in range(400):
        first, own = rng.standard_normal((2, 20))
        found = float(np.corrcoef(first, truth * first + (1 - truth**2) ** 0.5 * own)[0, 1])
        for cosine, inside in held.items():
            low, high = interval(found, (1 - found**2) / 17**0.5, 1000, -1.0, 1.0, cosine=cosine)
            inside.append(low <= truth <= high)
    # the standard error of a share of 400 near .95 is .011
    assert np.mean(held[True]) == pytest.approx(0.95, abs=0.035)
    assert np.mean(held[False]) < 0.93
    low, high = interval(0.999, 0.05, 30, -1.0, 1.0, cosine=True)
    assert 0.5 < low < 0.95 < 0.999 <= high < 1
    assert interval(1.0, 0.0, 30, -1.0, 1.0, cosine=True) == (1, 1)


def test_p_counts_shuffles_and_the_data_themselves():
    assert null_of(1.0, [0.0, 0.5, 1.0, 2.0], "").p == 3 / 5
    assert null_of(0.0, [0.0, 0.5, 1.0, np.nan], "", lower=True).p == 2 / 4


def test_numbers_out_of_range_are_refused():
    population = cs.Population(np.eye(4), [0, 0, 1, 1])
    with pytest.raises(cs.InvalidInput, match="`shuffles` = -1"):
        cs.describe(population, shuffles=-1)


ODD = np.random.default_rng(20).standard_normal((24, 30))


@pytest.mark.parametrize(
    ("activity", "labels", "said"),
    [
        (np.where(np.arange(30) < 4, 0.0, ODD), np.repeat([5, 7, 9], 8), "4 of 30 neurons do the same"),
        (np.where(np.arange(30) < 2, np.nan, ODD), np.repeat([5, 7, 9], 8), "2 of 30 neurons hold no finite value"),
        (ODD, np.array(["one"] + ["two"] * 11 + ["three"] * 12), "one sample only of class one"),
        (ODD, np.arange(24), "every class has a single sample"),
        (ODD[:, :3], np.repeat([0, 1], 12), "3 neurons are too few"),
        (ODD, pd.Categorical(["a", "b"] * 12, categories=["a", "b", "c"]), "class c has no sample"),
    ],
)
def test_odd_data_are_described_and_what_is_odd_is_said(activity, labels, said):
    found = cs.describe(cs.Population(activity, labels), bootstraps=2, shuffles=19, max_dichotomies=2, max_splits=2)
    assert any(said in note for note in found.notes)
    json.dumps(plain(found.to_json(), in_flags), allow_nan=False)
    assert described.headline(found)
