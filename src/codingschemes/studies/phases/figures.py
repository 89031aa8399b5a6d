"""The map of schemes as colours over temperature and readout variance, and its coordinates along single axes."""

from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from codingschemes.reports import numbers
from codingschemes.reports.style import CODE_COLORS, ON_IMAGE, panels, plain_numbers, readable_on, styled
from codingschemes.studies.phases.claims import COORDINATES, at, same_heat
from codingschemes.studies.study import NAMES, Drawing, over_tasks

_COLORS = dict(zip(COORDINATES, (CODE_COLORS[1], CODE_COLORS[2], CODE_COLORS[0], "#D9D9D9"), strict=True))
_LINES: dict[str, dict[str, Any]] = {
    "binary": {"color": _COLORS["binary"], "linestyle": "-", "marker": "s"},
    "concentrated": {"color": _COLORS["concentrated"], "linestyle": "--", "marker": "D"},
    "graded": {"color": _COLORS["graded"], "linestyle": "-.", "marker": "o"},
    "unspecific": {"color": "#8A8A8A", "linestyle": ":", "marker": "^"},
}
_MEANING = {
    "binary": "binary (redundant)",
    "concentrated": "concentrated (sparse)",
    "graded": "graded (analog)",
    "unspecific": "unspecific",
}
_LETTERS = {"analog": "A", "redundant": "R", "sparse": "S", "undecided": "·"}
_VARIANCE = "readout variance v (in 1/P)"
#: Where ReLU stands on the axis of ceilings, over the highest that is sampled.
_NO_CEILING = 6.0


def figures(table: pd.DataFrame, centre: dict[str, Any], samples: int) -> dict[str, Drawing]:
    """Those that the settings of the table allow.

    Args:
        table: the numbers of the study.
        centre: the setting that all diagrams share.
        samples: P.
    """
    drawn = {
        "phase_diagram": _phase_diagram(at(table, ceiling=0.0, width=centre["width"]), centre, samples),
        "lazy_to_mean_field": _lazy_to_mean_field(table, centre, samples),
    }
    widths = same_heat(table, centre)
    if widths[widths.source == "sampled"].width.nunique() > 1:
        drawn["neurons_per_sample"] = _neurons_per_sample(widths, samples)
    if np.any(table.ceiling > 0):
        drawn["from_sigmoid_to_relu"] = _from_sigmoid_to_relu(table, centre)
    return drawn


@styled()
def _phase_diagram(table: pd.DataFrame, centre: dict[str, Any], samples: int) -> Drawing:
    activations = list(dict.fromkeys(table.activation))
    figure, axes = panels(len(activations), 3, 4.0, width=4.0 + 2.9 * len(activations), sharey=True)
    for axis, activation in zip(axes, activations, strict=True):
        rows = at(table, activation=activation)
        _theory_image(axis, rows[rows.source == "theory"])
        for (temperature, variance), group in rows[rows.source == "sampled"].groupby(["temperature", "variance"]):
            color = _mixture(group[list(COORDINATES)].mean().to_numpy()[None])[0]
            ink = readable_on(color.tolist())
            style: dict[str, Any] = {
                "markersize": 25,
                "markeredgecolor": "white",
                "markeredgewidth": 2.5,
                "clip_on": False,
            }
            axis.plot(variance, temperature, "o", color=color, gid=ON_IMAGE, zorder=3, **style)
            letter: dict[str, Any] = {"ha": "center", "va": "center_baseline", "fontweight": "bold", "fontsize": 11}
            axis.text(variance, temperature, _LETTERS[group.label.iloc[0]], color=ink, gid=ON_IMAGE, zorder=4, **letter)
        axis.set(xscale="log", yscale="log", title=NAMES.get(activation, activation), xlabel=_VARIANCE)
        axis.minorticks_off()
    axes[0].set_ylabel("temperature T")
    figure.legend(handles=_patches(), loc="outside upper center", ncols=4)
    caption = (
        f"Colours mix the coordinates of the scheme: squares by mean-field theory, discs of networks sampled at N = "
        f"{centre['width']}, P = {samples}. Letters name the scheme where one is named: A analog, R redundant, S "
        f"sparse. Mean-field scaling is at v = 1, lazy scaling with readouts of variance 1 at v = N P = "
        f"{centre['width'] * samples}."
    )
    return Drawing(figure, "Schemes over temperature and readout variance", caption)


