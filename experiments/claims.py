"""The table of claims in docs/claims.md, which the other scripts of this folder make.

A script calls `record` with what it found; this keeps it in benchmarks/claims.json and writes the table anew.
"""

import json
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
RECORDS, PAGE = ROOT / "benchmarks" / "claims.json", ROOT / "docs" / "claims.md"
BEGIN, END = "<!-- claims: written by experiments/claims.py -->", "<!-- end of claims -->"


class Claim(NamedTuple):
    """One line of the table.

    Attributes:
        claim: what is said, in a few words.
        source: which paper says so, or "here".
        predicted, sampled: the numbers, or words, as they are to be read.
        error: how far they are from each other, and the Monte Carlo error where there is one.
    """

    claim: str
    source: str
    predicted: str
    sampled: str
    error: str


def record(script: str, claims: list[Claim]) -> None:
    """Keeps what `script` (a path) found and writes the table."""
    kept = json.loads(RECORDS.read_text()) if RECORDS.exists() else {}
    kept[Path(script).name] = [claim._asdict() for claim in claims]
    RECORDS.write_text(json.dumps(dict(sorted(kept.items())), indent=1, ensure_ascii=False) + "\n")
    before, _, rest = PAGE.read_text().partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}")


def table() -> str:
    """Everything that is kept, as a Markdown table, the scripts' claims together."""
    lines = ["| claim | source | predicted | sampled | error | script |", "| --- " * 6 + "|"]
    for script, claims in json.loads(RECORDS.read_text()).items():
        for each in claims:
            cells = Claim(**each)
            lines.append("| " + " | ".join([*cells, f"[{script}](../experiments/{script})"]) + " |")
    return "\n".join(lines)
