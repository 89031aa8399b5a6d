"""`make experiments`: each experiment at a tiny size, which leaves what is kept alone, each example as it stands."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from entry import PARTS

ROOT = Path(__file__).parents[2]
EXPERIMENTS = [path for path in sorted((ROOT / "experiments").glob("*.py")) if path.stem not in PARTS]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
#: What `conftest.py` sets for short tests.
_OF_TESTS = ("JAX_DISABLE_MOST_OPTIMIZATIONS", "JAX_NUM_CPU_DEVICES")


def kept() -> dict[Path, bytes]:
    """The files that experiments write."""
    folders = ("results", "benchmarks", "docs", "src/codingschemes/coding", "src/codingschemes/benchmark")
    return {path: path.read_bytes() for folder in folders for path in (ROOT / folder).glob("*.*")}


def with_images(script: Path, request: pytest.FixtureRequest) -> None:
    """Skips a script that reads images where there are none."""
    if re.search(r"mnist|cifar10", script.read_text()):
        request.getfixturevalue("image_folder")


def run(script: Path, place: Path, *options: str) -> str:
    environment = {name: value for name, value in os.environ.items() if name not in _OF_TESTS}
    command = [sys.executable, str(script), *options]
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("script", EXPERIMENTS, ids=lambda path: path.stem)
def test_an_experiment_runs_quickly_and_keeps_what_was_found(script, tmp_path, request):
    with_images(script, request)
    before = kept()
    run(script, tmp_path, "--quick", "--out", str(tmp_path / "found"))
    assert kept() == before
    assert any((tmp_path / "found").rglob("*.*"))


@pytest.mark.slow
@pytest.mark.parametrize("script", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_and_writes_what_it_shows(script, tmp_path, request):
    with_images(script, request)
    assert run(script, tmp_path)
    assert any(path.suffix in (".png", ".html") for path in (tmp_path / "runs").rglob("*"))
