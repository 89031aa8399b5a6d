"""Does feature learning help on images not seen before? Learning curves of sampled networks beside Gaussian processes
and networks trained by gradient descent."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from codingschemes.baselines import GaussianProcess, train
from codingschemes.coding.predictions import Predictions, test_predictions
from codingschemes.errors import InvalidInput
from codingschemes.networks import Network
from codingschemes.posterior import Posterior
from codingschemes.progress import tracked
from codingschemes.reports import numbers
from codingschemes.reports.style import panels, styled
from codingschemes.runs import Run
from codingschemes.samplers import default_sampler
from codingschemes.studies.study import (
    NAMES,
    Claim,
    Drawing,
    Findings,
    Study,
    agrees,
    below,
    over_tasks,
    said_of_trust,
    with_result,
)
from codingschemes.sweeps import Job, Outcome, Outcomes
from codingschemes.sweeps.jobs import test_scores
from codingschemes.tasks import Task, make_task
from codingschemes.theory import predict

#: Sets of images, and the classes that are learned.
DATASETS: dict[str, Any] = {"mnist": ["3", "5", "8"], "digits": ["3", "5", "8"], "cifar10": 3}
NETWORK, AT_TEMPERATURE, INTERPOLATING, BEST, TRAINED = LEARNERS = (
    "sampled networks",
    "GP at the run's T",
    "GP at T → 0",
    "GP at its best ridge",
    "gradient descent",
)
_STYLES: dict[str, dict[str, Any]] = {
    NETWORK: {"color": "#0072B2", "marker": "o", "linewidth": 2},
    AT_TEMPERATURE: {"color": "#E69F00", "marker": "v", "linestyle": "--"},
    INTERPOLATING: {"color": "#009E73", "marker": "^", "linestyle": "--"},
    BEST: {"color": "#CC79A7", "marker": "D", "linestyle": "--"},
    TRAINED: {"color": "#777777", "marker": "s", "linestyle": ":"},
}
_SCORES = ("error", "error_se", "error_mcse", "loss", "bias", "variance", "r2", "log_score", "coverage")
_PAPER = "van Meegen & Sompolinsky 2025"
#: Columns of linear networks: the distance of the mean predictor from that of lazy ones, the ratio of variances.
_APART, _RATIO, _BY_THEORY = "mean_apart", "variance_ratio", "_mean_field"


class _Setting(NamedTuple):
    samples: int
    activation: str
    task: int


@dataclass(frozen=True)
class GeneralisationStudy(Study):
    """Learning curves on images, and what they say of three activations.

    Attributes:
        dataset: mnist, cifar10 or digits; three classes of it.
        samples: training images P.
        activations: of the networks, each with one hidden layer and mean-field scaling.
        width: N.
        temperature: T.
        tasks: draws of training and test images.
        test: held-out images.
        sampler: registered name.
        chains: of each run.
        draws, warmup: of each run; None samples until it is converged.
        time_limit: seconds of a run; None sets no limit.
        steps: of gradient descent.

    Raises:
        InvalidInput: another dataset, or no sizes.

    Example:
        >>> from codingschemes.studies import GeneralisationStudy
        >>> GeneralisationStudy(dataset="cifar10").samples
        (20, 50, 100)
    """

    title: ClassVar[str] = "Generalisation"
    question: ClassVar[str] = (
        "Does feature learning help on images not seen before? Networks sampled from the posterior, beside Gaussian "
        "processes with the kernel of wide random networks and networks trained by gradient descent with weight decay."
    )

    dataset: str = "mnist"
    samples: tuple[int, ...] = (20, 50, 100)
    activations: tuple[str, ...] = ("linear", "sigmoid", "relu")
    width: int = 100
    temperature: float = 1e-4
    tasks: int = 3
    test: int = 1000
    time_limit: float | None = field(default=900.0, kw_only=True)
    steps: int = 10_000

    def __post_init__(self) -> None:
        if self.dataset not in DATASETS:
            raise InvalidInput(f"`dataset` is {self.dataset}: choose one of {', '.join(DATASETS)}")
        if self.tasks < 1 or not self.samples or not self.activations:
            raise InvalidInput("there is nothing to study: give `tasks`, `samples` and `activations`")

    @classmethod
    def quick(cls) -> "GeneralisationStudy":
        """Digits of scikit-learn, two sizes, small networks and short runs, which need not be converged."""
        sizes: dict[str, Any] = {"samples": (12, 24), "width": 30, "tasks": 2, "test": 200, "steps": 2000}
        # the one that is compiled fast: compiling is most of the time
        sampling: dict[str, Any] = {"sampler": default_sampler("evidence"), "chains": 2, "draws": 100, "warmup": 100}
        return cls("digits", temperature=1e-3, **sizes, **sampling)

    def jobs(self, folder: Path) -> list[Job]:
        """One run for each P, activation and task.

        Args:
            folder: in which each has a folder of its own.

        Raises:
            InvalidInput: there are not so many images.
        """
        jobs = []
        for samples, seed in itertools.product(self.samples, range(self.tasks)):
            task = self._task(samples, seed)
            for activation in self.activations:
                varied = {"samples": samples, "activation": activation, "task_seed": seed}
                posterior = Posterior(task, Network(activation, width=self.width), temperature=self.temperature)
                jobs.append(self.job(folder, varied, posterior))
        return jobs

    def _task(self, samples: int, seed: int) -> Task:
        return make_task(self.dataset, samples=samples, classes=DATASETS[self.dataset], test=self.test, seed=seed)

    def read(self, outcomes: Outcomes) -> Findings:
        """Errors, losses and scores of every learner in every setting, and what follows from them.

        Args:
            outcomes: of the runs; those without a result are left out.
        """
        whole = with_result(outcomes)
        rows = [row for each in tracked(whole, "learning by other means") for row in self._rows(each)]
        table = pd.DataFrame(rows)
        remarks = (
            f"{self.dataset}, three classes, {self.test} test images, N = {self.width}, T = {self.temperature:g}, "
            f"{self.tasks} draws of the images. Errors are those of the mean predictor.",
            "The GP at the run's T has the prior of the networks, at which T is a ridge of N P T; the others have the "
            "kernel of lazy scaling with readouts of variance 1. The best ridge has the smallest squared error of "
            "left-out training images.",
            said_of_trust(whole),
        )
        figures = {"learning_curves": _learning_curves(table), "bias_and_variance": _bias_and_variance(table)}
        claims = tuple(_claims(table, 1 - 1 / whole[0].job.posterior.task.class_count))
        return Findings(table, claims, figures, _shown(table), remarks)

    def _rows(self, outcome: Outcome) -> Iterator[dict[str, Any]]:
        """One learner a row."""
        assert outcome.result is not None
        posterior, temperature = outcome.job.posterior, self.temperature
        setting = _Setting(*outcome.job.varied.values())._asdict()
        alike, lazy = GaussianProcess(posterior), GaussianProcess(posterior, scale=1.0)
        learners: dict[str, tuple[float, Predictions]] = {
            AT_TEMPERATURE: (temperature, alike.predict(temperature)),
            INTERPOLATING: (0.0, lazy.predict(0.0)),
            BEST: (lazy.best_temperature, lazy.predict(lazy.best_temperature)),
            TRAINED: (temperature, train(posterior, seed=setting["task"], steps=self.steps).predict()),
        }
        sampled = {name: outcome.result.test[name] for name in _SCORES}
        own = _linear_theory(outcome, learners[INTERPOLATING][1]) if setting["activation"] == "linear" else {}
        yield {**setting, "learner": NETWORK, "temperature": temperature, **sampled, **own}
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
        _APART: math.sqrt(apart / size),
        _APART + _BY_THEORY: math.sqrt(float(np.mean((theory.test_outputs - lazy.outputs) ** 2) / size)),
        _RATIO: sampled.variance / lazy.variance,
        _RATIO + _BY_THEORY: float(np.mean(theory.test_variance)) / lazy.variance,
    }


def _claims(table: pd.DataFrame, chance: float) -> Iterator[Claim]:
    present, fewest, most = set(table.activation), min(table.samples), max(table.samples)
    if "linear" in present:
        linear = _of(table, NETWORK, "linear", most)
        apart, theory = linear[_APART], linear[_APART + _BY_THEORY]
        found = over_tasks(apart)
        yield Claim(
            "The mean predictor of linear networks tends to that of lazy ones",
            _PAPER,
            f"root mean square difference of test outputs from the GP at T → 0, relative to it, P = {most}",
            f"{theory.mean():.3g} by the mean field at this T",
            found.mean,
            found.error,
            agrees(over_tasks(apart - theory), 0.0),
        )
        ratio = over_tasks(linear[_RATIO])
        said = f"below 1; {linear[_RATIO + _BY_THEORY].mean():.3g} by the mean field"
        yield Claim(
            "The variance of linear networks is smaller than that of lazy ones",
            _PAPER,
            f"variance of test outputs over that of the GP at T → 0, P = {most}",
            said,
            ratio.mean,
            ratio.error,
            below(ratio, 1.0),
        )
    for activation in ("sigmoid", "relu"):
        if activation in present:
            error = over_tasks(_of(table, NETWORK, activation, most)["error"])
            yield Claim(
                f"{NAMES[activation]} networks generalise",
                "here",
                f"test error, P = {most}",
                f"below chance, {chance:.2f}",
                error.mean,
                error.error,
                below(error, chance),
            )
            said = f"{NAMES[activation]} networks generalise better than the GP with their kernel"
            yield _difference(table, (NETWORK, activation), (BEST, activation), most, said)
    if {"sigmoid", "relu"} <= present:
        said = "On little data, ReLU networks generalise better than sigmoid networks"
        yield _difference(table, (NETWORK, "relu"), (NETWORK, "sigmoid"), fewest, said)


def _difference(table: pd.DataFrame, better: tuple[str, str], than: tuple[str, str], samples: int, claim: str) -> Claim:
    """Of test errors, paired by task."""
    first, second = (_of(table, *each, samples)["error"] for each in (better, than))
    common = first.index.intersection(second.index)
    found = over_tasks(first[common] - second[common])
    other = than[0] if than[1] == better[1] else f"{than[0]}, {than[1]}"
    return Claim(
        claim,
        "here",
        f"test error less that of {other}, same images, P = {samples}",
        "below 0",
        found.mean,
        found.error,
        below(found, 0.0),
    )


def _of(table: pd.DataFrame, learner: str, activation: str, samples: int) -> pd.DataFrame:
    """By task."""
    rows = table[(table.learner == learner) & (table.activation == activation) & (table.samples == samples)]
    return rows.set_index("task")


@styled()
def _learning_curves(table: pd.DataFrame) -> Drawing:
    activations = list(dict.fromkeys(table.activation))
    figure, axes = panels(len(activations), 3, 3.6, sharey=True)
    for axis, activation in zip(axes, activations, strict=True):
        for learner in LEARNERS:
            _curve(axis, table, learner, activation, "error", _STYLES[learner])
        axis.set(title=NAMES.get(activation, activation), xlabel="training images P")
    axes[0].set_ylabel("test error")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=3)
    caption = (
        "Share of test images whose mean output is nearest to another class's target, against the number of training "
        "images. Error bars are one standard error over draws of the images; points are set apart sideways."
    )
    return Drawing(figure, "Test error against training images", caption)


@styled()
def _bias_and_variance(table: pd.DataFrame) -> Drawing:
    activations = list(dict.fromkeys(table.activation))
    figure, axes = panels(len(activations), 3, 3.6, sharey=True)
    styles = {"bias": {"linestyle": "-"}, "variance": {"linestyle": "--", "markerfacecolor": "white"}}
    for axis, activation in zip(axes, activations, strict=True):
        for learner, name in itertools.product((NETWORK, INTERPOLATING), styles):
            label = f"{'bias²' if name == 'bias' else name}, {learner}"
            _curve(axis, table, learner, activation, name, {**_STYLES[learner], **styles[name], "label": label})
        axis.set(title=NAMES.get(activation, activation), xlabel="training images P")
        axis.set_yscale("log")
    axes[0].set_ylabel("mean squared error of an output")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=2)
    caption = (
        "The mean squared test error of a single network is the sum of bias², the error of the mean predictor, and "
        "variance, which averaging over networks removes. The GP is that of lazy scaling with readouts of variance 1. "
        "Error bars are one standard error over draws of the images."
    )
    return Drawing(figure, "Bias and variance", caption)


def _curve(axis: Axes, table: pd.DataFrame, learner: str, activation: str, name: str, style: dict[str, Any]) -> None:
    rows = table[(table.learner == learner) & (table.activation == activation)]
    found = {samples: over_tasks(group[name].tolist()) for samples, group in rows.groupby("samples")}
    aside = 1.015 ** (LEARNERS.index(learner) - len(LEARNERS) // 2)
    errors = np.nan_to_num([each.error for each in found.values()])
    axis.errorbar(
        [samples * aside for samples in found],
        [each.mean for each in found.values()],
        errors,
        **{"label": learner, "markersize": 5, "capsize": 0, **style},
    )
    axis.set_xscale("log")
    axis.set_xticks(list(found), labels=[str(samples) for samples in found])
    axis.set_xticks([], minor=True)


def _shown(table: pd.DataFrame) -> list[list[str]]:
    """Means over tasks."""
    heads = ["P", "activation", "learner", "error", "error of chains", "binomial", "bias²", "variance", "log score",
             "coverage of 90 %"]  # fmt: skip
    rows = [heads]
    for (samples, activation, learner), group in table.groupby(["samples", "activation", "learner"], sort=False):
        error = over_tasks(group.error.tolist())
        means = [group[name].mean() for name in ("bias", "variance", "log_score", "coverage")]
        rows.append(
            [
                str(samples),
                activation,
                learner,
                numbers.with_error(error.mean, error.error),
                numbers.number(_root_mean_square(group.error_mcse.tolist()), 2),
                numbers.number(_root_mean_square(group.error_se.tolist()), 2),
                *(numbers.number(each) for each in means),
            ]
        )
    return rows


def _root_mean_square(errors: Sequence[float]) -> float:
    """Of independent errors of one run each: the error of a run."""
    return float(np.sqrt(np.mean(np.square(errors))))
