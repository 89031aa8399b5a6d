"""`codingschemes manifolds` as people and scripts use it."""

import json
import sys

import numpy as np
import pytest

from codingschemes.cli import main as cli


@pytest.fixture
def run(capsys, monkeypatch):
    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["codingschemes", "manifolds", *words])
        with pytest.raises(SystemExit) as left:
            cli.main()
        captured = capsys.readouterr()
        return left.value.code, captured.out, captured.err

    return call


def test_enumerate(run, tmp_path):
    figure = tmp_path / "hierarchy.png"
    status, out, _ = run("enumerate", "--activation", "tanh", "--width", "4", "--json", "--figure", str(figure))
    assert status == 0
    found = json.loads(out)
    assert found["count"] == len(found["manifolds"]) == 116
    assert found["by_effective_width"] == {"0": 1, "1": 40, "2": 58, "3": 16, "4": 1}
    assert {"partition", "dimension", "effective_width"} <= set(found["manifolds"][0])
    assert figure.stat().st_size > 10_000
    status, out, _ = run("enumerate", "--activation", "gelu", "--width", "3", "--bias")
    assert status == 0
    assert "1 2 | zero: 3" in out
    status, out, _ = run("enumerate", "--activation", "tanh", "--width", "60", "--json")
    assert json.loads(out)["count"] > 10**60
    assert json.loads(out)["listed"] is False


def test_check_on_a_task(run):
    status, out, _ = run(
        *("check", "hypercube", "--labels-dim", "1", "--repeats", "2", "--activation", "relu", "--width", "2"),
        *("--steps", "20", "--json"),
    )
    assert status == 0
    found = json.loads(out)
    assert found["holds"] is True
    assert found["largest_residual"] < 1e-12
    assert min(each["residual"] for each in found["controls"]) > 1e-2
    assert all(row["fields"] <= row["dimension"] == row["upper"] for row in found["orbits"])
    drifts = {
        (each["manifold"], each["method"], each["displaced"], each["projected"]): each for each in found["drifts"]
    }
    assert drifts["1 2", "gd", False, False]["end"] < 1e-12
    assert drifts["rays 1 2", "adam", False, False]["end"] > 1e-3
    assert drifts["rays 1 2", "adam", False, True]["end"] < 1e-12


def test_detect_in_weights(run, tmp_path):
    rng = np.random.default_rng(0)
    weight, readout = rng.normal(size=(3, 10)), rng.normal(size=(3, 2))
    path, figure = tmp_path / "weights.npz", tmp_path / "widths.png"
    np.savez(path, weight=weight[[0, 1, 0, 2]], readout=readout[[0, 1, 0, 2]])
    words = ("detect", "--weights", str(path), "--activation", "tanh", "--figure", str(figure))
    status, out, _ = run(*words, "--json")
    assert status == 0
    found = json.loads(out)
    assert found["partition"] == [[1, 3], [2], [4]]
    assert found["effective_width"] == 3
    assert found["drawn"]["nearest"] == 0
    assert found["gaussian"]["nearest"] > 0.1
    assert figure.stat().st_size > 10_000
    status, out, _ = run(*words)
    assert status == 0
    assert "1 3 | 2 | 4" in out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("enumerate", "--activation", "tanhh"), "did you mean 'tanh'"),
        (("enumerate", "--width", "0"), "at least one neuron"),
        (("enumerate", "--width", "12", "--figure", "x.png"), "--width 4 or less"),
        (("enumerate", "--figure", "x.doc"), ".png, .pdf or .svg"),
        (("check", "--loss", "hinge"), "choose one of"),
        (("check", "--ratios", ".5,.5"), "needs a TASK"),
        (("check", "--width", "1"), "at least 2"),
        (("check", "--activation", "tanh", "--width", "9"), "lower the width"),
        (("check", "--inputs", "many"), "whole number"),
        (("detect",), "give one of them"),
        (("detect", "nowhere"), "no run folder"),
        (("detect", "--weights", "nowhere.npz"), "no file"),
        (("detect", "run", "--activation", "tanh"), "its own activation"),
    ],
)
def test_wrong_input_is_one_sentence(run, words, sentence):
    status, out, err = run(*words)
    assert (status, out) == (2, "")
    assert sentence in err
    assert err.count("\n") == 1
