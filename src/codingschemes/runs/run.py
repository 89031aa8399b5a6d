"""A sampled posterior: what was asked for, what it was learned from, and the draws."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from codingschemes.calls import known_keywords
from codingschemes.errors import InvalidInput
from codingschemes.networks import Network
from codingschemes.networks import own as own_activations
from codingschemes.posterior import Posterior, Prior
from codingschemes.posterior.priors import check_prior
from codingschemes.reading import number, reading
from codingschemes.runs import derived
from codingschemes.runs.configuration import Sampling
from codingschemes.runs.dimensions import Coordinates, coordinates
from codingschemes.runs.identity import Identity, differences, identity
from codingschemes.runs.store import REMEDY, DrawStore
from codingschemes.samplers import SAMPLERS, Kernel
from codingschemes.samplers import own as own_samplers
from codingschemes.sources import check_source
from codingschemes.tables import html_table
from codingschemes.tasks import Task

CONFIG, PROVENANCE, TASK, DRAWS, CHECKPOINT = (
    "config.json",
    "provenance.json",
    "task.npz",
    "draws.zarr",
    "checkpoint.eqx",
)


#: What a configuration says of a network at least.
_NETWORK = ("activation", "width", "depth", "bias", "scaling")


@dataclass(eq=False)
class Run:
    """Draws from a posterior, with everything needed to read them.

    Attributes:
        posterior: what was sampled.
        config: the resolved configuration, plain JSON values.
        provenance: versions, device, seed and times.
        store: the draws.
        path: the run folder, or None for a run held in memory.

    Example:
        >>> run.values("posterior", "energy").shape
        (2, 60)
        >>> list(run.data.children)[:3]
        ['posterior', 'neurons', 'sample_stats']
    """

    posterior: Posterior
    config: dict[str, Any]
    provenance: dict[str, Any]
    store: DrawStore
    path: Path | None = None

    @classmethod
    @known_keywords
    def open(cls, path: str | Path) -> "Run":
        """The run in a folder that `sample` wrote.

        Draws that are added later are not seen.

        Args:
            path: of the folder.

        Raises:
            InvalidInput: the folder is missing, holds no run, or files that were changed since it was sampled.
        """
        path = Path(path)
        if not is_folder(path):
            raise InvalidInput(f"there is no run folder {path}: give the folder that was passed to `out`")
        config = read_json(path / CONFIG)
        posterior = recorded_posterior(path, config)
        provenance = _provenance(path / PROVENANCE)
        store = DrawStore.open(path / DRAWS)
        run = cls(posterior, config, provenance, store, path)
        for section, name, was, now in differences(recorded_identity(store, path), run.made_of):
            raise InvalidInput(_change_words(path, section, name, was, now))
        return run

    @property
    def kernel(self) -> Kernel:
        """What moved its chains."""
        sampling = Sampling(**self.config["sampling"])
        return SAMPLERS[sampling.sampler](sampling.settings)

    @property
    def made_of(self) -> Identity:
        """What the draws depend on; see `identity`."""
        return identity(self.posterior.task, self.config, self.provenance["versions"])

    @property
    def seconds(self) -> float:
        """Spent on it so far: compiling and starting, warm-up and sampling."""
        spent = [self.provenance.get(f"{phase}_seconds", 0.0) for phase in ("start", "warmup", "sampling")]
        return float(sum(spent))

    @property
    def draw_count(self) -> int:
        """Stored draws a chain."""
        return self.store.draw_count

    @cached_property
    def data(self) -> xr.DataTree:
        """The draws as arviz expects them: `posterior` holds invariants only, `neurons` the single neurons.

        What follows from the stored draws (`sample_stats.energy`, `log_likelihood`, `posterior_predictive`, see
        `derived`) is computed when it is read.

        Raises:
            InvalidInput: the run was stopped before its first draw.
        """
        if self.draw_count == 0:
            if self.path is None:
                raise InvalidInput("the run holds no draws: sample again with a longer `time_limit`")
            raise InvalidInput(
                f"the run in {self.path} holds no draws yet: wait where it is being sampled, else continue it with "
                "`resume=True`"
            )
        task, temperature = self.posterior.task, self.posterior.prior.temperature
        named = coordinates(self.posterior)
        groups = self.store.datasets(named)
        outputs = groups["posterior"]["outputs"]
        groups["sample_stats"]["energy"] = derived.hamiltonian(groups["sample_stats"]["lp"])
        groups["log_likelihood"] = xr.Dataset({"target": derived.log_likelihood(outputs, task.targets, temperature)})
        groups["posterior_predictive"] = xr.Dataset({"target": derived.posterior_predictive(outputs, temperature)})
        groups["observed_data"] = _dataset({"target": (("training_sample", "output"), task.targets)}, named)
        groups["constant_data"] = _dataset(
            {
                "input": (("training_sample", "feature"), task.inputs),
                "label": (("training_sample",), task.labels),
                "input_kernel": (("training_sample", "other_sample"), self.posterior.input_kernel()),
            },
            named,
        )
        data = xr.DataTree.from_dict(groups, name="run")
        for node in data.subtree:
            node.attrs = authorship(self.provenance)
        return data

    @property
    def finished(self) -> bool:
        """Whether the run made what it was asked for: to resume it with the same options would add nothing. Not so
        after a Ctrl-C, a crash or a time limit."""
        return self.provenance.get("ended") in ("draws", "precision")

    def values(self, group: str, variable: str) -> np.ndarray:
        """A stored variable as a plain array (chain, draw, ...), read in full.

        Args:
            group: of `data`, such as `posterior`.
            variable: its name there.

        Returns:
            (chain, draw, ...).

        Raises:
            InvalidInput: the run was stopped before its first draw.
        """
        return np.asarray(self.data[group].dataset[variable].values)

    def __repr__(self) -> str:
        network = self.config["network"]
        where = "in memory" if self.path is None else f"in {self.path}"
        return (
            f"Run({self.posterior.task.name}, {network['activation']}, {self.config['sampling']['chains']} chains x "
            f"{self.draw_count} draws, {where})"
        )

    def _repr_html_(self) -> str:
        sampling = self.config["sampling"]
        facts = {"posterior": self.posterior, "sampler": f"{sampling['sampler']}, {sampling['space']} space"}
        facts["draws"] = f"{sampling['chains']} chains x {self.draw_count}"
        facts["finished"] = "yes" if self.finished else "no: resume it"
        facts["kept"] = "in memory" if self.path is None else self.path
        return html_table("Run", facts)


def is_folder(path: Path) -> bool:
    """Whether there is a folder of this name; not where a name is too long to be one."""
    try:
        return path.is_dir()
    except OSError:
        return False


def recorded_identity(store: DrawStore, path: Path) -> Identity:
    """What the draws of a run folder say that they were made of."""
    with reading(path / DRAWS, REMEDY):
        made_of = json.loads(store.attributes["made_of"])
        if not isinstance(made_of, dict):
            raise ValueError("it does not say what it was made of")
    return made_of


def _change_words(path: Path, section: str, name: str, was: Any, now: Any) -> str:
    if section == "arrays":
        return f"{path / TASK} does not hold what the run learned from: put back what sampling wrote there"
    file = path / (PROVENANCE if section == "versions" else CONFIG)
    return (
        f"{file} says {' '.join(filter(None, (section, name)))} = {now}, but the draws were made with {was}: put back "
        "what sampling wrote there, or have `codingschemes check` do it with --repair"
    )


def authorship(provenance: dict[str, Any]) -> dict[str, Any]:
    """Who made a run, when, and once it has draws how long that took in seconds, under arviz's names."""
    attributes = {
        "inference_library": "codingschemes",
        "inference_library_version": provenance["versions"]["codingschemes"],
        "created_at": provenance["started"],
    }
    took = {"sampling_time": provenance["sampling_seconds"]} if "sampling_seconds" in provenance else {}
    return attributes | took


