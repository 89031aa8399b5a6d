"""Figures of neurons: activity sorted by code, single-neuron posteriors, shares of codes, contributions."""

from collections import Counter
from itertools import combinations, groupby

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D

from codingschemes.coding.layers import Portrait
from codingschemes.coding.population import ClassMeans, population
from codingschemes.coding.summary import Summary
from codingschemes.reports.style import (
    CODE_COLORS,
    NO_CODE,
    ON_IMAGE,
    OTHER_CODE,
    OUTLIER,
    SEQUENTIAL,
    Described,
    Labelled,
    activity_scale,
    chain_style,
    class_label,
    code_colors,
    in_percent,
    mark_classes,
    neuron_groups,
    panels,
    plain,
    plain_numbers,
    sample_order,
    spread_out,
    styled,
)
from codingschemes.reports.theory import PREDICTED, draw_density, has_neurons, predicted_handle
from codingschemes.tasks import Task
from codingschemes.theory import Prediction

MOST_CHAINS = 4
MOST_CODES = 14


@styled()
def activity(summary: Described, task: Labelled) -> Figure:
    """Activity of neurons x inputs in the last draw, neurons sorted by code, one panel a chain (up to four).

    The rows of outliers, thin lines in a wide network, are drawn at a height that can be seen.
    """
    portraits = summary.portraits[:MOST_CHAINS]
    figure, panel = panels(len(portraits), columns=2, height=4.0 if len(portraits) > 1 else 4.6)
    norm, colormap, remark = activity_scale(portraits)
    colors = code_colors(summary)
    for chain, (axes, portrait) in enumerate(zip(panel, portraits, strict=True)):
        image = draw_activity(axes, portrait, task, colors, norm, colormap)
        axes.set_title(plain(summary.portrait_names[chain], 40))
    figure.colorbar(image, ax=panel, label=f"activity φ(z), dimensionless{remark}", shrink=0.8, pad=0.02, aspect=30)
    return figure


def draw_activity(
    axes: Axes, portrait: Portrait, task: Labelled, colors: dict[str, str], norm: Normalize, colormap: str
) -> AxesImage:
    """Neurons x inputs of one network, neurons sorted by code; what they are is said beside."""
    groups = neuron_groups(portrait)
    lines = "white" if colormap == SEQUENTIAL else "black"
    tall = max(1, round(0.025 * len(groups)))
    rows = [neuron for neuron in portrait.order for _ in range(tall if groups[neuron] == "outlier" else 1)]
    shown = portrait.activity[np.ix_(rows, sample_order(task))]
    image = axes.imshow(shown, aspect="auto", norm=norm, cmap=colormap)
    _label_groups(axes, [groups[row] for row in rows], Counter(groups), colors | {"outlier": OUTLIER})
    mark_classes(axes, task, color=lines)
    if len(portrait.outliers):
        axes.axhline(tall * len(portrait.outliers) - 0.5, color=lines, linewidth=1.2, gid=ON_IMAGE)
    axes.set_yticks([])
    axes.set_ylabel(f"{len(groups)} neurons, sorted by " + ("code" if set(groups) - {"", "outlier"} else "activity"))
    axes.set_xlabel("input, sorted by class")
    return image


def _label_groups(axes: Axes, rows: list[str], sizes: Counter[str], colors: dict[str, str]) -> None:
    """A coloured strip along rows of neurons, and what they are with their share of all neurons."""
    if not any(rows):
        return
    blocks = []
    first = 0
    for name, members in groupby(rows):
        height = len(list(members))
        blocks.append((name, first - 0.5, first + height - 0.5))
        first += height
    beside = axes.get_yaxis_transform()
    for name, top, bottom in blocks:
        axes.plot(
            [1.012, 1.012],
            [top, bottom],
            transform=beside,
            color=colors[name],
            linewidth=5,
            solid_capstyle="butt",
            clip_on=False,
        )
    named = sorted(blocks, key=lambda block: block[1] - block[2])[:MOST_CODES]
    named.sort(key=lambda block: block[1])
    centres = np.array([(top + bottom) / 2 for _, top, bottom in named])
    labels = spread_out(centres, gap=0.062 * len(rows), low=0.0, high=len(rows) - 1.0)
    for (name, _, _), centre, label in zip(named, centres, labels, strict=True):
        axes.plot([1.022, 1.045], [centre, label], transform=beside, color="#666666", linewidth=0.7, clip_on=False)
        text = (
            f"{sizes[name]} outlier{'s' if sizes[name] > 1 else ''}"
            if name == "outlier"
            else f"{name or 'no code'}  {sizes[name] / sizes.total():.0%}"
        )
        axes.text(1.052, label, text, transform=beside, va="center", fontsize=9.5)


