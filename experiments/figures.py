"""Figures drawn from the numbers kept in results/ and benchmarks/, so that a change of drawing needs no new sampling.

    python experiments/figures.py [NAME ...]

Names are those of FIGURES; without one, all are drawn. A function takes the folder below which the numbers lie as they
do in the repository, and the file of the figure.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from entry import ROOT, Entry
from matplotlib.axes import Axes
from matplotlib.colors import Normalize, PowerNorm
from matplotlib.figure import Figure
from PIL import Image

from codingschemes.benchmark.figure import draw_ratios
from codingschemes.benchmark.table import Bench
from codingschemes.manifolds import classify, hierarchy
from codingschemes.networks import ACTIVATIONS
from codingschemes.reports.manifolds import hasse
from codingschemes.reports.style import CODE_COLORS, DIVERGING, SEQUENTIAL, plain_numbers, styled
from codingschemes.reports.theory import PREDICTED

#: Where figures lie; the others in results.
PLACES = {"three_schemes": "docs", "three_layers": "docs", "bench": "benchmarks"}


def rows(page: Path) -> list[dict[str, str]]:
    """The first table of a page, each row by its headings."""
    parts = page.read_text().split("\n\n")
    table = next(part for part in parts if part.startswith("|")).splitlines()
    heads, _, *cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table]
    return [dict(zip(heads, row, strict=True)) for row in cells]


def number(cell: str) -> tuple[float, float]:
    """Value and error of `1.2% ± 0.1%`, in percent if they are; the error of a number alone is 0."""
    value, _, error = cell.replace("%", "").partition(" ± ")
    return float(value), float(error or 0)


@styled()
def mean_field_against_samples(root: Path, path: Path) -> None:
    """Deviations with their Monte Carlo errors against width, a panel for each activation."""
    table = rows(root / "results" / "mean_field_against_samples.md")
    kinds = [name for name in table[0] if name not in ("activation", "N", "T", "certificate")]
    activations = list(dict.fromkeys(row["activation"] for row in table))
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    grid = figure.subplots(1, len(activations), sharey=True, squeeze=False)[0]
    handles: dict[str, Any] = {}
    for axes, activation in zip(grid, activations, strict=True):
        found = [row for row in table if row["activation"] == activation]
        widths = np.array([float(row["N"]) for row in found])
        for index, kind in enumerate(kinds):
            shown = [row[kind] != "-" for row in found]
            if any(shown):
                values = np.array([number(row[kind]) for row in found if row[kind] != "-"]) / 100
                shift = 1.03 ** (index - (len(kinds) - 1) / 2)  # error bars beside each other
                handles[kind] = axes.errorbar(
                    widths[shown] * shift, values[:, 0], values[:, 1], fmt="osD^vPX*"[index] + "-",
                    color=CODE_COLORS[index], capsize=3, markersize=5,
                )  # fmt: skip
        (handles["1/(2N)"],) = axes.plot(widths, 0.5 / widths, "--", color="#777777")
        axes.set(title=activation, xlabel="width N", xscale="log", yscale="log")
        axes.minorticks_off()
        axes.set_xticks(widths, [f"{width:g}" for width in widths])
    grid[0].set_ylabel("relative deviation from theory")
    handles["1/(2N)"] = handles.pop("1/(2N)")
    figure.legend(list(handles.values()), list(handles), loc="outside upper center", ncols=len(handles))
    figure.savefig(path)


@styled()
def one_theory_two_ends(root: Path, path: Path) -> None:
    """Kernel, energy and parallelism against temperature: mean field, samples, global minimum."""
    table = rows(root / "results" / "one_theory_two_ends.md")
    figure = Figure(figsize=(10, 4), layout="constrained")
    quantities = ("kernel within classes", "energy", "parallelism")
    for axes, name in zip(figure.subplots(1, 3), quantities, strict=True):
        part = {
            what: [(float(row["T"]), *number(row[name])) for row in table if row["what"] == what]
            for what in ("global minimum", "mean field", "sampled")
        }
        axes.axhline(part["global minimum"][0][1], color="#777777", linestyle="--", label="global minimum")
        axes.plot(*np.array(part["mean field"]).T[:2], color=CODE_COLORS[0], label="mean field")
        axes.errorbar(
            *np.array(part["sampled"]).T, fmt="o", color=CODE_COLORS[5], capsize=3, markersize=5, label="sampled"
        )
        axes.set(xscale="log", title=name, xlabel="temperature T", xticks=[1e-6, 1e-4, 1e-2])
        axes.minorticks_off()
        if name == "energy":
            axes.set_yscale("log")
            plain_numbers(axes.yaxis)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=3)
    figure.savefig(path)


@styled()
def recurrent_abstraction(root: Path, path: Path) -> None:
    """Scores against time step, relu and tanh beside each other where they agree."""
    table = rows(root / "results" / "recurrent_abstraction.md")
    figure = Figure(figsize=(10, 8.4), layout="constrained")
    grid = figure.subplots(3, 2, sharex=True, sharey="row")
    steps = np.arange(1, sum(name.startswith("step") for name in table[0]) + 1)
    looks = {"relu": ("o", CODE_COLORS[5], -0.09), "tanh": ("s", CODE_COLORS[0], 0.09)}
    for column, inputs in enumerate(dict.fromkeys(row["inputs"] for row in table)):
        for row in (row for row in table if row["inputs"] == inputs):
            marker, color, shift = looks[row["activation"]]
            trained, parallel = row["networks"] == "sampled", row["score"] == "parallelism score"
            values = np.array([number(row[f"step {step}"]) for step in steps])
            style = {
                "fmt": marker + ("-" if trained else ":"), "color": color, "capsize": 3, "markersize": 6,
                "markerfacecolor": color if trained else "white",
            }  # fmt: skip
            axes = grid[0 if parallel else 2, column]
            label = f"{row['activation']}, {row['networks']}"
            axes.errorbar(steps + shift, *values.T, label=label, **style)
            axes.plot(0, float(row["input"]), "D", color="#333333")
            if trained and parallel:
                grid[1, column].errorbar(steps + shift, 1 - values[:, 0], values[:, 1], **style)
        grid[1, column].fill_between(steps[-1] + np.array([-0.3, 0.3]), 2e-4, 0.023, color="#bbbbbb", alpha=0.6)
        grid[1, column].text(steps[-1] - 0.35, 0.012, "reported,\nlast step", ha="right", va="center", color="#555555")
        grid[0, column].set_title(f"{inputs} inputs")
        grid[2, column].set(xlabel="time step (0, diamonds: input)", xticks=[0, *steps])
    grid[1, 0].set_yscale("log")
    for row_axes, text in zip(grid[:, 0], ("parallelism score", "1 − parallelism score", "CCGP"), strict=True):
        row_axes.set_ylabel(text)
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    figure.savefig(path)


def bench(root: Path, path: Path) -> None:
    """Ratios of samplers by target."""
    draw_ratios(Bench.from_json(json.loads((root / "benchmarks" / "bench.json").read_text())), path)


@styled()
def three_schemes(root: Path, path: Path) -> None:
    """One draw, class means of neurons and their distribution beside theory, a column for each activation."""
    kept = json.loads((root / "results" / "three_schemes.json").read_text())
    figure = Figure(figsize=(10, 8.4), layout="constrained")
    grid = figure.subplots(3, len(kept), height_ratios=[1.25, 1, 0.8])
    for (top, middle, bottom), (activation, found) in zip(grid.T, kept.items(), strict=True):
        activity = np.array(found["activity"])
        largest = float(abs(activity).max())
        signed, outlying = bool(activity.min() < 0), largest > 4 * float(np.quantile(abs(activity), 0.95))
        norm = PowerNorm(0.5, 0, largest) if outlying else Normalize(-largest if signed else 0, largest)
        image = top.imshow(activity, aspect="auto", norm=norm, cmap=DIVERGING if signed else SEQUENTIAL)
        remark = ", square-root scale" if outlying else ""
        figure.colorbar(image, ax=top, label=f"activity{remark}", pad=0.02)
        ends = np.cumsum(found["class_sizes"])
        for end in ends[:-1]:
            top.axvline(end - 0.5, color="black" if signed else "white", linewidth=1.2)
        top.set_xticks(
            ends - np.array(found["class_sizes"]) / 2 - 0.5, [f"class {index}" for index in range(len(ends))]
        )
        top.tick_params(length=0, labelsize=9)
        top.set(title=f"{activation}: {found['scheme']}", xlabel="input", ylabel="neuron, sorted", yticks=[])
        middle.scatter(*np.array(found["class_activity"]).T, s=9, color=CODE_COLORS[0], alpha=0.5, linewidths=0)
        middle.set(xlabel="mean activity, class 0", ylabel="mean activity, class 1")
        bars = bottom.stairs(found["sampled"], found["edges"], fill=True, color=CODE_COLORS[0])
        line = bottom.stairs(found["predicted"], found["edges"], color=PREDICTED, linewidth=1.3)
        bottom.set_xlabel("mean activity, class 0")
        if outlying:
            bottom.set_yscale("log")
    grid[2, 0].set_ylabel("neurons × draws")
    handles = {"sampled": bars, f"{found['theory']} theory": line}
    figure.legend(list(handles.values()), list(handles), loc="outside lower center", ncols=2)
    figure.savefig(path)


@styled()
def three_layers(root: Path, path: Path) -> None:
    """Activity of one draw above, mean kernels below: a row for each activation, a column for each layer."""
    kept = np.load(root / "benchmarks" / "three_layers.npz")
    rows = json.loads(str(kept["rows"]))
    activations = list(dict.fromkeys(row["activation"] for row in rows))
    depth = len(rows) // len(activations)
    figure = Figure(figsize=(10, 15.5), layout="constrained")
    above, below = np.asarray(figure.subfigures(2, 1, height_ratios=[1.25, 1]))
    grids = above.subplots(len(activations), depth), below.subplots(len(activations), depth)
    for row in rows:
        activation, index = row["activation"], row["layer"] - 1
        place = activations.index(activation), index
        neurons, kernel = grids[0][place], grids[1][place]
        activity = kept[f"{activation}_activity_{index}"].astype(float)
        ends = np.cumsum(kept[f"{activation}_class_sizes"])
        largest, signed = float(abs(activity).max()), bool(activity.min() < 0)
        outlying = not signed and largest > 4 * float(np.quantile(activity, 0.95))
        norm = PowerNorm(0.5, 0, largest) if outlying else Normalize(-largest if signed else 0, largest)
        image = neurons.imshow(activity, aspect="auto", norm=norm, cmap=DIVERGING if signed else SEQUENTIAL)
        above.colorbar(image, ax=neurons, pad=0.02)
        neurons.set_title(f"{activation}, layer {index + 1}: {row['scheme'].split(' (')[0]}", fontsize=10)
        values = kept[f"{activation}_kernel_{index}"].astype(float)
        off_diagonal = values[~np.eye(len(values), dtype=bool)]
        image = kernel.imshow(values, cmap=SEQUENTIAL, vmin=min(0.0, off_diagonal.min()), vmax=off_diagonal.max())
        below.colorbar(image, ax=kernel, pad=0.02, extend="max")
        kernel.set_title(f"{activation}, layer {index + 1}", fontsize=10)
        for axes in (neurons, kernel):
            for end in ends[:-1]:
                axes.axvline(end - 0.5, color="black" if axes is neurons and signed else "white", linewidth=1)
            axes.set_xticks(ends - np.diff(ends, prepend=0) / 2 - 0.5, [f"class {each}" for each in range(len(ends))])
            axes.tick_params(length=0, labelsize=8)
            axes.set_yticks([])
    above.supylabel("activity φ(z): neuron, sorted", fontsize=11)
    below.supylabel("kernel K: input", fontsize=11)
    figure.savefig(path)
    with Image.open(path) as picture:  # noise does not compress: a palette takes a third of the bytes
        picture.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE).save(path, optimize=True)


def _width_along(axes: Axes, name: str, found: dict[str, list[float]], steps: list[int], color: str) -> None:
    """Effective widths against the step. Broad and pale beneath dashes: the two can coincide."""
    axes.plot(steps[1:], found["strict"][1:], color=color, linewidth=4, alpha=0.35, label=f"strict, {name}")
    axes.plot(steps[1:], found["direction"][1:], "--", color=color, label=f"direction, {name}")


def _legend_by_start(figure: Figure, left: Axes, right: Axes) -> None:
    """A column for each size of the first weights: a line on the left, two on the right."""
    handles, labels = (
        each + further
        for each, further in zip(left.get_legend_handles_labels(), right.get_legend_handles_labels(), strict=True)
    )
    starts = len(handles) // 3
    order = [index for start in range(starts) for index in (start, starts + 2 * start, starts + 2 * start + 1)]
    shown = [handles[index] for index in order], [labels[index] for index in order]
    figure.legend(*shown, loc="outside lower center", ncols=starts)


@styled()
def target_recovery(root: Path, path: Path) -> None:
    """Test error against samples, and effective widths along training."""
    kept = json.loads((root / "results" / "target_recovery.json").read_text())
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.axvline(kept["weights"], color="#777777", linestyle=":")
    told = f"{kept['weights']} weights\nof the teacher"
    left.text(kept["weights"] + 0.6, 0.03, told, transform=left.get_xaxis_transform(), color="#555555")
    for color, (size, found) in zip(CODE_COLORS, kept["from"].items(), strict=False):
        left.plot(kept["samples"], found["test_error"], "o-", color=color, label=f"test error, weights from {size}")
        _width_along(right, f"weights from {size}", found, found["step"], color)
    left.set(xlabel="samples", ylabel=f"relative test error, mean of {kept['teachers']} teachers", yscale="log")
    label = f"effective width at tolerance {kept['tolerance']:g}"
    right.set(xlabel=f"step ({kept['samples'][-1]} samples)", ylabel=label, xscale="log", ylim=(0, None))
    _legend_by_start(figure, left, right)
    figure.savefig(path)


@styled()
def condensation(root: Path, path: Path) -> None:
    """Loss and effective widths along training, from weights of three sizes."""
    kept = json.loads((root / "results" / "condensation.json").read_text())
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    for color, (name, found) in zip(CODE_COLORS, kept["series"].items(), strict=False):
        left.plot(kept["step"][1:], found["loss"][1:], color=color, label=f"loss, weights {name}")
        _width_along(right, f"weights {name}", found, kept["step"], color)
    left.set(xscale="log", yscale="log", xlabel="step", ylabel="loss")
    label = f"effective width at tolerance {kept['tolerance']:g}"
    right.set(xscale="log", xlabel="step", ylabel=label, ylim=(0, None))
    _legend_by_start(figure, left, right)
    figure.savefig(path)


def manifold_hierarchy(_: Path, path: Path) -> None:
    """Which manifold lies in which."""
    order = hierarchy(classify(ACTIVATIONS["tanh"]), 4)
    hasse(order, "Manifolds of four tanh neurons").savefig(path, dpi=110)


DRAWN = (
    mean_field_against_samples, one_theory_two_ends, recurrent_abstraction, bench, three_schemes, target_recovery,
    condensation, manifold_hierarchy, three_layers,
)  # fmt: skip
FIGURES: dict[str, Callable[[Path, Path], None]] = {each.__name__: each for each in DRAWN}


def place(name: str, root: Path = ROOT) -> Path:
    """The file of one of FIGURES that the texts show."""
    return root / PLACES.get(name, "results") / f"{name}.png"


def redraw(name: str, root: Path = ROOT, to: Path | None = None) -> Path:
    """Draws one of FIGURES from the numbers below `root`, there or below `to`; returns its file."""
    path = place(name, to or root)
    path.parent.mkdir(parents=True, exist_ok=True)
    FIGURES[name](root, path)
    return path


if __name__ == "__main__":
    entry = Entry(__doc__, quick={"names": ["bench"]})
    entry.add_argument("names", nargs="*", metavar="NAME", default=list(FIGURES))
    options, out = entry.begin()
    for name in options.names:
        print(redraw(name, to=out.root))
