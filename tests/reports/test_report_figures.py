from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import xarray as xr
from matplotlib import pyplot
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch
from planted_reports import PlantedReport, planted_report, with_last_layer

import codingschemes as cs
from codingschemes.coding.layers import Kernels
from codingschemes.comparison.drawn import drawn_scheme
from codingschemes.reports import chains, layers, populations, responses, schemes
from codingschemes.reports.figures import save_figures
from codingschemes.reports.style import (
    CODE_COLORS,
    code_colors,
    darken,
    mark_classes,
    neuron_groups,
    plain,
    spread_out,
)
from codingschemes.theory.prediction import Certificate, NeuronGroup, NeuronSample, Prediction

CASES = {
    "sigmoid": {"kind": "sigmoid"},
    "relu": {"kind": "relu"},
    "eight classes": {"kind": "sigmoid", "classes": 8, "test": True, "chains": 2},
    "factors": {"kind": "relu", "classes": 4, "factors": True, "test": True, "chains": 2},
    "two layers": {"kind": "linear", "classes": 4, "depth": 2, "chains": 5},
    "few neurons, two classes, one chain": {"kind": "sigmoid", "size": 8, "classes": 2, "chains": 1},
}


#: In shapes of which others are shown already.
LATER = ("factors", "relu", "sigmoid")


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=pytest.mark.slow if name in LATER else ()) for name in CASES],
    ids=CASES,
)
def planted(request: pytest.FixtureRequest) -> PlantedReport:
    return planted_report(**CASES[request.param])


def drawn(planted: PlantedReport) -> dict[str, Figure]:
    summary, task = planted.summary, planted.task
    figures = {
        "layers": layers.layers(summary, task),
        "activity": populations.activity(summary, task),
        "contributions": populations.contributions(summary, task),
        "neurons": populations.neurons(summary, task),
        "distributions": populations.distributions(planted.pooled, summary, task),
        "kernel": responses.kernel(summary, task),
        "predictions": responses.predictions(summary, task),
        "convergence": chains.convergence(summary),
        "map": schemes.scheme_map(summary),
    }
    return figures | ({"codes": populations.codes(summary)} if summary.codes else {})


def test_every_figure_is_laid_out_without_warnings(planted: PlantedReport) -> None:
    for figure in drawn(planted).values():
        figure.draw_without_rendering()
        assert any(axes.get_xlabel() for axes in figure.axes)


def test_predicted_neurons_are_drawn_also_where_none_was_sampled(planted: PlantedReport) -> None:
    pooled, task = planted.pooled, planted.task
    width = 10
    values = {kind: getattr(pooled, kind) for kind in ("activity", "readout")}
    beyond = {kind: np.stack([each.min(0) - 1, each.max(0) + 1]) for kind, each in values.items()}
    prediction = Prediction(
        theory="mean-field",
        posterior=cs.Posterior(task, cs.Network("relu", width=width), temperature=1e-3),
        outputs=task.targets,
        kernel=None,
        certificate=Certificate(0.0, 1.0, "gap"),
        neurons=NeuronSample(beyond["activity"], beyond["readout"], weight=np.array([4.0, 6.0])),
    )
    figure = populations.distributions(pooled, planted.summary, task, prediction)
    lines = [patch for axes in figure.axes for patch in axes.patches if isinstance(patch, StepPatch)]
    assert len(lines) == sum(each.shape[1] for each in values.values())
    for line in lines:
        assert line.get_data().values.sum() == pytest.approx(len(pooled.activity))


@pytest.mark.parametrize("given", [False, True])
def test_shares_of_codes_that_a_theory_was_given_are_not_drawn_as_predicted(given: bool) -> None:
    planted = planted_report("sigmoid")
    share, nothing = planted.summary.codes[0], np.zeros(3)
    prediction = Prediction(
        theory="mean-field",
        posterior=cs.Posterior(planted.task, cs.Network("sigmoid", width=100), temperature=1e-3),
        outputs=planted.task.targets,
        kernel=None,
        certificate=Certificate(0.0, 1.0, "gap"),
        codes=(NeuronGroup(share.code, 100 * share.fraction, nothing, nothing, nothing),),
        conditional=given,
    )
    figure = populations.codes(planted.summary, prediction)
    dashed = [line for line in figure.axes[0].lines if line.get_linestyle() == "--"]
    told = [text.get_text() for text in figure.legends[0].get_texts()]
    assert [list(line.get_xdata()) for line in dashed] == ([] if given else [pytest.approx([share.fraction] * 2)])
    assert ("mean-field theory" in told) is not given


