"""Which structural invariant manifolds matter in practice? Training paths, posterior samples, channels to infinity and
the recovery of narrow teachers."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd

from codingschemes.errors import InvalidInput
from codingschemes.networks import Network
from codingschemes.posterior import Posterior
from codingschemes.progress import tracked
from codingschemes.runs import Run
from codingschemes.samplers import default_sampler
from codingschemes.studies.manifolds.claims import claims
from codingschemes.studies.manifolds.figures import figures, shown
from codingschemes.studies.manifolds.gated import GATED, NEURONS, SINES, channel_rows
from codingschemes.studies.manifolds.recovery import Lessons, recover
from codingschemes.studies.manifolds.redundancy import redundancy_rows
from codingschemes.studies.manifolds.training import TOLERANCE, training_rows
from codingschemes.studies.study import Findings, Study, said_of_trust, with_result
from codingschemes.sweeps import Job, Outcomes
from codingschemes.tasks import make_task

#: Classes of the posterior's task.
_RATIOS = (0.5, 0.25, 0.25)


@dataclass(frozen=True)
class ManifoldsStudy(Study):
    """Training paths and manifolds, redundancy and condensation, channels to infinity, and recovery of teachers.

    Attributes:
        dataset: of the images whose parity is learned by training: digits or mnist.
        images: how many.
        activations: of the trained networks.
        sizes: of their first weights, small ones first.
        neurons: of the trained networks.
        steps: of training.
        starts: trained networks of each kind.
        widths: of the sampled sigmoid networks, two of them, ascending.
        samples: orthogonal inputs that these learn, in classes of 1/2 : 1/4 : 1/4.
        heat: N T of the sampled networks.
        smooth: activations of students of gated units.
        students: of each of these and each teacher.
        taught: numbers of samples of narrow teachers.
        teachers: of each number.
        sampler: registered name.
        chains: of each run.
        draws, warmup: of each run; None samples until it is converged.
        time_limit: seconds of a run; None sets no limit.

    Raises:
        InvalidInput: another dataset, or no sizes.

    Example:
        >>> from codingschemes.studies import ManifoldsStudy
        >>> ManifoldsStudy(widths=(20, 40)).activations
        ('tanh', 'sigmoid', 'relu')
    """

    title: ClassVar[str] = "Manifolds"
    question: ClassVar[str] = (
        "Which structural invariant manifolds matter in practice? Those that training from small weights passes, "
        "redundancy of posterior samples beside condensation of weights, channels to infinity, and the recovery of "
        "narrow teachers."
    )

    dataset: str = "digits"
    images: int = 100
    activations: tuple[str, ...] = ("tanh", "sigmoid", "relu")
    sizes: tuple[float, ...] = (1e-4, 1.0)
    neurons: int = 30
    steps: int = 50_000
    starts: int = 4
    widths: tuple[int, ...] = (25, 50)
    samples: int = 50
    heat: float = 0.05
    smooth: tuple[str, ...] = ("tanh", "softplus", "sigmoid")
    students: int = 12
    taught: tuple[int, ...] = (6, 9, 12, 16, 24, 48)
    teachers: int = 4
    time_limit: float | None = field(default=600.0, kw_only=True)

    def __post_init__(self) -> None:
        if self.dataset not in ("digits", "mnist"):
            raise InvalidInput(f"`dataset` is {self.dataset}: the parity learned is that of digits or mnist")
        if len(self.sizes) != 2 or self.sizes[0] >= self.sizes[1]:
            raise InvalidInput(f"`sizes` is {self.sizes}: give a small one and a large one")
        if len(self.widths) != 2 or self.widths[0] >= self.widths[1]:
            raise InvalidInput(f"`widths` is {self.widths}: give two, the smaller first")
        if min(self.starts, self.students, self.teachers, len(self.activations), len(self.taught)) < 1:
            raise InvalidInput(
                "there is nothing to study: give `starts`, `students`, `teachers`, `activations`, `taught`"
            )

    @classmethod
    def quick(cls) -> "ManifoldsStudy":
        """Few, small and short of everything; runs need not be converged."""
        # the sampler that is compiled fast: compiling is most of the time
        sampling: dict[str, Any] = {"sampler": default_sampler("evidence"), "chains": 2, "draws": 60, "warmup": 100}
        training: dict[str, Any] = {"activations": ("tanh", "relu"), "neurons": 20, "steps": 5000, "starts": 2}
        sizes: dict[str, Any] = {"widths": (10, 20), "samples": 20, "smooth": ("tanh",), "students": 4}
        return cls(images=40, heat=0.02, taught=(9, 24), teachers=2, **training, **sizes, **sampling)

    def jobs(self, folder: Path) -> list[Job]:
        """One run for each width.

        Args:
            folder: in which each has a folder of its own.

        Raises:
            InvalidInput: fewer samples than classes.
        """
        task = make_task("orthogonal", samples=self.samples, ratios=_RATIOS)
        return [
            self.job(
                folder,
                {"width": width},
                Posterior(task, Network("sigmoid", width=width), temperature=self.heat / width),
            )
            for width in self.widths
        ]

    def read(self, outcomes: Outcomes) -> Findings:
        """Train, look at what was sampled, and what follows from both.

        Args:
            outcomes: of the runs; those without a result are left out.

        Raises:
            InvalidInput: the files of a run are damaged or gone.
        """
        whole = with_result(outcomes)
        rows = [*self._trained(), *self._channels(), *self._recovered()]
        for outcome in tracked(whole, "looking at samples"):
            found = redundancy_rows(Run.open(outcome.job.folder), self.starts, self.steps)
            rows += [{"part": "redundancy", **outcome.job.varied, **row} for row in found]
        table = pd.DataFrame(rows)
        lessons = Lessons()
        remarks = (
            f"Training: gradient descent, {self.neurons} neurons with a bias, parity of {self.images} images "
            f"({self.dataset}), from weights of {' and '.join(f'{size:g}' for size in self.sizes)}; neurons count as "
            f"one at a relative distance of {TOLERANCE:g}.",
            f"Redundancy: sigmoid networks, P = {self.samples} orthogonal inputs, N T = {self.heat:g}, beside networks "
            "from the prior, and ones trained in the same loss from a thousandth of the prior's weights.",
            "Channels: students of one gated linear unit (two neurons), of two neurons (two), of sin 2x cos 2y (four), "
            f"{self.students} of each activation by Levenberg's and Marquardt's method.",
            f"Recovery: teachers of {lessons.teacher} tanh neurons and {lessons.inputs} inputs "
            f"({lessons.teacher_weights} weights), students of {lessons.width} ({lessons.student_weights} weights).",
            said_of_trust(whole),
        )
        return Findings(table, tuple(claims(table, self.sizes)), figures(table, self.sizes), shown(table), remarks)

    def _trained(self) -> Iterator[dict[str, Any]]:
        classes = [str(digit) for digit in range(10)]
        task = make_task(self.dataset, samples=self.images, classes=classes, seed=0)
        settings = [
            (each, size, seed) for each in self.activations for size in self.sizes for seed in range(self.starts)
        ]
        for activation, size, seed in tracked(settings, "training on images"):
            for row in training_rows(task, activation, size, self.neurons, self.steps, seed):
                yield {"part": "training", **row}

    def _channels(self) -> Iterator[dict[str, Any]]:
        settings = [
            (activation, teacher, seed)
            for activation in self.smooth
            for teacher in (GATED, NEURONS, SINES)
            for seed in range(self.students)
        ]
        for setting in tracked(settings, "looking for channels"):
            yield from ({"part": "channels", **row} for row in channel_rows(*setting))

    def _recovered(self) -> Iterator[dict[str, Any]]:
        settings = [
            (size, samples, seed) for size in (1e-6, 0.5) for samples in self.taught for seed in range(self.teachers)
        ]
        for size, samples, seed in tracked(settings, "recovering teachers"):
            found = recover(Lessons(), size, samples, seed, self.steps)
            values = {"training_error": found.training_error, "test_error": found.test_error, "fewest": found.fewest}
            yield {"part": "recovery", "size": size, "samples": samples, "seed": seed, **values}
