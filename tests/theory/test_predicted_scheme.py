"""The scheme of a measure over neurons: known measures, the bound it rests on, and what sampled neurons are called."""

from itertools import combinations

import numpy as np
import pytest
from theory_problems import toy_posterior, toy_prediction

import codingschemes as cs
from codingschemes.comparison.drawn import drawn_scheme
from codingschemes.theory import NeuronSample, predict
from codingschemes.theory.scheme import SINGLE_MODE, _binary, scheme_of

NEURONS, SAMPLES = 2000, 36
POSTERIORS = {name: toy_posterior(name, samples=SAMPLES, width=100) for name in ("linear", "sigmoid", "relu")}


def measure(activation, codes, *, noise=0.1, condensed=0, strength=10.0):
    """Neurons with given class means, (neuron, class), and noise around them; then condensed ones, one a class."""
    rng, labels = np.random.default_rng(0), POSTERIORS[activation].task.labels
    response = codes[:, labels] + noise * rng.standard_normal((len(codes), SAMPLES))
    response = np.concatenate([response, strength * np.eye(3)[:condensed, labels]])
    average = np.eye(3)[labels] / np.bincount(labels)
    activity = response @ average
    weight = np.append(np.full(len(codes), (100 - condensed) / len(codes)), np.ones(condensed))
    return NeuronSample(activity, activity - activity.mean(axis=1, keepdims=True), weight, response)


def label(activation, codes, **options):
    return scheme_of(
        POSTERIORS[activation], measure(activation, codes, **options), condensed=options.get("condensed", 0)
    ).label


def test_known_measures():
    rng = np.random.default_rng(1)
    cloud = rng.standard_normal((NEURONS, 3))
    codes = np.array([[1.0, 1, 0], [1, 0, 1], [0, 1, 1]])[np.arange(NEURONS) % 3]
    assert label("linear", cloud) == "analog"
    assert label("sigmoid", codes) == "redundant"
    assert label("relu", 0.1 * np.abs(cloud), condensed=3) == "sparse"
    # and what is none of them
    assert label("linear", 0 * cloud) == "undecided"  # nothing but the chance of finite classes
    assert label("sigmoid", 0.5 + 0.2 * cloud) == "undecided"  # one cloud
    assert label("sigmoid", codes[[0] * NEURONS]) == "undecided"  # one code
    assert label("relu", np.abs(cloud), condensed=3, strength=0.5) == "undecided"  # the bulk carries the output
    assert label("relu", np.abs(cloud)) == "undecided"


def test_a_code_of_one_neuron_is_not_shared():
    codes = np.array([[1.0, 1, 0], [0, 1, 1]])
    assert label("sigmoid", codes[(np.arange(NEURONS) % 100 < 1).astype(int)]) == "undecided"
    assert label("sigmoid", codes[(np.arange(NEURONS) % 100 < 5).astype(int)]) == "redundant"


def test_codes_are_redundant_though_no_two_neurons_share_one():
    """Thirty neurons over the twenty codes of three of six classes: codes apart from each other, as sampled ones."""
    task = cs.tasks.orthogonal(samples=36, ratios=[1 / 6] * 6)
    posterior = cs.Posterior(task, cs.Network("sigmoid", width=30), temperature=1e-3)
    codes = np.array([[each in chosen for each in range(6)] for chosen in combinations(range(6), 3)], float)
    activity = codes[np.arange(2000) % 20] + 0.05 * np.random.default_rng(0).standard_normal((2000, 6))
    neurons = NeuronSample(activity, activity - 0.5, np.full(2000, 30 / 2000), activity[:, task.labels])
    assert scheme_of(posterior, neurons).label == "redundant"


def test_no_density_with_one_mode_is_called_binary():
    """Mixtures of uniform densities with an end at the mode, which all densities with one mode are, cut anywhere."""
    rng = np.random.default_rng(2)
    highest = 0.0
    for _ in range(200):
        widths, share = rng.standard_normal(4) ** 3, rng.dirichlet(np.full(4, 0.2))
        ends = np.sort(np.stack([np.zeros(4), widths]), axis=0)
        places = (np.arange(400) + 0.5) / 400
        values = (ends[0][:, None] + (ends[1] - ends[0])[:, None] * places).ravel()
        sample = NeuronSample(values[:, None], values[:, None], np.repeat(share, 400), values[:, None])
        for cut in np.quantile(values, [0.2, 0.5, 0.8, 0.95]):
            highest = max(highest, _binary(sample, sample.activity > cut))
    assert highest < SINGLE_MODE
    assert highest > 0.8  # the bound is approached, so that the test says something
    extreme = np.append(np.zeros(100_000), np.linspace(0, 1, 300))[:, None]
    spiked = NeuronSample(extreme, extreme, np.ones(len(extreme)), extreme)
    assert _binary(spiked, extreme > 1 / 3) == pytest.approx(SINGLE_MODE, abs=5e-3)


@pytest.mark.parametrize(
    ("activation", "temperature", "expected"),
    [
        ("linear", 1e-3, "analog"),
        ("linear", 3e-2, "undecided"),
        ("sigmoid", 2e-4, "redundant"),
        ("sigmoid", 3e-2, "undecided"),
        ("tanh", 2e-4, "redundant"),
        ("relu", 2e-4, "sparse"),
        ("relu", 3e-2, "undecided"),
    ],
)
def test_a_population_drawn_from_the_measure_is_named_alike(activation, temperature, expected):
    prediction = toy_prediction(activation, temperature)
    assert prediction.scheme.label == expected
    assert drawn_scheme(prediction).label == expected


def test_the_reason_is_told_with_its_numbers():
    scheme = predict(toy_posterior("linear", samples=12, temperature=1e-3)).to_json()["scheme"]
    assert scheme["label"] == "analog"
    assert "Gaussian" in scheme["reason"]
    assert 0.5 < scheme["selective"] <= 1
