"""What is true of all files: none is long, and no two things have one name."""

import ast
from collections import defaultdict
from pathlib import Path

import codingschemes

PACKAGE = Path(codingschemes.__file__).parent


def test_no_file_is_over_400_lines():
    long = {path.name: lines for path in PACKAGE.rglob("*.py") if (lines := len(path.read_text().splitlines())) > 400}
    assert long == {}


def test_no_two_classes_or_types_have_one_name():
    homes = defaultdict(list)
    for path in PACKAGE.rglob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef | ast.TypeAlias):
                homes[node.name if isinstance(node, ast.ClassDef) else node.name.id].append(path.name)
    assert {name: files for name, files in homes.items() if len(files) > 1 and not name.startswith("_")} == {}
