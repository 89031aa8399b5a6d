"""The map of coding schemes: where the draws of a run are, and where a theory expects them."""

from typing import Any

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from codingschemes.comparison.drawn import drawn_scheme
from codingschemes.reports.style import Described, chain_style, plain, styled
from codingschemes.reports.theory import PREDICTED, predicted_handle
from codingschemes.theory import Prediction

CORNERS = {"analog": (-1.0, 0.0), "redundant": (1.0, 0.0), "sparse": (0.0, 1.0)}
"""Where `SchemeEvidence.place` puts each scheme."""
_DRAW: dict[str, Any] = {"linestyle": "", "markersize": 5, "alpha": 0.8, "zorder": 3}
_MEAN: dict[str, Any] = {"marker": "+", "markersize": 18, "markeredgewidth": 1.2}
_SPREAD = 3.0
_THEORY: dict[str, Any] = {
    "marker": "D",
    "markersize": 12,
    "markerfacecolor": "none",
    "markeredgewidth": 1.8,
    "zorder": 4,
}
_NEUTRAL = "#666666"
_LONGEST_LEGEND = 15


@styled()
def scheme_map(summary: Described, prediction: Prediction | None = None) -> Figure:
    """Every draw looked at by its `SchemeEvidence.place`, one marker a chain, and the mean with the standard deviation
    over draws, for all layers; over them the mean of networks drawn from a theory of the last layer.

    Layers differ in colour; where there is one, chains do.
    """
    figure = Figure(figsize=(10, 4.6), layout="constrained")
    axes = figure.subplots()
    draw_corners(axes)
    count, chains = len(summary.layers), len(summary.portraits)
    several = summary.scheme.places[..., 0].size > 1  # a described population is one
    styles = [_DRAW | chain_style(chain, chains) for chain in range(chains)]
    colors = [_NEUTRAL] if count == 1 else _layer_colors(count)
    for layer, color in zip(summary.layers, colors, strict=True):
        places = layer.scheme.places
        (x, y), (x_spread, y_spread) = places.mean(axis=(0, 1)), places.std(axis=(0, 1))
        if several:
            axes.errorbar(x, y, xerr=x_spread, yerr=y_spread, color=color, elinewidth=_SPREAD, **_MEAN)
        for own, style in zip(places, styles, strict=True):
            axes.plot(*own.T, **style | ({} if count == 1 else {"color": color}))
    handles = [
        Line2D([], [], color=color, linewidth=5, label=f"{summary.layer_name} {index}")
        for index, color in enumerate(colors if count > 1 else [], 1)
    ]
    for chain, style in enumerate(styles):
        shade = {} if count == 1 else {"color": _NEUTRAL}
        label = plain(summary.portrait_names[chain])
        handles.append(Line2D([], [], **style | shade, label=f"draws of {label}" if several else label))
    if several:
        label = "mean over draws,\n± standard deviation"
        handles.append(Line2D([], [], color=_NEUTRAL, linewidth=_SPREAD, label=label, **_MEAN))
    if prediction is not None and (predicted := drawn_scheme(prediction)) is not None:
        axes.plot(*predicted.evidence.place, color=PREDICTED, **_THEORY)
        handle = predicted_handle(prediction, dashed=False)
        handle.set(linestyle="", **_THEORY)
        handles.append(handle)
    figure.legend(handles=handles, loc="outside right upper", ncols=1 + (len(handles) - 1) // _LONGEST_LEGEND)
    return figure


def draw_corners(axes: Axes) -> None:
    """The triangle in which populations are, with the schemes at its corners."""
    axes.plot([-1, 1, 0, -1], [0, 0, 1, 0], color="#B8B8B8", linewidth=1, zorder=0)
    for name, corner in CORNERS.items():
        above = corner == CORNERS["sparse"]
        axes.annotate(
            name, corner, (0, 14 if above else -14), textcoords="offset points", ha="center",
            va="bottom" if above else "top", fontweight="bold",
        )  # fmt: skip
    axes.set(xlabel="binary less graded", ylabel="concentrated", xlim=(-1.25, 1.25), ylim=(-0.2, 1.2))


def _layer_colors(count: int) -> list[str]:
    """In the order of layers, from dark to light."""
    return [to_hex(colormaps["viridis"](0.85 * index / (count - 1))) for index in range(count)]
