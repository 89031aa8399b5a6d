"""What figures of single layers share: points with their errors, kernels side by side, styles."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from codingschemes.reports.style import CODE_COLORS, DIVERGING, SEQUENTIAL, styled
from codingschemes.studies.study import NAMES, over_tasks

DISTANCES: dict[str, dict[str, Any]] = {
    "permutation": {"color": CODE_COLORS[1], "marker": "s", "label": "by the best permutation of neurons"},
    "rotation": {"color": CODE_COLORS[0], "marker": "o", "linestyle": "--", "label": "by the best rotation"},
}


class KernelPair(NamedTuple):
    """The kernel of a layer, samples sorted by class.

    Attributes:
        sampled: mean over chains and draws.
        predicted: None where theory has none.
    """

    sampled: Float[np.ndarray, "P P"] | None
    predicted: Float[np.ndarray, "P P"] | None

    @classmethod
    def by_class(
        cls, labels: np.ndarray, sampled: Float[np.ndarray, "P P"], predicted: Float[np.ndarray, "P P"] | None
    ) -> "KernelPair":
        """The pair with samples sorted by these labels."""
        order = np.argsort(labels, kind="stable")
        return cls(*(None if each is None else each[np.ix_(order, order)] for each in (sampled, predicted)))


def line(
    axis: Axes,
    rows: pd.DataFrame,
    along: str,
    name: str,
    style: dict[str, Any],
    aside: Callable[[float], float] = lambda place: place,
) -> None:
    """Means of a column at every place, with one standard error.

    Args:
        axis: to draw on.
        rows: of the table of numbers; those without a number are left out.
        along, name: columns of places and of numbers.
        style: of the line.
        aside: from a place to where it is drawn.
    """
    found = {place: over_tasks(group[name]) for place, group in rows.dropna(subset=[name]).groupby(along)}
    errors = np.nan_to_num([each.error for each in found.values()])
    means = [each.mean for each in found.values()]
    axis.errorbar([aside(place) for place in found], means, errors, **{"markersize": 5, "capsize": 0, **style})


@styled()
def kernels_beside_theory(kernels: Mapping[str, Sequence[KernelPair]]) -> Figure:
    """Kernels of every layer, sampled beside predicted, an activation a row; one scale for both of a layer.

    Args:
        kernels: of every layer by activation, as many layers for all.
    """
    columns = 2 * max(map(len, kernels.values()))
    figure = Figure(figsize=(1.2 + 1.55 * columns, 0.6 + 1.75 * len(kernels)), layout="constrained")
    grid = figure.subplots(len(kernels), columns, squeeze=False)
    for place, (activation, pairs) in enumerate(kernels.items()):
        row = grid[place]
        for layer, pair in enumerate(pairs):
            shown = [each for each in pair if each is not None]
            low, high = min(map(np.min, shown)), max(map(np.max, shown))
            signed = low < -0.02 * high
            scale = {"cmap": DIVERGING, "vmin": -high, "vmax": high} if signed else {"cmap": SEQUENTIAL, "vmin": 0}
            for axis, kernel, words in zip(row[2 * layer : 2 * layer + 2], pair, KernelPair._fields, strict=True):
                axis.set(xticks=[], yticks=[], box_aspect=1)
                if place == 0:
                    axis.set_title(f"layer {layer + 1}\n{words}", fontsize=9)
                if kernel is None:
                    axis.text(0.5, 0.5, "none", ha="center", va="center", transform=axis.transAxes, fontsize=9)
                else:
                    axis.imshow(kernel, **{"vmax": high, **scale})
        row[0].set_ylabel(NAMES.get(activation, activation))
    return figure
