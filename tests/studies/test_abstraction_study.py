"""Controls with known answers, and claims that follow from planted scores."""

from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
import pytest

from codingschemes.errors import InvalidInput
from codingschemes.studies import AbstractionStudy
from codingschemes.studies.abstraction import claims, geometries
from codingschemes.studies.abstraction.figures import figures, shown
from codingschemes.studies.abstraction.study import Setting, solved_scores
from codingschemes.theory import Prediction, predict

TINY = AbstractionStudy("digits", images=8, tasks=2, activations=("relu",))


@pytest.mark.parametrize(
    ("geometry", "parallelism", "ccgp", "shattering"),
    [
        (geometries.LABELS, 1, 1, 2.5 / 3),  # the XOR of two labels is not decoded
        (geometries.WITH_XOR, 0, 0.5, 1),
        (geometries.XOR, -1, 0, 2 / 3),  # nothing else is
        pytest.param(geometries.CONDITIONS, 0, 0.5, 1, marks=pytest.mark.slow),
        # eight conditions of one sample each. A stimulus is read where it is chosen, and half of the time elsewhere;
        # the context is read the wrong way where it matters: (3/4 + 3/4 + 1/4) / 3
        (geometries.CONTEXT, np.nan, 7 / 12, np.nan),
    ],
)
def test_minima_of_controls_have_the_known_scores(geometry, parallelism, ccgp, shattering):
    found = solved_scores(predict(TINY.posterior(Setting(geometry, "relu", 0.5)), "global-minimum", rigorous=False))
    assert found["parallelism"] == pytest.approx(parallelism, abs=1e-3, nan_ok=True)
    assert found["ccgp"] == pytest.approx(ccgp, abs=1e-9)
    assert found["shattering"] == pytest.approx(shattering, abs=1e-9, nan_ok=True)


def test_a_minimum_without_anything_in_it_has_no_scores():
    """Of which a solver leaves traces."""
    posterior = TINY.posterior(Setting(geometries.WITH_XOR, "relu", 3.0))
    traces = 1e-9 * np.eye(posterior.task.sample_count)
    energy = float(np.sum(posterior.task.targets**2))
    certificate = mock.Mock(gap=0.0)
    nothing = mock.Mock(spec=Prediction, posterior=posterior, kernel=traces, energy=energy, certificate=certificate)
    assert "parallelism" not in solved_scores(nothing)


def test_inputs_have_the_gram_matrix_that_is_asked_for():
    task = geometries.prescribed(geometries.LABELS)
    factors = task.factors[task.labels]
    for along, v in (("labels", factors), ("xor", factors.prod(axis=1, keepdims=True))):
        inputs = geometries.aligned(task, along, 0.7).inputs
        np.testing.assert_allclose(inputs @ inputs.T, np.eye(8) + 0.7 * v @ v.T, atol=1e-12)
    images = geometries.images("digits", 8, seed=1)
    assert np.mean(np.sum(images.inputs**2, axis=1)) == pytest.approx(1.0)
    assert images.target_names == ("parity", "magnitude")


def test_jobs_are_all_points_once():
    names = [job.name for job in TINY.jobs(Path("runs"))]
    # labels at three penalties and two strengths of two directions, controls at two penalties, and two draws of images
    # at these and at one strength
    assert len(names) == len(set(names)) == 3 + 2 * 2 + 3 * 2 + 2 * (2 + 1)
    cold = TINY.jobs(Path("runs"))[0].posterior.prior
    assert cold.penalties == pytest.approx((0.1, 0.1))
    assert cold.temperature == pytest.approx(3e-5)


def planted(noise: float, **means: float) -> pd.DataFrame:
    """Scores of the labels by source, chains spread about the mean of the sampled ones."""
    rows = []
    for penalty in (0.1, 0.5):
        setting = Setting(geometries.LABELS, "relu", penalty)._asdict()
        scores = dict.fromkeys(("parallelism", "ccgp", "shattering", "decoding"), 1.0)
        rows += [{**setting, "source": source, **scores} for source in ("inputs", "solved")]
        for chain, aside in enumerate((-1, 1, -1, 1)):
            sampled = {name: means.get(name, 1.0) + noise * aside for name in scores}
            rows.append({**setting, "source": "sampled", "chain": chain, **sampled, "kernel_apart": 0.0, "excess": 0.0})
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("mean", "noise", "verdict"), [(0.99, 1e-3, "holds"), (0.9, 1e-3, "does not hold"), (0.97, 0.05, "not decided")]
)
def test_verdicts_follow_from_the_chains(mean, noise, verdict):
    table = planted(noise, parallelism=mean)
    found = {claim.claim: claim for claim in claims.claims(table)}
    claim = found["Representations of labels are abstract at the minimum, whatever the penalty"]
    assert (claim.sampled, claim.verdict) == (pytest.approx(mean), verdict)
    assert claim.error == pytest.approx(noise / 3**0.5)
    assert "minima 1.000" in claim.predicted
    assert len(shown(table)) == 3
    assert list(figures(table)) == ["against_penalty"]


def test_draws_of_images_are_paired():
    """Networks are .2 more parallel than their images, which differ from each other by far more."""
    rows = []
    for task, images in enumerate((-0.5, 0.0, 0.4)):
        for penalty, change in ((0.1, 0.0), (2.0, -0.1)):
            setting = Setting(geometries.IMAGES, "relu", penalty, task=task)._asdict()
            rows.append({**setting, "source": "inputs", "parallelism": images})
            rows.append({**setting, "source": "solved", "parallelism": images + 0.25 + change + 0.01 * (task - 1)})
            chains = (images + 0.25 + change + aside for aside in (-0.01, 0.01))
            rows += [{**setting, "source": "sampled", "parallelism": value} for value in chains]
    found = {claim.measured.partition(",")[0]: claim for claim in claims.claims(pd.DataFrame(rows))}
    gain, apart = found["parallelism less that of the images"], found["parallelism less that of the minimum"]
    assert (gain.sampled, gain.verdict) == (pytest.approx(0.2), "holds")
    assert (apart.sampled, apart.verdict) == (pytest.approx(0.0), "holds")
    change = found["parallelism at lambda = 2 less that at 0.1"]
    assert (change.sampled, change.verdict) == (pytest.approx(-0.1), "does not hold")


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ({"dataset": "cifar10"}, "mnist or digits"),
        ({"geometries": ("three labels",)}, "choose among two labels"),
        ({"penalty": 0.1}, "one of `penalties` and `control_penalties`"),
        ({"tasks": 0}, "nothing to study"),
    ],
)
def test_what_cannot_be_studied_is_refused(sizes, words):
    with pytest.raises(InvalidInput, match=words):
        replace(TINY, **sizes)
