"""Collapse, kernels and the likeness of draws along temperature, layer by layer."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from codingschemes.reports import numbers
from codingschemes.reports.style import CODE_COLORS, panels, styled
from codingschemes.studies.layer_figures import DISTANCES, KernelPair, kernels_beside_theory, line
from codingschemes.studies.study import NAMES, Drawing, over_tasks

_COLLAPSE = {
    "nc1": "NC1",
    "within": "share of variance\nwithin classes",
    "nc2_norms": "NC2, norms",
    "nc2_simplex": "NC2, angles",
    "nc3": "NC3",
}
_KERNELS = {"target": "alignment with\nthe targets", "alike": "with another\nactivation"}
_LAYERS = (CODE_COLORS[4], CODE_COLORS[0], "#00395C", "#000000")
_MARKERS = "osD^"
_LAST: dict[str, dict[str, Any]] = {
    "theory": {"color": CODE_COLORS[5], "marker": "d", "linestyle": ":", "markerfacecolor": "none", "markersize": 9},
    "fitted theory": {
        "color": CODE_COLORS[5],
        "marker": "+",
        "linestyle": ":",
        "markersize": 10,
        "markeredgewidth": 1.6,
    },
    "codes": {"color": CODE_COLORS[2], "marker": "x", "linestyle": "--", "markersize": 7},
}
_WORDS = {"theory": "theory", "fitted theory": "theory, fitted", "codes": "codes alone"}
#: The prior stands beyond the highest temperature by this factor.
_BEYOND = 10.0


def figures(table: pd.DataFrame, kernels: Mapping[Any, Sequence[KernelPair]]) -> dict[str, Drawing]:
    """Those that the settings of the table allow.

    Args:
        table: the numbers of the study.
        kernels: of every layer by inputs, activation and temperature.
    """
    inputs = list(dict.fromkeys(table.inputs))
    drawn = {}
    for place, each in enumerate(inputs):
        rows = table[table.inputs == each]
        drawn["along_temperature" if place == 0 else f"of_{each}"] = _collapse(rows, each)
    drawn["kernels"] = _kernels(table, kernels, inputs[0])
    if table.activation.nunique() > 1:
        drawn["kernels_alike"] = _alike(table, inputs)
    drawn["likeness_of_draws"] = _likeness(table, inputs)
    return drawn


@styled()
def _collapse(table: pd.DataFrame, inputs: str) -> Drawing:
    caption = (
        f"Collapse at {_said(inputs)}, along temperature; T → ∞ is the prior. From top to bottom: scatter within "
        "classes over that between them, in the directions of class means alone; the share of the variance of all "
        "neurons that lies within classes; how much distances of class means from their centre vary, and their angles "
        "from those of a simplex; distance between readouts and class means (last layer). Theory: networks drawn from "
        "its density of single neurons; fitted: whose outputs, besides, are the targets. Codes alone: "
        "every neuron does what the mean neuron of its code does. Error "
        "bars are one standard error over chains."
    )
    return Drawing(_along_temperature(table, _COLLAPSE, ("nc1",)), f"Collapse: {_said(inputs)}", caption)


@styled()
def _alike(table: pd.DataFrame, inputs: Sequence[str]) -> Drawing:
    rows = table[(table.source == "sampled") & (table.inputs == inputs[0])]
    caption = (
        f"Centred alignment of mean kernels at {_said(inputs[0])}: with the kernel of the targets, and with the mean "
        "kernel of another activation, the smallest one. Error bars are one standard error over chains."
    )
    return Drawing(_along_temperature(rows, _KERNELS, ()), "Kernels look alike", caption)


def _along_temperature(table: pd.DataFrame, measures: Mapping[str, str], logarithmic: Sequence[str]) -> Figure:
    """A measure a row, an activation a column; a line a layer, and those of theory and codes."""
    activations = list(dict.fromkeys(table.activation))
    count, layers = len(activations), int(table.layer.max())
    figure, axes = panels(len(measures) * count, count, 1.75, width=3.6 + 2.2 * count, sharey="row", sharex=True)
    for place, (measure, words) in enumerate(measures.items()):
        for axis, activation in zip(axes[place * count : (place + 1) * count], activations, strict=True):
            rows = table[table.activation == activation]
            sampled = rows[rows.source.isin(["sampled", "prior"])]
            for layer, own in sampled.groupby("layer"):
                shade = len(_LAYERS) - 2 - (layers - int(layer)) if layers < len(_LAYERS) else int(layer) - 1
                style = {"color": _LAYERS[shade % len(_LAYERS)], "marker": _MARKERS[int(layer - 1) % len(_MARKERS)]}
                line(axis, own, "temperature", measure, {**style, "label": f"layer {layer}"}, _placed(table))
            for source, style in _LAST.items():
                own = rows[(rows.source == source) & ((source == "codes") | rows.certified.eq(True))]
                if own[measure].notna().any() and (source, measure) != ("codes", "nc1"):
                    label = f"{_WORDS[source]} (layer {layers})" if layers > 1 else _WORDS[source]
                    line(axis, own, "temperature", measure, {**style, "label": label}, _placed(table))
            if measure in logarithmic:
                axis.set_yscale("log")
            if place == 0:
                axis.set_title(NAMES.get(activation, activation))
            _temperatures(axis, table, labelled=place == len(measures) - 1)
        axes[place * count].set_ylabel(words)
    known = {label: handle for axis in axes for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)}
    figure.legend(list(known.values()), list(known), loc="outside upper center", ncols=min(len(known), 5))
    return figure


def _placed(table: pd.DataFrame) -> Any:
    end = table.temperature[np.isfinite(table.temperature)].max() * _BEYOND
    return lambda temperature: temperature if np.isfinite(temperature) else end


def _temperatures(axis: Axes, table: pd.DataFrame, *, labelled: bool) -> None:
    finite = sorted(each for each in set(table.temperature) if np.isfinite(each))
    ticks = finite + [finite[-1] * _BEYOND] * bool(np.isinf(table.temperature).any())
    names = [f"{each:g}" for each in finite] + ["∞"] * (len(ticks) - len(finite))
    axis.set_xscale("log")
    axis.set_xticks(ticks, names)
    axis.minorticks_off()
    if labelled:
        axis.set_xlabel("temperature T")


def _kernels(table: pd.DataFrame, kernels: Mapping[Any, Sequence[KernelPair]], inputs: str) -> Drawing:
    finite = sorted({temperature for of, _, temperature in kernels if of == inputs})
    chosen = finite[len(finite) // 2]
    own = {
        activation: pairs
        for (of, activation, temperature), pairs in kernels.items()
        if (of, temperature) == (inputs, chosen)
    }
    layers = int(table.layer.max())
    caption = (
        f"Kernels of {layers} hidden layer{'s' if layers > 1 else ''} at {_said(inputs)}, T = {chosen:g}, sorted by "
        "class: posterior means beside theory where it has a certificate; one scale for both of a layer. Of ReLU "
        "networks of several layers no theory has kernels that learn."
    )
    return Drawing(kernels_beside_theory(own), "Kernels by layer", caption)


@styled()
def _likeness(table: pd.DataFrame, inputs: Sequence[str]) -> Drawing:
    activations, layers = list(dict.fromkeys(table.activation)), sorted(set(table.layer))
    count = len(activations)
    of_rows = [(each, layer) for each in inputs for layer in layers]
    figure, axes = panels(len(of_rows) * count, count, 1.9, width=3.6 + 2.2 * count, sharey=True)
    for place, (of, layer) in enumerate(of_rows):
        rows = table[(table.inputs == of) & (table.layer == layer) & table.source.isin(["sampled", "prior"])]
        for axis, activation in zip(axes[place * count : (place + 1) * count], activations, strict=True):
            for name, style in DISTANCES.items():
                line(axis, rows[rows.activation == activation], "temperature", name, style, _placed(rows))
            if place == 0:
                axis.set_title(NAMES.get(activation, activation))
            _temperatures(axis, rows, labelled=place == len(of_rows) - 1)
        axes[place * count].set_ylabel(f"{of}\nlayer {layer}" if len(layers) > 1 else of)
    axes[0].set_ylim(0, None)  # last, as it ends scaling: axes are shared
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    caption = (
        "Angle (radians) between activities of networks of different chains, each neuron's mean taken off: 0 for the "
        "same up to a permutation of neurons, or up to a rotation; T → ∞ is the prior. Error bars are one standard "
        "error over pairs of networks."
    )
    return Drawing(figure, "Likeness of draws", caption)


def _said(inputs: str) -> str:
    return "orthogonal inputs in classes of 1/2 : 1/4 : 1/4" if inputs == "orthogonal" else f"images ({inputs})"


def shown(table: pd.DataFrame) -> list[list[str]]:
    """A layer of a setting a row, means over chains.

    Args:
        table: the numbers of the study.
    """
    heads = ["inputs", "activation", "T", "layer", "of", "scheme"]
    measures = {
        "nc1": "NC1",
        "within": "within classes",
        "nc2_norms": "NC2, norms",
        "nc2_simplex": "NC2, angles",
        "nc3": "NC3",
        "target": "kernel, with targets",
        "alike": "kernel, with others",
        "permutation": "by permutation",
        "rotation": "by rotation",
    }
    rows = [[*heads, *measures.values()]]
    keys = ["inputs", "activation", "temperature", "layer", "source"]
    for (inputs, activation, temperature, layer, source), group in table.groupby(keys, sort=False):
        found = {name: over_tasks(group[name].dropna()) for name in measures if name in group}
        cells = ["–" if np.isnan(each.mean) else numbers.with_error(each.mean, each.error) for each in found.values()]
        scheme = group.scheme.iloc[0] if source == "sampled" and layer == table.layer.max() else "–"
        at = f"{temperature:g}" if np.isfinite(temperature) else "∞"
        rows.append([inputs, activation, at, str(layer), source, scheme, *cells])
    return rows