def _theory_image(axis: Axes, rows: pd.DataFrame) -> None:
    """Squares of the fine grid: the temperatures that have the most variances."""
    sizes = rows.groupby("temperature").variance.nunique()
    variances = sorted(set.intersection(*(set(at(rows, temperature=each).variance) for each in sizes.index[[0, -1]])))
    grid = rows[rows.variance.isin(variances)].groupby("temperature").filter(lambda each: len(each) == len(variances))
    temperatures = sorted(set(grid.temperature))
    placed = grid.set_index(["temperature", "variance"]).sort_index()
    values = placed[list(COORDINATES)].to_numpy().reshape(len(temperatures), len(variances), -1)
    image = axis.pcolormesh(_edges(variances), _edges(temperatures), _mixture(values), gid=ON_IMAGE, rasterized=True)
    image.set_zorder(0)
    for (temperature, variance), label in placed.label.items():
        style: dict[str, Any] = {
            "fontsize": 7,
            "ha": "center",
            "va": "center_baseline",
            "gid": ON_IMAGE,
            "color": "black",
        }
        axis.text(variance, temperature, _LETTERS[label], **style)


def _edges(values: list[float]) -> Float[np.ndarray, " n"]:
    """Between places on a logarithmic axis, and beyond the outermost."""
    logs = np.log(values)
    between = (logs[1:] + logs[:-1]) / 2
    return np.exp([2 * logs[0] - between[0], *between, 2 * logs[-1] - between[-1]])


def _mixture(coordinates: Float[np.ndarray, "*points 4"]) -> Float[np.ndarray, "*points 3"]:
    """Colours mixed in the shares of the coordinates."""
    colors = np.array([to_rgb(_COLORS[name]) for name in COORDINATES])
    return np.clip(coordinates @ colors, 0, 1)


def _patches() -> list[Patch]:
    return [Patch(color=_COLORS[name], label=_MEANING[name], gid=ON_IMAGE) for name in COORDINATES]


@styled()
def _lazy_to_mean_field(table: pd.DataFrame, centre: dict[str, Any], samples: int) -> Drawing:
    rows = at(table, temperature=centre["temperature"], width=centre["width"], ceiling=0.0)
    figure, axes = _by_activation(rows, "variance")
    for axis in axes:
        axis.set(xscale="log", xlabel=_VARIANCE)
        for place, words in ((1.0, "mean-field"), (centre["width"] * samples, "lazy")):
            axis.axvline(place, color="#B8B8B8", linewidth=0.8, zorder=0)
            style: dict[str, Any] = {
                "fontsize": 8,
                "ha": "center",
                "va": "bottom",
                "transform": axis.get_xaxis_transform(),
            }
            axis.text(place, 1.0, words, **style)
    caption = (
        f"Coordinates of the scheme at T = {centre['temperature']:g}. Curves: networks drawn from the mean field; "
        "points: sampled networks, error bars one standard error over chains."
    )
    return Drawing(figure, "From mean-field to lazy scaling", caption)


@styled()
def _neurons_per_sample(rows: pd.DataFrame, samples: int) -> Drawing:
    figure, axes = _by_activation(rows.assign(load=rows.width / samples), "load")
    for axis in axes:
        axis.set(xscale="log", xlabel="neurons per sample N/P")
        plain_numbers(axis.xaxis)
    caption = (
        "At one N T, where the mean field is the same for all widths and only the number of neurons differs that are "
        "drawn from it. Points: sampled networks, error bars one standard error over chains."
    )
    return Drawing(figure, "Schemes against N/P", caption)