def read_json(path: Path) -> dict[str, Any]:
    """A JSON file of a run folder.

    Raises:
        InvalidInput: it is missing or broken.
    """
    if not is_folder(path.parent) or not path.is_file():
        raise InvalidInput(f"{path.parent} is not a run folder: it has no {path.name}")
    with reading(path, "it is broken, sample the run again"):
        values = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(values, dict):
            raise ValueError("no JSON object")
    return values


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Write JSON, whole or not at all."""
    with replacing(path) as partial:
        partial.write_text(json.dumps(values, indent=2) + "\n")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file to write beside the one at `path`, whose place it takes then: no reader ever sees half of it."""
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)  # a link that somebody left there would be written through
    yield partial
    partial.replace(path)


def _dataset(variables: dict[str, tuple[tuple[str, ...], np.ndarray]], named: Coordinates) -> xr.Dataset:
    used = {dimension for dimensions, _ in variables.values() for dimension in dimensions}
    return xr.Dataset(variables, coords={name: values for name, values in named.items() if name in used})


def recorded_posterior(path: Path, config: dict[str, Any]) -> Posterior:
    """The posterior of the task in a run folder and a configuration; a hand that edited it may have written anything.

    Raises:
        InvalidInput: what is wrong with either.
    """
    task = Task.load(path / TASK)
    with reading(path / CONFIG, "restore what sampling wrote there, or sample the run again"):
        said, asked = config["prior"], config["network"]
        for section, names in (("prior", Prior._fields), ("network", _NETWORK), ("sampling", ("chains",))):
            for missing in set(names) - set(config[section]):
                raise ValueError(f"its {section} has no {missing}")
        prior = Prior(**{name: said[name] for name in Prior._fields})
        check_prior(prior)
        own = [config[kind].get("source") for kind in ("activation", "sampler") if kind in config]
        for source in (asked["activation"], config["sampling"].get("sampler"), *own):
            if isinstance(source, str) and ":" in source:
                check_source(source, path)
        if "sampler" in config:
            own_samplers.restore(config["sampler"])
        Sampling(**config["sampling"])
        if "activation" in config:
            own_activations.restore(config["activation"])
        return Posterior.with_prior(task, Network(**asked), prior)


def _provenance(path: Path) -> dict[str, Any]:
    provenance = read_json(path)
    with reading(path, "restore what sampling wrote there, or sample the run again"):
        authorship(provenance)
        for phase in ("start", "warmup", "sampling"):
            number(provenance.get(f"{phase}_seconds", 0.0))
    return provenance
