"""Every script of `experiments/` says what it measures and what it writes, with the options that all of them share."""

import ast
import runpy
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "experiments"
SHARED = {"entry", "claims"}
SCRIPTS = [path for path in sorted(FOLDER.glob("*.py")) if path.stem not in SHARED]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_has_the_entry_and_begins_nothing_before_it(script, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [str(script), "--help"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(script), run_name="__main__")
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert "--quick" in said
    assert "--out FOLDER" in said
    text = ast.get_docstring(ast.parse(script.read_text()))
    assert text is not None
    assert f"python experiments/{script.name}" in text


def test_quick_results_stay_out_of_the_repository(monkeypatch):
    entry = runpy.run_path(str(FOLDER / "entry.py"))
    monkeypatch.setattr(sys, "argv", ["script.py", "--quick", "--draws", "7"])
    parser = entry["Entry"]("what it measures", quick={"draws": 3, "warmup": 5})
    parser.add_argument("--draws", type=int, default=300)
    parser.add_argument("--warmup", type=int, default=300)
    options, out = parser.begin()
    assert (options.draws, options.warmup) == (7, 5)
    assert out.root == entry["QUICK"]
    assert out.root != entry["ROOT"]