@styled()
def neurons(summary: Described, task: Labelled) -> Figure:
    """Single neurons of the chains' last draws: class-mean activity and readouts, two at a time, coloured by code."""
    colors = code_colors(summary)
    groups = [group for portrait in summary.portraits for group in neuron_groups(portrait)]
    if not any(groups):  # nothing is to stand out from these
        colors[""] = CODE_COLORS[0]
    means = np.concatenate([portrait.class_activity for portrait in summary.portraits])
    readouts = np.concatenate([portrait.readout for portrait in summary.portraits])
    classes = [class_label(name) for name in task.class_names]
    planes = [
        (means[:, [i, j]], f"mean activity, {classes[i]}", f"mean activity, {classes[j]}")
        for i, j in _pairs(means.shape[1])
    ]
    if readouts.shape[1] == 1:
        both = np.column_stack([means[:, 0], readouts[:, 0]])
        planes.append((both, f"mean activity, {classes[0]}", f"readout, {plain(task.target_names[0])}"))
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
    axis.scatter(points[~outlier, 0], points[~outlier, 1], s=18, c=shades[~outlier], alpha=0.75, linewidths=0)
    if outlier.any():
        axis.scatter(points[outlier, 0], points[outlier, 1], s=80, c=OUTLIER, marker="*", linewidths=0)


def _code_legend(figure: Figure, groups: list[str], colors: dict[str, str]) -> None:
    present = {code: colors[code] for code in colors if code and code in groups}
    named = {code: color for code, color in present.items() if color != OTHER_CODE}
    if len(named) < len(present):
        named["other codes"] = OTHER_CODE
    handles = [Line2D([], [], marker="o", linestyle="", color=color, label=name) for name, color in named.items()]
    if "" in groups:
        handles.append(Line2D([], [], marker="o", linestyle="", color=NO_CODE, label="no code"))
    if "outlier" in groups:
        handles.append(Line2D([], [], marker="*", markersize=10, linestyle="", color=OUTLIER, label="outlier"))
    if len(handles) > 1 or present:
        figure.legend(handles=handles, loc="outside upper left", ncols=8, columnspacing=1.4, handletextpad=0.3)


