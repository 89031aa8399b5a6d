"""Learning curves, what feature learning gains, bias and variance, and coverage, an activation a panel."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from codingschemes.reports import numbers
from codingschemes.reports.style import panels, styled
from codingschemes.studies.generalisation.learners import (
    AT_TEMPERATURE,
    BEST,
    COVERED,
    INTERPOLATING,
    LEARNERS,
    NETWORK,
    TRAINED,
    by_task,
    gain,
)
from codingschemes.studies.study import NAMES, Drawing, OverTasks, over_tasks

_STYLES: dict[str, dict[str, Any]] = {
    NETWORK: {"color": "#0072B2", "marker": "o", "linewidth": 2},
    AT_TEMPERATURE: {"color": "#E69F00", "marker": "v", "linestyle": "--"},
    INTERPOLATING: {"color": "#009E73", "marker": "^", "linestyle": "--"},
    BEST: {"color": "#CC79A7", "marker": "D", "linestyle": "--"},
    TRAINED: {"color": "#777777", "marker": "s", "linestyle": ":"},
}


def figures(table: pd.DataFrame) -> dict[str, Drawing]:
    """All of them.

    Args:
        table: the numbers of the study.
    """
    return {
        "learning_curves": _learning_curves(table),
        "gain": _gain(table),
        "bias_and_variance": _bias_and_variance(table),
        "coverage": _coverage(table),
    }


@styled()
def _learning_curves(table: pd.DataFrame) -> Drawing:
    def draw(axis: Axes, activation: str) -> None:
        for learner in LEARNERS:
            _curve(axis, table, learner, activation, "error", _STYLES[learner])

    figure = _by_activation(table, "test error", draw)
    caption = (
        "Share of test images whose mean output is nearest to another class's target, against the number of training "
        "images. Error bars are one standard error over draws of the images, which all learners share: how far "
        f"learners differ on the same images is the next figure. {_NOT_CONVERGED} Points are set apart sideways."
    )
    return Drawing(figure, "Test error against training images", caption)


@styled()
def _gain(table: pd.DataFrame) -> Drawing:
    others = [each for each in LEARNERS if each not in (NETWORK, AT_TEMPERATURE)]
    tasks = table.task.nunique()

    def draw(axis: Axes, activation: str) -> None:
        axis.axhline(0, color="#777777", linewidth=1)
        for index, other in enumerate(others):
            aside = 1.06 ** (index - 1)
            style = {**_STYLES[other], "linestyle": "none", "label": f"less {other}"}
            differences = {
                samples: gain(table, (NETWORK, activation), (other, activation), samples)
                for samples in _sizes(table, activation)
            }
            for samples, each in differences.items():
                axis.plot([samples * aside] * len(each), each, ".", color=style["color"], alpha=0.5, markersize=4)
            found = [over_tasks(each) for each in differences.values()]
            _points(axis, list(differences), found, [_half(each) for each in found], {**style, "capsize": 3}, aside)

    figure = _by_activation(table, "difference of test errors", draw, sharey=False)
    caption = (
        "Test error of sampled networks less that of other learners on the same images: below zero, sampled networks "
        "are better; each panel has a scale of its own. Dots are draws of the images; bars are 95 % intervals of the "
        f"mean of {tasks} draws (Student's t): where one does not cross zero, the difference is beyond chance."
    )
    return Drawing(figure, "What is gained, on the same images", caption)


@styled()
def _bias_and_variance(table: pd.DataFrame) -> Drawing:
    styles = {"bias": {"linestyle": "-"}, "variance": {"linestyle": "--", "markerfacecolor": "white"}}

    def draw(axis: Axes, activation: str) -> None:
        for learner, name in itertools.product((NETWORK, INTERPOLATING, AT_TEMPERATURE), styles):
            label = f"{'bias²' if name == 'bias' else name}, {learner}"
            style = {**_STYLES[learner], **styles[name], "label": label}
            _curve(axis, table, learner, activation, name, style, marked=False)
        axis.set_yscale("log")

    figure = _by_activation(table, "mean squared error of an output", draw)
    caption = (
        "The mean squared test error of a single network is the sum of bias², the error of the mean predictor, and "
        "variance, which averaging over networks removes. The GP at T → 0 is that of lazy scaling with readouts of "
        "variance 1, the one at the run's T has the prior of the sampled networks. Error bars are one standard error "
        "over draws of the images."
    )
    return Drawing(figure, "Bias and variance", caption)


@styled()
def _coverage(table: pd.DataFrame) -> Drawing:
    def draw(axis: Axes, activation: str) -> None:
        axis.axhline(COVERED, color="#777777", linewidth=1)
        for learner in LEARNERS:
            if learner != TRAINED:
                _curve(axis, table, learner, activation, "coverage", _STYLES[learner])
        axis.set_ylim(-0.03, 1.03)

    figure = _by_activation(table, "targets within the\n90 % interval", draw, columns=4)
    caption = (
        "Share of test targets in the central 90 % of N(mean, variance + T), output by output; the grey line is what a "
        "predictor has that knows how uncertain it is. A network that is trained says nothing of that. "
        f"Error bars are one standard error over draws of the images. {_NOT_CONVERGED}"
    )
    return Drawing(figure, "Coverage of test targets", caption)


_NOT_CONVERGED = "White: a run is not converged."


def _sizes(table: pd.DataFrame, activation: str) -> list[int]:
    return sorted(set(table[table.activation == activation].samples))


def _half(found: OverTasks) -> float:
    """Of the 95 % interval; 0 where there is none."""
    half = found.high - found.mean
    return half if np.isfinite(half) else 0.0


def _by_activation(
    table: pd.DataFrame, said: str, draw: Callable[[Axes, str], None], columns: int = 3, *, sharey: bool = True
) -> Figure:
    activations = list(dict.fromkeys(table.activation))
    figure, axes = panels(len(activations), 3, 3.6, sharey=sharey)
    for axis, activation in zip(axes, activations, strict=True):
        draw(axis, activation)
        sizes = _sizes(table, activation)
        axis.set(title=NAMES.get(activation, activation), xlabel="training images P", xscale="log")
        axis.set_xticks(sizes, labels=[str(samples) for samples in sizes])
        axis.set_xticks([], minor=True)
    axes[0].set_ylabel(said)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=columns)
    return figure


def _curve(
    axis: Axes,
    table: pd.DataFrame,
    learner: str,
    activation: str,
    name: str,
    style: dict[str, Any],
    *,
    marked: bool = True,
) -> None:
    """Means over tasks; `marked` in white where a run is not converged."""
    sizes = _sizes(table, activation)
    rows = [by_task(table, learner, activation, samples) for samples in sizes]
    found = [over_tasks(each[name]) for each in rows]
    aside = 1.015 ** (LEARNERS.index(learner) - len(LEARNERS) // 2)
    _points(axis, sizes, found, [each.error for each in found], {"label": learner, **style}, aside)
    if marked and learner == NETWORK:
        doubtful = [not each.converged.astype(bool).all() for each in rows]
        places = np.array(sizes)[doubtful] * aside
        shown = np.array([each.mean for each in found])[doubtful]
        axis.plot(places, shown, "o", color=style["color"], markerfacecolor="white", markersize=5, zorder=5)


def _points(
    axis: Axes,
    places: Sequence[int],
    found: Sequence[OverTasks],
    errors: Sequence[float],
    style: dict[str, Any],
    aside: float,
) -> None:
    means = [each.mean for each in found]
    options = {"markersize": 5, "capsize": 0, **style}
    axis.errorbar([place * aside for place in places], means, np.nan_to_num(errors), **options)


def shown(table: pd.DataFrame) -> list[list[str]]:
    """A learner in a setting a row, means over tasks.

    Args:
        table: the numbers of the study.
    """
    heads = ["P", "activation", "learner", "error", "error of chains", "binomial", "R²", "bias²", "variance",
             "log score", "coverage of 90 %", "runs not converged"]  # fmt: skip
    rows = [heads]
    for (samples, activation, learner), group in table.groupby(["samples", "activation", "learner"], sort=False):
        error = over_tasks(group.error.tolist())
        means = [group[name].mean() for name in ("r2", "bias", "variance", "log_score", "coverage")]
        doubtful = (~group.converged.astype(bool)).sum()
        rows.append(
            [
                str(samples),
                activation,
                learner,
                numbers.with_error(error.mean, error.error),
                numbers.number(_root_mean_square(group.error_mcse.tolist()), 2),
                numbers.number(_root_mean_square(group.error_se.tolist()), 2),
                *(numbers.number(each) for each in means),
                f"{doubtful} of {len(group)}" if learner == NETWORK else "–",
            ]
        )
    return rows


def _root_mean_square(errors: Sequence[float]) -> float:
    """Of independent errors of one run each: the error of a run."""
    return float(np.sqrt(np.mean(np.square(errors))))
