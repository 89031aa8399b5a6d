"""Each figure of a report is a public function, in the report's style, that leaves matplotlib's settings alone."""

import inspect

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

import codingschemes as cs
from codingschemes.coding.summary import Summary
from codingschemes.errors import InvalidInput
from codingschemes.reports.figures import figures


@pytest.mark.parametrize("name", sorted(set(cs.plot.__all__) - {"theory"}))
def test_a_run_is_drawn(name: str, small_run: cs.Run, small_summary: Summary) -> None:
    before = mpl.rcParams["axes.spines.top"]
    function = getattr(cs.plot, name)
    drawn = (
        function(small_run, small_summary)
        if "summary" in inspect.signature(function).parameters
        else function(small_run)
    )
    assert isinstance(drawn, Figure)
    assert drawn.axes
    assert mpl.rcParams["axes.spines.top"] == before
    assert not drawn.axes[0].spines["top"].get_visible() or drawn.axes[0].images


@pytest.fixture(scope="module")
def description() -> cs.Description:
    codes = np.array([[1.0, 0.0], [0.0, 1.0]])[np.arange(20) % 2]
    noise = 0.2 * np.random.default_rng(0).normal(size=(12, 20))
    population = cs.Population(np.repeat(codes.T, 6, axis=0) + noise, np.repeat([0, 1], 6))
    return cs.describe(population, bootstraps=2, shuffles=4)


@pytest.mark.parametrize("name", ["activity", "codes", "contributions", "neurons", "kernel", "map"])
def test_a_described_population_is_drawn(name: str, description: cs.Description) -> None:
    assert getattr(cs.plot, name)(description).axes


def test_no_figure_of_a_report_is_left_out(small_run: cs.Run, small_summary: Summary) -> None:
    other = {"predictions": "outputs", "traces": "chain_traces"}
    assert {other.get(name, name) for name in figures(small_run, small_summary)} <= set(cs.plot.__all__)


def test_what_is_no_run_is_refused() -> None:
    with pytest.raises(InvalidInput, match="`run` of activity takes a Run or a Description, not 3"):
        cs.plot.activity(3)
