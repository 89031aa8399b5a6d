"""A run beside a theory: figures and words."""

import math
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from codingschemes.comparison import Comparison
from codingschemes.reports import numbers
from codingschemes.reports.style import panels, styled
from codingschemes.theory import NeuronGroup, Prediction

PREDICTED = "#D55E00"
POINTS = {"fmt": "o", "color": "#0072B2", "alpha": 0.8}
GIVEN = {"fmt": "s", "color": "#777777", "markerfacecolor": "none"}
#: Groups of fewer neurons than this are not drawn.
_LEAST_DRAWN = 0.5
#: Kinds of the rows that share a panel.
_PANELS = {
    "outputs": ("output",),
    "kernel": ("kernel",),
    "activity of neurons": ("activity",),
    "readout of neurons": ("readout",),
    "neurons a code": ("neurons",),
}


@styled()
def agreement(comparison: Comparison) -> Figure:
    """Sampled against predicted, a panel a kind of quantity; error bars are two Monte Carlo standard errors. What was
    given to the theory is on the diagonal by construction, and drawn as that."""
    kinds = {
        title: [row for row in comparison.rows if row.kind in first and math.isfinite(row.sampled)]
        for title, first in _PANELS.items()
    }
    kinds = {title: rows for title, rows in kinds.items() if rows}
    figure, axes = panels(len(kinds), columns=min(3, len(kinds)), height=3.4)
    for axis, (title, rows) in zip(axes, kinds.items(), strict=True):
        predicted, sampled = np.array([[row.predicted, row.sampled] for row in rows]).T
        errors = 2 * np.nan_to_num([row.mcse for row in rows])
        low, high = min(predicted.min(), sampled.min()), max(predicted.max(), sampled.max())
        margin = 0.06 * (high - low or 1.0)
        axis.plot([low - margin, high + margin], [low - margin, high + margin], color="#bbbbbb", zorder=0)
        given = np.array([row.given for row in rows])
        for chosen, style in ((~given, POINTS), (given, GIVEN)):
            if chosen.any():
                axis.errorbar(predicted[chosen], sampled[chosen], errors[chosen], markersize=5, **style)
        axis.set(xlabel=f"{'given' if given.all() else 'predicted'}, {title}", ylabel="sampled")
    handles = [
        Line2D([], [], color="#bbbbbb", label="equal"),
        Line2D([], [], marker="o", linestyle="", color="#0072B2", label="a quantity, ± two Monte Carlo errors"),
    ]
    if any(row.given for row in comparison.rows):
        mark: dict[str, Any] = {"marker": "s", "color": "#777777", "markerfacecolor": "none"}
        handles.append(Line2D([], [], linestyle="", label="given to the theory, not predicted", **mark))
    figure.legend(handles=handles, loc="outside upper left", ncols=3)
    return figure


def draw_density(
    axis: Axes, prediction: Prediction, what: str, index: int, edges: Float[np.ndarray, " E"], draws: float
) -> None:
    """The histogram that theory expects of `draws` networks, or vertical lines where it puts groups of neurons.

    Args:
        axis: of a sampled histogram.
        prediction: the theory's answers.
        what: "activity" or "readout".
        index: a class or an output.
        edges: of the sampled histogram's bins.
        draws: how many networks it counts.
    """
    if prediction.neurons is not None:
        values = getattr(prediction.neurons, what)[:, index]
        counts, _ = np.histogram(values, edges, weights=draws * prediction.neurons.weight)
        axis.stairs(counts, edges, color=PREDICTED, linewidth=1.3)
    else:
        for group in _groups(prediction):
            axis.axvline(getattr(group, what)[index], color=PREDICTED, linewidth=1.1, linestyle="--")


def has_neurons(prediction: Prediction) -> bool:
    """Whether there are single neurons, or groups of them, to be drawn."""
    return prediction.neurons is not None or bool(_groups(prediction))


def _groups(prediction: Prediction) -> list[NeuronGroup]:
    groups = [*prediction.codes, *prediction.outliers]
    if prediction.bulk is not None:
        groups.append(prediction.bulk)
    return [group for group in groups if group.count >= _LEAST_DRAWN]


def predicted_handle(prediction: Prediction, *, dashed: bool) -> Line2D:
    """What the lines are, for a legend."""
    label = f"{prediction.theory} theory" + (", at the sampled shares of codes" if prediction.conditional else "")
    return Line2D([], [], color=PREDICTED, linewidth=1.3, linestyle="--" if dashed else "-", label=label)


def table(comparison: Comparison) -> list[list[str]]:
    """Rows of words for the page."""
    return [
        [
            row.quantity,
            numbers.with_error(row.sampled, row.mcse),
            numbers.beside(row.predicted, row.mcse) + (" (given)" if row.given else ""),
            _plain(row.z, "{:.1f}"),
            _plain(row.relative_error, "{:+.2%}"),
        ]
        for row in comparison.rows
    ]


def remarks(comparison: Comparison) -> list[str]:
    """What a reader should know before the table."""
    certificate = comparison.prediction.certificate
    certificate_line = f"Certificate of the prediction, {certificate.words}."
    scheme = [comparison.scheme_words] if comparison.scheme_words else []
    return [certificate_line, *scheme, *(f"{note[0].upper()}{note[1:]}." for note in comparison.notes)]


def _plain(value: float, form: str) -> str:
    return form.format(value).replace("-", "−") if math.isfinite(value) else "–"
