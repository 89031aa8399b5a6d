"""What a TOML file asks for, and what it is refused for."""

from pathlib import Path

import pytest

from codingschemes import InvalidInput
from codingschemes.sweeps import read_plan


def written(folder: Path, text: str) -> Path:
    file = folder / "sweep.toml"
    file.write_text(text)
    return file


def test_every_combination_of_the_grid_takes_each_pair(tmp_path):
    text = """
        task = "orthogonal"
        theory = "lazy"
        max-tree-depth = 4
        [grid]
        activation = ["linear", "relu"]
        ratios = [[0.5, 0.5]]
        [zip]
        width = [50, 100]
        temperature = [2e-3, 1e-3]
    """
    plan = read_plan(written(tmp_path, text))
    assert plan.theory == "lazy"
    assert [(run.varied["activation"], run.varied["width"], run.varied["temperature"]) for run in plan.runs] == [
        ("linear", 50, 2e-3), ("linear", 100, 1e-3), ("relu", 50, 2e-3), ("relu", 100, 1e-3)
    ]  # fmt: skip
    assert plan.runs[0].options == {"task": "orthogonal", "max_tree_depth": 4, **plan.runs[0].varied}
    assert plan.runs[0].name == "activation=linear_ratios=0.5,0.5_width=50_temperature=0.002"


def test_the_example_can_be_read():
    plan = read_plan(Path(__file__).parents[2] / "experiments" / "sweeps" / "widths.toml")
    assert {run.options["width"] * run.options["temperature"] for run in plan.runs} == {0.1}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("task = ", "cannot be read .*: give a TOML file"),
        ("[grid]\nwidth = [1, 2]", "names no task"),
        ('task = "orthogonal"', "nothing varies"),
        ('task = "orthogonal"\n[grid]\nwidth = 3', "not a list of values"),
        ('task = "orthogonal"\n[grid]\nwidth = []', "not a list of values"),
        ('task = "orthogonal"\ngrid = 3', "is not a table"),
        ('task = "orthogonal"\n[zips]\nwidth = [3]', r"tables of a sweep are \[grid\] and \[zip\]"),
        ('task = "orthogonal"\nwidth = 2\n[grid]\nwidth = [1, 2]', "says width twice"),
        ('task = "orthogonal"\nlabels-dim = 2\nlabels_dim = 2\n[grid]\nwidth = [1]', "an option twice"),
        ('task = "orthogonal"\n[zip]\nwidth = [1, 2]\nseed = [1]', r"different lengths \(width 2, seed 1\)"),
        ('task = "orthogonal"\n[grid]\nseed = [1, 1]', "two runs of .* are seed=1"),
    ],
)
def test_wrong_files_are_refused_in_one_sentence(tmp_path, text, words):
    with pytest.raises(InvalidInput, match=words):
        read_plan(written(tmp_path, text))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="there is no file"):
        read_plan(tmp_path / "nowhere.toml")
