"""Every script of `experiments/` says what it measures and what it writes, with the options that all of them share."""

import ast
import runpy
import sys
from pathlib import Path

import entry
import pytest

FOLDER = Path(__file__).parents[1] / "experiments"
SCRIPTS = [path for path in sorted(FOLDER.glob("*.py")) if path.stem not in entry.PARTS]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_script_has_the_entry_and_begins_nothing_before_it(script, monkeypatch):
    begin, begun = entry.Entry.begin, []

    def stop(self):
        options, out = begin(self)
        begun.append((self, options, out))
        raise SystemExit(0)

    monkeypatch.setattr(entry.Entry, "begin", stop)
    monkeypatch.setattr(sys, "argv", [str(script), "--quick"])
    with pytest.raises(SystemExit):
        runpy.run_path(str(script), run_name="__main__")
    ((parser, options, out),) = begun
    assert out.root == entry.QUICK
    assert parser.quick.keys() <= {action.dest for action in parser._actions}
    assert all(getattr(options, name) == value for name, value in parser.quick.items())
    text = ast.get_docstring(ast.parse(script.read_text()))
    assert text is not None
    assert f"python experiments/{script.name}" in text
    assert text.splitlines()[0] in parser.format_help()


def test_what_is_given_counts_more_than_what_quick_says(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["script.py", "--quick", "--draws", "7"])
    parser = entry.Entry("what it measures", quick={"draws": 3, "warmup": 5})
    parser.add_argument("--draws", type=int, default=300)
    parser.add_argument("--warmup", type=int, default=300)
    options, out = parser.begin()
    assert (options.draws, options.warmup) == (7, 5)
    assert out.root.relative_to(entry.ROOT) == Path("build/quick")
