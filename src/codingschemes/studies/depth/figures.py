"""Layers side by side: collapse, drift, likeness of draws, and kernels beside theory."""

import operator
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from codingschemes.reports import numbers
from codingschemes.reports.style import CODE_COLORS, panels, styled
from codingschemes.studies.layer_figures import DISTANCES, KernelPair, kernels_beside_theory, line
from codingschemes.studies.study import NAMES, Drawing, over_tasks

_MEASURES = {
    "within": "variance within classes",
    "nc1": "NC1",
    "drift": "correlation after a\nlocal trajectory",
    "kernel_apart": "kernel, distance\nfrom theory",
}
_DEPTHS: list[dict[str, Any]] = [
    {"color": CODE_COLORS[4], "marker": "o"},
    {"color": CODE_COLORS[0], "marker": "s"},
    {"color": "#000000", "marker": "D"},
]


def figures(table: pd.DataFrame, kernels: dict[tuple[str, int], list[KernelPair]]) -> dict[str, Drawing]:
    """Those that the settings of the table allow.

    Args:
        table: the numbers of the study.
        kernels: of every layer by activation and depth.
    """
    temperature = table[table.depth == table.depth.max()].temperature.iloc[0]
    drawn = {"by_layer": _by_layer(table[table.temperature == temperature])}
    drawn["kernels"] = _kernels(table, kernels, int(table.depth.max()))
    drawn["likeness_of_draws"] = _likeness(table, temperature)
    return drawn


@styled()
def _by_layer(table: pd.DataFrame) -> Drawing:
    activations = list(dict.fromkeys(table.activation))
    count, layers = len(activations), int(table.layer.max())
    figure, axes = panels(len(_MEASURES) * count, count, 2.3, width=4.0 + 2.3 * count, sharey="row")
    for place, (measure, words) in enumerate(_MEASURES.items()):
        for axis, activation in zip(axes[place * count : (place + 1) * count], activations, strict=True):
            for index, (depth, rows) in enumerate(table[table.activation == activation].groupby("depth")):
                aside = 0.06 * (index - 1)
                label = f"{depth} hidden layer{'s' if depth > 1 else ''}"
                style = {**_DEPTHS[index % len(_DEPTHS)], "label": label}
                place_of = partial(operator.add, aside)
                line(axis, rows, "layer", measure, style, place_of)
                if measure == "kernel_apart":
                    doubtful = {**style, "markerfacecolor": "white", "linestyle": "none"}
                    line(axis, rows[rows.certified.eq(False)], "layer", measure, doubtful, place_of)
            axis.set(xticks=range(1, layers + 1), xlim=(0.8, layers + 0.2))
            if measure == "nc1":
                axis.set_yscale("log")
            if place == 0:
                axis.set_title(NAMES.get(activation, activation))
            if place == len(_MEASURES) - 1:
                axis.set_xlabel("layer")
        axes[place * count].set_ylabel(words)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    caption = (
        "From top to bottom: the share of the variance of activity over inputs that lies within classes; scatter "
        "within classes over that between them; how well class means of single neurons are remembered along a local "
        "dynamics; how far the mean kernel is from theory, where theory has one (white: without a certificate). Error "
        "bars are one standard error over chains; points are set apart sideways."
    )
    return Drawing(figure, "Layer by layer", caption)


def _kernels(table: pd.DataFrame, kernels: dict[tuple[str, int], list[KernelPair]], depth: int) -> Drawing:
    rows = {}
    for (activation, layers), pairs in kernels.items():
        if layers == depth:
            own = table[(table.activation == activation) & (table.depth == depth)]
            doubt = "\n(no certificate)" if own.certified.eq(False).any() else ""
            rows[f"{NAMES.get(activation, activation)}{doubt}"] = pairs
    figure = kernels_beside_theory(rows)
    caption = (
        f"Kernels of {depth} hidden layers, inputs sorted by class: posterior means beside theory; one scale for both "
        "of a layer. Of ReLU networks of several layers no theory has kernels that learn; without a certificate theory "
        "was not solved."
    )
    return Drawing(figure, "Kernels beside theory", caption)


@styled()
def _likeness(table: pd.DataFrame, temperature: float) -> Drawing:
    activations = list(dict.fromkeys(table.activation))
    count, depth = len(activations), table.depth.max()
    figure, axes = panels(2 * count, count, 2.9, width=4.0 + 2.3 * count, sharey=True)
    for index, activation in enumerate(activations):
        rows = table[table.activation == activation]
        above, below = axes[index], axes[count + index]
        for name, style in DISTANCES.items():
            single = rows[rows.depth == 1]
            line(above, single, "temperature", name, style)
            deep = rows[(rows.depth == depth) & (rows.temperature == temperature)]
            line(below, deep, "layer", name, style)
        above.set(xscale="log", xlabel="temperature T (one layer)", title=NAMES.get(activation, activation))
        below.set(xlabel=f"layer of {depth}", xticks=range(1, depth + 1), ylim=(0, None))
    for axis in axes[::count]:
        axis.set_ylabel("angle (radians)")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    caption = (
        "Angle between activities of networks of different chains, each neuron's mean taken off: 0 for the same up to "
        "a permutation, or up to a rotation. Where codes are shared by many neurons a permutation does what a rotation "
        "does; where neurons are graded it does not. Error bars are one standard error over pairs of networks."
    )
    return Drawing(figure, "Likeness of draws", caption)


def shown(table: pd.DataFrame) -> list[list[str]]:
    """A layer of a setting a row, means over chains.

    Args:
        table: the numbers of the study.
    """
    heads = ["activation", "hidden layers", "T", "layer", "scheme", "codes", "effective neurons"]
    measures = {
        "within": "within classes",
        "nc1": "NC1",
        "drift": "correlation (drift)",
        "permutation": "by permutation",
        "rotation": "by rotation",
        "kernel_apart": "kernel, from theory",
    }
    rows = [[*heads, *measures.values()]]
    for (activation, depth, temperature, layer), group in table.groupby(
        ["activation", "depth", "temperature", "layer"], sort=False
    ):
        found = {name: over_tasks(group[name].dropna()) for name in measures}
        cells = ["–" if np.isnan(each.mean) else numbers.with_error(each.mean, each.error) for each in found.values()]
        if group.certified.eq(False).any():
            cells[-1] += " (no certificate)"
        first = group.iloc[0]
        said = [first.scheme, first.codes, f"{first.effective:.0f}"]
        rows.append([activation, str(depth), f"{temperature:g}", str(layer), *said, *cells])
    return rows
