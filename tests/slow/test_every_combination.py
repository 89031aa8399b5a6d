"""Every sampler in every form on every kind of network: sampled, summarised, set against a theory and reported, or
refused in one sentence. At tiny sizes: that the steps fit together, not what they find."""

import json

import numpy as np
import pytest
from known_answers import small_posterior

import codingschemes as cs
from codingschemes.cli.names import SAMPLERS, SPACES
from codingschemes.cli.output import in_flags
from codingschemes.json_values import plain
from codingschemes.runs.checking import check

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("without_rendering")]

#: (depth, recurrent): a recurrent network has two time steps at least.
KINDS = [(1, False), (2, False), (3, False), (2, True), (3, True)]
OPTIONS = {"chains": 2, "warmup": 6, "draws": 12, "max_tree_depth": 3, "seed": 1, "progress": False}


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("bias", [False, True], ids=["plain", "bias"])
@pytest.mark.parametrize(("depth", "recurrent"), KINDS, ids=["1", "2", "3", "2 steps", "3 steps"])
def test_what_is_allowed_goes_through_and_what_is_not_is_refused(tmp_path, depth, recurrent, bias, space, sampler):
    posterior = small_posterior(samples=6, width=4, depth=depth, bias=bias, recurrent=recurrent)
    asked = {**OPTIONS, "sampler": sampler, "space": space, "out": tmp_path / "run"}
    if recurrent and space == "function":
        with pytest.raises(cs.InvalidInput, match="use `space` reduced or weights") as refused:
            cs.sample(posterior, **asked)
        assert len(str(refused.value).splitlines()) == 1
        assert not any(tmp_path.iterdir())
        return
    assert cs.sample(posterior, **asked).finished
    run = cs.Run.open(tmp_path / "run")
    assert check(run.path) == []
    assert np.isfinite(run.values("posterior", "energy")).all()
    assert run.values("neurons", "preactivation").shape == (2, 12, depth, 4, 6)
    summary = cs.summarize(run)
    said = json.loads(json.dumps(plain(summary.to_json(), in_flags), allow_nan=False))
    assert len(said["layers"]) == depth
    comparison = cs.compare(run, theory="lazy")
    assert all(np.isfinite([row.sampled, row.predicted]).all() for row in comparison.rows)
    page = cs.report(run, summary=summary, comparison=comparison)
    assert page.read_text().rstrip().endswith("</html>")
