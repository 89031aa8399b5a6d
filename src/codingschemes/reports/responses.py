"""Figures of what the network as a whole does: kernels and outputs."""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D

from codingschemes.coding.layers import Kernels
from codingschemes.coding.predictions import Predictions
from codingschemes.coding.summary import Summary
from codingschemes.reports.style import (
    DIVERGING,
    ON_IMAGE,
    SEQUENTIAL,
    Described,
    Labelled,
    mark_classes,
    panels,
    plain,
    readable_on,
    sample_order,
    styled,
)
from codingschemes.tasks import Task

TRAINING, TEST = "#0072B2", "#D55E00"


@styled()
def kernel(summary: Described, task: Labelled) -> Figure:
    """The mean kernel of each layer (or time step), samples x samples, beside its means over blocks of classes."""
    figure, axes = panels(2 * len(summary.kernels), columns=2, height=4.2)
    for layer, kernels in enumerate(summary.kernels):
        full, blocks = axes[2 * layer : 2 * layer + 2]
        title = f"{summary.layer_name} {layer + 1}: " if len(summary.kernels) > 1 else ""
        _full_kernel(full, kernels, task)
        full.set_title(f"{title}mean kernel")
        _block_kernel(blocks, kernels, task)
        blocks.set_title(f"{title}means over pairs of different inputs")
    return figure


def _full_kernel(axis: Axes, kernels: Kernels, task: Labelled) -> None:
    image = draw_kernel(axis, kernels, task)
    axis.figure.colorbar(image, ax=axis, label="kernel K, dimensionless", extend="max", shrink=0.85)


def draw_kernel(axis: Axes, kernels: Kernels, task: Labelled) -> AxesImage:
    """Samples x samples, sorted by class."""
    samples = sample_order(task)
    full = kernels.full[np.ix_(samples, samples)]
    off_diagonal = full[~np.eye(len(full), dtype=bool)]
    norm, colormap = _kernel_scale(off_diagonal)
    image = axis.imshow(full, norm=norm, cmap=colormap)
    mark_classes(axis, task, "x", "white" if colormap == SEQUENTIAL else "black")
    mark_classes(axis, task, "y", "white" if colormap == SEQUENTIAL else "black")
    axis.set(xlabel="input, sorted by class", ylabel="input, sorted by class")
    return image


def _kernel_scale(values: np.ndarray) -> tuple[Normalize, str]:
    """A scale for what lies off the diagonal, which would dwarf it."""
    low, high = np.nanquantile(values, [0.001, 0.999])
    if low < -0.1 * high:
        largest = max(-low, high)
        return Normalize(-largest, largest), DIVERGING
    return Normalize(min(0.0, low), high if high > 0 else 1.0), SEQUENTIAL


def _block_kernel(axis: Axes, kernels: Kernels, task: Labelled) -> None:
    blocks = np.where(np.eye(len(kernels.within), dtype=bool), kernels.within, kernels.between)
    norm, colormap = _kernel_scale(blocks)
    image = axis.imshow(np.ma.masked_invalid(blocks), norm=norm, cmap=colormap)
    shades = ScalarMappable(norm, colormap)
    size = 11 if len(blocks) <= 5 else 8.5 if len(blocks) <= 8 else 7
    largest = float(np.nanmax(np.abs(blocks))) or 1.0
    decimals = max(0, (2 if len(blocks) <= 5 else 1) - math.floor(math.log10(largest)))
    for (row, column), value in np.ndenumerate(blocks):
        shown = f"{value:z.{decimals}f}".replace("-", "−") if np.isfinite(value) else "–"
        color = readable_on(tuple(shades.to_rgba(value))) if np.isfinite(value) else "black"
        axis.text(column, row, shown, ha="center", va="center", color=color, fontsize=size, gid=ON_IMAGE)
    names = [plain(name, 10) for name in task.class_names]
    crowded = sum(map(len, names)) > 30
    axis.set_xticks(range(len(names)), names, rotation=90 if crowded else 0)
    axis.set_yticks(range(len(names)), names)
    axis.tick_params(length=0)
    axis.set(xlabel="class", ylabel="class")
    axis.spines[:].set_visible(False)
    axis.figure.colorbar(image, ax=axis, label="block mean of K", shrink=0.85)


@styled()
def predictions(summary: Summary, task: Task) -> Figure:
    """Mean outputs at training and test inputs by class, a panel an output, with the targets; against the targets where
    these differ within a class, as in a regression."""
    outputs = len(task.target_names)
    columns = 2 if outputs in (2, 4) else 3 if outputs <= 6 else 4
    figure, axes = panels(outputs, columns=columns, height=3.2 if columns < 4 else 2.7)
    sides: list[tuple[str, Predictions, np.ndarray, str, float]] = [
        ("training inputs", summary.training, task.labels, TRAINING, -0.17 if summary.test else 0.0)
    ]
    if summary.test is not None:
        sides.append(("test inputs", summary.test, task.test_labels, TEST, 0.17))
    first = [int(np.flatnonzero(task.labels == label)[0]) for label in range(task.class_count)]
    if np.array_equal(task.targets, task.targets[first][task.labels]):
        _by_class(axes, sides, task, task.targets[first], columns)
    else:
        _by_target(axes, summary, task)
    for axis in axes[::columns]:
        axis.set_ylabel("mean output, dimensionless")
    handles = [Line2D([], [], color="black", linewidth=1.6, label="target")]
    handles += [Line2D([], [], marker="o", linestyle="", color=color, label=name) for name, _, _, color, _ in sides]
    figure.legend(handles=handles, loc="outside upper left", ncols=3)
    return figure


def _by_target(axes: Sequence[Axes], summary: Summary, task: Task) -> None:
    """Mean outputs against targets."""
    for output, axis in enumerate(axes):
        axis.axline((0.0, 0.0), slope=1.0, color="black", linewidth=1.6, zorder=1)
        for found, targets, color in (
            (summary.training, task.targets, TRAINING),
            (summary.test, task.test_targets, TEST),
        ):
            if found is not None:
                axis.scatter(targets[:, output], found.outputs[:, output], s=9, color=color, alpha=0.45, linewidths=0)
        axis.set_title(f"output {plain(task.target_names[output])}")
        axis.set_xlabel("target, dimensionless")


def _by_class(
    axes: Sequence[Axes],
    sides: Sequence[tuple[str, Predictions, np.ndarray, str, float]],
    task: Task,
    class_targets: Float[np.ndarray, "G C"],
    columns: int,
) -> None:
    """Mean outputs of the inputs of each class, beside its target."""
    names = [plain(name, 10) for name in task.class_names]
    crowded = columns * sum(map(len, names)) > 72
    jitter = np.random.default_rng(0)
    for output, axis in enumerate(axes):
        axis.hlines(
            class_targets[:, output], np.arange(task.class_count) - 0.38, np.arange(task.class_count) + 0.38,
            color="black", linewidth=1.6, zorder=3,
        )  # fmt: skip
        for _, side, labels, color, offset in sides:
            across = labels + offset + jitter.uniform(-0.12, 0.12, len(labels))
            axis.scatter(across, side.outputs[:, output], s=9, color=color, alpha=0.45, linewidths=0)
        axis.set_xticks(range(task.class_count), names, rotation=90 if crowded else 0)
        axis.set_xlim(-0.6, task.class_count - 0.4)
        axis.set_title(f"output {plain(task.target_names[output])}")
        axis.set_xlabel("class of the input")
