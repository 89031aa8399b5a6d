"""Does feature learning help on images not seen before? The runs, and how they are read."""

import itertools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd

from codingschemes.errors import InvalidInput
from codingschemes.networks import Network
from codingschemes.posterior import Posterior
from codingschemes.progress import tracked
from codingschemes.samplers import default_sampler
from codingschemes.studies.generalisation.claims import claims
from codingschemes.studies.generalisation.figures import figures, shown
from codingschemes.studies.generalisation.learners import rows_of
from codingschemes.studies.study import Findings, Study, said_of_trust, with_result
from codingschemes.sweeps import Job, Outcomes
from codingschemes.tasks import Task, make_task

#: Sets of images, and the classes that are learned.
DATASETS: dict[str, Any] = {"mnist": ["3", "5", "8"], "digits": ["3", "5", "8"], "cifar10": 3}


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
        rows = [row for each in tracked(whole, "learning by other means") for row in rows_of(each, self.steps)]
        table = pd.DataFrame(rows)
        remarks = (
            f"{self.dataset}, three classes, {self.test} test images, N = {self.width}, T = {self.temperature:g}. "
            f"Errors are those of the mean predictor. Claims are decided over {self.tasks} draws of the images: so few "
            "make 95 % intervals wide.",
            "The GP at the run's T has the prior of the networks, at which T is a ridge of N P T; the others have the "
            "kernel of lazy scaling with readouts of variance 1. The best ridge has the smallest squared error of "
            "left-out training images. Gradient descent is one network at a mode of the posterior.",
            said_of_trust(whole),
        )
        chance = 1 - 1 / whole[0].job.posterior.task.class_count
        return Findings(table, tuple(claims(table, chance)), figures(table), shown(table), remarks)
