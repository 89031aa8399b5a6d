"""The command line as people and scripts use it: exit statuses, one sentence, one JSON object."""

import json
import os
import signal
import sys

import numpy as np
import pytest

import codingschemes as cs
from codingschemes.cli import main as cli
from codingschemes.cli.demo import _examples
from codingschemes.runs import driver
from codingschemes.theory import choose

#: The shapes of the reports' run: compiled once for both.
SMALL = [
    "--sampler",
    "hmc",
    "--samples",
    "24",
    "--width",
    "12",
    "--temperature",
    "1e-2",
    "--draws",
    "20",
    "--warmup",
    "60",
    "--chains",
    "2",
]


def call(capsys, monkeypatch, *words: str) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["codingschemes", *words])
    with pytest.raises(SystemExit) as left:
        cli.main()
    captured = capsys.readouterr()
    return left.value.code, captured.out, captured.err


@pytest.fixture
def run(capsys, monkeypatch):
    return lambda *words: call(capsys, monkeypatch, *words)


@pytest.mark.usefixtures("without_rendering")
def test_sample_summarize_report_print_one_json_object_each(run, tmp_path):
    folder = str(tmp_path / "run")
    status, out, _ = run("sample", "orthogonal", *SMALL, "--ratios", ".5,.25,.25", "--out", folder, "--json")
    assert status == 0
    sampled = json.loads(out)
    assert sampled["draws"] == 20
    assert (sampled["finished"], sampled["converged"]) == (True, False)
    assert sampled["rhat_max"] > 1
    assert sampled["ess_min"] < 100
    assert "--resume" in sampled["next"] or "--start" in sampled["next"]
    assert sampled["config"]["prior"]["readout_variance"] == pytest.approx(1 / 24)
    assert "literature" in sampled["config"]["prior"]["source"]
    assert any("too few draws" in warning or "effective" in warning for warning in sampled["warnings"])

    status, out, _ = run("summarize", folder, "--json")
    assert status == 0
    summary = json.loads(out)
    assert summary["scheme"]["label"] in ("analog", "redundant", "sparse", "undecided")
    assert 0 <= summary["scheme"]["probability"] <= 1
    assert np.array(summary["outputs"]).shape == (24, 3)
    assert np.array(summary["kernel"]["between"]).shape == (3, 3)
    assert np.array(summary["kernel"]["within"]).shape == (3,)
    assert {"rhat_max", "ess_min", "code_rhat", "divergences"} <= set(summary["diagnostics"])
    assert {"parallelism", "ccgp", "shattering"} <= set(summary["abstraction"])
    assert [layer["kernel"] for layer in summary["layers"]] == [summary["kernel"]]

    status, out, _ = run("compare", folder, "--theory", "lazy", "--json")
    assert status == 0
    rows = json.loads(out)["rows"]
    assert {"quantity", "sampled", "mcse", "predicted", "z", "relative_error", "given"} <= set(rows[0])
    assert (tmp_path / "run" / "comparison-lazy.json").is_file()

    page = str(tmp_path / "page.html")
    for command in ("compare", "predict", "report"):
        place = ("--out", page) if command == "report" else ()
        status, out, err = run(command, folder, "--theory", "global-minimum", "--time-limit", "1e-6", *place)
        assert (status, out) == (1, "")
        assert "the time limit of 1e-06 s was reached" in err
        assert "nothing is written: raise --time-limit" in err
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert not list((tmp_path / "run").glob("*global-minimum*"))

    named = [run("predict", *place, "--theory", "lazy", "--json")[:2] for place in (("--run", folder), (folder,))]
    assert named[0] == named[1]
    assert np.array(json.loads(named[0][1])["outputs"]).shape == (24, 3)
    for code in summary["codes"]:
        assert set(code["code"]) <= {"0", "1"}
        assert code["interval"][0] <= code["interval"][1]
        if code["fraction"] > 0.1:  # what rare codes have in a few draws lies above most
            assert code["interval"][0] <= code["fraction"] <= code["interval"][1]
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["scheme"] == summary["scheme"]

    status, out, _ = run("report", folder, "--theory", "lazy", "--json")
    assert status == 0
    assert "<html" in (tmp_path / "run" / "report.html").read_text()
    assert json.loads(out)["report"].endswith("report.html")

    status, out, _ = run("summarize", folder)
    assert status == 0
    assert "scheme" in out

    status, out, _ = run("sample", "--resume", "--draws", "25", "--out", folder, "--json")
    assert status == 0
    assert json.loads(out)["draws"] == 25

    status, out, _ = run("sample", "--resume", "--draws", "90", "--time-limit", "1e-6", "--out", folder, "--json")
    assert status == 0
    stopped = json.loads(out)
    assert (stopped["draws"], stopped["finished"]) == (25, False)
    assert "--time-limit" in stopped["next"]


