"""Figures of structural invariant manifolds: the hierarchy, effective widths against tolerance, training paths."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.textpath import TextPath

from codingschemes.errors import InvalidInput
from codingschemes.manifolds import Detection, Hierarchy, Partition, Profile
from codingschemes.reports.style import CODE_COLORS, panels, styled

MOST_NEURONS = 4
_NAMED = 16
#: Of a figure 10 inches wide, in points.
_AXES_WIDTH = 660


@styled()
def hasse(order: Hierarchy, title: str = "") -> Figure:
    """The refinement order: a dot a manifold, a row an effective width (even
    activations: a dimension), a line where one lies in another.

    Dots that symmetry alone does not explain are open. Manifolds are named where a row has 16 or fewer.

    Raises:
        InvalidInput: more than four neurons: nothing could be told apart.
    """
    width = order.nodes[0].width
    if width > MOST_NEURONS:
        raise InvalidInput(f"a hierarchy of width {width} cannot be drawn: give a width of at most {MOST_NEURONS}")
    # Blocks with w = 0 of even activations have dimensions but no neurons of their own: there, rows are dimensions.
    even = order.activation.symmetry == "even"
    heights = np.array([2 * len(node.blocks) + len(node.flat) for node in order.nodes] if even else order.levels, float)
    places = _places(order, heights)
    figure = Figure(figsize=(10, 1.3 + 1.25 * len(np.unique(heights))), layout="constrained")
    axes = figure.subplots()
    lines = [[(places[i], heights[i]), (places[j], heights[j])] for i, j in order.edges]
    many = len(lines) > 60
    axes.add_collection(
        LineCollection(lines, colors="#b5b5b5" if many else "#9a9a9a", linewidths=0.5 if many else 0.9, zorder=1)
    )
    induced = np.array([not (node.zero and order.activation.symmetry == "vanishing") for node in order.nodes])
    for chosen, face in ((induced, CODE_COLORS[0]), (~induced, "white")):
        axes.scatter(places[chosen], heights[chosen], s=36, c=face, edgecolors=CODE_COLORS[0], linewidths=1.2, zorder=2)
    left, right = -0.02, 1.02
    for height in np.unique(heights):
        row = np.flatnonzero(heights == height)
        if len(row) <= _NAMED:
            room = 0.95 * _AXES_WIDTH / (right - left) / len(row)
            blocks = [block for index in row for block in _blocks(order.nodes[index])]
            size = min(8.5 if len(row) <= 7 else 7.5, room / max(_extent(f"| {block}", 1.0) for block in blocks))
            last = bool(height == heights.min())  # no lines go on below it
            for index in row:
                _name(axes, places[index], height, order.nodes[index], size, room, below=last)
    axes.set_xlim(left, right)
    axes.set_ylim(heights.min() - 0.45, heights.max() + 0.45)
    axes.set_xticks([])
    axes.set_yticks(np.unique(heights))
    axes.set_ylabel("dimension for one input and one output" if even else "effective width")
    axes.spines["bottom"].set_visible(False)
    axes.set_title(title)
    if (~induced).any():
        axes.text(1, 1.01, "open: with a zero block that no symmetry induces", transform=axes.transAxes, ha="right")
    return figure


def _places(order: Hierarchy, heights: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Horizontal places: every row spread evenly, in the order of the mean place of the manifolds above."""
    places = np.zeros(len(order.nodes))
    above: dict[int, list[int]] = {}
    for big, small in order.edges:
        above.setdefault(small, []).append(big)
    for height in np.unique(heights)[::-1]:
        row = np.flatnonzero(heights == height)
        wanted = [float(np.mean(places[above[int(index)]])) if int(index) in above else 0.5 for index in row]
        ranked = row[np.argsort(wanted, kind="stable")]
        places[ranked] = (np.arange(len(row)) + 0.5) / len(row)
    return places


def _blocks(node: Partition) -> list[str]:
    return str(node).replace("-", "−").split(" | ")


def _extent(text: str, size: float) -> float:
    """Its width in points."""
    return float(TextPath((0, 0), text, size=size).get_extents().width)


