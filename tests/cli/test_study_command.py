"""The command `study` from its runs to its page, at tiny sizes."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from test_cli import call

from codingschemes.studies import (
    CollapseStudy,
    DepthStudy,
    GeneralisationStudy,
    ManifoldsStudy,
    PhasesStudy,
    execution,
    study,
)
from codingschemes.studies.generalisation.learners import LEARNERS
from codingschemes.sweeps import Job, Outcome, Outcomes, Result, jobs
from codingschemes.sweeps.jobs import TEST_SCORES

SIZES: dict[str, Any] = {"samples": (12,), "activations": ("linear",), "width": 8, "tasks": 2, "test": 40, "steps": 20}
SAMPLING: dict[str, Any] = {"sampler": "hmc", "chains": 2, "draws": 20, "warmup": 30}
TINY = GeneralisationStudy("digits", temperature=1e-2, **SIZES, **SAMPLING)


@pytest.mark.slow
@pytest.mark.usefixtures("without_rendering")
def test_a_study_is_made_once_and_says_what_it_found(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(GeneralisationStudy, "quick", classmethod(lambda _: TINY))
    words = ("study", "generalisation", "--quick", "--out", str(tmp_path / "out"))
    status, text, _ = call(capsys, monkeypatch, *words, "--json")
    assert status == 0
    found = json.loads(text)
    assert found["sizes"]["samples"] == [12]
    assert len(found["claims"]) == 2
    assert {claim["verdict"] for claim in found["claims"]} <= {"holds", "does not hold", "not decided"}
    table = pd.DataFrame(found["numbers"])
    assert table.groupby("learner").size().to_dict() == dict.fromkeys(LEARNERS, 2)
    assert np.allclose(table.loss, table.bias + table.variance)
    ratio = next(claim for claim in found["claims"] if "variance" in claim["measured"])
    assert ratio["sampled"] == pytest.approx(table["variance_ratio"].mean())
    folder = tmp_path / "out"
    assert json.loads((folder / "study.json").read_text()) == found
    assert len(pd.read_csv(folder / "numbers.csv")) == 10
    assert {each.name for each in (folder / "figures").iterdir()} == {
        f"{name}.{ending}" for name in found["figures"] for ending in ("png", "pdf")
    }
    page = (folder / "report.html").read_text()
    assert ratio["claim"] in page
    assert "Test error against training images" in page

    monkeypatch.setattr(jobs, "sample", None)  # nothing is sampled again
    status, text, _ = call(capsys, monkeypatch, *words)
    assert status == 0
    assert "Generalisation" in text
    assert ratio["verdict"] in text


#: Of studies in which theory is set beside samples.
LAYERED: dict[str, Any] = {
    "phases": PhasesStudy(12, ("linear",), 20, 1e-2, (1e-2,), (1.0,), widths=(), ceilings=(2.0,), grid=2, **SAMPLING),
    "depth": DepthStudy("digits", ("linear",), (1, 2), 12, 20, 1e-2, (1e-2,), **SAMPLING),
    "collapse": CollapseStudy("digits", ("linear",), 1, 12, 20, (1e-2,), (), **SAMPLING),
    "manifolds": ManifoldsStudy(
        "digits",
        20,
        ("relu",),
        neurons=10,
        steps=300,
        starts=1,
        widths=(10, 20),
        samples=12,
        heat=0.2,
        smooth=("tanh",),
        students=2,
        taught=(24,),
        teachers=1,
        **SAMPLING,
    ),
}


@pytest.mark.slow
@pytest.mark.usefixtures("without_rendering")
@pytest.mark.parametrize("name", list(LAYERED))
def test_theory_stands_beside_samples(name, capsys, monkeypatch, tmp_path):
    asked = LAYERED[name]
    monkeypatch.setattr(type(asked), "quick", classmethod(lambda _: asked))
    words = ("study", name, "--quick", "--out", str(tmp_path / "out"))
    status, text, _ = call(capsys, monkeypatch, *words, "--json")
    assert status == 0
    found = json.loads(text)
    table, folder = pd.DataFrame(found["numbers"]), tmp_path / "out"
    if name == "phases":
        assert set(table.source) == {"sampled", "theory"}
        assert np.allclose(table[["binary", "concentrated", "graded", "unspecific"]].sum(axis=1), 1)
    elif name == "collapse":
        assert table.source.value_counts().to_dict() == dict.fromkeys(
            ("sampled", "prior", "theory", "fitted theory"), 2
        )
        assert table.kernel_apart.max() < 0.7
        assert table.groupby("source").nc1.mean().idxmax() == "prior"
    elif name == "manifolds":
        assert set(table.part) == {"training", "redundancy", "channels", "recovery"}
        assert table[table.part == "redundancy"].groupby(["width", "source"]).size().min() == 36
    else:
        assert table.groupby(["depth", "layer"]).size().to_dict() == {(1, 1): 2, (2, 1): 2, (2, 2): 2}
        assert table.kernel_apart.max() < 0.7
    assert {each.name for each in (folder / "figures").iterdir()} == {
        f"{figure}.{ending}" for figure in found["figures"] for ending in ("png", "pdf")
    }
    page = (folder / "report.html").read_text()
    assert all(heading in page for heading, _ in found["figures"].values())

    monkeypatch.setattr(jobs, "sample", None)  # nothing is sampled again
    assert call(capsys, monkeypatch, *words)[0] == 0


def test_a_study_that_is_not_about_images_takes_none(capsys, monkeypatch, tmp_path):
    words = ("study", "phases", "--dataset", "mnist", "--out", str(tmp_path / "out"))
    status, _, said = call(capsys, monkeypatch, *words)
    assert status == 2
    assert "not about images: leave --dataset out" in said


@pytest.mark.usefixtures("without_rendering")
def test_claims_are_made_of_the_differences_between_paired_errors(monkeypatch, tmp_path):
    """Runs with planted errors: ReLU networks are right wherever sigmoid ones are, and .1 more often."""
    asked = replace(TINY, activations=("sigmoid", "relu"), tasks=3)

    def planted(jobs: list[Job], **_: object) -> Outcomes:
        return Outcomes(Outcome(job, "complete", _result(job)) for job in jobs)

    monkeypatch.setattr(execution, "sweep", planted)
    found = study(asked, tmp_path)
    claims = {claim.claim: claim for claim in found.findings.claims}
    paired = claims["ReLU networks generalise better than sigmoid networks, P = 12"]
    assert (paired.sampled, paired.verdict) == (pytest.approx(-0.1), "holds")
    assert paired.error < 1e-12
    sigmoid = claims["Sigmoid networks do better than chance"]
    assert (sigmoid.sampled, sigmoid.error) == (pytest.approx(0.4), pytest.approx(0.1 / 3**0.5))
    assert sigmoid.verdict == "holds"  # 0.4 + 4.30 * 0.0577 is below two thirds
    table = found.findings.numbers
    best = table[table.learner == "GP at its best ridge"].set_index(["activation", "task"]).error
    against = claims["Sigmoid networks generalise better than a GP with their kernel, P = 12"]
    assert against.sampled == pytest.approx(np.mean([0.3, 0.4, 0.5] - best["sigmoid"]))
    page = found.page.read_text()
    assert all(claim in page for claim in claims)
    assert found.findings.headline in page


def _result(job: Job) -> Result:
    error = 0.3 + 0.1 * job.varied["task_seed"] - 0.1 * (job.varied["activation"] == "relu")
    scores = {**dict.fromkeys(TEST_SCORES, 0.1), "error": error}
    return Result(20, None, "sparse", 0.9, {}, 1.0, 1.0, 200.0, "converged", test=scores, seconds=1.0)
