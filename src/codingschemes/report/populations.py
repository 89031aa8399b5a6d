"""Figures of neurons: activity sorted by code, single-neuron posteriors, shares of codes, strengths."""

from itertools import combinations, groupby

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from codingschemes.coding.population import Population, population
from codingschemes.coding.summary import Summary
from codingschemes.report.style import (
    NO_CODE,
    OUTLIER,
    activity_scale,
    chain_style,
    code_colors,
    mark_classes,
    neuron_groups,
    panels,
    plain,
    sample_order,
    spread_out,
    styled,
)
from codingschemes.tasks import Task

MOST_CHAINS = 4
MOST_CODES = 14


@styled()
def activity(summary: Summary, task: Task) -> Figure:
    """Activity of neurons x inputs in the last draw, neurons sorted by code, one panel a chain (up to four)."""
    portraits = summary.portraits[:MOST_CHAINS]
    figure, axes = panels(len(portraits), columns=2, height=3.9 if len(portraits) > 1 else 4.6)
    norm, colormap, remark = activity_scale(portraits)
    colors = code_colors(summary) | {"outlier": OUTLIER}
    samples = sample_order(task)
    image = None
    for chain, (axis, portrait) in enumerate(zip(axes, portraits, strict=True)):
        image = axis.imshow(
            portrait.activity[np.ix_(portrait.order, samples)], aspect="auto", norm=norm, cmap=colormap
        )
        groups = neuron_groups(summary, chain)
        _label_groups(axis, [groups[neuron] for neuron in portrait.order], colors)
        mark_classes(axis, task, color="white" if colormap == "viridis" else "black")
        axis.set_title(f"chain {chain}")
        axis.set_ylabel("neuron, sorted by code" if any(groups) else "neuron, sorted by activity")
        axis.set_xlabel("input, sorted by class")
        axis.spines[:].set_visible(False)
    figure.colorbar(image, ax=axes, label=f"activity φ(z), dimensionless{remark}", shrink=0.8, pad=0.02, aspect=30)
    return figure


def _label_groups(axis: Axes, groups: list[str], colors: dict[str, str]) -> None:
    """A coloured strip along the sorted neurons, and every group's name with its share of the neurons."""
    if not any(groups):
        return
    blocks = []
    first = 0
    for name, members in groupby(groups):
        size = len(list(members))
        blocks.append((name, first, size))
        first += size
    named = sorted(blocks, key=lambda block: -block[2])[:MOST_CODES]
    named.sort(key=lambda block: block[1])
    centres = np.array([start + (size - 1) / 2 for _, start, size in named])
    labels = spread_out(centres, gap=0.062 * len(groups), low=0.0, high=len(groups) - 1.0)
    beside = axis.get_yaxis_transform()
    for name, start, size in blocks:
        axis.plot(
            [1.012, 1.012], [start - 0.5, start + size - 0.5], transform=beside, color=colors[name], linewidth=5,
            solid_capstyle="butt", clip_on=False,
        )  # fmt: skip
    for (name, _, size), centre, label in zip(named, centres, labels, strict=True):
        axis.plot([1.022, 1.045], [centre, label], transform=beside, color="#666666", linewidth=0.7, clip_on=False)
        text = {"": "no code", "outlier": "outliers"}.get(name, name)
        axis.text(1.052, label, f"{text}  {size / len(groups):.0%}", transform=beside, va="center", fontsize=9.5)


