"""What is true of all files: none is long, and no two things have one name."""

import ast
from collections import defaultdict
from pathlib import Path

import codingschemes

PACKAGE = Path(codingschemes.__file__).parent
ROOT = Path(__file__).parents[1]
FOLDERS = [PACKAGE, *(ROOT / name for name in ("tests", "experiments", "examples"))]


def test_no_file_is_over_400_lines():
    files = [path for folder in FOLDERS for path in folder.rglob("*.py")]
    assert {path.parent for path in files} >= set(FOLDERS)
    long = {path.name: lines for path in files if (lines := len(path.read_text().splitlines())) > 400}
    assert long == {}


def test_no_two_classes_or_types_have_one_name():
    homes = defaultdict(list)
    for path in PACKAGE.rglob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef | ast.TypeAlias):
                homes[node.name if isinstance(node, ast.ClassDef) else node.name.id].append(path.name)
    assert {name: files for name, files in homes.items() if len(files) > 1 and not name.startswith("_")} == {}
