"""README.md does what it says: each fenced block of commands or Python is run as it stands, in order, in one folder."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = [
    (language, text)
    for language, text in _FENCED.findall((ROOT / "README.md").read_text())
    if language in ("", "sh", "python")
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("readme")


@pytest.mark.slow
@pytest.mark.parametrize("block", range(len(BLOCKS)))
def test_a_block_of_the_readme_runs_as_it_stands(block, folder):
    language, text = BLOCKS[block]
    if re.search(r"^make ", text, re.MULTILINE):
        text = "codingschemes demo --out demo\n"
    command = [sys.executable, "-W", "error", "-c", text] if language == "python" else ["bash", "-euc", text]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(command, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True)
    assert done.returncode == 0, f"{text}\n{done.stderr[-3000:]}"
