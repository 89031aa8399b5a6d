"""describe and distances as they are typed: files in, one JSON object or one sentence out."""

import json
import sys

import numpy as np
import pytest

from codingschemes.cli import main as cli

RNG = np.random.default_rng(0)
LABELS = np.repeat(["face", "house", "tool"], 4)
ACTIVITY = (LABELS[:, None] == np.resize(["face", "house", "tool"], 24)) + 0.05 * RNG.standard_normal((12, 24))


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    np.savez("both.npz", activity=ACTIVITY, labels=LABELS, factors=np.zeros((3, 1)))
    np.savez("named.npz", x=2 * ACTIVITY, y=LABELS, rates=ACTIVITY.T)
    np.savez("pickled.npz", activity=np.array([None]))
    np.save("activity.npy", ACTIVITY)
    np.save("labels.npy", LABELS)
    header = ",".join([f"n{index}" for index in range(24)] + ["labels"])
    rows = [",".join([*map(str, row), label]) for row, label in zip(ACTIVITY, LABELS, strict=True)]
    (tmp_path / "table.csv").write_text("\n".join([header, *rows]))
    (tmp_path / "text.txt").write_text("")

    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["codingschemes", *words])
        with pytest.raises(SystemExit) as left:
            cli.main()
        captured = capsys.readouterr()
        return left.value.code, captured.out, captured.err

    return call


QUICK = ("--bootstraps", "0", "--shuffles", "0")


@pytest.mark.slow
def test_describe_reads_every_kind_of_file_and_writes_a_page(run, tmp_path):
    found = []
    for words in (("named.npz", "--out", "page"), ("activity.npy", "--labels", "labels.npy"), ("table.csv",)):
        status, out, err = run("describe", *words, *QUICK, "--json")
        assert status == 0, err
        found.append(json.loads(out))
    for each in found:
        assert each["scheme"]["label"] == "redundant"
        assert {code["code"] for code in each["codes"]} == {"100", "010", "001"}
        assert each["classes"] == ["face", "house", "tool"]
        assert each["abstraction"]["parallelism"]["value"] is None
        assert each["abstraction"]["decoding"]["value"] == 1
    page = (tmp_path / "page" / "report.html").read_text()
    assert "Redundant coding" in page
    assert 'src="data:image/png' in page
    assert "http" not in page.replace("http-equiv", "")
    assert json.loads((tmp_path / "page" / "description.json").read_text()) == found[0]


def test_distances_prints_all_measures_and_draws_them(run, tmp_path):
    status, out, err = run("distances", "named.npz", "table.csv", "table.csv", "--out", "picture.png", "--json")
    assert status == 0, err
    found = json.loads(out)
    assert found["names"] == ["named", "table", "table"]
    for name in ("procrustes", "whitened", "permutation"):
        assert found[name][0][1] == pytest.approx(0, abs=1e-6)
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.usefixtures("without_type_checks")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("describe nowhere.npz", "there is no file nowhere.npz"),
        ("describe text.txt", "give an .npz, .npy, .csv or .nwb file"),
        ("describe pickled.npz", "never loaded"),
        ("describe both.npz --activity firing", "no array 'firing': it holds activity"),
        ("describe named.npz --activity rates", "give activity.T"),
        ("describe both.npz", "factor 0 takes 1 values"),
        ("describe activity.npy", "name the .npy file that does with --labels"),
        ("describe activity.npy --labels nowhere.npy", "there is no file nowhere.npy"),
        ("describe table.csv --labels kind", "no column kind: it has n0"),
        ("describe table.csv --activity n0", "leave --activity and --readout out"),
        ("describe named.npz --activation tanh", "are not those of tanh"),
        ("describe named.npz --window 0 1", "leave it out, these have no time"),
        ("describe named.npz --align start_time", "is for .nwb files"),
        ("describe session.nwb --activity spikes", "leave --activity and --readout out"),
        ("distances named.npz", "give two files or more"),
        ("distances named.npz table.csv --out table.txt", "name a .png or .pdf file"),
    ],
)
def test_wrong_input_is_one_sentence(run, words, said):
    status, out, err = run(*words.split())
    assert (status, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) == 1
