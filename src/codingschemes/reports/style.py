"""What all figures share: the style file, colours of codes and chains, class boundaries, panels."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib.style
import numpy as np
from jaxtyping import Float, Int
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.collections import Collection
from matplotlib.colors import AsinhNorm, Normalize, PowerNorm, to_hex, to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text
from matplotlib.ticker import LogLocator, NullFormatter

from codingschemes.coding.layers import Portrait
from codingschemes.coding.summary import Summary
from codingschemes.populations import Description, Population
from codingschemes.tasks import Task

type Described = Summary | Description
"""What figures of neurons are drawn from: a run, or any population."""
type Labelled = Task | Population
"""Samples with classes."""

CODE_COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
"""Okabe & Ito's colours, for the most frequent codes."""
OTHER_CODE, NO_CODE, OUTLIER = "#777777", "#B8B8B8", "#000000"
CHAIN_MARKERS = "osD^vPX*"
SEQUENTIAL, DIVERGING = "viridis", "PuOr_r"
POWER = 0.4
_LETTERS = 80
"""Of tick labels, side by side along the width of a figure without its margins."""
ON_IMAGE = "on image"
"""Marks artists that are read against the colours of an image, not against the page."""
PAPER, INK = np.array([0x12, 0x17, 0x1E]) / 255, np.array([0xE8, 0xEB, 0xEF]) / 255
"""Of the dark page."""
_LIFT = 0.7
"""Light greys on white are told apart more easily than dark ones on black: below 1, they move up."""


@contextmanager
def styled() -> Iterator[None]:
    """Draw with the style file of this package; leaves matplotlib's settings as they were. Also a decorator."""
    with matplotlib.style.context("codingschemes.reports.codingschemes"):
        yield


def darken(figure: Figure) -> None:
    """Redraw a figure, in place, for a dark page: greys from black to white become those from `INK` to `PAPER`, and
    colours too dark to be seen become lighter. Colour maps, and what is marked `ON_IMAGE`, stay as they are."""
    for artist in figure.findobj(lambda each: each.get_gid() != ON_IMAGE):
        if isinstance(artist, Text):
            artist.set_color(_dark(artist.get_color()))
        elif isinstance(artist, Line2D):
            colors = artist.get_color(), artist.get_markerfacecolor(), artist.get_markeredgecolor()
            line, face, edge = map(_dark, colors)
            artist.set(color=line, markerfacecolor=face, markeredgecolor=edge)
        elif isinstance(artist, Patch):
            face, edge = _dark(artist.get_facecolor()), _dark(artist.get_edgecolor())
            artist.set(facecolor=face, edgecolor=edge)
        elif isinstance(artist, Collection) and artist.get_array() is None:
            faces, edges = artist.get_facecolor(), artist.get_edgecolor()
            artist.set(facecolor=[_dark(each) for each in faces], edgecolor=[_dark(each) for each in edges])


def _dark(color: Any) -> Any:
    """The colour on the dark page; none where there is none."""
    *channels, alpha = to_rgba(color)
    if alpha == 0:
        return "none"
    rgb = np.array(channels)
    if np.ptp(rgb) < 0.06:
        rgb = PAPER + (1 - rgb.mean()) ** _LIFT * (INK - PAPER)
    else:
        luminance = float(rgb @ (0.2126, 0.7152, 0.0722))
        rgb += max(0.0, (0.45 - luminance) / (1 - luminance)) * (1 - rgb)
    return (*rgb.tolist(), alpha)


def plain(text: str, longest: int = 18) -> str:
    """A name as it stands: no mathematics between dollar signs, cut where it is very long."""
    return (text if len(text) <= longest else text[: longest - 1] + "…").replace("$", r"\$")


def class_label(name: str) -> str:
    """A class name that reads as one on an axis."""
    return plain(name, 12) if "class" in name.lower() else f"class {plain(name, 12)}"


def in_percent(value: float, _position: Any = None) -> str:
    """A tick label."""
    return f"{100 * value:.3g}%".replace("-", "−")


def plain_numbers(axis: Axis) -> None:
    """Say 0.5, 1, 2 rather than powers of ten on a logarithmic axis."""
    low, high = sorted(axis.get_view_interval())
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 150 * low else (1,), numticks=20))
    axis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_minor_formatter(NullFormatter())


