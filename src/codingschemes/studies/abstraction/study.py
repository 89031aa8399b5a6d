"""Are representations abstract? Parallelism, CCGP and shattering against penalty and alignment, at certified minima and
in networks sampled near them, with controls whose answers are known."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float

from codingschemes.coding.neurons import activity_chunks, spread_draws
from codingschemes.errors import InvalidInput
from codingschemes.networks import Network
from codingschemes.posterior import Posterior
from codingschemes.progress import tracked
from codingschemes.representation import (
    SCORES,
    abstraction_scores_from_kernel,
    representational_kernel,
    shattering_dimensionality_from_kernel,
)
from codingschemes.runs import Run
from codingschemes.samplers import default_sampler
from codingschemes.studies.abstraction.claims import claims
from codingschemes.studies.abstraction.figures import figures, shown
from codingschemes.studies.abstraction.geometries import (
    CONTEXT,
    GEOMETRIES,
    IMAGES,
    LABELS,
    WITH_XOR,
    XOR,
    aligned,
    images,
    prescribed,
)
from codingschemes.studies.study import Findings, Study, said_of_trust, with_result
from codingschemes.sweeps import Job, Outcomes
from codingschemes.tasks import Task
from codingschemes.theory import Prediction, predict

#: Networks of a chain that are scored.
_NETWORKS = 10
#: A minimum that is as near as this to the energy of no network at all represents nothing.
_NOTHING = 1e-6
#: Penalties of the solved curves reach beyond those that are sampled by this factor.
_BEYOND = 1.5
#: What inputs are aligned with.
_ALONG = {LABELS: ("labels", "xor"), IMAGES: ("labels",)}


class Setting(NamedTuple):
    """Where a point lies. `along` is what inputs are aligned with, with strength `alignment`: nothing at 0."""

    geometry: str
    activation: str
    penalty: float
    along: str = "labels"
    alignment: float = 0.0
    task: int = 0


@dataclass(frozen=True)
class AbstractionStudy(Study):
    """Abstraction scores of networks sampled near the global minimum of the regularised loss, beside the minimum's.

    Attributes:
        dataset: of the images: mnist or digits, parity and magnitude are learned.
        geometries: what is learned, on which inputs; see `geometries`.
        activations: of the networks, each with one hidden layer and a bias; controls are learned with the first.
        penalties: lambda, of weights and readouts alike, of two labels at inputs that are not aligned.
        control_penalties: the same for images and controls.
        penalty: lambda at inputs that are aligned, one of both.
        alignments: g of inputs with the Gram matrix X X^T + g V V^T; of images the last.
        coldness: T / lambda.
        width: N.
        images: P, how many are learned.
        tasks: draws of the images.
        curve: penalties of solved curves, of all geometries but images, sampled or not.
        sampler: registered name.
        chains: of each run.
        draws, warmup: of each run; None samples until it is converged.
        time_limit: seconds of a run; None sets no limit.

    Raises:
        InvalidInput: another dataset or geometry, or no sizes.

    Example:
        >>> from codingschemes.studies import AbstractionStudy
        >>> AbstractionStudy(activations=("relu", "tanh")).width
        24
    """

    title: ClassVar[str] = "Abstraction"
    question: ClassVar[str] = (
        "Are the latent variables of a task coded along the same directions in all contexts? Networks sampled near the "
        "global minimum of the regularised loss, beside the minimum itself, against penalty and alignment of inputs."
    )

    dataset: str = "mnist"
    geometries: tuple[str, ...] = (LABELS, WITH_XOR, XOR, CONTEXT, IMAGES)
    activations: tuple[str, ...] = ("relu",)
    penalties: tuple[float, ...] = (0.1, 0.5, 2.0)
    control_penalties: tuple[float, ...] = (0.5, 2.0)
    penalty: float = 0.5
    alignments: tuple[float, ...] = (0.5, 2.0)
    coldness: float = 3e-4
    width: int = 24
    images: int = 8
    tasks: int = 3
    curve: int = 6

    def __post_init__(self) -> None:
        if self.dataset not in ("mnist", "digits"):
            raise InvalidInput(f"`dataset` is {self.dataset}: parity and magnitude are those of mnist or digits")
        unknown = sorted(set(self.geometries) - set(GEOMETRIES))
        if unknown:
            raise InvalidInput(f"`geometries` has {unknown[0]}: choose among {', '.join(GEOMETRIES)}")
        if self.penalty not in {*self.penalties} & {*self.control_penalties}:
            raise InvalidInput(f"`penalty` is {self.penalty:g}: choose one of `penalties` and `control_penalties`")
        if self.tasks < 1 or not self.geometries or not self.activations or not self.penalties:
            raise InvalidInput("there is nothing to study: give `tasks`, `geometries`, `activations` and `penalties`")

    @classmethod
    def quick(cls) -> "AbstractionStudy":
        """One activation, few points, short runs that need not be converged; digits of scikit-learn."""
        # the sampler that is compiled fast: compiling is most of the time
        sampling: dict[str, Any] = {"sampler": default_sampler("evidence"), "chains": 2, "draws": 100, "warmup": 200}
        sizes: dict[str, Any] = {"control_penalties": (0.5,), "alignments": (2.0,), "tasks": 2, "curve": 3}
        return cls("digits", (LABELS, XOR, IMAGES), ("tanh",), coldness=1e-3, width=20, **sizes, **sampling)

    def jobs(self, folder: Path) -> list[Job]:
        """One run for each point.

        Args:
            folder: in which each has a folder of its own.
        """
        return [self.job(folder, setting._asdict(), self.posterior(setting)) for setting in self._settings()]

    def _settings(self) -> Iterator[Setting]:
        for activation in self.activations:
            for geometry in self._learned(activation):
                for task in range(self.tasks if geometry == IMAGES else 1):
                    for penalty in self.penalties if geometry == LABELS else self.control_penalties:
                        yield Setting(geometry, activation, penalty, task=task)
                    for along in _ALONG.get(geometry, ()):
                        for strength in self.alignments if geometry == LABELS else self.alignments[-1:]:
                            yield Setting(geometry, activation, self.penalty, along, strength, task)

    def _learned(self, activation: str) -> Iterator[str]:
        for geometry in self.geometries:
            if activation == self.activations[0] or geometry in _ALONG:
                yield geometry

    def _task(self, setting: Setting) -> Task:
        if setting.geometry == IMAGES:
            task = images(self.dataset, self.images, setting.task)
        else:
            task = prescribed(setting.geometry)
        return aligned(task, setting.along, setting.alignment) if setting.alignment else task

    def posterior(self, setting: Setting) -> Posterior:
        """The posterior of a point.

        Args:
            setting: where the point lies.
        """
        network = Network(setting.activation, width=self.width, bias=True, scaling="none")
        penalty = setting.penalty
        temperature = self.coldness * penalty
        return Posterior(self._task(setting), network, temperature=temperature, penalty1=penalty, penalty2=penalty)

    def read(self, outcomes: Outcomes) -> Findings:
        """Scores of minima, of sampled networks and of inputs in every setting, and what follows from them.

        Args:
            outcomes: of the runs; those without a result are left out.

        Raises:
            InvalidInput: the files of a run are damaged or gone.
        """
        whole = with_result(outcomes)
        rows: list[dict[str, Any]] = []
        for outcome in tracked(whole, "solving for minima"):
            setting, posterior = Setting(**outcome.job.varied), outcome.job.posterior
            minimum = predict(posterior, "global-minimum", rigorous=False)
            rows.append({**setting._asdict(), "source": "inputs", **_scores(_input_kernel(posterior.task), posterior)})
            rows.append({**setting._asdict(), "source": "solved", **solved_scores(minimum)})
            rows += [{**setting._asdict(), **row} for row in _sampled(outcome.job.folder, minimum)]
        for setting in tracked(list(self._curves()), "solving for curves"):
            minimum = predict(self.posterior(setting), "global-minimum", rigorous=False)
            rows.append({**setting._asdict(), "source": "solved", **solved_scores(minimum)})
        table = pd.DataFrame(rows)
        gap = table.gap.max()
        remarks = (
            f"One hidden layer of {self.width} neurons with bias, penalties lambda of weights and readouts; T = "
            f"{self.coldness:g} lambda. Scores are those of single networks, {_NETWORKS} of each chain.",
            f"Images: parity and magnitude of {self.images} digits ({self.dataset}), {self.tasks} draws of them.",
            f"Minima are closed forms, or solved; the largest gap to a lower bound is {gap:.1g} of the energy.",
            said_of_trust(whole),
        )
        return Findings(table, tuple(claims(table)), figures(table), shown(table), remarks)

    def _curves(self) -> Iterator[Setting]:
        """Points between those that are sampled; not of images, whose minima take long."""
        penalties = np.geomspace(min(self.penalties) / _BEYOND, max(self.penalties) * _BEYOND, self.curve)
        strengths = np.linspace(0, max(self.alignments, default=0), 2 * self.curve)
        for activation in self.activations:
            for geometry in GEOMETRIES:
                if geometry != IMAGES:
                    yield from (Setting(geometry, activation, float(each)) for each in penalties)
                for along in _ALONG.get(geometry, ()) if geometry == LABELS else ():
                    yield from (Setting(geometry, activation, self.penalty, along, float(g)) for g in strengths[1:])


def _input_kernel(task: Task) -> Float[np.ndarray, "P P"]:
    return task.inputs @ task.inputs.T


def _scores(kernel: Float[np.ndarray, "P P"], posterior: Posterior) -> dict[str, float]:
    """Of one representation; `decoding` is the accuracy of decoders of the latent variables."""
    task = posterior.task
    assert task.factors is not None
    found = abstraction_scores_from_kernel(kernel, task.labels, task.factors)
    decoding = shattering_dimensionality_from_kernel(kernel, task.labels, task.factors.T).value
    values = {**{name: getattr(found, name) for name in SCORES}, "decoding": decoding}
    return {name: np.nan if value is None else float(value) for name, value in values.items()}


def solved_scores(minimum: Prediction) -> dict[str, float]:
    """Scores of a minimum, its energy and the gap of its certificate; no scores where nothing is represented."""
    assert minimum.kernel is not None
    assert minimum.energy is not None
    of_nothing = float(np.sum(minimum.posterior.task.targets**2))
    learned = minimum.energy < (1 - _NOTHING) * of_nothing  # a solver leaves traces in the kernel
    scores = _scores(minimum.kernel, minimum.posterior) if learned else {}
    return {**scores, "energy": minimum.energy, "gap": minimum.certificate.gap}


def _sampled(folder: Path, minimum: Prediction) -> Iterator[dict[str, Any]]:
    """A row a chain: means over its networks."""
    run = Run.open(folder)
    assert minimum.kernel is not None
    assert minimum.energy is not None
    parts = [activity[:, :, -1].astype(float) for activity, _ in activity_chunks(run, spread_draws(run, _NETWORKS))]
    energies = run.values("posterior", "energy").mean(axis=1)
    for chain, networks in enumerate(np.concatenate(parts, axis=1)):
        kernels = [representational_kernel(network.T) for network in networks]
        scores = pd.DataFrame([_scores(kernel, run.posterior) for kernel in kernels]).mean(skipna=False)
        apart = np.linalg.norm(np.mean(kernels, axis=0) - minimum.kernel) / np.linalg.norm(minimum.kernel)
        excess = float(energies[chain]) / minimum.energy - 1
        yield {"source": "sampled", "chain": chain, **scores, "energy": energies[chain], "excess": excess,
               "kernel_apart": apart}  # fmt: skip
