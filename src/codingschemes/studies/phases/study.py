"""Which coding scheme where? Scheme coordinates over temperature and readout variance, over N/P, and over a family of
activations: mean field on a fine grid, sampled networks on a coarse one."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd

from codingschemes.coding import Scheme, classify
from codingschemes.coding.neurons import read_neurons
from codingschemes.comparison.drawn import drawn_scheme
from codingschemes.errors import InvalidInput
from codingschemes.networks import Network
from codingschemes.posterior import Posterior
from codingschemes.progress import tracked
from codingschemes.runs import Run
from codingschemes.samplers import default_sampler
from codingschemes.studies.phases.claims import COORDINATES, claims
from codingschemes.studies.phases.family import SAMPLED, activation_with
from codingschemes.studies.phases.figures import figures, shown
from codingschemes.studies.study import Findings, Study, said_of_trust, with_result
from codingschemes.sweeps import Job, Outcome, Outcomes
from codingschemes.tasks import Task, make_task
from codingschemes.theory import predict

_RATIOS = (0.5, 0.25, 0.25)
#: Networks that are placed on the map: of each chain, and drawn from the theory.
_NETWORKS = 8
#: Curves of theory reach beyond what is sampled by this factor.
_BEYOND = 3.0


class PhasePoint(NamedTuple):
    """Where a point lies.

    Attributes:
        activation: of the networks; `ceiling` of those between sigmoid and ReLU.
        temperature: T.
        variance: of readouts, in units of 1/P.
        width: N.
        ceiling: of that family, 0 of all others.
    """

    activation: str
    temperature: float
    variance: float
    width: int
    ceiling: float = 0.0


@dataclass(frozen=True)
class PhasesStudy(Study):
    """Scheme coordinates of sampled networks beside those of the mean field, around one setting: readouts of variance
    1/P in mean-field scaling.

    Attributes:
        samples: P orthogonal inputs in three classes with ratios 1/2 : 1/4 : 1/4.
        activations: of the networks, each with one hidden layer and mean-field scaling.
        width: N.
        temperature: T of all but the first diagram, one of `temperatures`.
        temperatures, variances: of the first diagram; variances of readouts in units of 1/P, 1 among them.
        widths: others, at the same N T.
        ceilings: of the activations between sigmoid and ReLU, among 1, 2, 4, 8.
        grid: points of theory along each axis.
        sampler: registered name.
        chains: of each run.
        draws, warmup: of each run; None samples until it is converged.
        time_limit: seconds of a run; None sets no limit.

    Raises:
        InvalidInput: a ceiling that cannot be sampled, or sizes that do not hold the common setting.

    Example:
        >>> from codingschemes.studies import PhasesStudy
        >>> PhasesStudy(ceilings=()).temperature
        0.001
    """

    title: ClassVar[str] = "Phases"
    question: ClassVar[str] = (
        "Which coding scheme do networks use where? Temperature, readout variance from mean-field to lazy scaling, "
        "neurons per sample and the ceiling of the activation, by mean-field theory and in sampled networks."
    )

    samples: int = 40
    activations: tuple[str, ...] = ("linear", "sigmoid", "relu")
    width: int = 40
    temperature: float = 1e-3
    temperatures: tuple[float, ...] = (1e-4, 1e-3, 1e-2)
    variances: tuple[float, ...] = (1.0, 40.0, 1600.0)
    widths: tuple[int, ...] = (20, 80)
    ceilings: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0)
    grid: int = 7

    def __post_init__(self) -> None:
        if not self.activations or self.grid < 2:
            raise InvalidInput("there is nothing to study: give `activations`, and a `grid` of at least 2")
        if self.temperature not in self.temperatures or 1.0 not in self.variances:
            raise InvalidInput("all diagrams share a setting: give `temperature` in `temperatures`, 1 in `variances`")
        if unknown := sorted(set(self.ceilings) - set(SAMPLED)):
            raise InvalidInput(f"`ceilings` has {unknown[0]:g}: choose among {', '.join(f'{m:g}' for m in SAMPLED)}")

    @classmethod
    def quick(cls) -> "PhasesStudy":
        """Sigmoid networks and one ceiling, few points, short runs that need not be converged."""
        # the sampler that is compiled fast: compiling is most of the time
        sampling: dict[str, Any] = {"sampler": default_sampler("evidence"), "chains": 2, "draws": 60, "warmup": 100}
        sizes: dict[str, Any] = {"widths": (), "ceilings": (2.0,), "grid": 3}
        return cls(24, ("sigmoid",), 24, 1e-3, (1e-3, 1e-2), (1.0, 576.0), **sizes, **sampling)

    @property
    def centre(self) -> PhasePoint:
        """The setting that all diagrams share, but for its activation."""
        return PhasePoint(self.activations[0], self.temperature, 1.0, self.width)

    def jobs(self, folder: Path) -> list[Job]:
        """One run for each point.

        Args:
            folder: in which each has a folder of its own.
        """
        return [
            self.job(folder, setting._asdict(), self.posterior(setting))
            for setting in self._settings(self.temperatures, self.variances, self.widths, self.ceilings)
        ]

    def _settings(self, temperatures: Any, variances: Any, widths: Any, ceilings: Any) -> Iterator[PhasePoint]:
        """Those of one program one after the other."""
        for activation in self.activations:
            for temperature in temperatures:
                for variance in variances:
                    yield PhasePoint(activation, float(temperature), float(variance), self.width)
            for width in widths:
                if width != self.width:
                    yield PhasePoint(activation, self.temperature * self.width / width, 1.0, int(width))
        for ceiling in ceilings:
            yield PhasePoint("ceiling", self.temperature, 1.0, self.width, float(ceiling))

    def _curves(self) -> Iterator[PhasePoint]:
        """Points of theory between and beyond those that are sampled."""
        yield from self._settings(
            _between(self.temperatures, self.grid),
            _between(self.variances, self.grid),
            np.unique(_between((self.width, *self.widths), self.grid).round()) if self.widths else (),
            _between(self.ceilings, self.grid) if self.ceilings else (),
        )

    @cached_property
    def _task(self) -> Task:
        return make_task("orthogonal", samples=self.samples, ratios=_RATIOS)

    def posterior(self, setting: PhasePoint) -> Posterior:
        """The posterior of a point.

        Args:
            setting: where the point lies.
        """
        activation = activation_with(setting.ceiling) if setting.ceiling else setting.activation
        network = Network(activation, width=setting.width)
        variance = setting.variance / self.samples
        return Posterior(
            self._task, network, temperature=setting.temperature, weight_variance=1.0, readout_variance=variance
        )

    def read(self, outcomes: Outcomes) -> Findings:
        """Coordinates of sampled networks and of the theory in every setting, and what follows from them.

        Args:
            outcomes: of the runs; those without a result are left out.

        Raises:
            InvalidInput: the files of a run are damaged or gone.
        """
        whole = with_result(outcomes)
        rows = [row for each in whole for row in _sampled(each)]
        sampled = [(PhasePoint(**each.job.varied), each.job.posterior) for each in whole]
        settings = [*sampled, *((setting, self.posterior(setting)) for setting in self._curves())]
        rows += [
            {**setting._asdict(), "source": "theory", **solved(posterior)}
            for setting, posterior in tracked(settings, "solving the mean field")
        ]
        table = pd.DataFrame(rows)
        theory = table[table.source == "theory"]
        remarks = (
            f"Orthogonal inputs in three classes with ratios 1/2 : 1/4 : 1/4, P = {self.samples}, N = {self.width} "
            "where not varied; readouts of variance v/P in mean-field scaling. v = 1 is the prior of the literature; "
            f"readouts of variance 1 in lazy scaling are those with v = N P = {self.width * self.samples}.",
            f"Coordinates are means over {_NETWORKS} networks, of each chain, or drawn from the density of single "
            "neurons that the theory predicts: one verdict for both.",
            f"{int((~theory.certified.astype(bool)).sum())} of {len(theory)} solutions are without certificate.",
            said_of_trust(whole),
        )
        found = tuple(claims(table, self.centre._asdict()))
        return Findings(table, found, figures(table, self.centre._asdict(), self.samples), shown(table), remarks)


def _between(values: tuple[float, ...], count: int) -> np.ndarray:
    """A geometric grid that reaches beyond the values on both sides."""
    return np.geomspace(min(values) / _BEYOND, max(values) * _BEYOND, count)


def _coordinates(found: Scheme) -> dict[str, Any]:
    return {name: getattr(found.evidence, name) for name in COORDINATES}


def _sampled(outcome: Outcome) -> Iterator[dict[str, Any]]:
    """A row a chain; the label is that of all."""
    assert outcome.result is not None
    run = Run.open(outcome.job.folder)
    neurons, bounds = read_neurons(run).populations, run.posterior.network.activation.bounds
    for chain in range(neurons.draws[0]):
        found = classify(neurons[chain], bounds, draws_per_chain=_NETWORKS)
        label = outcome.result.scheme
        yield {**outcome.job.varied, "source": "sampled", "chain": chain, "label": label, **_coordinates(found)}


def solved(posterior: Posterior) -> dict[str, Any]:
    """The verdict on networks drawn from the mean field, beside what the theory calls its measure.

    Args:
        posterior: with one hidden layer.
    """
    prediction = predict(posterior, "mean-field")
    found = drawn_scheme(prediction, _NETWORKS)
    assert found is not None
    assert prediction.scheme is not None
    certificate = prediction.certificate
    measure = {"measure": prediction.scheme.label, "gap": certificate.gap, "certified": certificate.holds}
    return {"label": found.label, **_coordinates(found), **measure}