def nearest_corner(place: tuple[float, float]) -> str:
    return min(schemes.CORNERS, key=lambda name: float(np.hypot(*np.subtract(place, schemes.CORNERS[name]))))


@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize(("kind", "scheme"), [("sigmoid", "redundant"), ("relu", "sparse"), ("linear", "analog")])
def test_planted_populations_are_in_their_corners_of_the_map(kind: str, scheme: str, depth: int) -> None:
    """Every draw, the mean of every layer, and networks drawn from a theory that predicts these very neurons."""
    planted = planted_report(kind, chains=2, depth=depth)
    portrait, task = planted.summary.portraits[0], planted.task
    prediction = Prediction(
        theory="mean-field",
        posterior=cs.Posterior(task, cs.Network(kind, width=len(portrait.activity)), temperature=1e-3),
        outputs=task.targets,
        kernel=None,
        certificate=Certificate(0.0, 1.0, "gap"),
        neurons=NeuronSample(
            portrait.class_activity, portrait.readout, np.ones(len(portrait.activity)), portrait.activity
        ),
    )
    lines = [
        line for line in schemes.scheme_map(planted.summary, prediction).axes[0].lines if len(line.get_xdata()) == 1
    ]
    places = [(float(line.get_xdata()[0]), float(line.get_ydata()[0])) for line in lines]
    assert {nearest_corner(place) for place in places} == {scheme}
    assert len(places) == depth * (2 + 1) + 1
    assert lines[-1].get_markerfacecolor() == "none"
    assert places[-1] == drawn_scheme(prediction).evidence.place
    without = schemes.scheme_map(planted.summary, replace(prediction, neurons=None)).axes[0].lines
    assert len(without) == len(schemes.scheme_map(planted.summary).axes[0].lines)


def test_saved_figures_leave_matplotlib_as_it_was(tmp_path: Path) -> None:
    before = dict(matplotlib.rcParams)
    planted = planted_report("relu", chains=2)
    written = save_figures({"kernel": responses.kernel(planted.summary, planted.task)}, tmp_path)
    assert set(written) == {"kernel"}
    assert written["kernel"].light == (tmp_path / "kernel.png").read_bytes()
    assert written["kernel"].dark != written["kernel"].light
    assert (tmp_path / "kernel.pdf").stat().st_size > 5000
    assert dict(matplotlib.rcParams) == before
    assert pyplot.get_fignums() == []


@pytest.mark.parametrize(("count", "draws"), [(1, 1), (1, 40), (4, 40), (2, 6), (9, 10)])
def test_traces_of_any_number_of_chains_and_draws(count: int, draws: int) -> None:
    chains.traces({"energy": series(count, draws), "kernel, class a/b": series(count, draws)}).draw_without_rendering()


def test_traces_of_chains_that_never_moved() -> None:
    stuck = series(2, 40).copy()
    stuck[0] = 1.0
    chains.traces({"energy": stuck, "training loss": 0 * stuck}).draw_without_rendering()


def series(count: int, draws: int) -> xr.DataArray:
    noise = np.random.default_rng(0).standard_normal((count, draws))
    return xr.DataArray(noise, dims=("chain", "draw"), coords={"chain": range(count), "draw": range(draws)})


def test_outliers_are_seen_beside_the_bulk() -> None:
    planted = planted_report("relu", chains=1)
    figure = populations.activity(planted.summary, planted.task)
    shown = figure.axes[0].images[0]
    assert shown.norm(np.median(planted.summary.portraits[0].activity[5:].max(axis=1))) > 0.1
    assert "power scale" in figure.axes[-1].get_ylabel()


