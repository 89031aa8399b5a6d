"""What follows from planted test errors."""

import numpy as np
import pandas as pd
import pytest

from codingschemes.studies.generalisation.claims import claims
from codingschemes.studies.generalisation.figures import figures, shown
from codingschemes.studies.generalisation.learners import (
    AT_TEMPERATURE,
    BEST,
    BY_THEORY,
    LEARNERS,
    NETWORK,
    RATIO,
    TRAINED,
)

#: Test error of a learner less that of sampled networks.
_WORSE = {NETWORK: 0.0, BEST: 0.02, TRAINED: -0.03}
#: How much a draw of the images changes all errors: far more than learners differ.
_IMAGES = (-0.1, 0.0, 0.1)


def planted(best: float = 0.02, doubtful: int = -1) -> pd.DataFrame:
    """Errors that differ by the draw of images, and by learner on each; a run of ReLU networks is not converged."""
    rows = []
    for samples in (20, 50):
        for activation in ("linear", "sigmoid", "relu"):
            for task, images in enumerate(_IMAGES):
                for learner in LEARNERS:
                    worse = {**_WORSE, BEST: best}.get(learner, 0.1) + 0.001 * (task - 1) * (learner != NETWORK)
                    row = {
                        "samples": samples,
                        "activation": activation,
                        "task": task,
                        "learner": learner,
                        "converged": (activation, task) != ("relu", doubtful) if learner == NETWORK else np.nan,
                        "error": 0.3 + images + worse - 0.01 * (activation == "relu"),
                        "error_se": 0.01,
                        "error_mcse": 0.001,
                        "r2": 0.7,
                        "bias": 0.1,
                        "variance": 0.01,
                        "log_score": -5.0,
                        "coverage": 0.3,
                    }
                    if activation == "linear" and learner == NETWORK:
                        row |= {"mean_apart": 0.05, "variance_ratio": 0.4}
                        row |= {f"mean_apart{BY_THEORY}": 0.05 + 0.01 * (task - 1), RATIO + BY_THEORY: 0.5}
                    rows.append(row)
    return pd.DataFrame(rows)


def test_learners_are_compared_on_the_same_images():
    found = {claim.claim: claim for claim in claims(planted(), 2 / 3)}
    for samples in (20, 50):
        better = found[f"Sigmoid networks generalise better than a GP with their kernel, P = {samples}"]
        # the spread over images, .1, is not in it
        assert (better.sampled, better.error) == (pytest.approx(-0.02), pytest.approx(0.001 / 3**0.5))
        assert better.verdict == "holds"
    trained = found["Sigmoid networks of the posterior generalise better than one that is trained"]
    assert (trained.sampled, trained.verdict) == (pytest.approx(0.03), "does not hold")
    assert found["ReLU networks generalise better than sigmoid networks, P = 20"].verdict == "holds"
    alike = {claim.claim: claim.verdict for claim in claims(planted(best=0.0), 2 / 3)}
    assert alike["ReLU networks generalise better than a GP with their kernel, P = 50"] == "not decided"


def test_chance_and_confidence_are_judged_apart():
    found = {claim.claim: claim.verdict for claim in claims(planted(), 2 / 3)}
    assert found["ReLU networks do better than chance"] == "holds"
    assert found["ReLU networks generalise well"] == "holds"
    assert found["The posterior of ReLU networks knows how uncertain it is"] == "does not hold"
    poor = {claim.claim: claim.verdict for claim in claims(planted().assign(r2=0.1), 2 / 3)}
    assert poor["ReLU networks do better than chance"] == "holds"
    assert poor["ReLU networks generalise well"] == "does not hold"


def test_runs_that_are_not_converged_are_named_and_drawn_white():
    table = planted(doubtful=1)
    said = {claim.claim: claim.measured for claim in claims(table, 2 / 3)}
    assert said["ReLU networks do better than chance"].endswith("; 1 of 3 runs not converged")
    assert said["ReLU networks generalise better than sigmoid networks, P = 20"].endswith("1 of 6 runs not converged")
    assert "converged" not in said["Sigmoid networks do better than chance"]
    assert {row[-1] for row in shown(table)[1:] if row[1:3] == ["relu", NETWORK]} == {"1 of 3"}
    drawn = figures(table)["learning_curves"].figure
    white = [sum(line.get_markerfacecolor() == "white" for line in axis.lines) for axis in drawn.axes]
    points = [len(line.get_xdata()) for line in drawn.axes[2].lines if line.get_markerfacecolor() == "white"]
    assert (white[2], points) == (1, [2])
    assert sum(len(line.get_xdata()) for line in drawn.axes[1].lines if line.get_markerfacecolor() == "white") == 0


def test_what_is_gained_is_drawn_with_its_interval():
    drawn = figures(planted())
    assert list(drawn) == ["learning_curves", "gain", "bias_and_variance", "coverage"]
    axis = drawn["gain"].figure.axes[1]
    bars = {container.get_label(): container for container in axis.containers}
    assert AT_TEMPERATURE not in " ".join(bars)
    points, _, (spread,) = bars[f"less {BEST}"]
    np.testing.assert_allclose(np.asarray(points.get_ydata(), float), -0.02)
    low, high = spread.get_segments()[0][:, 1]
    assert high - low == pytest.approx(2 * 4.302653 * 0.001 / 3**0.5, rel=1e-5)
