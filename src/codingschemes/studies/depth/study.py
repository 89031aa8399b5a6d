"""What do hidden layers do, one above the other? Codes, collapse, drift, kernels and the likeness of draws by layer."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd

from codingschemes.coding import summarize
from codingschemes.coding.collapse import collapse_of, mean_collapse
from codingschemes.coding.dynamics import continued_trajectory, correlations, own_trajectory
from codingschemes.errors import InvalidInput
from codingschemes.networks import Network
from codingschemes.posterior import Posterior
from codingschemes.progress import tracked
from codingschemes.runs import Run
from codingschemes.samplers import default_sampler
from codingschemes.studies.depth.claims import claims
from codingschemes.studies.depth.figures import figures, shown
from codingschemes.studies.generalisation import DATASETS
from codingschemes.studies.layer_figures import KernelPair
from codingschemes.studies.layers import apart, mean_kernels, predicted_kernels, some_networks, unlike
from codingschemes.studies.study import Findings, Study, said_of_trust, with_result
from codingschemes.sweeps import Job, Outcome, Outcomes
from codingschemes.tasks import Task, make_task
from codingschemes.theory import predict
from codingschemes.theory.choice import choose

#: Networks of a chain whose kernels are averaged, and every how manieth of them is looked at in itself.
_NETWORKS, _EVERY = 50, 10


class DepthPoint(NamedTuple):
    """Where a point lies."""

    activation: str
    depth: int
    temperature: float


@dataclass(frozen=True)
class DepthStudy(Study):
    """Networks of one to three hidden layers that learn images, layer by layer, beside theory.

    Attributes:
        dataset: mnist, cifar10 or digits; three classes of it.
        activations: of the networks, in mean-field scaling.
        depths: numbers of hidden layers, 1 among them.
        samples: training images P.
        width: N of every layer.
        temperature: T of all depths, one of `temperatures`.
        temperatures: of networks with one hidden layer.
        seed: of the images.
        sampler: registered name.
        chains: of each run.
        draws, warmup: of each run; None samples until it is converged.
        time_limit: seconds of a run; None sets no limit.

    Raises:
        InvalidInput: another dataset, or no sizes.

    Example:
        >>> from codingschemes.studies import DepthStudy
        >>> DepthStudy(activations=("sigmoid",)).depths
        (1, 2, 3)
    """

    title: ClassVar[str] = "Depth"
    question: ClassVar[str] = (
        "What do hidden layers do, one above the other? Codes, neural collapse, drift along local dynamics, kernels "
        "beside theory, and whether draws are alike up to a permutation of neurons or up to a rotation."
    )

    dataset: str = "mnist"
    activations: tuple[str, ...] = ("linear", "sigmoid", "relu")
    depths: tuple[int, ...] = (1, 2, 3)
    samples: int = 40
    width: int = 40
    temperature: float = 1e-3
    temperatures: tuple[float, ...] = (1e-4, 1e-3, 1e-2)
    seed: int = 0
    time_limit: float | None = field(default=900.0, kw_only=True)

    def __post_init__(self) -> None:
        if self.dataset not in DATASETS:
            raise InvalidInput(f"`dataset` is {self.dataset}: choose one of {', '.join(DATASETS)}")
        if not self.activations or 1 not in self.depths or self.chains < 2:
            raise InvalidInput("there is nothing to study: give `activations`, `depths` with 1, and two `chains`")
        if self.temperature not in self.temperatures:
            raise InvalidInput(f"`temperature` is {self.temperature:g}: choose one of `temperatures`")

    @classmethod
    def quick(cls) -> "DepthStudy":
        """Digits of scikit-learn, one and two layers of sigmoid neurons, short runs that need not be converged."""
        # the sampler that is compiled fast, and along whose draws drift is seen: compiling is most of the time
        sampling: dict[str, Any] = {"sampler": default_sampler("evidence"), "chains": 2, "draws": 60, "warmup": 100}
        sizes: dict[str, Any] = {"samples": 12, "width": 24, "temperatures": (1e-3, 1e-2)}
        return cls("digits", ("sigmoid",), (1, 2), **sizes, **sampling)

    def jobs(self, folder: Path) -> list[Job]:
        """One run for each point.

        Args:
            folder: in which each has a folder of its own.

        Raises:
            InvalidInput: there are not so many images.
        """
        task, jobs = self._task(), []
        for setting in self._settings():
            network = Network(setting.activation, width=self.width, depth=setting.depth)
            posterior = Posterior(task, network, temperature=setting.temperature)
            jobs.append(self.job(folder, setting._asdict(), posterior))
        return jobs

    def _settings(self) -> Iterator[DepthPoint]:
        for activation in self.activations:
            for temperature in self.temperatures:
                yield DepthPoint(activation, 1, temperature)
            for depth in self.depths:
                if depth > 1:
                    yield DepthPoint(activation, depth, self.temperature)

    def _task(self) -> Task:
        return make_task(self.dataset, samples=self.samples, classes=DATASETS[self.dataset], seed=self.seed)

    def read(self, outcomes: Outcomes) -> Findings:
        """Every layer of every setting, chain by chain, and what follows from them.

        Args:
            outcomes: of the runs; those without a result are left out.

        Raises:
            InvalidInput: the files of a run are damaged or gone.
        """
        whole = with_result(outcomes)
        rows: list[dict[str, Any]] = []
        kernels: dict[tuple[str, int], list[KernelPair]] = {}
        for outcome in tracked(whole, "looking at layers"):
            setting = DepthPoint(**outcome.job.varied)
            found, pairs = _layers(outcome)
            rows += [{**setting._asdict(), **row} for row in found]
            if setting.temperature == self.temperature:
                kernels[setting.activation, setting.depth] = pairs
        table = pd.DataFrame(rows)
        solved = table.groupby(["activation", "depth", "temperature"], sort=False).certified.first()
        remarks = (
            f"{self.dataset}, three classes, P = {self.samples}, N = {self.width}; T = {self.temperature:g} where not "
            "varied. Readouts of lower layers, which schemes need, are those of a regression on the targets.",
            "Drift is the correlation of class means of single neurons along a local dynamics, 1 where nothing drifts.",
            f"Theory has no kernels of {int(solved.isna().sum())} of {len(solved)} settings, and no certificate of "
            f"{int(solved.eq(False).sum())}.",
            said_of_trust(whole),
        )
        return Findings(table, tuple(claims(table)), figures(table, kernels), shown(table), remarks)


def _layers(outcome: Outcome) -> tuple[list[dict[str, Any]], list[KernelPair]]:
    """A row a layer and chain; kernels of every layer, sampled and predicted."""
    assert outcome.result is not None
    run = Run.open(outcome.job.folder)
    labels = run.posterior.task.labels
    summary = summarize(run)
    trajectory = own_trajectory(run) or continued_trajectory(run)
    prediction = predict(run.posterior, choose(run.posterior).theory)
    predicted = predicted_kernels(prediction)
    networks, _ = some_networks(run, _NETWORKS)
    kernels_of = mean_kernels(networks)
    rows, pairs = [], []
    for index, layer in enumerate(summary.layers):
        activity, kernels = networks[:, :, index], kernels_of[:, index]
        theory = predicted[index] if predicted else None
        drift = correlations(trajectory, index)
        permuted, rotated = unlike(activity)
        pairs.append(KernelPair.by_class(labels, kernels.mean(axis=0), theory))
        for chain, kernel in enumerate(kernels):
            looked_at = activity[chain, :: -(-activity.shape[1] // max(activity.shape[1] // _EVERY, 1))]
            collapse = mean_collapse([collapse_of(each, labels) for each in looked_at])
            rows.append(
                {
                    "layer": index + 1,
                    "chain": chain,
                    "scheme": layer.scheme.label,
                    "codes": ", ".join(f"{code.code} {code.fraction:.2f}" for code in layer.codes[:4]),
                    "effective": layer.effective_neurons,
                    "within": collapse.spread_within,
                    "nc1": collapse.nc1,
                    "drift": drift[chain] if chain < len(drift) else np.nan,
                    "permutation": permuted[chain],
                    "rotation": rotated[chain],
                    "kernel_apart": np.nan if theory is None else apart(kernel, theory),
                    "certified": None if theory is None else prediction.certificate.holds,
                }
            )
    return rows, pairs