@styled()
def neurons(summary: Summary, task: Task) -> Figure:
    """Single neurons of the chains' last draws: class-mean activity and readouts, two at a time, coloured by code."""
    colors = code_colors(summary)
    groups = [group for chain in range(len(summary.portraits)) for group in neuron_groups(summary, chain)]
    means = np.concatenate([portrait.class_activity for portrait in summary.portraits])
    readouts = np.concatenate([portrait.readout for portrait in summary.portraits])
    class_names = [plain(name, 12) for name in task.class_names]
    planes = [
        (means[:, [i, j]], f"mean activity, class {class_names[i]}", f"mean activity, class {class_names[j]}")
        for i, j in _pairs(means.shape[1])
    ]
    if readouts.shape[1] == 1:
        both = np.column_stack([means[:, 0], readouts[:, 0]])
        planes.append((both, f"mean activity, class {class_names[0]}", f"readout, {plain(task.target_names[0])}"))
    names = [plain(name, 12) for name in task.target_names]
    planes += [
        (readouts[:, [i, j]], f"readout to output {names[i]}", f"readout to output {names[j]}")
        for i, j in _pairs(readouts.shape[1])
    ]
    figure, axes = panels(len(planes), columns=2 if len(planes) in (2, 4) else 3, height=3.4)
    for axis, (points, xlabel, ylabel) in zip(axes, planes, strict=True):
        axis.axhline(0, color="#dddddd", linewidth=0.8, zorder=0)
        axis.axvline(0, color="#dddddd", linewidth=0.8, zorder=0)
        _scatter(axis, points, groups, colors)
        axis.set(xlabel=xlabel, ylabel=ylabel)
    _code_legend(figure, groups, colors)
    return figure


