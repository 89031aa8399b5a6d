"""The table as a figure: ratios by target, on a logarithmic axis."""

from pathlib import Path

import matplotlib.pyplot as plt

from codingschemes.benchmark.table import DEFAULT, Bench
from codingschemes.reports.style import CHAIN_MARKERS, CODE_COLORS, styled


@styled()
def draw_ratios(found: Bench, path: Path) -> None:
    """Effective draws a second relative to numpyro's NUTS on all weights, one line a target, as a PNG."""
    ratios = found.ratios()
    names = list(dict.fromkeys(name for row in ratios.values() for name in row))
    default = "/".join(DEFAULT)
    figure, axes = plt.subplots(figsize=(8, 0.4 * len(ratios) + 1.6))
    for index, name in enumerate(names):
        chosen = name == default
        axes.plot(
            [ratios[target].get(name, float("nan")) for target in ratios],
            range(len(ratios)),
            CHAIN_MARKERS[index % len(CHAIN_MARKERS)],
            color=CODE_COLORS[index % len(CODE_COLORS)],
            markersize=9 if chosen else 6,
            alpha=1.0 if chosen else 0.6,
            label=f"{name} (default)" if chosen else name,
            linestyle="none",
        )
    axes.set_xscale("log")
    # One column for each sampler, left of all ratios, so that a gap is not read as a ratio off the axis.
    missing = [
        (index, row)
        for index, name in enumerate(names)
        for row, found in enumerate(ratios.values())
        if name not in found
    ]
    beside = axes.get_yaxis_transform()
    for index, row in missing:
        color = CODE_COLORS[index % len(CODE_COLORS)]
        axes.plot(0.015 + 0.02 * index, row, "x", color=color, markersize=5, transform=beside)
    if missing:
        axes.plot([], [], "x", color="0.4", markersize=5, linestyle="none", label="not run (sampler by colour)")
        low, high = axes.get_xlim()
        axes.set_xlim(low * (low / high) ** (0.025 * len(names)), high)
    axes.axvline(1, color="0.5", linewidth=1)
    axes.axvline(found.summary()["geometric_mean"], color="0.5", linewidth=1, linestyle="--")
    axes.set_yticks(range(len(ratios)), list(ratios))
    axes.invert_yaxis()
    axes.set_xlabel("minimum ESS a second, relative to numpyro's NUTS on all weights (dashed: geometric mean, default)")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    figure.savefig(path, dpi=150, bbox_inches="tight")
    plt.close(figure)
