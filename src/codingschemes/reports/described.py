"""The HTML page of a described population: the answer, its figures, every score with error and null."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from codingschemes.calls import checked
from codingschemes.coding.scheme import probability_words
from codingschemes.populations import Description, Measured
from codingschemes.reports import numbers, populations, responses, schemes, words
from codingschemes.reports.captions import GLOSSARY
from codingschemes.reports.figures import Rendering, save_figures
from codingschemes.reports.page import (
    FIGURES,
    KEY_FIGURES,
    MOST_ROWS,
    PAGE,
    UNFOLDED,
    embed,
    evidence_rows,
    template,
    write_whole,
)

CAPTIONS = {
    "activity": (
        "Activity of all neurons",
        "Each row is a neuron, each column a sample: blocks of equal rows are codes, rows in all shades are an analog "
        "code, a few bright rows beside a faint bulk are outliers.",
    ),
    "codes": (
        "How many neurons carry each code",
        "Share of the neurons with each code (one bit a class, in label order), with the 95% interval of a share of so "
        "many neurons.",
    ),
    "contributions": (
        "Who carries the output",
        "Left, the part of the class-specific output that each neuron carries, largest first: a few neurons far above "
        "equal parts are a sparse code; right, activity and readout of the same neurons.",
    ),
    "neurons": (
        "Single neurons",
        "Each point is a neuron: one cloud is an analog code, separate clusters are a redundant code, a bulk with "
        "distant points is a sparse code.",
    ),
    "kernel": (
        "Kernel",
        "The representational kernel K = ΦᵀΦ/N of the samples, and its means over pairs of different samples of two "
        "classes, which noise does not change: it looks alike in all three coding schemes.",
    ),
    "map": (
        "Map of coding schemes",
        "Up: the fewer neurons carry the class-specific output. Right: the nearer class means of the other neurons are "
        "to two levels; left: the more graded they are. Pure schemes are at the corners, mixtures between them.",
    ),
}
"""Title and caption of every figure."""
WORDS = (
    "code", "redundant", "sparse", "analog", "undecided", "outlier", "class-specific-output", "kernel", "collapse",
    "parallelism", "ccgp", "shattering",
)  # fmt: skip
NAMES = {
    "parallelism": "parallelism",
    "ccgp": "CCGP",
    "shattering": "shattering dimensionality",
    "decoding": "decoding of the class",
    "participation": "dimensions of class means",
    "two_levels": "two levels",
    "concentration": "concentration",
}
_MOST_CLASSES = 4
"""Listed of those that a state is visited in."""


@checked
def report_population(description: Description, out: str | Path) -> Path:
    """Write the page of a described population: one HTML file that needs nothing else, and its figures beside it.

    Args:
        description: from `describe`.
        out: the folder to write to; `report.html` and `figures/` in it.

    Returns:
        The HTML file.

    Raises:
        InvalidInput: the folder cannot be written to.
    """
    path = Path(out) / PAGE
    return write_whole(path, lambda: render(description, save_figures(figures(description), path.parent / FIGURES)))


def figures(description: Description) -> dict[str, Figure]:
    """The figures that this population has something to show in, by name."""
    shown = description.shown
    drawn = {"activity": populations.activity(description, shown)}
    if description.codes:
        drawn["codes"] = populations.codes(description)
    return drawn | {
        "contributions": populations.contributions(description, shown),
        "neurons": populations.neurons(description, shown),
        "kernel": responses.kernel(description, shown),
        "map": schemes.scheme_map(description),
    }


def render(description: Description, images: Mapping[str, Rendering]) -> str:
    """The page as text."""
    population, layer = description.population, description.layer
    shown = {name: embed(drawn, *CAPTIONS[name]) for name, drawn in images.items()}
    names = population.class_names
    return template("population.html.jinja").render(
        title=population.name,
        headline=headline(description),
        subtitle=f"{population.words}. Nothing was sampled.",
        sections=[
            ("answer", "The answer"),
            ("abstraction", "How abstract is it?"),
            ("figures", "Figures"),
            ("scheme", "The coding scheme in numbers"),
            ("groups", "Groups and states"),
            ("kernels", "Kernel"),
            ("glossary", "Words"),
        ],
        figures=shown,
        key_figure=next(name for name in KEY_FIGURES[description.scheme.label] + ("activity",) if name in shown),
        notes=description.notes,
        definition=description.abstraction.definition,
        scores=[_score(NAMES[name], score) for name, score in description.abstraction.scores.items()],
        nulls=sorted({null.broken for score in description.abstraction.scores.values() for null in score.nulls}),
        cards=_cards(description),
        folded=UNFOLDED,
        codes=[
            {
                "code": code.code,
                "classes": words.answered_classes(code.code, names),
                "fraction": numbers.percent(code.fraction),
                "interval": " to ".join(numbers.percent(end) for end in code.interval),
            }
            for code in description.codes[:MOST_ROWS]
        ],
        outliers=[
            {
                "neuron": each.neuron,
                "class_name": names[each.class_index],
                "norm": numbers.number(each.norm),
                "strength": numbers.number(each.strength),
                "part": numbers.percent(float(layer.portraits[0].output_part[each.neuron])),
            }
            for each in description.outliers[:MOST_ROWS]
        ],
        probabilities=[(name, probability_words(value)) for name, value in description.scheme.scores.items()],
        evidence=evidence_rows(layer.scheme),
        axes=[_score(NAMES[name], score) for name, score in description.structure.axes.scores.items()],
        groups=_groups(description),
        states=_states(description),
        said=description.structure.words,
        kernel=[
            [numbers.with_error(float(mean), float(error)) for mean, error in zip(row, errors, strict=True)]
            for row, errors in zip(layer.kernels.between, layer.kernels.between_mcse, strict=True)
        ],
        class_names=names,
        glossary={anchor: GLOSSARY[anchor] for anchor in WORDS},
    )


def headline(description: Description) -> str:
    """The coding scheme in one sentence."""
    scheme, layer = description.scheme, description.layer
    neurons = f"{description.population.size} neurons"
    sure = f"probability {probability_words(scheme.probability)}"
    match scheme.label:
        case "redundant":
            common = [code.code for code in description.codes if code.fraction >= 0.005]
            named = ", ".join(common[: words.NAMED_CODES]) + (", …" if len(common) > words.NAMED_CODES else "")
            return f"Redundant coding, {sure}: {neurons} share {len(common)} codes ({named})"
        case "sparse":
            return (
                f"Sparse coding, {sure}: {len(description.outliers)} of {neurons} carry "
                f"{numbers.percent(layer.outlier_share)} of the class-specific output"
            )
        case "analog":
            return f"Analog coding, {sure}: all {neurons} answer in graded strength, without codes or outliers"
    return f"Undecided: the {neurons} fit no single coding scheme with confidence ({scheme.reason})"


def _cards(description: Description) -> list[words.Card]:
    layer = description.layer
    return [
        words.scheme_card(layer.scheme),
        words.Card("neurons with a code", numbers.percent(layer.coded), f"{len(layer.codes)} different codes"),
        words.Card("outliers", str(len(layer.outliers)), f"{numbers.percent(layer.outlier_share)} of the output"),
        words.Card("effective neurons", numbers.number(layer.effective_neurons), "carry the class-specific output"),
        words.Card("variance within classes", numbers.number(layer.collapse.spread_within, 2), "0 at full collapse"),
    ]


def _groups(description: Description) -> list[dict[str, Any]]:
    found = description.structure.groups
    if found is None or found.count == 1:
        return []
    rows = zip(found.sizes, found.stability, found.profiles, strict=True)
    small = 0.005 * np.abs(found.profiles).max()
    return [
        {
            "size": size,
            "share": numbers.percent(size / description.population.size),
            "stability": "–" if np.isnan(stability) else numbers.number(float(stability), 2),
            "profile": [numbers.number(float(mean), 2) for mean in np.where(np.abs(profile) < small, 0, profile)],
        }
        for size, stability, profile in list(rows)[:MOST_ROWS]
    ]


def _states(description: Description) -> list[dict[str, Any]]:
    """How often each state was visited, and in which classes."""
    found, shown = description.structure.states, description.shown
    if found is None:
        return []
    labels = shown.labels[np.argsort(shown.order)]
    rows = []
    for state, visits in enumerate(found.visits[:MOST_ROWS]):
        seen = np.bincount(labels[found.members == state], minlength=shown.class_count)
        often = [label for label in np.argsort(-seen, kind="stable") if seen[label]]
        named = ", ".join(f"{shown.class_names[label]} {seen[label]}" for label in often[:_MOST_CLASSES])
        rows.append(
            {
                "visits": visits,
                "share": numbers.percent(visits / len(labels)),
                "classes": named + (", …" if len(often) > _MOST_CLASSES else ""),
                "p": numbers.number(float(found.p[state]), 2),
            }
        )
    return rows


def _score(name: str, score: Measured) -> dict[str, Any]:
    first = score.nulls[0] if score.nulls else None
    return {
        "name": name,
        "value": "–" if score.value is None else _short(score.value),
        "interval": "–" if score.interval is None else " to ".join(_short(end) for end in score.interval),
        "plain": "–" if score.plain is None else _short(score.plain),
        "null": "–" if first is None else _short(first.mean),
        "p": "–" if first is None else numbers.number(first.p, 2),
        "shuffles": "–" if first is None else str(first.shuffles),
        "remark": score.reason or ("corrected for noise" if score.corrected else ""),
    }


def _short(score: float) -> str:
    """Scores are of order one: digits beyond the third decimal say nothing."""
    return numbers.number(round(score, 3))
