"""The map of coding schemes: where the draws of a run are, and where a theory expects them."""

from typing import Any

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from codingschemes.coding.summary import Summary
from codingschemes.comparison.drawn import drawn_scheme
from codingschemes.reports.style import CHAIN_MARKERS, chain_colors, styled
from codingschemes.reports.theory import PREDICTED, predicted_handle
from codingschemes.theory import Prediction

CORNERS = {"analog": (-1.0, 0.0), "redundant": (1.0, 0.0), "sparse": (0.0, 1.0)}
"""Where `Evidence.place` puts each scheme."""
_MEAN: dict[str, Any] = {"marker": "o", "markersize": 9, "markeredgecolor": "#222222", "zorder": 4}
_THEORY: dict[str, Any] = {"marker": "D", "markersize": 11, "markerfacecolor": "none", "markeredgewidth": 1.8}


@styled()
def scheme_map(summary: Summary, prediction: Prediction | None = None) -> Figure:
    """Every draw looked at by its `Evidence.place`, one marker a chain, and the mean with the standard deviation over
    draws, for all layers; over them the mean of networks drawn from a theory of the last layer.

    Layers differ in colour; where there is one, chains do.
    """
    figure = Figure(figsize=(10, 4.6), layout="constrained")
    axes = figure.subplots()
    draw_corners(axes)
    deep = len(summary.layers) > 1
    layer_colors = _layer_colors(len(summary.layers)) if deep else ["#222222"]
    chains = len(summary.portraits)
    shades = chain_colors(chains)
    for layer, color in zip(summary.layers, layer_colors, strict=True):
        places = layer.scheme.places
        for chain, own in enumerate(places):
            dots = {"color": color if deep else shades[chain], "marker": CHAIN_MARKERS[chain % len(CHAIN_MARKERS)]}
            axes.plot(*own.T, **dots, linestyle="", markersize=4.5, alpha=0.6, zorder=3)
        mean, spread = places.mean(axis=(0, 1)), places.std(axis=(0, 1))
        axes.errorbar(*mean, xerr=spread[0], yerr=spread[1], color=color, elinewidth=1.2, **_MEAN)
    handles = [
        Line2D([], [], color=color, label=f"{summary.layer_name} {index}", **_MEAN | {"linestyle": ""})
        for index, color in enumerate(layer_colors, 1)
        if deep
    ]
    handles += [
        Line2D([], [], color="#777777" if deep else shades[chain], label=f"chain {chain}, a draw each", linestyle="",
               marker=CHAIN_MARKERS[chain % len(CHAIN_MARKERS)], markersize=4.5)
        for chain in range(chains)
    ]  # fmt: skip
    spread_label = "mean ± standard deviation\nover draws"
    handles.append(Line2D([], [], color="#777777" if deep else "#222222", label=spread_label, **_MEAN))
    if prediction is not None and (predicted := drawn_scheme(prediction)) is not None:
        axes.plot(*predicted.evidence.place, color=PREDICTED, zorder=5, **_THEORY)
        handle = predicted_handle(prediction, dashed=False)
        handle.set(linestyle="", **_THEORY)
        handles.append(handle)
    figure.legend(handles=handles, loc="outside right upper", ncols=1 + len(handles) // 15)
    return figure


def draw_corners(axes: Axes) -> None:
    """The triangle in which populations are, with the schemes at its corners."""
    axes.plot([-1, 1, 0, -1], [0, 0, 1, 0], color="#B8B8B8", linewidth=1, zorder=0)
    for name, corner in CORNERS.items():
        above = corner == CORNERS["sparse"]
        axes.annotate(
            name, corner, (0, 8 if above else -8), textcoords="offset points", ha="center",
            va="bottom" if above else "top", fontweight="bold",
        )  # fmt: skip
    axes.set(xlabel="binary less graded", ylabel="concentrated", xlim=(-1.25, 1.25), ylim=(-0.15, 1.15))


def _layer_colors(count: int) -> list[str]:
    """In the order of layers, from dark to light."""
    return [to_hex(colormaps["viridis"](0.85 * index / (count - 1))) for index in range(count)]
