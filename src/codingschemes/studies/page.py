"""The gallery page of a study: claims with their verdicts, figures, numbers, runs."""

from dataclasses import fields
from pathlib import Path

from codingschemes.reports import numbers
from codingschemes.reports.figures import save_figures
from codingschemes.reports.page import FIGURES, PAGE, UNFOLDED, embed, template, write_whole
from codingschemes.reports.sweeps import runs_table
from codingschemes.studies.study import Claim, Findings, Study
from codingschemes.sweeps import Outcomes

_LEVELS = {"holds": "good", "does not hold": "bad", "not decided": "note"}


def write_page(study: Study, outcomes: Outcomes, findings: Findings, folder: Path) -> Path:
    """Write the page, `report.html`, and its figures.

    Args:
        study: with its sizes.
        outcomes: of its runs.
        findings: from them.
        folder: of the study.

    Raises:
        InvalidInput: the place cannot be written to.
    """

    def page() -> str:
        images = save_figures({name: each.figure for name, each in findings.figures.items()}, folder / FIGURES)
        return _render(study, outcomes, findings, images)

    return write_whole(folder / PAGE, page)


def claim_cells(claim: Claim) -> list[str]:
    """A claim as it is read, verdict last."""
    found = numbers.with_error(claim.sampled, claim.error)
    return [claim.claim, claim.source, claim.measured, claim.predicted, found, claim.verdict]


#: Of `claim_cells`.
CLAIM_HEADS = ["claim", "whose", "measured", "predicted", "sampled", "verdict"]


def _render(study: Study, outcomes: Outcomes, findings: Findings, images: dict) -> str:
    heads, *rows = findings.shown
    sizes = [(each.name.replace("_", " "), numbers.plain_value(getattr(study, each.name))) for each in fields(study)]
    seconds = [each.result.seconds for each in outcomes if each.result is not None]
    return template("study.html.jinja").render(
        title=study.title,
        headline=f"{study.title}. {findings.headline}",
        subtitle=study.question,
        sections=[
            ("answer", "The answer"),
            ("claims", "Claims"),
            ("figures", "Figures"),
            ("numbers", "Numbers"),
            ("runs", "All runs"),
            ("origin", "Sizes and cost"),
        ],
        failures=[(each.job.name, each.message) for each in outcomes if each.status == "failed"],
        key_figure=next(iter(findings.figures), None),
        figures={name: embed(images[name], each.heading, each.caption) for name, each in findings.figures.items()},
        folded=UNFOLDED,
        remarks=findings.remarks,
        claims=[(_LEVELS[claim.verdict], claim_cells(claim)) for claim in findings.claims],
        claim_heads=CLAIM_HEADS,
        heads=heads,
        rows=rows,
        runs=runs_table(outcomes),
        facts_listed=[
            *sizes,
            ("runs, and hours of sampling", f"{len(outcomes)}, {numbers.number(sum(seconds) / 3600)}"),
        ],
    )
