"""Scores against penalty and alignment: minima as curves, sampled networks as points."""

import itertools
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from codingschemes.reports import numbers
from codingschemes.reports.style import CODE_COLORS, panels, plain_numbers, styled
from codingschemes.studies.abstraction.geometries import CONDITIONS, GEOMETRIES
from codingschemes.studies.study import Drawing, OverTasks, over_tasks

_SCORES = {
    "parallelism": "parallelism",
    "ccgp": "CCGP",
    "shattering": "shattering dimensionality",
    "decoding": "decoding of latents",
}
_LIMITS = {"parallelism": (-1.1, 1.1), "ccgp": (-0.05, 1.05), "shattering": (0.45, 1.03), "decoding": (0.45, 1.03)}
_NAMES = {"relu": "ReLU"}
_STYLES: dict[str, dict[str, Any]] = {
    geometry: {"color": color, "marker": marker}
    for geometry, color, marker in zip(GEOMETRIES, CODE_COLORS, "osD^vP", strict=False)
}
_STYLES[CONDITIONS]["linestyle"] = "--"  # has the scores of labels with their XOR
_ALONG = {"labels": {"linestyle": "-"}, "xor": {"linestyle": "--", "markerfacecolor": "white"}}


def figures(table: pd.DataFrame) -> dict[str, Drawing]:
    """Those that the settings of the table allow.

    Args:
        table: the numbers of the study.
    """
    drawn = {"against_penalty": _against_penalty(table[table.alignment == 0])}
    if np.any(table.alignment > 0):
        drawn["against_alignment"] = _against_alignment(table)
    return drawn


@styled()
def _against_penalty(table: pd.DataFrame) -> Drawing:
    activations = list(dict.fromkeys(table.activation))
    figure, axes = panels(len(_SCORES) * len(activations), len(_SCORES), 2.6, width=11.0, sharex=True)
    geometries = [geometry for geometry in GEOMETRIES if geometry in set(table.geometry)]
    for axis, (activation, score) in zip(axes, itertools.product(activations, _SCORES), strict=True):
        for index, geometry in enumerate(geometries):
            rows = table[(table.activation == activation) & (table.geometry == geometry)]
            aside = 1.03 ** (index - (len(geometries) - 1) / 2)
            _draw(axis, rows, "penalty", score, {**_STYLES[geometry], "label": geometry}, lambda x, by=aside: x * by)
        axis.set_xscale("log")
        plain_numbers(axis.xaxis)
        _dress(axis, activation, score, activations)
        if activation == activations[-1]:
            axis.set_xlabel("penalty λ")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=len(geometries))
    caption = (
        "Curves are global minima, closed forms or solved; points are networks sampled near them, error bars one "
        "standard error over chains, of images over draws of the images; they are set apart sideways. Where a curve "
        "is missing the score does not exist: of a label by context the minimum is the same in several conditions, and "
        "networks that are penalised too much represent nothing."
    )
    return Drawing(figure, "Abstraction against the penalty", caption)


@styled()
def _against_alignment(table: pd.DataFrame) -> Drawing:
    aligned = table[table.alignment > 0]
    activations = list(dict.fromkeys(aligned.activation))
    figure, axes = panels(len(_SCORES) * len(activations), len(_SCORES), 2.6, width=11.0, sharex=True)
    families = list(dict.fromkeys(zip(aligned.geometry, aligned.along, strict=True)))
    for axis, (activation, score) in zip(axes, itertools.product(activations, _SCORES), strict=True):
        for index, (geometry, along) in enumerate(families):
            family = table[(table.activation == activation) & (table.geometry == geometry)]
            penalty = aligned.penalty.iloc[0]
            rows = family[(family.penalty == penalty) & ((family.along == along) | (family.alignment == 0))]
            style = {**_STYLES[geometry], **_ALONG[along]}
            direction = {"labels": "the labels", "xor": "their XOR"}[along]
            aside = 0.05 * (index - (len(families) - 1) / 2)
            label = f"{geometry}, inputs along {direction}"
            _draw(axis, rows, "alignment", score, {**style, "label": label}, lambda x, by=aside: x + by)
            inputs = _over(rows[rows.source == "inputs"], "alignment", score)
            axis.plot(
                list(inputs), [each.mean for each in inputs.values()], color=style["color"], linestyle=":", linewidth=1
            )
        _dress(axis, activation, score, activations)
        if activation == activations[-1]:
            axis.set_xlabel("alignment g of the inputs")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=len(families))
    caption = (
        "Inputs have the Gram matrix X Xᵀ + g V Vᵀ, V the labels or their XOR, at λ = "
        f"{aligned.penalty.iloc[0]:g}. Curves are global minima, points sampled networks with one standard error, "
        "dotted lines the inputs themselves."
    )
    return Drawing(figure, "Abstraction against the alignment of inputs", caption)


def _draw(axis: Axes, rows: pd.DataFrame, along: str, score: str, style: dict[str, Any], aside: Any) -> None:
    solved = _over(rows[rows.source == "solved"], along, score)
    line = {"color": style["color"], "linestyle": style.get("linestyle", "-"), "linewidth": 1.5}
    axis.plot(list(solved), [each.mean for each in solved.values()], **line)
    found = _over(rows[rows.source == "sampled"], along, score)
    axis.errorbar(
        [aside(x) for x in found],
        [each.mean for each in found.values()],
        np.nan_to_num([each.error for each in found.values()]),
        **{"markersize": 5, "capsize": 0, **style, "linestyle": "none"},
    )


def _dress(axis: Axes, activation: str, score: str, activations: list[str]) -> None:
    axis.set_ylim(*_LIMITS[score])
    if activation == activations[0]:
        axis.set_title(_SCORES[score])
    if score == next(iter(_SCORES)):
        axis.set_ylabel(_NAMES.get(activation, activation))


def _over(rows: pd.DataFrame, along: str, score: str) -> dict[float, OverTasks]:
    """Means by place: over draws of the images, where there are several, else over chains."""
    found = {}
    for place, group in rows.groupby(along):
        tasks = group.groupby("task")[score].mean()
        found[float(place)] = over_tasks(tasks if len(tasks) > 1 else group[score])
    return found


def shown(table: pd.DataFrame) -> list[list[str]]:
    """Sampled networks beside the minimum, a setting a row.

    Args:
        table: the numbers of the study.
    """
    names = [*_SCORES, "kernel_apart", "excess"]
    heads = ["what is learned", "activation", "λ", "aligned with", "g"]
    rows = [
        [*heads, *(f"{words}: minimum, sampled" for words in _SCORES.values()), "kernel, off by", "energy, above by"]
    ]
    for setting, group in table.groupby(["geometry", "activation", "penalty", "along", "alignment"], sort=False):
        sampled, solved = (group[group.source == each] for each in ("sampled", "solved"))
        if sampled.empty:
            continue
        geometry, activation, penalty, along, alignment = setting
        by = {name: _over(sampled, "penalty", name)[penalty] for name in names}
        cells = [
            f"{numbers.number(solved[name].mean())}, {numbers.with_error(by[name].mean, by[name].error)}"
            for name in _SCORES
        ]
        rows.append(
            [
                geometry,
                activation,
                f"{penalty:g}",
                along if alignment else "–",
                f"{alignment:g}",
                *cells,
                numbers.percent(by["kernel_apart"].mean),
                numbers.percent(by["excess"].mean),
            ]
        )
    return rows
