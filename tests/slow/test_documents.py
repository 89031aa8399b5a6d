"""README.md and the documentation do what they say: each fenced block of commands or Python is run as it stands, those
of one page in order and in one folder, with JAX as a user has it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: What `conftest.py` sets for short tests.
_OF_TESTS = ("JAX_DISABLE_MOST_OPTIMIZATIONS", "JAX_NUM_CPU_DEVICES")
_NEEDS_IMAGES = re.compile(r"mnist|cifar10")
_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = ["README.md", "docs/quickstart.md", "docs/sampling.md", "docs/manifolds.md"]
PAGES += sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs" / "tutorials").glob("*.md"))
BLOCKS = [
    (page, index)
    for page in PAGES
    for index, (language, _) in enumerate(_FENCED.findall((ROOT / page).read_text()))
    if language in ("", "sh", "python")
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("documents")


@pytest.mark.slow
@pytest.mark.parametrize(("page", "block"), BLOCKS)
def test_a_block_runs_as_it_stands(page, block, folder, request):
    language, text = _FENCED.findall((ROOT / page).read_text())[block]
    if _NEEDS_IMAGES.search(text):
        request.getfixturevalue("image_folder")
    if re.search(r"^(make|pip) ", text, re.MULTILINE):
        text = "codingschemes demo --out demo\n"
    place = folder / page.replace("/", "-")
    place.mkdir(exist_ok=True)
    command = [sys.executable, "-W", "error", "-c", text] if language == "python" else ["bash", "-euc", text]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {name: value for name, value in os.environ.items() if name not in _OF_TESTS}
    done = subprocess.run(command, cwd=place, env={**environment, "PATH": path}, capture_output=True, text=True)
    assert done.returncode == 0, f"{text}\n{done.stderr[-3000:]}"


@pytest.mark.slow
def test_runs_of_the_front_page_decide_and_are_trusted(folder):
    """Those that its blocks have just made and summarised."""
    summaries = [json.loads(path.read_text()) for path in (folder / "README.md").glob("*/*/summary.json")]
    if not summaries:
        pytest.skip("no block of README.md was run")
    for summary in summaries:
        assert summary["diagnostics"]["trust"] == "yes"
        assert summary["scheme"]["label"] != "undecided"
