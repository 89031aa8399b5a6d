"""The command `study` from its runs to its page, at tiny sizes."""

import json

import numpy as np
import pandas as pd
import pytest
from test_cli import call

from codingschemes.studies import Generalisation
from codingschemes.studies.generalisation import LEARNERS
from codingschemes.sweeps import jobs

TINY = Generalisation("digits", (12,), ("linear",), width=8, temperature=1e-2, tasks=2, test=40, sampler="hmc", chains=2, draws=20,
                      warmup=30, steps=20)  # fmt: skip


@pytest.mark.usefixtures("without_rendering")
def test_a_study_is_made_once_and_says_what_it_found(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(Generalisation, "quick", classmethod(lambda _: TINY))
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
    assert ratio["sampled"] == pytest.approx(table["variance ratio"].mean())
    folder = tmp_path / "out"
    assert json.loads((folder / "study.json").read_text()) == found
    assert len(pd.read_csv(folder / "numbers.csv")) == 10
    assert {each.name for each in (folder / "figures").iterdir()} == {
        f"{name}.{ending}" for name in ("learning_curves", "bias_and_variance") for ending in ("png", "pdf")
    }
    page = (folder / "report.html").read_text()
    assert ratio["claim"] in page
    assert "Test error against training images" in page

    monkeypatch.setattr(jobs, "sample", None)  # nothing is sampled again
    status, text, _ = call(capsys, monkeypatch, *words)
    assert status == 0
    assert "Generalisation" in text
    assert ratio["verdict"] in text
