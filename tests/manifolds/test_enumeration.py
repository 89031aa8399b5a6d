"""Manifolds are counted, listed and ordered as brute force over symmetry groups says."""

from itertools import islice
from math import comb

import numpy as np
import pytest

import codingschemes as cs
from codingschemes import InvalidInput, manifolds
from codingschemes.manifolds import classify, manifold_of, partitions
from codingschemes.manifolds.partitions import Partition, canonical, coarsenings
from codingschemes.manifolds.subgroups import deep_group, fixed_subspaces, signed_permutations, symmetric_group
from codingschemes.networks import ACTIVATIONS

TABLE = {
    "generic": ("softplus", [1, 2, 5, 15, 52, 203]),
    "vanishing": ("gelu", [2, 5, 15, 52, 203, 877]),
    "odd": ("tanh", [2, 6, 24, 116, 648, 4088]),
    "even": ("cos", [2, 7, 31, 164, 999, 6841]),
}
#: k! times the coefficient of x^k in log of the exponential generating function of the counts.
LOGARITHMS = {
    "generic": lambda _: 1,
    "vanishing": lambda k: 1 + (k == 1),
    "odd": lambda k: 2 ** (k - 1) + (k == 1),
    "even": lambda k: 1 + 2 ** (k - 1),
}


def kind(symmetry):
    return classify(ACTIVATIONS[TABLE[symmetry][0]])


def matrices(listed, symmetry):
    """One projector on readouts and weights for every partition."""
    found = []
    for partition in listed:
        manifold = manifold_of(partition, kind(symmetry))
        zero = np.zeros_like(manifold.readout)
        found.append(np.block([[manifold.readout, zero], [zero, manifold.weight]]))
    return found


def as_set(projectors):
    return {tuple(np.round(projector, 6).ravel() + 0.0) for projector in projectors}


@pytest.mark.parametrize("symmetry", TABLE)
def test_counts_listed_and_by_formula(symmetry):
    for width, expected in enumerate(TABLE[symmetry][1], start=1):
        assert manifolds.count(symmetry, width) == expected
        listed = list(partitions(symmetry, width))
        assert len(listed) == len(set(listed)) == expected
        assert all(canonical(each) == each for each in islice(listed, 200))
        counts = manifolds.counts_by_effective_width(kind(symmetry), width)
        widths = [manifolds.effective_width(each, kind(symmetry)) for each in listed]
        assert counts == {level: widths.count(level) for level in sorted(set(widths))}


def test_counts_by_effective_width_at_four_neurons():
    assert manifolds.counts_by_effective_width(kind("odd"), 4) == {0: 1, 1: 40, 2: 58, 3: 16, 4: 1}
    assert manifolds.counts_by_effective_width(kind("generic"), 4) == {1: 1, 2: 7, 3: 6, 4: 1}


@pytest.mark.parametrize("symmetry", TABLE)
def test_counts_are_the_generating_functions_at_any_width(symmetry):
    numbers = [1]
    for m in range(40):
        numbers.append(sum(comb(m, k) * LOGARITHMS[symmetry](k + 1) * numbers[m - k] for k in range(m + 1)))
    for width in (1, 2, 5, 12, 40):
        assert manifolds.count(symmetry, width) == numbers[width]


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_manifolds_are_the_fixed_subspaces_of_all_subgroups(width):
    plain, signed = symmetric_group(width), signed_permutations(width)
    zero = np.zeros_like(signed)
    on_both = np.concatenate([np.concatenate([abs(signed), zero], 2), np.concatenate([zero, signed], 2)], 1)
    merged = as_set(fixed_subspaces(plain))
    found = {
        "generic": merged,
        "vanishing": merged,
        "odd": as_set(fixed_subspaces(signed)),
        "even": as_set(fixed_subspaces(on_both)),
    }
    for symmetry, expected in found.items():
        listed = [each for each in partitions(symmetry, width) if manifolds.symmetry_induced(each, kind(symmetry))]
        spaces = matrices(listed, symmetry)
        if symmetry != "even":  # readouts and weights share one projector
            assert all((space[:width, :width] == space[width:, width:]).all() for space in spaces)
            spaces = [space[:width, :width] for space in spaces]
        assert as_set(spaces) == expected


def test_deep_networks_have_more_fixed_subspaces_than_products():
    assert len(fixed_subspaces(deep_group([symmetric_group(3)]))) == 5
    assert len(fixed_subspaces(deep_group([symmetric_group(3), symmetric_group(3)]))) == 42 > 5 * 5


@pytest.mark.parametrize("symmetry", TABLE)
def test_hierarchy_is_the_order_of_subspaces(symmetry):
    order = manifolds.hierarchy(kind(symmetry), 3)
    spaces = matrices(order.nodes, symmetry)
    inside = np.array([[np.allclose(big @ small, small) for small in spaces] for big in spaces])
    np.fill_diagonal(inside, False)
    between = inside.astype(int) @ inside.astype(int) > 0
    assert set(order.edges) == set(zip(*np.nonzero(inside & ~between), strict=True))
    assert len(order.edges) == len(set(order.edges))
    assert all(order.levels[big] >= order.levels[small] for big, small in order.edges)


def test_coarsening_keeps_canonical_form():
    partition = Partition(((1, -3), (2,)), (4,))
    assert set(coarsenings(partition, "odd")) == {
        Partition(((2,),), (1, 3, 4)),
        Partition(((1, -3),), (2, 4)),
        Partition(((1, 2, -3),), (4,)),
        Partition(((1, -2, -3),), (4,)),
    }


def test_enumeration_is_lazy_and_says_dimensions():
    found = manifolds.enumerate_manifolds(cs.Network("tanh", width=60, bias=True), inputs=3, outputs=2)
    assert found.count == manifolds.count("odd", 60) > 10**60
    assert not found.listed
    assert found.to_json()["manifolds"] == []
    assert len(list(islice(found, 5))) == 5
    small = manifolds.enumerate_manifolds(cs.Network("tanh", width=4, bias=True), inputs=3, outputs=2).to_json()
    assert small["count"] == len(small["manifolds"]) == 116
    assert all(entry["dimension"] == 6 * entry["effective_width"] for entry in small["manifolds"])
    even = manifolds.enumerate_manifolds(cs.Network("cos", width=2), inputs=3, outputs=2).to_json()["manifolds"]
    flat = next(entry for entry in even if entry["flat"] == [[1, 2]])
    assert (flat["dimension"], flat["effective_width"]) == (2, 1)


def test_zero_blocks_without_a_symmetry_are_marked():
    entries = manifolds.enumerate_manifolds(cs.Network("gelu", width=3)).to_json()["manifolds"]
    assert sum(entry["symmetry_induced"] for entry in entries) == 5
    assert sum(not entry["symmetry_induced"] for entry in entries) == 10


def test_wrong_input():
    with pytest.raises(InvalidInput, match="hidden layer"):
        manifolds.enumerate_manifolds(cs.Network("tanh", depth=2))
    with pytest.raises(InvalidInput, match="lower the width"):
        manifolds.hierarchy(kind("odd"), 9)
    with pytest.raises(InvalidInput, match="at least one"):
        manifolds.enumerate_manifolds(cs.Network("tanh"), inputs=0)