def test_signed_activity_is_drawn_on_a_scale_symmetric_about_zero() -> None:
    planted = planted_report("linear", chains=1)
    shown = populations.activity(planted.summary, planted.task).axes[0].images[0]
    assert shown.norm(0.0) == pytest.approx(0.5)


def test_classes_without_pairs_have_no_kernel_mean() -> None:
    planted = planted_report("sigmoid")
    kernels = planted.summary.kernels[0]
    lonely = Kernels(
        kernels.full,
        np.array([np.nan, *kernels.within[1:]]),
        kernels.between,
        kernels.between_mcse,
        kernels.diagonal,
    )
    figure = responses.kernel(with_last_layer(planted.summary, kernels=lonely), planted.task)
    assert "–" in {text.get_text() for axes in figure.axes for text in axes.texts}


def test_outputs_are_drawn_against_targets_that_differ_within_classes() -> None:
    planted = planted_report("linear", test=True)
    graded = replace(planted.task, targets=planted.task.targets * np.linspace(0, 1, len(planted.task.targets))[:, None])
    panels = responses.predictions(planted.summary, graded).axes
    assert {axes.get_xlabel() for axes in panels} == {"target, dimensionless"}
    drawn_at = panels[0].collections[0].get_offsets()
    np.testing.assert_array_equal(drawn_at[:, 0], graded.targets[:, 0])
    np.testing.assert_array_equal(drawn_at[:, 1], planted.summary.training.outputs[:, 0])


def test_the_most_frequent_codes_have_colours_of_their_own() -> None:
    summary = planted_report("sigmoid").summary
    colors = code_colors(summary)
    assert [colors[share.code] for share in summary.codes] == list(CODE_COLORS[: len(summary.codes)])
    assert set(neuron_groups(summary.portraits[0])) <= set(colors)


def test_labels_spread_without_overlap_or_change_of_order() -> None:
    moved = spread_out(np.array([1.0, 1.1, 1.2, 50.0, 99.0, 99.5]), gap=5.0, low=0.0, high=100.0)
    assert np.all(np.diff(moved) >= 5 - 1e-9)
    assert moved.min() >= 0
    assert moved.max() <= 100


@pytest.mark.parametrize(("columns", "names", "rotation"), [(1, 3, 0), (2, 3, 0), (4, 3, 90), (1, 30, 90)])
def test_names_of_classes_do_not_run_into_each_other(columns: int, names: int, rotation: int) -> None:
    labels = np.repeat(np.arange(names), 4)
    task = cs.Population(
        np.random.default_rng(0).normal(size=(len(labels), 2)), [f"class {each:02}" for each in labels]
    )
    figure = Figure(figsize=(10, 4), layout="constrained")
    axes = figure.subplots(1, columns, squeeze=False)[0, 0]
    axes.imshow(np.ones((5, len(labels))), aspect="auto")
    mark_classes(axes, task)
    assert {label.get_rotation() for label in axes.get_xticklabels()} == {rotation}
    figure.draw_without_rendering()
    boxes = [label.get_window_extent() for label in axes.get_xticklabels()]
    assert not any(one.overlaps(other) for one, other in pairwise(boxes))


def test_names_are_not_read_as_mathematics() -> None:
    assert plain("$x$") == r"\$x\$"
    assert len(plain("a" * 100)) == 18


def test_figures_for_dark_pages_have_light_text_and_keep_what_is_read_on_images() -> None:
    planted = planted_report("sigmoid")
    figure = responses.kernel(planted.summary, planted.task)
    on_image = [text.get_color() for text in figure.axes[1].texts]
    darken(figure)
    assert [text.get_color() for text in figure.axes[1].texts] == on_image
    assert min(to_rgb(figure.axes[0].xaxis.label.get_color())) > 0.7
    assert max(to_rgb(figure.get_facecolor())) < 0.2
    bars = populations.codes(planted.summary)
    darken(bars)
    assert [patch.get_edgecolor()[3] for patch in bars.axes[0].patches] == [0.0] * len(planted.summary.codes)


def test_limits_of_convergence_are_in_the_legend() -> None:
    figure = chains.convergence(planted_report("sigmoid").summary)
    told = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    assert "limits of convergence: R-hat 1.05, effective draws 100" in told
