"""The table of claims is what the experiments recorded."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_page_shows_what_was_recorded():
    spec = importlib.util.spec_from_file_location("claims", ROOT / "experiments" / "claims.py")
    claims = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(claims)
    table = claims.table()
    assert table.count("\n") > 10
    assert table in claims.PAGE.read_text()
    for script in set(claims.json.loads(claims.RECORDS.read_text())):
        assert (ROOT / "experiments" / script).exists()
