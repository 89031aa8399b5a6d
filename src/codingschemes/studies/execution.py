"""A study from its runs to its page."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from codingschemes.calls import checked
from codingschemes.errors import InvalidInput
from codingschemes.json_values import plain
from codingschemes.runs.run import write_json
from codingschemes.studies.page import write_page
from codingschemes.studies.study import Findings, Study
from codingschemes.sweeps import Outcomes, sweep
from codingschemes.sweeps.jobs import save_table

#: Folder of the runs, in that of the study.
_RUNS = "runs"


@dataclass(frozen=True)
class Studied:
    """What became of a study.

    Attributes:
        study: with its sizes.
        outcomes: of its runs.
        findings: from those that are complete.
        page: the HTML file.

    Example:
        >>> from codingschemes.studies import Studied
        >>> [field for field in Studied.__dataclass_fields__]
        ['study', 'outcomes', 'findings', 'page']
    """

    study: Study
    outcomes: Outcomes
    findings: Findings
    page: Path

    @property
    def complete(self) -> bool:
        """Whether all runs are."""
        return all(each.status == "complete" for each in self.outcomes)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; None where a number does not exist."""
        values = {
            "study": self.study.title,
            "sizes": asdict(self.study),
            "claims": [asdict(claim) for claim in self.findings.claims],
            "remarks": list(self.findings.remarks),
            "figures": {name: [each.heading, each.caption] for name, each in self.findings.figures.items()},
            "numbers": self.findings.numbers.to_dict("records"),
            "runs": [{**each.to_json(), "folder": f"{_RUNS}/{each.job.name}"} for each in self.outcomes],
        }
        return plain(values)


@checked
def study(
    asked: Study,
    out: str | Path,
    *,
    scheduler: str | None = None,
    workers: int | None = None,
    notify: Callable[[str], None] = lambda _: None,
) -> Studied:
    """Make all runs of a study and read them. Called again, it goes on where it was cut off.

    Written are a page, `report.html`; its figures as PNG and PDF in `figures`; the numbers as `numbers.csv` and, where
    pyarrow is installed, `numbers.parquet`; and all of it as `study.json`. The runs lie in `runs`.

    Args:
        asked: the study, with its sizes.
        out: folder to write.
        scheduler, workers: who makes the runs; see `sweep`.
        notify: is told of every run what is being done.

    Raises:
        InvalidInput: no run is complete, or see `sweep`.

    Example:
        >>> from codingschemes.studies import GeneralisationStudy
        >>> tiny = GeneralisationStudy.quick()
        >>> cs.studies.study(tiny, "study").findings.headline  # runs: two minutes  # doctest: +SKIP
        '5 claims: 1 holds, 4 not decided'
    """
    folder = Path(out)
    jobs = asked.jobs((folder / _RUNS).absolute())
    outcomes = sweep(jobs, scheduler=scheduler, workers=workers, notify=notify)
    if len(outcomes) < len(jobs) or not any(each.result is not None for each in outcomes):
        failed = next((each.message for each in outcomes if each.message), "it was stopped")
        left = sum(each.result is None for each in outcomes) + len(jobs) - len(outcomes)
        raise InvalidInput(f"{left} of {len(jobs)} runs of the study are not complete ({failed}): call it again")
    findings = asked.read(outcomes)
    page = write_page(asked, outcomes, findings, folder)
    save_table(findings.numbers, folder, "numbers", index=False)
    found = Studied(asked, outcomes, findings, page)
    write_json(folder / "study.json", found.to_json())
    return found
