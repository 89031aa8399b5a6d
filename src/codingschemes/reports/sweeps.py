"""The HTML page of a sweep: which scheme is where, how deviations shrink, every run."""

import itertools
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from codingschemes.calls import checked
from codingschemes.coding.scheme import scheme_words
from codingschemes.reports.page import UNFOLDED, template, write_whole
from codingschemes.sweeps import Outcome, Outcomes, Trend

_MOST_CODES = 6


class Columns(NamedTuple):
    """A table of text."""

    heads: list[str]
    rows: list[list[str]]


class Diagram(NamedTuple):
    """Schemes over two options that vary; the title says what the others are."""

    title: str
    heads: list[str]
    rows: list[list[str]]


@checked
def report_sweep(outcomes: Outcomes, trends: Sequence[Trend], out: str | Path) -> Path:
    """Write the page of a sweep: one HTML file that needs nothing else.

    Args:
        outcomes: from `sweep`.
        trends: of them.
        out: the file to write.

    Raises:
        InvalidInput: the place cannot be written to.
    """
    return write_whole(Path(out), lambda: render(outcomes, trends))


def render(outcomes: Outcomes, trends: Sequence[Trend]) -> str:
    """The page as text."""
    drawn = diagrams(outcomes)
    listed = [("answer", "The answer"), ("diagrams", "Which scheme is where") if drawn else None,
              ("trends", "How deviations from theory shrink") if trends else None, ("runs", "All runs")]  # fmt: skip
    return template("sweep.html.jinja").render(
        title="sweep",
        headline=headline(outcomes),
        subtitle=f"Over {', '.join(_axes(outcomes)) or 'nothing that varies'}.",
        sections=[each for each in listed if each is not None],
        failures=[(each.job.name, each.message) for each in outcomes if each.status == "failed"],
        diagrams=drawn,
        trends=trends_table(trends).rows,
        runs=runs_table(outcomes),
        figures={},
        key_figure=None,
        folded=UNFOLDED,
    )


def headline(outcomes: Outcomes) -> str:
    """How many runs came to what."""
    schemes = Counter(outcome.result.scheme for outcome in outcomes if outcome.result is not None)
    others = Counter(outcome.status for outcome in outcomes if outcome.result is None)
    found = ", ".join(f"{count} {name}" for name, count in (*schemes.most_common(), *others.items()))
    return f"{len(outcomes)} run{'s' if len(outcomes) != 1 else ''}: {found}"


def runs_table(outcomes: Sequence[Outcome]) -> Columns:
    """One row a run."""
    kinds = list(dict.fromkeys(kind for each in outcomes if each.result for kind in each.result.deviations))
    heads = ["run", "scheme", "codes", "R-hat", "effective draws", *(f"{kind} off by" for kind in kinds), "trust"]
    return Columns(heads, [_row(outcome, kinds) for outcome in outcomes])


def trends_table(trends: Sequence[Trend]) -> Columns:
    """One row a trend."""
    rows = [[_values(trend.options) or "all", trend.kind, trend.sentence] for trend in trends]
    return Columns(["runs", "kind", "trend"], rows)


def diagrams(outcomes: Sequence[Outcome]) -> list[Diagram]:
    """The schemes over the first two options that vary independently, one diagram for each choice of the others."""
    axes = _axes(outcomes)
    if len(axes) < 2:
        return []
    down, across, *others = axes
    found = {tuple(_value(each, name) for name in axes): _scheme(each) for each in outcomes}
    rows, columns = axes[down], axes[across]
    return [
        Diagram(
            ", ".join(f"{name} = {value}" for name, value in zip(others, rest, strict=True)),
            [f"{down} \\ {across}", *columns],
            [[row, *(found.get((row, column, *rest), "") for column in columns)] for row in rows],
        )
        for rest in itertools.product(*(axes[name] for name in others))
    ]


def _axes(outcomes: Sequence[Outcome]) -> dict[str, list[str]]:
    """Options that vary -> their values, in order; of those that vary together, the first."""
    axes: dict[str, list[str]] = {}
    for name in outcomes[0].job.varied if outcomes else ():
        values = list(dict.fromkeys(_value(each, name) for each in outcomes))
        together = any(
            len({(_value(each, name), _value(each, other)) for each in outcomes}) == len(axes[other]) for other in axes
        )
        if len(values) > 1 and not together:
            axes[name] = values
    return axes


def _value(outcome: Outcome, name: str) -> str:
    value: Any = outcome.job.varied[name]
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _values(options: dict[str, Any]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in options.items())


def _scheme(outcome: Outcome) -> str:
    result = outcome.result
    return outcome.status if result is None else scheme_words(result.scheme, result.probability, result.scores)


def _row(outcome: Outcome, kinds: Sequence[str]) -> list[str]:
    result = outcome.result
    if result is None:
        return [outcome.job.name, outcome.status, *[""] * (4 + len(kinds))]
    codes = " ".join(list(result.codes)[:_MOST_CODES]) + (" ..." if len(result.codes) > _MOST_CODES else "")
    deviations = [result.deviations.get(kind) for kind in kinds]
    return [
        outcome.job.name,
        _scheme(outcome),
        codes or "-",
        f"{result.rhat_max:.2f}",
        f"{result.ess_min:.0f}",
        *("-" if pair is None else f"{pair[0]:.2%} +- {pair[1]:.2%}" for pair in deviations),
        result.trust,
    ]