def panels(count: int, columns: int, height: float, width: float = 10.0, **options: Any) -> tuple[Figure, list[Axes]]:
    """A figure with `count` panels in rows of `columns`; the last row may be shorter.

    Args:
        height: of one row, in inches.
    """
    columns = min(columns, count)
    rows = -(-count // columns)
    figure = Figure(figsize=(width, rows * height), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, **options)
    for axes in grid.flat[count:]:
        axes.remove()
    return figure, list(grid.flat[:count])


def code_colors(summary: Described) -> dict[str, str]:
    """A colour for every code of any layer, the last layer's first; the rarer ones share a grey."""
    layers = summary.layers[::-1]
    named = dict.fromkeys(share.code for layer in layers for share in layer.codes)
    worn = dict.fromkeys(code for layer in layers for portrait in layer.portraits for code in portrait.codes)
    colors = dict.fromkeys([*named, *worn], OTHER_CODE)
    return colors | dict(zip(named, CODE_COLORS, strict=False)) | {"": NO_CODE}


def chain_colors(count: int) -> list[str]:
    """Colours of chains: they differ in lightness, so that they are told apart without hue."""
    return [to_hex(color) for color in colormaps["plasma"](np.linspace(0, 0.88, max(count, 2))[:count])]


def chain_style(chain: int, count: int) -> dict[str, Any]:
    """Colour and marker of one of `count` chains."""
    return {"color": chain_colors(count)[chain], "marker": CHAIN_MARKERS[chain % len(CHAIN_MARKERS)]}


def neuron_groups(portrait: Portrait) -> list[str]:
    """What each neuron is: `outlier`, its code, or the empty string."""
    outliers = set(portrait.outliers.tolist())
    return ["outlier" if neuron in outliers else code for neuron, code in enumerate(portrait.codes)]


def sample_order(task: Labelled) -> Int[np.ndarray, " P"]:
    """Samples sorted by class."""
    return np.argsort(task.labels, kind="stable")


def mark_classes(axes: Axes, task: Labelled, along: str = "x", color: str = "white") -> None:
    """Lines between classes of samples sorted by class, and their names in place of ticks."""
    sizes = np.bincount(task.labels, minlength=task.class_count)
    edges = np.concatenate([[0], np.cumsum(sizes)]) - 0.5
    names = [plain(name) for name in task.class_names]
    place = axes.get_subplotspec()
    room = _LETTERS / (1 if place is None else place.get_gridspec().ncols) * sizes / sizes.sum()
    crowded = any(len(name) >= space for name, space in zip(names, room, strict=True))
    options: dict[str, Any] = {"rotation": 90 if crowded and along == "x" else 0}
    axis = axes.xaxis if along == "x" else axes.yaxis
    axis.set_ticks((edges[1:] + edges[:-1]) / 2, names, **options)
    axis.set_tick_params(length=0)
    line: Callable[..., Any] = axes.axvline if along == "x" else axes.axhline
    for edge in edges[1:-1]:
        line(edge, color=color, linewidth=1.2 if len(names) <= 5 else 0.7, gid=ON_IMAGE)


def activity_scale(portraits: Sequence[Portrait]) -> tuple[Normalize, str, str]:
    """Norm, colour map and a remark for the colour bar: one scale for all portraits that shows the bulk of neurons.

    Signed activities get a diverging map; where the largest activities dwarf most others the scale is compressed.
    """
    values = np.concatenate([portrait.activity.ravel() for portrait in portraits])
    largest = float(np.abs(values).max()) or 1.0
    typical = float(np.quantile(np.abs(values), 0.95))
    outlying = largest > 4 * typical
    if values.min() < -0.02 * largest:
        if outlying:
            return AsinhNorm(max(typical, 1e-6 * largest), vmin=-largest, vmax=largest), DIVERGING, ", asinh scale"
        return Normalize(-largest, largest), DIVERGING, ""
    if outlying:
        return PowerNorm(POWER, vmin=0, vmax=largest), SEQUENTIAL, f", power scale (exponent {POWER})"
    return Normalize(0, largest), SEQUENTIAL, ""


def readable_on(color: Sequence[float]) -> str:
    """Black or white, whichever is read more easily on a colour."""
    red, green, blue = color[:3]
    return "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.55 else "white"


def spread_out(positions: Float[np.ndarray, " K"], gap: float, low: float, high: float) -> Float[np.ndarray, " K"]:
    """Ascending positions moved as little as needed to lie `gap` apart between `low` and `high`."""
    moved = np.maximum(positions, low)
    for index in range(1, len(moved)):
        moved[index] = max(moved[index], moved[index - 1] + gap)
    moved = np.minimum(moved, high)
    for index in range(len(moved) - 2, -1, -1):
        moved[index] = min(moved[index], moved[index + 1] - gap)
    return moved
