"""The table of what three papers claim, and what became of each claim here.

    python experiments/papers.py

Reads experiments/papers.toml, the home of all recorded claims, and writes their table into docs/claims.md.
"""

import json
import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import Literal, NamedTuple

ROOT = Path(__file__).parents[1]
HOME = ROOT / "experiments" / "papers.toml"
BEGIN, END = "<!-- papers: written by experiments/papers.py -->", "<!-- end of papers -->"
type Verdict = Literal["holds", "does not hold", "not decided", "not examined"]
VERDICTS: tuple[Verdict, ...] = ("holds", "does not hold", "not decided", "not examined")
SOURCES = ("theirs", "derived here", "ours")
WAYS = ("sampled", "solved", "trained", "counted", "-")


class Recorded(NamedTuple):
    """A claim that is on record.

    Attributes:
        id: its name, which begins with that of its paper.
        claim: what is said.
        source: "theirs", "derived here" or "ours" (numbers).
        how: in which way it was examined.
        verdict: what came of it.
        reason: under which conditions, how far off, or why there is no verdict.
        rows: of the table of experiments, as `script: beginning of the claim`.
        tests: below tests/, as `file::name`.
        pages: of the repository.
    """

    id: str
    claim: str
    source: str
    how: str
    verdict: Verdict
    reason: str = ""
    rows: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()

    @property
    def paper(self) -> str:
        """The first word of the name."""
        return self.id.partition("-")[0]


def recorded(home: Path = HOME) -> list[Recorded]:
    """All claims, in the order of the file."""
    return [Recorded(**each) for each in tomllib.loads(home.read_text())["claim"]]


def papers(home: Path = HOME) -> dict[str, str]:
    """What the first words of names stand for."""
    return tomllib.loads(home.read_text())["papers"]


def table(home: Path = HOME) -> str:
    """Everything that is on record, as a Markdown table a paper."""
    claims = recorded(home)
    verdicts = Counter(each.verdict for each in claims)
    counts = ", ".join(f"{verdicts[verdict]} {verdict}" for verdict in VERDICTS)
    parts = [f"{len(claims)} claims: {counts}."]
    for paper, title in papers(home).items():
        lines = [f"### {title}", "", "| claim | source | examined | verdict | with what | remark |", "| --- " * 6 + "|"]
        for each in claims:
            if each.paper == paper:
                cells = [_plain(each.claim), each.source, each.how, each.verdict, _links(each), _plain(each.reason)]
                lines.append(f"| {' | '.join(cells)} |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _plain(text: str) -> str:
    """Signs that Markdown would take for its own."""
    return re.sub(r"([|*_\[\]])", r"\\\1", text)


def _links(claim: Recorded) -> str:
    scripts = dict.fromkeys(row.partition(": ")[0] for row in claim.rows)
    files = dict.fromkeys(test.partition("::")[0] for test in claim.tests)
    return ", ".join(
        [f"[{script}](../experiments/{script})" for script in scripts]
        + [f"[{Path(file).name}](../tests/{file})" for file in files]
        + [f"[{Path(page).name}](../{page})" for page in claim.pages]
    )


def missing(root: Path = ROOT) -> list[str]:
    """Evidence that is named but not there, and what papers are said to claim without a claim on record."""
    found = json.loads((root / "results" / "claims.json").read_text())
    rows = {f"{script}: {each['claim']}": each["source"] for script, claims in found.items() for each in claims}
    claims = recorded(root / "experiments" / "papers.toml")
    named = [row for each in claims for row in each.rows]
    lacking = [row for row in named if not any(each.startswith(row) for each in rows)]
    for each in claims:
        for test in each.tests:
            file, _, name = test.partition("::")
            path = root / "tests" / file
            if not path.exists() or f"def {name}(" not in path.read_text():
                lacking.append(test)
        lacking += [page for page in each.pages if not (root / page).exists()]
    unrecorded = [row for row, source in rows.items() if source != "here" and not any(map(row.startswith, named))]
    return lacking + unrecorded


def write(root: Path = ROOT) -> None:
    """The table into docs/claims.md."""
    page = root / "docs" / "claims.md"
    before, _, rest = page.read_text().partition(BEGIN)
    page.write_text(
        f"{before}{BEGIN}\n\n{table(root / 'experiments' / 'papers.toml')}\n\n{END}{rest.partition(END)[2]}"
    )


if __name__ == "__main__":
    write()
