"""Planted partitions are found, random networks have full width, and distances are those of the nearest manifold."""

import numpy as np
import pytest

from codingschemes import InvalidInput, manifolds
from codingschemes.manifolds import (
    LEVELS,
    Neurons,
    Partition,
    canonical,
    classify,
    detect,
    direction_widths,
    manifold_of,
    partitions,
    profile,
    random_neurons,
)
from codingschemes.networks import ACTIVATIONS

INPUTS, OUTPUTS = 12, 3


def planted(rng, width, kind):
    """A random partition into about width / 4 blocks, with signs and a zero block where the class has them."""
    labels = rng.integers(max(2, width // 4), size=width)
    signs = rng.choice([1, -1], size=width) if kind.signed else np.ones(width, int)
    blocks = [
        tuple(int(signs[k]) * (int(k) + 1) for k in np.flatnonzero(labels == label)) for label in np.unique(labels)
    ]
    zero = blocks.pop() if kind.has_zero_block and len(blocks) > 1 else ()
    return canonical(Partition(tuple(blocks), tuple(map(abs, zero))))


@pytest.mark.parametrize("noise", [0.0, 1e-3, 1e-2])
@pytest.mark.parametrize("name", ["softplus", "gelu", "tanh", "cos", "relu"])
def test_planted_partitions_are_recovered(name, noise):
    kind = classify(ACTIVATIONS[name])
    rng = np.random.default_rng(0)
    for width in (2, 7, 50):
        partition = planted(rng, width, kind)
        # One draw a block, copied: blocks of any size have neurons of one length.
        point = manifolds.lift(partition, random_neurons(rng, len(partition.blocks), INPUTS, OUTPUTS), kind)
        sizes = np.ones(width)
        for block in partition.blocks:
            sizes[np.abs(block) - 1] = len(block)
        readout = point.readout * sizes[:, None]  # lift shares the readout of a narrow neuron out
        scales = rng.uniform(0.5, 2, size=(width, 1)) if name == "relu" else np.ones((width, 1))
        shaken = Neurons(
            scales * (readout + noise * rng.normal(size=readout.shape)),
            scales * (point.weight + noise * rng.normal(size=point.weight.shape)),
        )
        # A difference of two neurons is about noise sqrt(2) relative to their length; five times that is no accident.
        found = detect(shaken, kind, tolerance=0.1)
        assert found.partition == partition
        assert found.nearest < 1.5 * noise + 1e-12
        at = np.searchsorted(found.tolerances, 0.1)
        assert found.strict[at] == found.direction[at] == len(partition.blocks)


@pytest.mark.parametrize("name", ["softplus", "gelu", "tanh", "cos", "relu"])
def test_random_networks_have_full_width(name):
    kind = classify(ACTIVATIONS[name])
    rng = np.random.default_rng(1)
    for width in (5, 50):
        found = detect(random_neurons(rng, width, INPUTS, OUTPUTS), kind, tolerance=0.1)
        assert found.strict[np.searchsorted(found.tolerances, 0.1)] == width
        assert found.partition == Partition(tuple((k,) for k in range(1, width + 1)))
        assert found.nearest > 0.01
        assert found.widths[0] == width
        assert found.distances[0] == 0
        assert (np.diff(found.strict) <= 0).all()


@pytest.mark.parametrize("name", ["softplus", "gelu", "tanh", "cos"])
def test_nearest_distance_is_that_of_brute_force(name):
    kind = classify(ACTIVATIONS[name])
    rng = np.random.default_rng(2)
    for _ in range(3):
        neurons = random_neurons(rng, 4, 3, 2)
        units = Neurons(*(part / np.sqrt(np.mean(np.sum(part**2, axis=1))) for part in neurons))
        proper = [each for each in partitions(kind.symmetry, 4) if len(each.blocks) < 4]
        distances = [manifold_of(each, kind).distance(units) for each in proper]
        assert detect(neurons, kind).nearest == pytest.approx(min(distances), rel=1e-12)


def test_directions_align_before_neurons_do():
    kind = classify(ACTIVATIONS["tanh"])
    rng = np.random.default_rng(3)
    axes = rng.normal(size=(2, INPUTS))
    weight = np.where(np.arange(20) < 10, 1, -1)[:, None] * rng.uniform(1, 3, (20, 1)) * axes[np.arange(20) % 2]
    found = detect(Neurons(rng.normal(size=(20, 1)), weight), kind)
    at = np.searchsorted(found.tolerances, 0.05)
    assert found.direction[at] == 2
    assert found.strict[at] > 10


def test_zero_weights_and_wrong_ones():
    zeros = Neurons(np.zeros((4, 2)), np.zeros((4, 3)))
    assert detect(zeros, classify(ACTIVATIONS["tanh"])).partition == Partition((), (1, 2, 3, 4))
    assert detect(zeros, classify(ACTIVATIONS["softplus"])).partition == Partition(((1, 2, 3, 4),))
    with pytest.raises(InvalidInput, match="finite"):
        direction_widths(np.full((3, 2), np.nan), classify(ACTIVATIONS["tanh"]), np.array([0.1]))


def test_shared_codes_are_seen_at_the_level_of_codes_only():
    """Neurons that agree on class means, with weights that no input sees and differences within classes."""
    rng = np.random.default_rng(4)
    features, samples, width = 40, 20, 30
    inputs = np.sqrt(features) * np.linalg.qr(rng.normal(size=(features, samples)))[0].T / np.sqrt(features)
    labels = np.repeat(np.arange(2), 10)
    codes = 4.0 * rng.choice([-1.0, 1.0], size=(2, 2))[rng.integers(2, size=width)]
    seen = (codes[:, labels] + 0.5 * rng.normal(size=(width, samples))) @ inputs
    unseen = rng.normal(size=(width, features)) @ (np.eye(features) - inputs.T @ inputs)
    weight = seen + unseen
    drawn = Neurons(rng.normal(size=(1, width, 2)), weight[None])
    prior = Neurons(rng.normal(size=(1, width, 2)), rng.normal(size=(1, width, features)))
    found = profile(drawn, prior, inputs, labels, ACTIVATIONS["sigmoid"], np.array([0.1]))
    assert found.drawn["codes"][0] <= 2
    assert found.reference["codes"][0] > 5
    for level in LEVELS[2:]:
        assert found.drawn[level][0] == width


def test_neurons_about_the_middle_of_a_sigmoid_are_no_code():
    """Class means of prior neurons hover about 1/2: that all share this offset must not make them look alike."""
    rng = np.random.default_rng(0)
    features, width = 48, 30
    inputs, labels = np.eye(features), np.repeat([0, 1], 24)
    codes = 5.0 * rng.choice([-1.0, 1.0], size=(2, 2))[rng.integers(2, size=width)]
    readout = rng.normal(size=(1, width, 2))
    prior = Neurons(readout, rng.normal(size=(1, width, features)))
    drawn = Neurons(readout, codes[:, labels][None] + 0.5 * rng.normal(size=(1, width, features)))
    found = profile(drawn, prior, inputs, labels, ACTIVATIONS["sigmoid"], np.array([0.1, 0.2]))
    assert found.drawn["codes"].max() <= 2
    assert found.reference["codes"].min() > 10