def _name(axes: Axes, place: float, height: float, node: Partition, size: float, room: float, *, below: bool) -> None:
    """A name beside its dot, on as many lines as keep it `room` points wide."""
    lines: list[str] = []
    for block in _blocks(node):
        longer = f"{lines[-1]} | {block}" if lines else block
        if not lines or _extent(longer, size) <= room:
            lines[-1:] = [longer]
        else:
            lines.append(f"| {block}")
    axes.annotate(
        "\n".join(lines),
        (place, height),
        xytext=(0, -8 if below else 7),
        textcoords="offset points",
        ha="center",
        va="top" if below else "bottom",
        fontsize=size,
        linespacing=1.05,
        color="#222222",
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.4, "alpha": 0.85},
        zorder=3,
    )


@styled()
def widths_against_tolerance(
    found: Profile, title: str = "", beside: Mapping[str, Mapping[str, Float[np.ndarray, " T"]]] | None = None
) -> Figure:
    """Effective width against tolerance at every level, posterior draws beside prior draws.

    Args:
        beside: other networks, name -> level -> widths.
    """
    figure, axes = panels(len(found.drawn), columns=4, height=3.2, sharey=True)
    for axis, name in zip(axes, found.drawn, strict=True):
        axis.plot(found.tolerances, found.drawn[name], color=CODE_COLORS[0], label="posterior")
        axis.plot(found.tolerances, found.reference[name], color="#777777", linestyle="--", label="prior")
        for color, (other, widths) in zip(CODE_COLORS[1:], (beside or {}).items(), strict=False):
            axis.plot(found.tolerances, widths[name], color=color, label=other)
        axis.set(xscale="log", xlabel="relative tolerance", title=name)
    axes[0].set_ylabel("effective width")
    axes[-1].legend(loc="center left")
    if title:
        figure.suptitle(title)
    return figure


@styled()
def single_network(found: Detection, reference: Detection | None = None) -> Figure:
    """Strict width and width by direction against tolerance, and the distance to manifolds of every width."""
    figure, (left, right) = panels(2, columns=2, height=3.6)
    left.plot(found.tolerances, found.strict, color=CODE_COLORS[0], label="strict, (a, w)")
    left.plot(found.tolerances, found.direction, color=CODE_COLORS[1], label="direction of w")
    right.plot(found.widths, found.distances, color=CODE_COLORS[0], label="these weights")
    if reference is not None:
        left.plot(found.tolerances, reference.strict, "--", color=CODE_COLORS[0], alpha=0.5, label="strict, Gaussian")
        left.plot(
            found.tolerances, reference.direction, "--", color=CODE_COLORS[1], alpha=0.5, label="direction, Gaussian"
        )
        right.plot(reference.widths, reference.distances, "--", color="#777777", label="Gaussian weights")
    left.set(xscale="log", xlabel="relative tolerance", ylabel="effective width")
    right.set(xlabel="effective width", ylabel="relative distance to a manifold", ylim=(0, None))
    left.legend(loc="upper right")
    right.legend(loc="upper right")
    return figure


@styled()
def training(
    steps: Float[np.ndarray, " S"],
    losses: Mapping[str, Float[np.ndarray, " S"]],
    passed: Mapping[str, Sequence[Detection]],
    at: float,
) -> Figure:
    """Loss and effective widths along training.

    Args:
        steps: of the snapshots; the first, 0, is left out.
        losses: name of a series -> loss at each snapshot.
        passed: name of a series -> what was detected at each.
        at: the tolerance of the widths.
    """
    figure, (left, right) = panels(2, columns=2, height=4.0)
    for color, (name, series) in zip(CODE_COLORS, passed.items(), strict=False):
        index = int(np.argmin(np.abs(series[0].tolerances - at)))
        left.plot(steps[1:], losses[name][1:], color=color)
        right.plot(steps[1:], [each.strict[index] for each in series][1:], color=color, label=f"{name}, strict")
        right.plot(
            steps[1:], [each.direction[index] for each in series][1:], "--", color=color, label=f"{name}, direction"
        )
    left.set(xscale="log", yscale="log", xlabel="step", ylabel="loss")
    right.set(xscale="log", xlabel="step", ylabel=f"effective width at tolerance {at:g}", ylim=(0, None))
    figure.legend(loc="outside lower center", ncols=len(passed))
    return figure
