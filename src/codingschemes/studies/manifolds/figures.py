"""Training paths on one axis of time, effective widths of samples, channels, and recovery."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from codingschemes.manifolds import LEVELS
from codingschemes.reports import numbers
from codingschemes.reports.style import CODE_COLORS, panels, styled
from codingschemes.studies.layer_figures import line
from codingschemes.studies.manifolds.claims import FAR
from codingschemes.studies.manifolds.gated import GATED, NEURONS, SINES
from codingschemes.studies.manifolds.redundancy import POSTERIOR, PRIOR, TRAINED
from codingschemes.studies.manifolds.training import closest, passed
from codingschemes.studies.study import NAMES, Drawing, over_tasks

_SMALL, _LARGE = CODE_COLORS[0], CODE_COLORS[1]
_SOURCES: dict[str, dict[str, Any]] = {
    POSTERIOR: {"color": CODE_COLORS[0], "marker": "o"},
    PRIOR: {"color": "#777777", "marker": "s"},
    TRAINED: {"color": CODE_COLORS[5], "marker": "D"},
}
_TEACHERS = {GATED: CODE_COLORS[0], SINES: CODE_COLORS[1], NEURONS: "#777777"}


def figures(table: pd.DataFrame, sizes: tuple[float, ...]) -> dict[str, Drawing]:
    """One a part of the study.

    Args:
        table: the numbers of the study.
        sizes: of first weights, small and large.
    """
    parts = {name: rows.dropna(axis=1, how="all") for name, rows in table.groupby("part", sort=False)}
    drawn = {"training": _training(parts["training"], sizes)}
    if "redundancy" in parts:
        drawn["redundancy"] = _redundancy(parts["redundancy"])
    if "gap" in parts["channels"]:
        drawn["channels"] = _channels(parts["channels"])
    drawn["recovery"] = _recovery(parts["recovery"])
    return drawn


@styled()
def _training(rows: pd.DataFrame, sizes: tuple[float, ...]) -> Drawing:
    activations = list(dict.fromkeys(rows.activation))
    count = len(activations)
    figure, axes = panels(3 * count, count, 2.1, width=3.6 + 2.4 * count, sharex=True, sharey="row")
    for column, activation in enumerate(activations):
        loss, widths, near = axes[column::count]
        for size, color in zip(sizes, (_SMALL, _LARGE), strict=True):
            own = rows[(rows.activation == activation) & (rows["size"] == size) & (rows.step > 0)]
            for seed, path in own.groupby("seed"):
                faint: dict[str, Any] = {
                    "color": color,
                    "linewidth": 1.5 if seed == 0 else 0.7,
                    "alpha": 1.0 if seed == 0 else 0.5,
                }
                loss.plot(path.step, path.loss, label=f"from {size:g}" if seed == 0 else None, **faint)
                widths.plot(path.step, path.direction, **faint)
                if seed == 0:
                    widths.plot(path.step, path.strict, linestyle="--", **faint)
                near.plot(path.step, path.nearest_few, **faint)
        loss.set(title=NAMES.get(activation, activation), yscale="log")
        for axis in (loss, widths, near):
            axis.set_xscale("log")
        widths.set_ylim(0, None)
        near.set(xlabel="steps of gradient descent", ylim=(0, 1))
    for axis, words in zip(
        axes[::count], ("loss a sample", "effective width", "distance to a\nnarrow manifold"), strict=True
    ):
        axis.set_ylabel(words)
    handles, labels = axes[0].get_legend_handles_labels()
    kinds = [Line2D([], [], color="#777777", linestyle=each) for each in ("-", "--")]
    figure.legend(
        [*handles, *kinds], [*labels, "directions of w", "neurons (a, w)"], loc="outside upper center", ncols=4
    )
    caption = (
        "Training on the parity of images, from small and from large weights, on one axis of time. From top to bottom: "
        "half the squared error of a sample; how many neurons differ, by the direction of w (solid) and by (a, w) "
        "(dashed, first start); relative distance to the nearest manifold found of at most a tenth of the neurons. "
        "Thick lines are the first start, thin ones the others."
    )
    return Drawing(figure, "Manifolds that training passes", caption)


@styled()
def _redundancy(rows: pd.DataFrame) -> Drawing:
    widths = sorted(set(rows.width))
    count = len(LEVELS)
    figure, axes = panels(len(widths) * count, count, 2.6, width=11.5, sharey="row", sharex=True)
    for place, width in enumerate(widths):
        for axis, level in zip(axes[place * count : (place + 1) * count], LEVELS, strict=True):
            for source, style in _SOURCES.items():
                own = rows[(rows.width == width) & (rows.level == level) & (rows.source == source)]
                label = "trained from small weights" if source == TRAINED else source
                line(axis, own, "tolerance", "distinct", {**style, "label": label, "markersize": 4})
            axis.set_xscale("log")
            axis.set_ylim(0, None)
            if place == 0:
                axis.set_title(level)
            if place == len(widths) - 1:
                axis.set_xlabel("relative tolerance")
        axes[place * count].set_ylabel(f"distinct of N = {int(width)}")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    caption = (
        "How many neurons differ, against the tolerance, as codes, activities, weights that the data see, and weights: "
        "sigmoid networks sampled from the posterior at two widths and one N T, from the prior, and trained in the "
        "same loss from small weights. Error bars are one standard error over chains, or starts."
    )
    return Drawing(figure, "Redundancy and condensation", caption)


@styled()
def _channels(rows: pd.DataFrame) -> Drawing:
    figure, (left, right) = panels(2, 2, 3.9, width=9.0)
    found = rows.dropna(subset=["gap"])
    for teacher, color in _TEACHERS.items():
        for index, (_, path) in enumerate(found[found.teacher == teacher].groupby(["activation", "seed"])):
            style: dict[str, Any] = {"color": color, "marker": "o", "markersize": 3, "linewidth": 0.9, "alpha": 0.7}
            label = teacher if index == 0 else None
            left.plot(path.gap, path.apart, label=label, **style)
            right.plot(path.gap, path.loss, **style)
    _power(right, found[found.teacher == GATED], 4)
    left.set(
        xscale="log",
        yscale="log",
        xlabel="distance of weights $|w_i - w_j|$",
        ylabel="distance of readouts $|a_i - a_j|$",
    )
    right.set(
        xscale="log", yscale="log", xlabel="distance of weights $|w_i - w_j|$", ylabel="mean squared error, relative"
    )
    for axis in (left, right):
        axis.invert_xaxis()
    handles, labels = left.get_legend_handles_labels()
    more, words = right.get_legend_handles_labels()
    figure.legend([*handles, *more], [*labels, *words], loc="outside upper center", ncols=4)
    caption = (
        "Students with a channel at four times of their training, which goes to the right: pairs of neurons whose "
        "weights become equal and whose readouts grow apart, by what is learned. Of a gated unit the product of both "
        "distances stays, and the loss falls with the fourth power of the distance of weights (dotted)."
    )
    return Drawing(figure, "Channels to infinity", caption)


def _power(axis: Axes, rows: pd.DataFrame, power: int) -> None:
    late = rows[(rows.step == rows.step.max()) & (rows.loss < FAR)]
    if late.empty:
        return
    through = late.loc[late.loss.idxmin()]
    ends = np.array([through.gap, min(30 * through.gap, 1.0)])
    axis.plot(ends, through.loss * (ends / through.gap) ** power, ":", color="#000000", label=f"power {power}")


@styled()
def _recovery(rows: pd.DataFrame) -> Drawing:
    figure, (left, right) = panels(2, 2, 3.6, width=9.0)
    for size, color, marker in zip(sorted(set(rows["size"])), (_SMALL, _LARGE), "os", strict=True):
        own = rows[rows["size"] == size]
        for _, teacher in own.groupby("seed"):
            left.plot(teacher.samples, teacher.test_error, color=color, linewidth=0.6, alpha=0.5)
        means = own.groupby("samples").test_error.agg(lambda each: float(np.exp(np.log(each).mean())))
        left.plot(means.index, means, color=color, marker=marker, label=f"from {size:g}")
        line(right, own, "samples", "fewest", {"color": color, "marker": marker})
    for axis in (left, right):
        axis.set_xscale("log")
        ticks = sorted(set(rows.samples))
        axis.set_xticks(ticks, [str(int(each)) for each in ticks])
        axis.minorticks_off()
        axis.set_xlabel("training samples")
    left.axvline(12, color="#777777", linestyle=":", label="weights of the teacher")
    left.set(yscale="log", ylabel="test error, relative")
    right.set(ylabel="fewest directions passed", ylim=(0, None))
    figure.legend(*left.get_legend_handles_labels(), loc="outside upper center", ncols=3)
    caption = (
        "Students of 180 weights of teachers of 12, trained from small and from large weights: test error relative to "
        "the variance of the target (thin: single teachers; thick: geometric mean), and the fewest directions of "
        "neurons that training passed."
    )
    return Drawing(figure, "Recovery of a narrow teacher", caption)


def shown(table: pd.DataFrame) -> list[list[str]]:
    """A setting and a quantity a row, means over starts, chains, students or teachers.

    Args:
        table: the numbers of the study.
    """
    rows = [["part", "setting", "quantity", "found"]]

    def add(part: str, setting: str, quantity: str, values: Any) -> None:
        known = pd.Series(values).dropna().astype(float)
        if len(known):
            found = over_tasks(known)
            rows.append([part, setting, quantity, numbers.with_error(found.mean, found.error)])

    for (activation, size), own in passed(table[table.part == "training"]).groupby(["activation", "size"], sort=False):
        for column, words in (
            ("fewest_directions", "fewest directions"),
            ("fewest", "fewest neurons (a, w)"),
            ("nearest_few", "nearest to a narrow manifold"),
            ("last_direction", "directions at the end"),
            ("channels", "channels at the end"),
            ("loss", "loss at the end"),
        ):
            add("training", f"{activation} from {size:g}", words, own[column])
    for activation, size, step, blocks in closest(table[table.part == "training"]):
        setting = f"{activation} from {size:g}, first start"
        rows.append(
            [
                "training",
                setting,
                "neurons that are one where a narrow manifold is nearest",
                f"{blocks}; step {step:.0f}",
            ]
        )
    kept = table[table.part == "redundancy"]
    for (width, source), own in kept.groupby(["width", "source"], sort=False) if len(kept) else ():
        for level, each in own.groupby("level", sort=False):
            near = each[np.isclose(each.tolerance, 0.1) | np.isclose(each.tolerance, 10**-0.5)]
            for tolerance, values in near.groupby("tolerance"):
                add(
                    "redundancy", f"N = {int(width)}, {source}", f"distinct {level} at {tolerance:.2g}", values.distinct
                )
        add("redundancy", f"N = {int(width)}, {source}", "nearest smaller manifold", own.nearest)
        add("redundancy", f"N = {int(width)}, {source}", "channels", own.channels)
    last = table[(table.part == "channels") & (table.step == table[table.part == "channels"].step.max())]
    for (activation, teacher), own in last.groupby(["activation", "teacher"], sort=False):
        add("channels", f"{activation}, {teacher}", "share of students in one", (own.channels > 0).astype(float))
    for (size, samples), own in table[table.part == "recovery"].groupby(["size", "samples"], sort=False):
        add("recovery", f"from {size:g}, {int(samples)} samples", "relative test error", own.test_error)
    return rows
