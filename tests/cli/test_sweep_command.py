"""A sweep from the file to the table: what is complete is kept, what fails stands alone."""

import json
import sys

import pandas as pd
import pytest
from test_cli import call

from codingschemes.sweeps import Outcome, execution, jobs

#: The shapes of the other tests of the command line: nothing is compiled again.
SHARED = """
task = "orthogonal"
samples = 24
ratios = [0.5, 0.25, 0.25]
width = 12
temperature = 1e-2
sampler = "hmc"
chains = 2
warmup = 60
"""


@pytest.fixture
def run(capsys, monkeypatch):
    return lambda *words: call(capsys, monkeypatch, "sweep", *map(str, words))


@pytest.fixture
def made(monkeypatch):
    """Names of the runs that are sampled or continued."""
    names = []
    sample = jobs.sample

    def counted(posterior, *, out, **options):
        names.append(out.name)
        return sample(posterior, out=out, **{**options, "progress": False})

    monkeypatch.setattr(jobs, "sample", counted)
    return names


def test_a_sweep_goes_on_and_one_failure_loses_nothing_else(run, made, tmp_path):
    file, out = tmp_path / "sweep.toml", tmp_path / "out"
    file.write_text(SHARED + 'draws = 20\ntheory = "lazy"\n[grid]\nseed = [1, 2]\n')
    (out / "seed=1").mkdir(parents=True)
    (out / "seed=1" / "mine").write_text("in the way")

    status, text, _ = run(file, "--out", out, "--json")
    assert status == 1
    found = json.loads(text)
    assert [each["status"] for each in found["runs"]] == ["failed", "complete"]
    assert "other files" in found["runs"][0]["message"]
    result = found["runs"][1]["result"]
    assert result["draws"] == 20
    assert result["deviations"]["output"][0] > 0
    assert found["trends"] == []
    page = (out / "report.html").read_text()
    assert f"2 runs: 1 {result['scheme']}, 1 failed" in page
    assert "<li>seed=1: " in page

    (out / "seed=1" / "mine").unlink()
    made.clear()
    status, text, _ = run(file, "--out", out, "--json")
    assert status == 0
    assert made == ["seed=1"]
    assert json.loads(text)["runs"][1]["result"] == result
    assert json.loads((out / "sweep.json").read_text()) == json.loads(text)
    table = pd.read_csv(out / "sweep.csv", index_col="name")
    assert table.loc["seed=2", ["status", "draws", "scheme"]].tolist() == ["complete", 20, result["scheme"]]
    assert table.loc["seed=2", "output_deviation"] == pytest.approx(result["deviations"]["output"][0])

    # an altered result is made again from the draws, and that is said
    kept = out / "seed=2" / "result.json"
    kept.write_text(json.dumps({**json.loads(kept.read_text()), "codes": None}))
    made.clear()
    status, text, said = run(file, "--out", out, "--json")
    assert (status, made) == (0, [])
    assert json.loads(text)["runs"][1]["result"] == json.loads(kept.read_text()) == result
    assert "the result is made again from the run" in " ".join(said.split())

    # more draws of the one that is cut off: continued
    file.write_text(SHARED + "draws = 25\n[grid]\nseed = [1]\n")
    status, text, _ = run(file, "--out", out)
    assert status == 0
    assert made == ["seed=1"]
    assert "seed=1" in text
    file.write_text(SHARED.replace("1e-2", "2e-2") + "draws = 25\n[grid]\nseed = [1]\n")
    status, text, _ = run(file, "--out", out)
    assert status == 1
    assert "was made with prior temperature = 0.01, not 0.02" in " ".join(text.split())


def test_a_run_stopped_by_hand_ends_the_sweep(run, monkeypatch, tmp_path):
    file = tmp_path / "sweep.toml"
    file.write_text(SHARED + "[grid]\nseed = [1, 2]\n")
    monkeypatch.setattr(execution, "carry_out", lambda job, _: Outcome(job, "stopped"))
    status, text, _ = run(file, "--out", tmp_path / "out", "--json")
    assert status == 1
    found = json.loads(text)
    assert [each["status"] for each in found["runs"]] == ["stopped"]
    assert found["left"] == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--scheduler", "tcp://here:1"], "pip install 'codingschemes[cluster]'"),
        (["--workers", "2"], "--scheduler and --workers need dask.distributed"),
        (["--workers", "0"], "--workers is 0: give at least one"),
        (["--workers", "2", "--scheduler", "tcp://here:1"], "--scheduler and --workers both say who makes the runs"),
    ],
)
def test_who_cannot_make_the_runs_is_said(run, monkeypatch, tmp_path, words, sentence):
    monkeypatch.setitem(sys.modules, "distributed", None)
    file = tmp_path / "sweep.toml"
    file.write_text(SHARED + "[grid]\nseed = [1, 2]\n")
    status, _, err = run(file, "--out", tmp_path / "out", *words)
    assert status == 2
    assert sentence in err.splitlines()[-1]


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ("widht = 3", "No such option '--widht'"),
        ("out = 3", "out is no option of a run"),
        ("depth = 'deep'", "'deep' is not a valid integer"),
        ("labels_dim = 2", "does not take --labels-dim"),
        ("chains = 0", "--chains is 0"),
        ('theory = "lazi"', "did you mean 'lazy'"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_made(run, tmp_path, lines, sentence):
    file = tmp_path / "sweep.toml"
    shared = "\n".join(line for line in SHARED.splitlines() if not line.startswith(lines.split(" ")[0]))
    file.write_text(f"{shared}\n{lines}\n[grid]\nseed = [1, 2]\n")
    status, out, err = run(file, "--out", tmp_path / "out")
    assert (status, out) == (2, "")
    assert sentence in err
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_runs_of_a_sweep_begin_by_themselves(run, made, tmp_path):
    file = tmp_path / "sweep.toml"
    file.write_text(SHARED + 'from = "runs/hot"\n[grid]\nseed = [1, 2]\n')
    status, _, said = run(file, "--out", tmp_path / "out")
    assert status == 2
    assert "from is no option of a sweep" in said
    assert not made
