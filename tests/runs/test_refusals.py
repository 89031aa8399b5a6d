"""What is refused before anything is sampled or written."""

import shutil

import jax.numpy as jnp
import pytest
from known_answers import small_posterior

import codingschemes as cs
from codingschemes.runs import SamplingFailed, driver, folder
from codingschemes.runs.start import Beginning

OPTIONS = {"sampler": "hmc", "chains": 2, "warmup": 30, "draws": 40, "seed": 5, "progress": False}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sampler": "nutz"}, "did you mean 'nuts'"),
        ({"time_limit": 0.0}, r"`time_limit` is 0\.0"),
        ({"chains": 0}, "`chains` is 0"),
        ({"draws": -3}, "`draws` is -3"),
        ({"warmup": -1}, "`warmup` is -1"),
        ({"target_acceptance": 1.5}, r"`target_acceptance` is 1\.5"),
        ({"resume": True}, "give `out`"),
        ({"until_ess": -1.0}, r"`until_ess` is -1\.0"),
        ({"until_rhat": 1.0}, r"`until_rhat` is 1\.0"),
    ],
)
def test_wrong_options_are_refused(options, words):
    with pytest.raises(cs.InvalidInput, match=words):
        cs.sample(small_posterior(), **{**OPTIONS, **options})


def test_a_full_disk_is_noticed_before_anything_is_written(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(folder.shutil, "disk_usage", lambda _: usage._replace(free=100))
    with pytest.raises(cs.InvalidInput, match="GB free"):
        cs.sample(small_posterior(), out=tmp_path / "run", **OPTIONS)
    assert not any(tmp_path.iterdir())


def test_resuming_what_is_not_a_run_is_refused(tmp_path):
    with pytest.raises(cs.InvalidInput, match=r"no config\.json"):
        cs.sample(small_posterior(), out=tmp_path, resume=True, **OPTIONS)
    with pytest.raises(cs.InvalidInput, match="no run folder"):
        cs.Run.open(tmp_path / "missing")
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(cs.InvalidInput, match="is broken"):
        cs.Run.open(tmp_path)


def test_an_infinite_energy_is_said_and_leaves_nothing(tmp_path, monkeypatch):
    nowhere = Beginning({"input": jnp.full((2, 6, 5), jnp.nan)}, {})
    monkeypatch.setattr(driver, "beginning", lambda *_: nowhere)
    with pytest.raises(SamplingFailed, match="not finite at the start"):
        cs.sample(small_posterior(), out=tmp_path / "run", **OPTIONS)
    assert not any(tmp_path.iterdir())
