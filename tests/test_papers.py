"""Every claim of the papers that is on record has one home, a row and a verdict, and evidence that exists."""

import re
from pathlib import Path

import papers
import pytest

ROOT = Path(__file__).parents[1]
CLAIMS = papers.recorded()


def test_each_claim_has_a_name_of_its_own_and_one_row():
    names = [each.id for each in CLAIMS]
    assert len(names) == len(set(names))
    assert {each.paper for each in CLAIMS} == set(papers.papers())
    page = (ROOT / "docs" / "claims.md").read_text()
    assert papers.table() in page
    rows = [line for line in papers.table().splitlines() if re.search(rf"\| ({'|'.join(papers.VERDICTS)}) \|", line)]
    assert len(rows) == len(CLAIMS)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_a_verdict_has_evidence_or_a_reason(claim):
    assert claim.verdict in papers.VERDICTS
    assert claim.source in papers.SOURCES
    assert claim.how in papers.WAYS
    evidence = (*claim.rows, *claim.tests, *claim.pages)
    if claim.verdict == "not examined":
        assert not evidence
        assert claim.how == "-"
    else:
        assert evidence
    assert claim.reason or claim.verdict in ("holds", "does not hold")


def test_evidence_exists_and_no_paper_is_quoted_off_the_record():
    assert papers.missing() == []


def test_what_is_missing_is_found(tmp_path):
    """A test and a page that do not exist, a row that nobody made, and one of a paper that is not on record."""
    for name in ("experiments", "results"):
        (tmp_path / name).mkdir()
    (tmp_path / "results" / "claims.json").write_text(
        '{"made.py": [{"claim": "said", "source": "a paper"}, {"claim": "found", "source": "here"}]}'
    )
    (tmp_path / "experiments" / "papers.toml").write_text(
        '[papers]\ncoding = "A paper"\n[[claim]]\nid = "coding-one"\nclaim = "it is so"\nsource = "theirs"\n'
        'how = "solved"\nverdict = "holds"\nrows = ["made.py: lost", "made.py: found"]\ntests = ["lost.py::test"]\n'
        'pages = ["lost.md"]\n'
    )
    assert papers.missing(tmp_path) == ["made.py: lost", "lost.py::test", "lost.md", "made.py: said"]
