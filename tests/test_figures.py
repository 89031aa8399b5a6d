"""The repository's figures are drawn from the numbers it keeps."""

import json
import re
import runpy
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

ROOT = Path(__file__).parents[1]
SCRIPT = runpy.run_path(str(ROOT / "experiments" / "figures.py"))
FIGURES = SCRIPT["FIGURES"]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> dict[str, tuple[Figure, Path]]:
    """Every figure and its file, each drawn once."""
    folder, found, save = tmp_path_factory.mktemp("figures"), {}, Figure.savefig

    def keep(figure: Figure, path: Path, **options: object) -> None:
        found[path.stem] = figure, path
        save(figure, path, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Figure, "savefig", keep)
        for name, draw in FIGURES.items():
            draw(ROOT, folder / f"{name}.png")
    return found


def kept(name: str) -> str:
    return (ROOT / "results" / name).read_text()


def heights(figure: Figure) -> np.ndarray:
    """Of all points of all lines."""
    return np.concatenate([np.asarray(line.get_ydata(), float) for axes in figure.axes for line in axes.lines])


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_as_large_as_the_one_that_is_shown(drawn, name):
    height, width, _ = imread(drawn[name][1]).shape
    assert width >= 1000
    shown = imread(SCRIPT["place"](name))
    assert (height, width) == pytest.approx(shown.shape[:2], rel=0.02)
    assert shown[..., :3].std() > 0.02


@pytest.mark.parametrize(
    ("name", "pattern", "scale"),
    [
        ("mean_field_against_samples", r"([\d.]+)% ± [\d.]+%", 100),
        ("one_theory_two_ends", r"([\d.-]+) ± [\d.-]+", 1),
        ("recurrent_abstraction", r"([\d.-]+) ± [\d.]+", 1),
    ],
)
def test_every_sampled_number_of_a_table_is_drawn(drawn, name, pattern, scale):
    table = [line for line in kept(f"{name}.md").split("\n\n| ")[1].splitlines() if line.startswith("|")]
    values = np.array([float(value) for line in table for value in re.findall(pattern, line)]) / scale
    points = heights(drawn[name][0])
    assert len(values) >= 8
    assert np.isclose(values[:, None], points, rtol=1e-9).any(1).all()


def test_histograms_and_the_draw_of_the_three_schemes_are_those_kept(drawn):
    figure, _ = drawn["three_schemes"]
    axes = np.array([each for each in figure.axes if each.get_label() != "<colorbar>"]).reshape(3, 3)
    for column, (activation, found) in zip(axes.T, json.loads(kept("three_schemes.json")).items(), strict=True):
        assert column[0].get_title(loc="left") == f"{activation}: {found['scheme']}"
        assert (column[0].images[0].get_array() == found["activity"]).all()
        assert (column[1].collections[0].get_offsets() == found["class_activity"]).all()
        sampled, predicted = (patch.get_data().values for patch in column[2].patches)
        assert (sampled == found["sampled"]).all()
        assert (predicted == found["predicted"]).all()
        assert sum(predicted) == pytest.approx(sum(sampled), rel=0.002), "some neurons lie outside the bins"
