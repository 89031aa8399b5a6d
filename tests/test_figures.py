"""The repository's figures are drawn from the numbers it keeps."""

import runpy
from pathlib import Path

import pytest

EXPERIMENTS = Path(__file__).parents[1] / "experiments"
FIGURES = runpy.run_path(str(EXPERIMENTS / "figures.py"))["FIGURES"]


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_drawn_from_kept_numbers(name, tmp_path):
    FIGURES[name](tmp_path / "drawn.png")
    assert (tmp_path / "drawn.png").read_bytes().startswith(b"\x89PNG")