def test_a_signal_is_no_failure_but_a_status_of_its_own_for_scripts(run, tmp_path, monkeypatch):
    original = driver.advance

    def stopped(*arguments):
        if int(arguments[-1].length):  # steps, none while it compiles
            os.kill(os.getpid(), signal.SIGTERM)
        return original(*arguments)

    monkeypatch.setattr(driver, "advance", stopped)
    folder = str(tmp_path / "[/x]")
    status, out, err = run("sample", "orthogonal", *SMALL, "--out", folder)
    assert status == 0
    assert f"--resume --out '{folder}'" in out
    assert "the run can be resumed" in err
    assert "Traceback" not in err
    status, out, _ = run("sample", "--resume", "--out", folder, "--json")
    assert status == 3
    assert not json.loads(out)["finished"]
    status, out, _ = run("status", folder, "--json")
    assert status == 0
    assert json.loads(out)["phase"] == "stopped"
    status, out, _ = run("status", str(tmp_path / "["))
    assert status == 0
    assert "x]" in out


def test_check_says_what_is_wrong_and_repairs(run, tmp_path):
    folder = tmp_path / "run"
    run("sample", "orthogonal", *SMALL, "--out", str(folder))
    status, out, _ = run("check", str(folder))
    assert (status, out) == (0, f"{folder} is whole, with 20 draws a chain\n")
    (folder / "draws.zarr" / "posterior" / "energy" / "c" / "0" / "0").unlink()
    status, _, err = run("summarize", str(folder))
    assert status == 2
    assert err.splitlines()[-1].endswith("and with --repair keeps what is good")
    status, out, _ = run("check", str(folder))
    assert status == 1
    assert "posterior/energy, draws from 0" in out
    status, out, _ = run("check", str(folder), "--repair", "--json")
    assert status == 0
    assert json.loads(out)["draws"] == 0
    status, _, err = run("check", str(tmp_path))
    assert (status, err.count("\n")) == (2, 1)


@pytest.mark.slow
def test_evidence_prints_one_json_object_or_a_table(run):
    words = ["evidence", "orthogonal", "--samples", "6", "--width", "4", "--temperature", "0.1", "--particles", "8"]
    words += ["--adapting", "2", "--steps", "1", "--max-tree-depth", "2"]
    status, out, _ = run(*words, "--json")
    assert status == 0
    found = json.loads(out)
    assert found["temperatures"][-1] == 0.1
    assert found["options"]["particles"] == 8
    assert np.array(found["curves"]).shape == (2, len(found["temperatures"]))
    status, out, _ = run(*words)
    assert status == 0
    assert "nats" in out
    assert "acceptance" in out


@pytest.mark.slow
def test_factorised_tasks_use_their_literature_scaling(run, tmp_path):
    words = ["--labels-dim", "2", "--repeats", "2", "--width", "8", "--activation", "relu", "--temperature", "1e-2"]
    status, out, _ = run(
        "sample", "hypercube", *words, "--sampler", "hmc", "--draws", "10", "--warmup", "20", "--penalty1", "0.1",
        "--penalty2", "0.1",
        "--out", str(tmp_path / "run"), "--json",
    )  # fmt: skip
    assert status == 0
    config = json.loads(out)["config"]
    assert config["network"]["scaling"] == "none"
    assert config["prior"]["weight_variance"] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["sample", "orthogonl"], "did you mean 'orthogonal'"),
        (["sample", "orthogonal", "--activation", "sigmod"], "did you mean 'sigmoid'"),
        (["sample", "orthogonal", "--sampler", "nutz"], "did you mean 'nuts'"),
        (["sample", "orthogonal", "--labels-dim", "2"], "does not take --labels-dim"),
        (["sample", "orthogonal", "--samples", "2"], "samples cannot cover 3 classes"),
        (["sample", "orthogonal", "--samples", "many"], "--samples takes a whole number"),
        (["sample", "orthogonal", "--ratios", ".5,.6"], "--ratios takes positive numbers that sum to 1"),
        (["sample", "orthogonal", "--temperature", "0"], "temperature is 0"),
        (["sample", "orthogonal", "--temperature", "-1"], "temperature is -1"),
        (["sample", "orthogonal", "--weight-variance", "-2"], "--weight-variance is -2"),
        (["sample", "orthogonal", "--width", "0"], "width is 0"),
        (["sample", "orthogonal", "--width", "wide"], "'wide' is not a valid integer"),
        (["sample", "orthogonal", "--draws", "0"], "--draws is 0"),
        (["sample", "orthogonal", "--scaling", "ntk"], "'ntk' is not one of"),
        (
            ["sample", "orthogonal", "--penalty1", "1", "--penalty2", "1", "--readout-variance", "1"],
            "give --penalty1 and --penalty2, or",
        ),
        (["sample", "npz", "--data", "nowhere.npz"], "nowhere.npz"),
        (["sample", "npz"], "needs --data"),
        (["sample"], "name a task"),
        (["sample", "orthogonal", "--nonsense"], "No such option"),
        (["evidence", "orthogonl"], "did you mean 'orthogonal'"),
        (["evidence", "orthogonal", "--particles", "1"], "--particles is 1"),
        (["evidence"], "Missing argument 'TASK'"),
        (["summarize", "nowhere"], "no run folder nowhere"),
        (["report", "nowhere"], "no run folder nowhere"),
        (["summarise", "nowhere"], "did you mean 'summarize'"),
    ],
)
def test_wrong_input_gets_one_sentence_and_status_two(run, tmp_path, words, sentence):
    out_option = ["--out", str(tmp_path / "run")] if words[0] == "sample" else []
    status, out, err = run(*words, *out_option)
    assert status == 2
    assert out == ""
    assert sentence in err
    assert err.count("\n") == 1
    assert "Traceback" not in err
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"x": np.full((9, 4), np.nan), "y": np.arange(9) % 3}, "NaN or infinite"),
        ({"x": np.full((9, 4), np.inf), "y": np.arange(9) % 3}, "NaN or infinite"),
        ({"x": np.ones((9, 4)), "y": np.arange(9) % 3}, "constant"),
        ({"x": np.eye(9), "y": np.arange(8) % 3}, "8"),
        ({"x": np.eye(9)}, "y"),
    ],
)
def test_wrong_arrays_get_one_sentence(run, tmp_path, arrays, sentence):
    file = tmp_path / "mine.npz"
    np.savez(file, **arrays)
    status, _, err = run("sample", "npz", "--data", str(file), "--out", str(tmp_path / "run"))
    assert status == 2
    assert sentence in err
    assert err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["mine.npz"]