def _pairs(count: int) -> list[tuple[int, int]]:
    """Which coordinates are drawn against each other: all pairs of three, neighbours of more."""
    return list(combinations(range(count), 2)) if count <= 3 else [(0, 1), (2, 3), (4, 5)][: count // 2]


def _scatter(axis: Axes, points: Float[np.ndarray, "N 2"], groups: list[str], colors: dict[str, str]) -> None:
    outlier = np.array([group == "outlier" for group in groups])
    shades = np.array([colors.get(group, NO_CODE) for group in groups])
    axis.scatter(*points[~outlier].T, s=18, c=shades[~outlier], alpha=0.75, linewidths=0)
    if outlier.any():
        axis.scatter(*points[outlier].T, s=80, c=OUTLIER, marker="*", linewidths=0)


def _code_legend(figure: Figure, groups: list[str], colors: dict[str, str]) -> None:
    present = [code for code in colors if code and code in groups][:MOST_CODES]
    handles = [Line2D([], [], marker="o", linestyle="", color=colors[code], label=code) for code in present]
    if "" in groups:
        handles.append(Line2D([], [], marker="o", linestyle="", color=NO_CODE, label="no code"))
    if "outlier" in groups:
        handles.append(Line2D([], [], marker="*", markersize=10, linestyle="", color=OUTLIER, label="outlier"))
    if len(handles) > 1 or present:
        figure.legend(handles=handles, loc="outside upper left", ncols=8, columnspacing=1.4, handletextpad=0.3)


@styled()
def distributions(pooled: Population, summary: Summary, task: Task) -> Figure:
    """Histograms of class-mean activity, a panel a class, and of readouts, a panel an output, over pooled draws."""
    class_names, output_names = task.class_names, task.target_names
    columns = min(5, max(len(class_names), len(output_names)))
    rows = [-(-len(names) // columns) for names in (class_names, output_names)]
    figure = Figure(figsize=(10, 2.35 * sum(rows)), layout="constrained")
    upper, lower = figure.subfigures(2, 1, height_ratios=rows)
    rare = bool(summary.outliers)
    for part, values, names, what, color in (
        (upper, pooled.activity, class_names, "mean activity, class", "#0072B2"),
        (lower, pooled.readout, output_names, "readout to output", "#009E73"),
    ):
        grid = part.subplots(-(-len(names) // columns), columns, squeeze=False, sharey=True)
        edges = np.histogram_bin_edges(values, bins=80)
        for index, axis in enumerate(grid.flat):
            if index >= len(names):
                axis.remove()
                continue
            axis.hist(values[:, index], bins=edges, color=color, log=rare)
            axis.set_xlabel(f"{what} {plain(names[index], 10)}")
            if index % columns == 0:
                axis.set_ylabel("neurons x draws" + (", log" if rare else ""))
    return figure


@styled()
def codes(summary: Summary) -> Figure:
    """Share of the neurons in each code: posterior mean, 95 % interval, and every chain's own mean."""
    shares = summary.codes[:MOST_CODES]
    colors = code_colors(summary)
    figure = Figure(figsize=(10, max(2.2, 0.42 * len(shares) + 1.3)), layout="constrained")
    axis = figure.subplots()
    chains = len(shares[0].by_chain)
    for row, share in enumerate(shares):
        axis.barh(row, share.fraction, height=0.62, color=colors[share.code], alpha=0.45)
        axis.plot(share.interval, [row, row], color="#222222", linewidth=1.6)
        axis.plot(share.fraction, row, "|", color="#222222", markersize=13, markeredgewidth=2)
        for chain, own in enumerate(share.by_chain):
            offset = 0.42 * ((chain + 0.5) / chains - 0.5)
            axis.plot(own, row + offset, **chain_style(chain, chains), markersize=6, linestyle="")
    axis.set_yticks(range(len(shares)), [share.code for share in shares], family="monospace", fontsize=11)
    axis.set_ylim(len(shares) - 0.4, -0.6)
    axis.set_xlim(left=0)
    axis.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    rest = len(summary.codes) - len(shares)
    axis.set_xlabel("share of the neurons" + (f" ({rest} rarer codes not shown)" if rest else ""))
    axis.set_ylabel("code")
    handles = [Line2D([], [], color="#222222", linewidth=1.6, label="mean and 95 % interval")]
    handles += [
        Line2D([], [], linestyle="", **chain_style(chain, chains), label=f"chain {chain}")
        for chain in range(chains)
    ]
    figure.legend(handles=handles, loc="outside upper left", ncols=7, columnspacing=1.4, handletextpad=0.4)
    return figure


@styled()
def strengths(summary: Summary, task: Task) -> Figure:
    """How strong single neurons are: sorted, and split into activity and readout. Outliers stand apart."""
    figure, (ranked, plane) = panels(2, columns=2, height=3.9)
    chains = len(summary.portraits)
    for chain, portrait in enumerate(summary.portraits):
        drawn = population(portrait.activity, portrait.readout, task.labels)
        readout = np.linalg.norm(drawn.readout, axis=-1)
        strength = drawn.norm * readout
        strength = strength / (np.median(strength) or 1.0)
        order = np.argsort(-strength)
        outlier = np.array([group == "outlier" for group in neuron_groups(summary, chain)])
        rank = np.arange(1, len(order) + 1)
        style = chain_style(chain, chains)
        visible = strength[order] > 0
        ranked.plot(
            rank[visible], strength[order][visible], **style, markersize=3.5, linewidth=0.8, label=f"chain {chain}"
        )
        plane.plot(drawn.norm[~outlier], readout[~outlier], **style, linestyle="", markersize=4, alpha=0.7)
        if outlier.any():
            ranked.plot(rank[outlier[order]], strength[order][outlier[order]], "*", color=OUTLIER, markersize=11)
            plane.plot(drawn.norm[outlier], readout[outlier], "*", color=OUTLIER, markersize=11)
    ranked.axhline(1, color="#999999", linewidth=0.8, linestyle="--", zorder=0)
    ranked.set(xscale="log", yscale="log", xlabel="rank of the neuron", ylabel="strength / median strength")
    plane.set(xlabel="root-mean-square activity", ylabel="norm of the readout, |a|")
    if summary.outliers:
        plane.set(xscale="log", yscale="log")
    else:
        plane.set(xlim=(0, None), ylim=(0, None))
    handles = [
        Line2D([], [], linestyle="", **chain_style(chain, chains), label=f"chain {chain}")
        for chain in range(chains)
    ]
    if summary.outliers:
        handles.append(Line2D([], [], marker="*", markersize=11, linestyle="", color=OUTLIER, label="outlier"))
    figure.legend(handles=handles, loc="outside upper left", ncols=8, columnspacing=1.4, handletextpad=0.3)
    return figure

