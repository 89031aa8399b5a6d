"""The table as a figure: ratios by target, on a logarithmic axis."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from codingschemes.benchmark.table import DEFAULT, Bench
from codingschemes.reports.style import CHAIN_MARKERS, CODE_COLORS, plain_numbers, styled


@styled()
def draw_ratios(found: Bench, path: Path) -> None:
    """Writes `ratios_by_target` as a PNG."""
    ratios_by_target(found).savefig(path, dpi=150)


@styled()
def ratios_by_target(found: Bench) -> Figure:
    """Effective draws a second relative to numpyro's NUTS on all weights, one line a target.

    Samplers that were not run on a target are crosses in a strip beside the ratios, a column each; without any, there
    is no strip.
    """
    ratios = found.ratios()
    names = list(dict.fromkeys(name for row in ratios.values() for name in row))
    missing = [[row for row, measured in enumerate(ratios.values()) if name not in measured] for name in names]
    figure = Figure(figsize=(8.5, 0.36 * len(ratios) + 2.2), layout="constrained")
    if any(missing):
        strip, axes = figure.subplots(1, 2, sharey=True, width_ratios=[0.022 * len(names), 1])
        _mark_missing(strip, missing)
        axes.tick_params(left=False, labelleft=False)
    else:
        axes = strip = figure.subplots()
    for index, name in enumerate(names):
        chosen = name == "/".join(DEFAULT)
        axes.plot(
            [ratios[target].get(name, float("nan")) for target in ratios],
            range(len(ratios)),
            CHAIN_MARKERS[index % len(CHAIN_MARKERS)],
            color=_color(index),
            markersize=9 if chosen else 6,
            alpha=1.0 if chosen else 0.6,
            label=f"{name} (default)" if chosen else name,
            linestyle="none",
        )
    axes.set_xscale("log")
    plain_numbers(axes.xaxis)
    handles = axes.get_legend_handles_labels()
    axes.axvline(1, color="0.5", linewidth=1)
    axes.axvline(found.summary()["geometric_mean"], color="0.5", linewidth=1, linestyle="--")
    axes.set_xlabel(
        "minimum ESS a second, relative to numpyro's NUTS on all weights\n(dashed: geometric mean of the default)"
    )
    axes.grid(axis="y", color="0.92")
    axes.invert_yaxis()
    strip.set_yticks(range(len(ratios)), list(ratios))
    figure.legend(*handles, loc="outside upper center", ncols=3)
    return figure


def _color(index: int) -> str:
    return CODE_COLORS[index % len(CODE_COLORS)]


def _mark_missing(strip: Axes, missing: list[list[int]]) -> None:
    for index, rows in enumerate(missing):
        strip.plot([index] * len(rows), rows, "x", color=_color(index), markersize=5)
    strip.set(xticks=[], xlim=(-0.7, len(missing) - 0.3), facecolor="0.95")
    strip.set_title("not run", weight="normal", fontsize=10, loc="center", pad=4)
    strip.spines[:].set_visible(False)
