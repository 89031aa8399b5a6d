"""A run's condensation, and the figures of manifolds."""

from itertools import combinations

import numpy as np
import pytest
from matplotlib.text import Annotation

import codingschemes as cs
from codingschemes import InvalidInput, manifolds
from codingschemes.coding.condensation import condensation
from codingschemes.manifolds import LEVELS, Neurons, classify, detect
from codingschemes.networks import ACTIVATIONS
from codingschemes.reports.manifolds import hasse, single_network, training, widths_against_tolerance


def test_condensation_of_a_run(small_run):
    found = condensation(small_run, networks=6)
    assert found.networks == 6
    assert tuple(found.profile.drawn) == LEVELS
    for widths in (*found.profile.drawn.values(), *found.profile.reference.values()):
        assert (np.diff(widths) <= 0).all()
        assert widths[0] <= 12
    # Noise keeps weights off every smaller manifold, in the posterior as in the prior.
    assert found.profile.drawn["weights"][0] == found.profile.reference["weights"][0] == 12
    assert found.last.nearest > 1e-3
    assert set(found.to_json()["levels"]) == set(LEVELS)
    assert len(widths_against_tolerance(found.profile).axes) == 4
    with pytest.raises(InvalidInput, match="at least one"):
        condensation(small_run, networks=0)


def test_weights_of_the_prior_have_its_variances(small_run):
    from codingschemes.coding.condensation import prior_neurons

    drawn = prior_neurons(small_run.posterior, np.random.default_rng(0), 200)
    for part, variance in (
        (drawn.weight, small_run.posterior.prior.weight_variance),
        (drawn.readout, small_run.posterior.prior.readout_variance),
    ):
        assert part.var() == pytest.approx(variance, abs=4 * variance * np.sqrt(2 / part.size))


@pytest.mark.parametrize("name", ["tanh", "gelu", "cos"])
def test_hierarchies_are_drawn_whole(name):
    order = manifolds.hierarchy(classify(ACTIVATIONS[name]), 3)
    (axes,) = hasse(order).axes
    drawn = sum(len(collection.get_offsets()) for collection in axes.collections[1:])
    assert drawn == len(order.nodes)
    assert len(axes.collections[0].get_segments()) == len(order.edges)
    with pytest.raises(InvalidInput, match="cannot be drawn"):
        hasse(manifolds.hierarchy(classify(ACTIVATIONS["softplus"]), 5))


@pytest.mark.parametrize(("name", "width"), [("tanh", 4), ("cos", 3), ("cos", 4), ("gelu", 4)])
def test_names_in_a_hierarchy_stay_by_their_dots(name, width):
    figure = hasse(manifolds.hierarchy(classify(ACTIVATIONS[name]), width))
    figure.draw_without_rendering()
    (axes,) = figure.axes
    names = [text for text in axes.texts if isinstance(text, Annotation)]
    assert len(names) >= 17
    for text in names:
        box = text.get_window_extent()
        beside = [axes.transData.transform(other.xy)[0] for other in names if other.xy[1] == text.xy[1]]
        pitch = min(np.diff(sorted(beside)), default=figure.bbox.width)
        assert box.width < pitch
        assert (box.x0 + box.x1) / 2 == pytest.approx(axes.transData.transform(text.xy)[0])
        assert all(figure.bbox.contains(*corner) for corner in (box.min, box.max))
    assert not any(one.overlaps(other) for one, other in combinations([t.get_window_extent() for t in names], 2))


def test_curves_of_networks():
    rng = np.random.default_rng(0)
    found = detect(Neurons(rng.normal(size=(6, 2)), rng.normal(size=(6, 4))), classify(ACTIVATIONS["tanh"]))
    assert len(single_network(found, found).axes[0].lines) == 4
    steps = np.arange(3.0)
    assert len(training(steps, {"a": steps + 1}, {"a": [found] * 3}, 0.1).axes[1].lines) == 2
    assert isinstance(cs.manifolds.TOLERANCES, np.ndarray)
