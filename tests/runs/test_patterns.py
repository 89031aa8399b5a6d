"""Codes that chains hold, by planted neurons: what kernels and norms cannot tell apart is told apart."""

import itertools

import numpy as np
import pytest

from codingschemes.networks import ACTIVATIONS
from codingschemes.runs.patterns import pattern_counts, patterns, same_patterns

CLASSES, SAMPLES = 5, 2
LABELS = np.repeat(np.arange(CLASSES), SAMPLES)
SIGNS = np.array(list(itertools.product([-1, 1], repeat=CLASSES)))
#: Each half of all sign patterns of five classes, by their product, has the same kernel.
HALVES = [SIGNS[SIGNS.prod(axis=1) == sign] for sign in (1, -1)]


def draws(codes: np.ndarray, seed: int) -> np.ndarray:
    """Saturated preactivations (chain, draw, layer, neuron, sample) whose neurons hold random ones of `codes`."""
    rng = np.random.default_rng(seed)
    return 30.0 * codes[rng.integers(len(codes), size=(1, 200, 1, 48))][..., LABELS]


@pytest.mark.parametrize("name", ["sigmoid", "erf"])
def test_chains_with_other_codes_and_the_same_kernel_do_not_agree(name):
    activation = ACTIVATIONS[name]
    alike = np.concatenate([draws(SIGNS, 1), draws(SIGNS, 2)])
    assert same_patterns(alike, activation, LABELS)
    # without sign, complements are the same neuron: five signs and their complement differ in their product
    halves = [half[half[:, 0] > 0] for half in HALVES] if name == "erf" else HALVES
    apart = np.concatenate([draws(half, seed) for seed, half in enumerate(halves)])
    kernels = [np.einsum("dlnp,dlnq->pq", chain, chain) / chain[..., 0].size for chain in apart]
    np.testing.assert_allclose(kernels[0] / 900, kernels[1] / 900, atol=5 / np.sqrt(200 * 48))
    assert not same_patterns(apart, activation, LABELS)


def test_odd_neurons_are_the_same_up_to_sign():
    one, other = draws(SIGNS, 1), -draws(SIGNS, 1)
    found = [patterns(each, ACTIVATIONS["tanh"], LABELS) for each in (one, other)]
    np.testing.assert_array_equal(*found)
    assert len(np.unique(found[0].reshape(-1, CLASSES), axis=0)) == 2 ** (CLASSES - 1)
    assert not np.array_equal(*(patterns(each, ACTIVATIONS["sigmoid"], LABELS) for each in (one, other)))


def test_unbounded_neurons_have_no_pattern_to_agree_in():
    apart = np.concatenate([draws(half, seed) for seed, half in enumerate(HALVES)])
    assert same_patterns(apart, ACTIVATIONS["relu"], LABELS)


@pytest.mark.parametrize("classes", [3, 100])
def test_counts_are_of_patterns_that_a_chain_holds_and_of_sizes(classes):
    found = np.zeros((2, 10, 4, classes), bool)
    found[0, :, 0, -2:] = True  # held by one neuron of one chain
    found[1, 0, 1, 0] = True  # rarely
    counts = pattern_counts(found)
    assert counts.shape == (2, 10, 2 + 3)
    np.testing.assert_array_equal(counts[..., 0], [[3] * 10, [3] + [4] * 9])
    np.testing.assert_array_equal(counts[..., 1], [[1] * 10, [0] * 10])
    np.testing.assert_array_equal(counts[..., 2:].sum(axis=2), 4)
    np.testing.assert_array_equal(counts[1, 0, 2:], [3, 1, 0])


def test_parts_that_are_read_one_by_one_make_the_same_keys(monkeypatch):
    made = draws(SIGNS, 3)
    whole = patterns(made, ACTIVATIONS["sigmoid"], LABELS)
    monkeypatch.setattr("codingschemes.runs.patterns._PART", made[0, :7].size)
    np.testing.assert_array_equal(patterns(made, ACTIVATIONS["sigmoid"], LABELS), whole)
