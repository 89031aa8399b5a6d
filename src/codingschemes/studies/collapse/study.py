"""Do layers collapse, and do codes explain it? NC1 to NC3, kernels and the likeness of draws, layer by layer, along
temperature."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd

from codingschemes.errors import InvalidInput
from codingschemes.networks import Network
from codingschemes.posterior import Posterior
from codingschemes.progress import tracked
from codingschemes.representation import linear_cka_from_kernel
from codingschemes.runs import Run
from codingschemes.samplers import default_sampler
from codingschemes.studies.collapse.claims import claims
from codingschemes.studies.collapse.figures import figures, shown
from codingschemes.studies.collapse.measures import (
    EACH,
    code_rows,
    collapse_rows,
    kernel_rows,
    prior_networks,
    theory_rows,
)
from codingschemes.studies.generalisation import DATASETS
from codingschemes.studies.layer_figures import KernelPair
from codingschemes.studies.layers import mean_kernels, predicted_kernels, some_networks
from codingschemes.studies.study import Findings, Study, said_of_trust, with_result
from codingschemes.sweeps import Job, Outcome, Outcomes
from codingschemes.tasks import Task, make_task
from codingschemes.theory import predict
from codingschemes.theory.choice import choose

#: Inputs without relations of their own, in classes of unequal sizes.
TOY, _RATIOS = "orthogonal", (0.5, 0.25, 0.25)
#: Networks of a chain whose kernels are averaged.
_NETWORKS = 50


class CollapsePoint(NamedTuple):
    """Where a point lies."""

    inputs: str
    activation: str
    temperature: float


@dataclass(frozen=True)
class CollapseStudy(Study):
    """Neural collapse of every layer along temperature, for orthogonal inputs and for images.

    Attributes:
        dataset: of the images: mnist, cifar10 or digits; three classes of about equal sizes.
        activations: of the networks, in mean-field scaling.
        depth: hidden layers.
        samples: training inputs P.
        width: N of every layer.
        temperatures: T at orthogonal inputs in three classes with ratios 1/2 : 1/4 : 1/4.
        image_temperatures: T of images; may be empty.
        seed: of the images.
        sampler: registered name.
        chains: of each run.
        draws, warmup: of each run; None samples until it is converged.
        time_limit: seconds of a run; None sets no limit.

    Raises:
        InvalidInput: another dataset, or no sizes.

    Example:
        >>> from codingschemes.studies import CollapseStudy
        >>> CollapseStudy(dataset="cifar10").depth
        2
    """

    title: ClassVar[str] = "Collapse"
    question: ClassVar[str] = (
        "Do classes collapse to points, and do coding schemes explain it? Neural collapse and kernels layer by layer, "
        "and whether draws are alike up to a permutation of neurons or up to a rotation, along temperature."
    )

    dataset: str = "mnist"
    activations: tuple[str, ...] = ("linear", "sigmoid", "relu")
    depth: int = 2
    samples: int = 40
    width: int = 40
    temperatures: tuple[float, ...] = (1e-4, 1e-3, 1e-2)
    image_temperatures: tuple[float, ...] = (1e-4, 1e-3, 1e-2)
    seed: int = 0
    time_limit: float | None = field(default=600.0, kw_only=True)

    def __post_init__(self) -> None:
        if self.dataset not in DATASETS:
            raise InvalidInput(f"`dataset` is {self.dataset}: choose one of {', '.join(DATASETS)}")
        if not self.activations or not self.temperatures or self.depth < 1 or self.chains < 2:
            raise InvalidInput("there is nothing to study: give `activations`, `temperatures`, `depth`, two `chains`")

    @classmethod
    def quick(cls) -> "CollapseStudy":
        """Digits of scikit-learn, one layer of sigmoid neurons, short runs that need not be converged."""
        # the sampler that is compiled fast: compiling is most of the time
        sampling: dict[str, Any] = {"sampler": default_sampler("evidence"), "chains": 2, "draws": 60, "warmup": 100}
        sizes: dict[str, Any] = {"samples": 12, "width": 24, "temperatures": (1e-3, 1e-2)}
        return cls("digits", ("sigmoid",), 1, image_temperatures=(1e-3,), **sizes, **sampling)

    def jobs(self, folder: Path) -> list[Job]:
        """One run for each point.

        Args:
            folder: in which each has a folder of its own.

        Raises:
            InvalidInput: there are not so many images.
        """
        temperatures = {TOY: self.temperatures, self.dataset: self.image_temperatures}
        tasks = {inputs: self._task(inputs) for inputs, each in temperatures.items() if each}
        jobs = []
        for setting in self._settings(temperatures):
            network = Network(setting.activation, width=self.width, depth=self.depth)
            posterior = Posterior(tasks[setting.inputs], network, temperature=setting.temperature)
            jobs.append(self.job(folder, setting._asdict(), posterior))
        return jobs

    def _settings(self, temperatures: dict[str, tuple[float, ...]]) -> Iterator[CollapsePoint]:
        """Those of one program one after the other."""
        for activation in self.activations:
            for inputs, each in temperatures.items():
                yield from (CollapsePoint(inputs, activation, temperature) for temperature in each)

    def _task(self, inputs: str) -> Task:
        if inputs == TOY:
            return make_task(TOY, samples=self.samples, ratios=_RATIOS)
        return make_task(inputs, samples=self.samples, classes=DATASETS[inputs], seed=self.seed)

    def read(self, outcomes: Outcomes) -> Findings:
        """Collapse of every layer in every setting, sampled, of the prior, of theory and of codes, and what follows.

        Args:
            outcomes: of the runs; those without a result are left out.

        Raises:
            InvalidInput: the files of a run are damaged or gone.
        """
        whole = with_result(outcomes)
        rows: list[dict[str, Any]] = []
        pairs: dict[CollapsePoint, list[KernelPair]] = {}
        kernels: dict[CollapsePoint, np.ndarray] = {}
        for outcome in tracked(whole, "looking at layers"):
            setting = CollapsePoint(**outcome.job.varied)
            found, kernels[setting], pairs[setting] = _layers(outcome)
            rows += [{**setting._asdict(), **row} for row in found]
        for (inputs, activation), posterior in {_where(each): each.job.posterior for each in whole}.items():
            prior = collapse_rows(*prior_networks(posterior, self.chains), posterior.task)
            at = CollapsePoint(inputs, activation, np.inf)._asdict()
            rows += [{**at, "source": "prior", **row} for row in prior]
        table = pd.DataFrame(rows)
        table["alike"] = _alike(table, kernels)
        theory = table[table.source == "theory"].groupby(["inputs", "activation", "temperature"]).certified.first()
        remarks = (
            f"{self.depth} hidden layers, N = {self.width}, P = {self.samples}: orthogonal inputs in classes of "
            f"1/2 : 1/4 : 1/4, and {self.dataset}, three classes of about equal sizes. T → ∞ is the prior.",
            f"Collapse is that of single networks, mean over {EACH} of each chain; of theory, of networks drawn from "
            "its density of single neurons; of codes, of networks in which every neuron does what the mean neuron of "
            "its code does.",
            "Fitted theory (linear networks): networks whose neurons, besides, fit the targets together to within T. "
            "Those of any network do; those of theory, which are independent, do not.",
            f"Theory has single neurons in {len(theory)} of {len(whole)} settings, without certificate in "
            f"{int(theory.eq(False).sum())}, which are in the numbers, not in figures. Claims are of temperatures at "
            "which all runs at these inputs are converged, where there are any.",
            said_of_trust(whole),
        )
        return Findings(table, tuple(claims(table, self.dataset)), figures(table, pairs), shown(table), remarks)


def _where(outcome: Outcome) -> tuple[str, str]:
    return outcome.job.varied["inputs"], outcome.job.varied["activation"]


def _layers(outcome: Outcome) -> tuple[list[dict[str, Any]], np.ndarray, list[KernelPair]]:
    """Rows of one run, its mean kernels (chain, layer, sample, sample), and these beside theory."""
    assert outcome.result is not None
    run = Run.open(outcome.job.folder)
    posterior = run.posterior
    activity, readout = some_networks(run, _NETWORKS)
    kernels = mean_kernels(activity)
    prediction = predict(posterior, choose(posterior).theory)
    kept = slice((activity.shape[1] - 1) % max(activity.shape[1] // EACH, 1), None, max(activity.shape[1] // EACH, 1))
    looked_at = activity[:, kept], readout[:, kept]
    both = zip(collapse_rows(*looked_at, posterior.task), _by_layer(kernel_rows(kernels, prediction)), strict=True)
    known = {"scheme": outcome.result.scheme, "trust": outcome.result.trust}
    rows = [{"source": "sampled", **known, **collapsed, **kernel} for collapsed, kernel in both]
    rows += [{"source": "codes", **row} for row in code_rows(*looked_at, posterior)]
    rows += list(theory_rows(prediction, len(activity)))
    solved = predicted_kernels(prediction) if prediction.certificate.holds else ()
    predicted = solved or (None,) * posterior.network.depth
    pairs = [
        KernelPair.by_class(posterior.task.labels, *pair) for pair in zip(kernels.mean(axis=0), predicted, strict=True)
    ]
    return rows, kernels, pairs


def _by_layer(rows: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    """Layers first, as `collapse_rows` has them."""
    return sorted(rows, key=lambda row: (row["layer"], row["chain"]))


def _alike(table: pd.DataFrame, kernels: dict[CollapsePoint, np.ndarray]) -> list[float]:
    """Of every sampled row the smallest alignment of its kernel with the mean one of another activation, else NaN."""
    found = []
    for row in table.itertuples():
        own = CollapsePoint(row.inputs, row.activation, row.temperature)
        others = [each for each in kernels if each != own and (each.inputs, each.temperature) == (own.inputs, own[2])]
        if row.source != "sampled" or not others:
            found.append(np.nan)
            continue
        kernel = kernels[own][row.chain, row.layer - 1]
        means = [kernels[each][:, row.layer - 1].mean(axis=0) for each in others]
        found.append(min(linear_cka_from_kernel(kernel, mean) for mean in means))
    return found
