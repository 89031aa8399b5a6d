"""All figures of a report, in the order they are read, and their files."""

import math
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from matplotlib.figure import Figure

from codingschemes.coding.neurons import activity_chunks, spread_draws
from codingschemes.coding.population import ClassMeans, join, population
from codingschemes.coding.summary import Summary
from codingschemes.comparison import Comparison
from codingschemes.progress import tracked
from codingschemes.reports import chains, layers, populations, responses, schemes, theory
from codingschemes.reports.style import darken, styled
from codingschemes.runs import Run

POOLED_DRAWS = 50
"""Draws a chain whose neurons are pooled in histograms."""


def figures(run: Run, summary: Summary, comparison: Comparison | None = None) -> dict[str, Figure]:
    """The figures that this run has something to show in, by name; a theory's answers drawn over those of the run."""
    task = run.posterior.task
    prediction = None if comparison is None else comparison.prediction
    drawn = {"layers": layers.layers(summary, task)} if len(summary.layers) > 1 else {}
    drawn["activity"] = populations.activity(summary, task)
    if summary.codes:
        drawn["codes"] = populations.codes(summary, prediction)
    drawn |= {
        "contributions": populations.contributions(summary, task),
        "neurons": populations.neurons(summary, task),
        "distributions": populations.distributions(pooled_neurons(run), summary, task, prediction),
        "kernel": responses.kernel(summary, task),
        "predictions": responses.predictions(summary, task),
        "traces": chains.traces(chains.traced_scalars(run)),
    }
    if comparison is not None:
        drawn["theory"] = theory.agreement(comparison)
    if math.isfinite(summary.diagnostics.convergence.rhat_max):
        drawn["convergence"] = chains.convergence(summary)
    drawn["map"] = schemes.scheme_map(summary, prediction)
    return drawn


def pooled_neurons(run: Run) -> ClassMeans:
    """The last hidden layer's neurons of evenly spaced draws of all chains, together."""
    labels = run.posterior.task.labels
    parts = [
        population(activity[:, :, -1], readout, labels).pool()
        for activity, readout in activity_chunks(run, spread_draws(run, POOLED_DRAWS))
    ]
    return join(parts, axis=0)


class Rendering(NamedTuple):
    """One figure as PNG, for light and for dark pages."""

    light: bytes
    dark: bytes


@styled()
def save_figures(figures: Mapping[str, Figure], folder: Path) -> dict[str, Rendering]:
    """Write each figure as PNG (150 dpi) and PDF; returns its two renderings by name. Figures are left dark."""
    folder.mkdir(parents=True, exist_ok=True)
    written = {}
    for name, figure in tracked(figures.items(), "drawing figures"):
        light = folder / f"{name}.png"
        figure.savefig(light)
        figure.set_layout_engine("none")  # laid out once is enough
        figure.savefig(folder / f"{name}.pdf", metadata={"CreationDate": None})
        darken(figure)
        dark = BytesIO()
        figure.savefig(dark, facecolor=figure.get_facecolor(), format="png")
        written[name] = Rendering(light.read_bytes(), dark.getvalue())
    return written
