"""The table of claims in docs/claims.md, which the other scripts of this folder make."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

BEGIN, END = "<!-- claims: written by experiments/claims.py -->", "<!-- end of claims -->"


class Claim(NamedTuple):
    """One line of the table.

    Attributes:
        claim: what is said, in a few words.
        source: which paper says so, or "here".
        predicted, found: a number, several with commas between them, or the name of a scheme or a range; "-" for none.
        error: the standard error of what was found; "-" where there is none.
        note: whatever else is to be known, in words.
    """

    claim: str
    source: str
    predicted: str
    found: str
    error: str = "-"
    note: str = ""

    @property
    def off(self) -> str:
        """How far what was found is from the prediction, relative to it; of several numbers the largest."""
        pairs = list(zip(_numbers(self.predicted), _numbers(self.found), strict=False))
        if not pairs or any(predicted == 0 for predicted, _ in pairs):
            return "-"
        return f"{max(abs(found / predicted - 1) for predicted, found in pairs):.2g}"


def _numbers(text: str) -> list[float]:
    """The numbers of a cell that holds nothing else."""
    cells = text.replace("%", "").split(", ")
    return [float(cell) for cell in cells] if all(re.fullmatch(r"-?[\d.]+(e-?\d+)?", cell) for cell in cells) else []


def record(root: Path, script: str, claims: Sequence[Claim]) -> None:
    """Keeps what `script` found in results/claims.json below `root` and writes the table anew."""
    records, page = root / "results" / "claims.json", root / "docs" / "claims.md"
    kept = json.loads(records.read_text()) | {script: [claim._asdict() for claim in claims]}
    records.write_text(json.dumps(dict(sorted(kept.items())), indent=1, ensure_ascii=False) + "\n")
    before, _, rest = page.read_text().partition(BEGIN)
    page.write_text(f"{before}{BEGIN}\n\n{table(records)}\n\n{END}{rest.partition(END)[2]}")


def table(records: Path) -> str:
    """Everything that is kept, as a Markdown table, the scripts' claims together."""
    lines = ["| claim | source | predicted | found | off by | error | note | script |", "| --- " * 8 + "|"]
    for script, claims in json.loads(records.read_text()).items():
        for each in (Claim(**claim) for claim in claims):
            cells = [each.claim, each.source, each.predicted, each.found, each.off, each.error, each.note]
            lines.append("| " + " | ".join([*cells, f"[{script}](../experiments/{script})"]) + " |")
    return "\n".join(lines)