def test_pickled_and_truncated_files_are_refused(run, tmp_path):
    objects = tmp_path / "objects.npz"
    np.savez(objects, x=np.array([{"a": 1}] * 9, dtype=object), y=np.arange(9) % 3, allow_pickle=True)
    broken = tmp_path / "broken.npz"
    broken.write_bytes(objects.read_bytes()[:60])
    for file in (objects, broken):
        status, _, err = run("sample", "npz", "--data", str(file), "--out", str(tmp_path / "run"))
        assert status == 2
        assert file.name in err
        assert err.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_output_folder_with_another_run_is_refused(run, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    status, _, err = run("sample", "orthogonal", *SMALL, "--out", str(folder))
    assert status == 2
    assert "another run" in err
    assert (folder / "config.json").read_text() == "{}"


def test_demo_refuses_a_folder_that_is_there(run, tmp_path):
    (tmp_path / "kept").write_text("mine")
    status, _, err = run("demo", "--out", str(tmp_path))
    assert status == 2
    assert "is there already" in err


def test_every_example_of_the_demo_is_set_beside_the_mean_field():
    for example in _examples():
        posterior = cs.Posterior(example.task, cs.Network(example.activation, width=60), temperature=1e-3)
        assert choose(posterior).theory == "mean-field"


def test_predict_prints_one_json_object_with_a_certificate(run):
    words = ("orthogonal", "--samples", "12", "--activation", "linear", "--temperature", "1e-3", "--json")
    status, out, _ = run("predict", *words)
    assert status == 0
    prediction = json.loads(out)
    assert prediction["theory"] == "mean-field"
    assert prediction["scheme"]["label"] == "analog"
    assert prediction["certificate"]["holds"]
    assert np.array(prediction["kernel"]["between"]).shape == (3, 3)
    assert all(set(each) == {"statement", "holds"} for each in prediction["assumptions"])
    cold = json.loads(run("predict", *words, "--zero-temperature")[1])
    within = [cold["outputs"][sample][label] for label in range(3) for sample in (4 * label,)]
    assert within == pytest.approx([1, 1, 1], abs=1e-4)
    assert prediction["outputs"][0][0] < 0.99


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("predict",), "either a TASK or a RUN"),
        (("predict", "orthogonal", "--run", "somewhere"), "either a TASK or a RUN"),
        (("predict", "--run", "somewhere", "--width", "3"), "leave out --width"),
        (("predict", "orthogonal", "--theory", "astrology"), "astrology"),
        (("predict", "orthogonal", "--activation", "relu", "--samples", "12", "--depth", "2"), "proportional"),
        (("predict", "orthogonal", "--theory", "global-minimum", "--samples", "12", "--depth", "2"), "use depth 1"),
        (("predict", "orthogonal", "--samples", "12", "--depth", "2", "--zero-temperature"), "lower --temperature"),
        (("compare", "nowhere"), "no run folder"),
    ],
)
def test_theories_refuse_in_one_sentence(run, words, said):
    status, out, err = run(*words)
    assert (status, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1