@styled()
def _from_sigmoid_to_relu(table: pd.DataFrame, centre: dict[str, Any]) -> Drawing:
    rows = table[table.ceiling > 0]
    highest = rows.ceiling.max()
    wide = {"temperature": centre["temperature"], "variance": 1.0, "width": centre["width"], "ceiling": 0.0}
    ends = at(table, activation="relu", **wide).assign(ceiling=highest * _NO_CEILING**0.5)
    figure, (axis,) = panels(1, 1, 4.2, width=7.0)
    _curves(axis, rows, "ceiling")
    _points(axis, pd.concat([rows, ends])[lambda each: each.source == "sampled"], "ceiling")
    for name in COORDINATES:
        solved = ends[ends.source == "theory"][name]
        if len(solved):
            style: dict[str, Any] = {
                "color": _LINES[name]["color"],
                "marker": "_",
                "markersize": 18,
                "linestyle": "none",
            }
            axis.plot(ends.ceiling.iloc[0], solved.mean(), **style)
    axis.set(xscale="log", xlabel="ceiling of the activation", ylabel="share", ylim=(-0.03, 1.03))
    plain_numbers(axis.xaxis)
    if len(ends):
        ticks = sorted(set(rows[rows.source == "sampled"].ceiling))
        axis.set_xticks([*ticks, ends.ceiling.iloc[0]], labels=[*(f"{each:g}" for each in ticks), "ReLU"])
    figure.legend(*_legend(axis), loc="outside upper center", ncols=2)
    caption = (
        f"phi(z) = min(max(z + 1/(2m), 0), m) with the ceiling m, T = {centre['temperature']:g}, N = "
        f"{centre['width']}, v = 1. Curves (dashes for ReLU): networks drawn from the mean field; points: sampled "
        "networks, error bars one standard error over chains. Where neurons at a high ceiling are fewer than one a "
        "network by theory, most of the networks drawn from it have none."
    )
    return Drawing(figure, "From sigmoid to ReLU", caption)


def _by_activation(rows: pd.DataFrame, along: str) -> tuple[Figure, list[Axes]]:
    """A panel an activation."""
    activations = list(dict.fromkeys(rows.activation))
    figure, axes = panels(len(activations), 3, 3.4, width=4.0 + 2.9 * len(activations), sharey=True)
    for axis, activation in zip(axes, activations, strict=True):
        own = at(rows, activation=activation)
        _curves(axis, own, along)
        _points(axis, own[own.source == "sampled"], along)
        axis.set(ylim=(-0.03, 1.03))
        axis.set_title(NAMES.get(activation, activation), pad=16)
    axes[0].set_ylabel("share")
    figure.legend(*_legend(axes[0]), loc="outside upper center", ncols=4)
    return figure, axes


def _curves(axis: Axes, rows: pd.DataFrame, along: str) -> None:
    solved = rows[rows.source == "theory"].groupby(along)[list(COORDINATES)].mean()
    for name, style in _LINES.items():
        axis.plot(solved.index, solved[name], **{**style, "marker": ""}, linewidth=1.5)


def _points(axis: Axes, rows: pd.DataFrame, along: str) -> None:
    for name, style in _LINES.items():
        found = {place: over_tasks(group[name]) for place, group in rows.groupby(along)}
        errors = np.nan_to_num([each.error for each in found.values()])
        means = [each.mean for each in found.values()]
        axis.errorbar(list(found), means, errors, **{**style, "linestyle": "none"}, markersize=6, label=_MEANING[name])


def _legend(axis: Axes) -> tuple[list[Any], list[str]]:
    handles, labels = axis.get_legend_handles_labels()
    return handles, labels


def shown(table: pd.DataFrame) -> list[list[str]]:
    """Sampled networks beside the theory, a setting a row.

    Args:
        table: the numbers of the study.
    """
    rows = [["activation", "T", "v", "N", *(f"{name}: theory, sampled" for name in COORDINATES), "theory", "sampled"]]
    keys = ["activation", "ceiling", "temperature", "variance", "width"]
    for (activation, ceiling, temperature, variance, width), group in table.groupby(keys, sort=False):
        sampled, solved = (group[group.source == each] for each in ("sampled", "theory"))
        if sampled.empty:
            continue
        found = {name: over_tasks(sampled[name]) for name in COORDINATES}
        cells = [
            f"{solved[name].mean():.2f}, {numbers.with_error(each.mean, each.error)}" for name, each in found.items()
        ]
        named = f"{activation} {ceiling:g}" if ceiling else activation
        labels = [solved.label.iloc[0], sampled.label.iloc[0]]
        rows.append([named, f"{temperature:g}", f"{variance:g}", str(width), *cells, *labels])
    return rows
