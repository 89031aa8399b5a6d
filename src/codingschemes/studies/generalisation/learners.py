"""Who learns the same images, and how well: a row of numbers for each."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from codingschemes.baselines import GaussianProcess, train
from codingschemes.coding.predictions import Predictions, test_predictions
from codingschemes.runs import Run
from codingschemes.studies.study import converged
from codingschemes.sweeps import Outcome
from codingschemes.sweeps.jobs import test_scores
from codingschemes.theory import predict

NETWORK, AT_TEMPERATURE, INTERPOLATING, BEST, TRAINED = LEARNERS = (
    "sampled networks",
    "GP at the run's T",
    "GP at T → 0",
    "GP at its best ridge",
    "gradient descent",
)
_SCORES = ("error", "error_se", "error_mcse", "loss", "bias", "variance", "r2", "log_score", "coverage")
#: Share of targets that belongs in the central 90 % of a predictive density.
COVERED = 0.9
#: Columns of linear networks: the distance of the mean predictor from that of lazy ones, the ratio of variances.
APART, RATIO, BY_THEORY = "mean_apart", "variance_ratio", "_mean_field"


def rows_of(outcome: Outcome, steps: int) -> Iterator[dict[str, Any]]:
    """One learner a row, sampled networks first.

    Args:
        outcome: a run with a result, named by `samples`, `activation` and `task_seed`.
        steps: of gradient descent.
    """
    assert outcome.result is not None
    posterior = outcome.job.posterior
    temperature = float(posterior.prior.temperature)
    samples, activation, seed = outcome.job.varied.values()
    setting = {"samples": samples, "activation": activation, "task": seed}
    alike, lazy = GaussianProcess(posterior), GaussianProcess(posterior, scale=1.0)
    learners: dict[str, tuple[float, Predictions]] = {
        AT_TEMPERATURE: (temperature, alike.predict(temperature)),
        INTERPOLATING: (0.0, lazy.predict(0.0)),
        BEST: (lazy.best_temperature, lazy.predict(lazy.best_temperature)),
        TRAINED: (temperature, train(posterior, seed=seed, steps=steps).predict()),
    }
    sampled = {name: outcome.result.test[name] for name in _SCORES}
    own = _linear_theory(outcome, learners[INTERPOLATING][1]) if activation == "linear" else {}
    known = {"converged": converged(outcome)}
    yield {**setting, "learner": NETWORK, "temperature": temperature, **known, **sampled, **own}
    for learner, (at, found) in learners.items():
        scores = {name: value for name, value in test_scores(found).items() if name in _SCORES}
        yield {**setting, "learner": learner, "temperature": at, **scores}


def _linear_theory(outcome: Outcome, lazy: Predictions) -> dict[str, float]:
    """How far the mean of linear networks is from that of lazy ones, relative to it, without the noise of the networks
    taken, and their variance relative to that of lazy ones: sampled and by the mean field."""
    sampled = test_predictions(Run.open(outcome.job.folder))
    theory = predict(outcome.job.posterior, theory="mean-field")
    assert sampled is not None
    assert theory.test_outputs is not None
    assert theory.test_variance is not None
    size = np.mean(lazy.outputs**2)
    noise = sampled.variance / sampled.networks
    apart = max(float(np.mean((sampled.outputs - lazy.outputs) ** 2) - noise), 0.0)
    return {
        APART: math.sqrt(apart / size),
        APART + BY_THEORY: math.sqrt(float(np.mean((theory.test_outputs - lazy.outputs) ** 2) / size)),
        RATIO: sampled.variance / lazy.variance,
        RATIO + BY_THEORY: float(np.mean(theory.test_variance)) / lazy.variance,
    }


def by_task(table: pd.DataFrame, learner: str, activation: str, samples: int) -> pd.DataFrame:
    """Rows of one learner in one setting, by task.

    Args:
        table: the numbers of the study.
        learner: one of `LEARNERS`.
        activation, samples: the setting.
    """
    rows = table[(table.learner == learner) & (table.activation == activation) & (table.samples == samples)]
    return rows.set_index("task")


def gain(table: pd.DataFrame, learner: tuple[str, str], other: tuple[str, str], samples: int) -> pd.Series:
    """Test error of a learner less that of another on the same images, by task.

    Args:
        table: the numbers of the study.
        learner, other: of `LEARNERS`, with the activation.
        samples: training images.
    """
    first, second = (by_task(table, *each, samples)["error"] for each in (learner, other))
    common = first.index.intersection(second.index)
    return first[common] - second[common]
