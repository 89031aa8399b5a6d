"""Figures of the chains: traces and ranks of invariants by arviz, and histograms of R-hat and ESS."""

import warnings
from collections.abc import Mapping
from typing import Any

import arviz as az
import numpy as np
import xarray as xr
from arviz_plots import PlotCollection
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from codingschemes.coding.summary import Summary
from codingschemes.convergence import ESS_LIMIT, RHAT_LIMIT
from codingschemes.reports.style import chain_colors, panels, plain, plain_numbers, styled
from codingschemes.runs import Run

FAMILIES = {
    "energy and loss": ("energy", "training_loss"),
    "outputs": ("outputs",),
    "kernel": ("kernel_block", "kernel_diagonal", "kernel_eigenvalue"),
    "norms of neurons": ("activity_norm_quantile", "readout_norm_quantile"),
}
"""Invariants that share a colour in the histograms."""
COLORS = ("#000000", "#E69F00", "#0072B2", "#009E73")
THRESHOLD = "#D55E00"


def traced_scalars(run: Run) -> dict[str, xr.DataArray]:
    """The scalars whose chains are drawn: energy, loss, and two entries of the last layer's kernel, by their names."""
    posterior = run.data["posterior"].to_dataset()
    chosen = {"energy": posterior["energy"], "training loss": posterior["training_loss"]}
    blocks = posterior["kernel_block"].isel(layer=-1)
    names = [plain(name, 12) for name in run.posterior.task.class_names]
    last = len(names) - 1
    for row, column in ((0, 0), (0, last)):
        entry = blocks.isel({"class": row, "other_class": column}, drop=True)
        if np.isfinite(entry.values).all():
            pair = f"within {names[row]}" if row == column else f"{names[row]} and {names[column]}"
            chosen[f"kernel, {pair}"] = entry
    return {name: entry.drop_vars(["layer"], errors="ignore") for name, entry in chosen.items()}


@styled()
def traces(chosen: Mapping[str, xr.DataArray]) -> Figure:
    """Distribution, trace and rank plot of a few invariants, one row each, one colour a chain."""
    rows = [f"row {index}" for index in range(len(chosen))]  # names of classes may hold a slash, those of variables not
    data = xr.Dataset({row: array.astype(float) for row, array in zip(rows, chosen.values(), strict=True)})
    chains, draws = data.sizes["chain"], data.sizes["draw"]
    ranked = chains > 1 and draws >= 8
    figure = Figure(figsize=(10, 1.9 * len(chosen) + 0.3), layout="constrained")
    grid = figure.subplots(len(chosen), 3 if ranked else 2, squeeze=False)
    tree = xr.DataTree.from_dict({"posterior": data})
    colors = chain_colors(chains)

    def column(index: int) -> PlotCollection:
        cells = xr.Dataset({name: ((), axes) for name, axes in zip(rows, grid[:, index], strict=True)})
        places = xr.DataTree.from_dict({"/": xr.Dataset({"figure": ((), figure)}), "plot": cells})
        return PlotCollection(
            data, places, aes={"color": ["chain"], "overlay": ["chain"]}, backend="matplotlib", color=colors
        )

    with warnings.catch_warnings():
        # A chain that never moved has no density; the diagnostics say so in words.
        warnings.filterwarnings("ignore", "Your data appears to have a single value")
        az.plot_dist(
            tree,
            kind="kde",
            plot_collection=column(0),
            visuals=dict.fromkeys(("title", "credible_interval", "point_estimate", "point_estimate_text"), False),
        )
    unlabelled = dict.fromkeys(("title", "ticklabels", "xlabel"), False)
    az.plot_trace(tree, plot_collection=column(1), visuals={**unlabelled, "trace": {"width": 0.8, "alpha": 0.9}})
    if ranked:
        az.plot_rank(tree, plot_collection=column(2), visuals=dict.fromkeys(("title", "xlabel"), False))
        for axes in grid[:, 2]:
            _free_rank_text(axes)
    for row, name in enumerate(chosen):
        grid[row, 0].set_xlabel(name)
        grid[row, 0].locator_params(axis="x", nbins=4)
        grid[row, 1].set_ylabel(name)
    for axes, title in zip(grid[0], ("distribution", "trace", "rank Δ-ECDF"), strict=False):
        axes.set_title(title)
    grid[-1, 1].set_xlabel("draw")
    if ranked:
        grid[-1, 2].set_xlabel("fractional rank")
    handles = [Line2D([], [], color=color, label=f"chain {chain}") for chain, color in enumerate(colors)]
    if ranked:
        dots: dict[str, Any] = {"marker": "o", "markersize": 4, "linestyle": "", "color": "black"}
        handles.append(Line2D([], [], label="ranks by which a chain differs", **dots))
    figure.legend(handles=handles, loc="outside upper left", ncols=6)
    return figure


def _free_rank_text(axes: Axes) -> None:
    """Room above the curves for arviz's p-value, which otherwise crosses those of chains that disagree."""
    low, high = axes.get_ylim()
    axes.set_ylim(low, 1.5 * high)
    for text in axes.texts:
        label = text.get_text().partition("(")[0].replace("=", " = ")
        text.set(y=1.15 * high, text=label.replace("= 0.00", "< 0.01"))  # no p-value is nought


@styled()
def convergence(summary: Summary) -> Figure:
    """Histograms of R-hat and of the effective sample size over all entries of all invariants."""
    found = summary.diagnostics.convergence
    figure, (left, right) = panels(2, columns=2, height=3.8)
    _histogram(left, found.rhat, RHAT_LIMIT)
    left.set(xlabel="R-hat over all chains", ylabel="entries of invariants")
    right.set_xscale("log")
    _histogram(right, found.ess, float(ESS_LIMIT))
    right.set(xlabel="bulk effective sample size, draws", ylabel="entries of invariants")
    handles, _ = left.get_legend_handles_labels()
    limits = f"limits of convergence: R-hat {RHAT_LIMIT:g}, effective draws {ESS_LIMIT}"
    handles.append(Line2D([], [], color=THRESHOLD, linewidth=1.5, linestyle="--", label=limits))
    figure.legend(handles=handles, loc="outside upper left", ncols=3)
    return figure


def _histogram(axes: Axes, values: Mapping[str, np.ndarray], limit: float) -> None:
    families = {
        family: np.concatenate([values[name] for name in members if name in values] or [np.zeros(0)])
        for family, members in FAMILIES.items()
    }
    families = {family: entries[np.isfinite(entries)] for family, entries in families.items()}
    everything = np.concatenate([*families.values(), [limit]])
    low, high = everything.min(), everything.max()
    logarithmic = axes.get_xscale() == "log"
    edges = np.geomspace(0.9 * low, 1.1 * high, 40) if logarithmic else np.linspace(min(low, 1.0), high + 0.01, 40)
    for (family, entries), color in zip(families.items(), COLORS, strict=True):
        if entries.size:
            axes.hist(
                entries, bins=list(edges), histtype="stepfilled", color=(color, 0.25), edgecolor=color, label=family
            )
    axes.set_yscale("log")
    axes.set_ylim(bottom=0.7)
    plain_numbers(axes.yaxis)
    if logarithmic:
        plain_numbers(axes.xaxis)
    axes.axvline(limit, color=THRESHOLD, linewidth=1.5, linestyle="--")