@styled()
def distributions(pooled: ClassMeans, summary: Summary, task: Task, prediction: Prediction | None = None) -> Figure:
    """Histograms of class-mean activity, a panel a class, and of readouts, a panel an output, over pooled draws; over
    them what a theory expects, or lines where it puts the neurons."""
    class_names = [class_label(name) for name in task.class_names]
    output_names = [plain(name, 10) for name in task.target_names]
    columns = min(5, max(len(class_names), len(output_names)))
    rows = [-(-len(names) // columns) for names in (class_names, output_names)]
    figure = Figure(figsize=(10, 2.35 * sum(rows)), layout="constrained")
    upper, lower = np.asarray(figure.subfigures(2, 1, height_ratios=rows))
    rare = bool(summary.outliers)
    for part, values, names, kind, what, color in (
        (upper, pooled.activity, class_names, "activity", "mean activity, ", "#0072B2"),
        (lower, pooled.readout, output_names, "readout", "readout to output ", "#009E73"),
    ):
        grid = part.subplots(-(-len(names) // columns), columns, squeeze=False, sharey=True)
        edges = np.histogram_bin_edges(_together(values, prediction, kind), bins=80)
        for index, axis in enumerate(grid.flat):
            if index >= len(names):
                axis.remove()
                continue
            axis.hist(values[:, index], bins=edges, color=color, log=rare, histtype="stepfilled")
            if prediction is not None:
                draw_density(axis, prediction, kind, index, edges, len(values) / prediction.posterior.network.width)
            axis.set_xlabel(f"{what}{names[index]}")
            if index % columns == 0:
                axis.set_ylabel("neurons × draws")
    if prediction is not None and has_neurons(prediction):
        upper.legend(
            handles=[predicted_handle(prediction, dashed=prediction.neurons is None)], loc="outside upper left"
        )
    return figure


def _together(values: Float[np.ndarray, "M G"], prediction: Prediction | None, kind: str) -> Float[np.ndarray, " K"]:
    """Sampled values and a theory's: an outlier can be predicted at exactly 0 where no sample is."""
    if prediction is None or prediction.neurons is None:
        return values.ravel()
    return np.concatenate([values.ravel(), getattr(prediction.neurons, kind).ravel()])


@styled()
def codes(summary: Described, prediction: Prediction | None = None) -> Figure:
    """Share of the neurons in each code: posterior mean, 95% interval, every chain's own mean, and what a theory
    predicts."""
    shares = summary.codes[:MOST_CODES]
    colors = code_colors(summary)
    figure = Figure(figsize=(10, max(2.2, 0.42 * len(shares) + 1.3)), layout="constrained")
    axis = figure.subplots()
    chains = len(shares[0].by_chain)
    for row, share in enumerate(shares):
        axis.barh(row, share.fraction, height=0.62, color=colors[share.code], alpha=0.45)
        axis.plot(share.interval, [row, row], color="#222222", linewidth=1.6)
        axis.plot(share.fraction, row, "|", color="#222222", markersize=13, markeredgewidth=2)
        for chain, own in enumerate(share.by_chain if chains > 1 else ()):
            offset = 0.42 * ((chain + 0.5) / chains - 0.5)
            axis.plot(own, row + offset, **chain_style(chain, chains), markersize=6, linestyle="")
    # Shares that were given to the theory are those of the bars: no prediction to be drawn.
    given = prediction is None or prediction.conditional
    predicted = {} if given or prediction is None else {group.name: group.count for group in prediction.codes}
    for row, share in enumerate(shares):
        if prediction is not None and share.code in predicted:
            fraction = predicted[share.code] / prediction.posterior.network.width
            axis.plot([fraction] * 2, [row - 0.4, row + 0.4], color=PREDICTED, linewidth=1.6, linestyle="--")
    axis.set_yticks(range(len(shares)), [share.code for share in shares], family="monospace", fontsize=11)
    axis.set_ylim(len(shares) - 0.4, -0.6)
    axis.set_xlim(left=-0.015 * axis.get_xlim()[1])
    axis.xaxis.set_major_formatter(in_percent)
    rest = len(summary.codes) - len(shares)
    axis.set_xlabel(
        "share of the neurons" + (f" ({rest} rarer code{'s' if rest > 1 else ''} not shown)" if rest else "")
    )
    axis.set_ylabel("code")
    label = "mean and 95% interval" if chains > 1 else "share and 95% interval"
    handles = [Line2D([], [], color="#222222", linewidth=1.6, label=label)]
    handles += [
        Line2D([], [], linestyle="", **chain_style(chain, chains), label=plain(summary.portrait_names[chain]))
        for chain in range(chains if chains > 1 else 0)
    ]
    if prediction is not None and predicted:
        handles.append(predicted_handle(prediction, dashed=True))
    figure.legend(handles=handles, loc="outside upper left", ncols=7, columnspacing=1.4, handletextpad=0.4)
    return figure


@styled()
def contributions(summary: Described, task: Labelled) -> Figure:
    """Which neurons carry the class-specific output, and how strong they are. Outliers stand apart."""
    figure, (ranked, plane) = panels(2, columns=2, height=3.9)
    chains = len(summary.portraits)
    for chain, portrait in enumerate(summary.portraits):
        drawn = population(portrait.activity, portrait.readout, task.labels)
        readout = np.linalg.norm(drawn.readout, axis=-1)
        outlier = np.isin(np.arange(drawn.size), portrait.outliers)
        order = np.argsort(-portrait.output_part)
        rank = np.arange(1, drawn.size + 1)
        style = chain_style(chain, chains)
        ranked.plot(rank, portrait.output_part[order], **style, markersize=3.5, linewidth=0.8)
        starred = outlier[order]
        ranked.plot(rank[starred], portrait.output_part[order][starred], "*", color=OUTLIER, markersize=11)
        plane.plot(drawn.norm[~outlier], readout[~outlier], **style, linestyle="", markersize=4, alpha=0.7)
        plane.plot(drawn.norm[outlier], readout[outlier], "*", color=OUTLIER, markersize=11)
    ranked.axhline(1 / drawn.size, color="#777777", linewidth=1, linestyle="--", zorder=0)
    ranked.set(xscale="log", xlabel="rank of the neuron", ylabel="part of the class-specific output")
    ranked.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ranked.yaxis.set_major_formatter(in_percent)
    ranked.set_ylim(bottom=min(0, ranked.get_ylim()[0]))
    plane.set(xlabel="root-mean-square activity", ylabel="norm of the readout, |a|")
    if summary.outliers:
        plane.set(xscale="log", yscale="log")
        plain_numbers(plane.xaxis)
        plain_numbers(plane.yaxis)
    else:
        plane.set(xlim=(0, None), ylim=(0, None))
    handles = [
        Line2D([], [], linestyle="", **chain_style(chain, chains), label=plain(summary.portrait_names[chain]))
        for chain in range(chains)
    ]
    if summary.outliers:
        handles.append(Line2D([], [], marker="*", markersize=11, linestyle="", color=OUTLIER, label="outlier"))
    handles.append(Line2D([], [], color="#777777", linewidth=1, linestyle="--", label="equal parts"))
    figure.legend(handles=handles, loc="outside upper left", ncols=8, columnspacing=1.4, handletextpad=0.5)
    return figure
