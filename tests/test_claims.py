"""The table of claims is what the experiments recorded."""

import json
import re
from pathlib import Path

import claims
import pytest

ROOT = Path(__file__).parents[1]
RECORDS = ROOT / "results" / "claims.json"
NUMBER = re.compile(r"-?[\d.]+(e-?\d+)?%?")


def test_the_page_shows_what_was_recorded():
    table = claims.table(RECORDS)
    assert table.count("\n") > 10
    assert table in (ROOT / "docs" / "claims.md").read_text()
    for script in json.loads(RECORDS.read_text()):
        assert (ROOT / "experiments" / script).exists()


def test_a_column_holds_one_kind_of_thing():
    """Numbers, several of them with commas, names of schemes and ranges; an error is a number or missing."""
    for claim in [claims.Claim(**each) for found in json.loads(RECORDS.read_text()).values() for each in found]:
        for cell in (claim.predicted, claim.found):
            words = re.fullmatch(r"-|analog|redundant|sparse|below \S+|[\d.]+ to [\d.]+", cell)
            assert words or all(NUMBER.fullmatch(each) for each in cell.split(", ")), cell
        for cell in (claim.off, claim.error):
            assert cell == "-" or NUMBER.fullmatch(cell), cell


@pytest.mark.parametrize(
    ("predicted", "found", "off"),
    [
        ("2", "2.5", "0.25"),
        ("1, 4", "1, 3", "0.25"),
        ("-1", "-1.5", "0.5"),
        ("0", "0.1", "-"),
        ("sparse", "sparse", "-"),
    ],
)
def test_how_far_off_is_relative_and_the_largest(predicted, found, off):
    assert claims.Claim("what is said", "here", predicted, found).off == off
