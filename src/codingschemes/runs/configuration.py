"""What a run was asked for, and what made it: both as plain JSON in the run folder."""

import platform
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from typing import Annotated, Any, Literal, TypedDict, get_args

import jax
import numpy as np

from codingschemes.calls import known_keywords, require_whole
from codingschemes.convergence import ESS_LIMIT, RHAT_LIMIT
from codingschemes.errors import InvalidInput
from codingschemes.networks import activations
from codingschemes.networks import own as own_activations
from codingschemes.posterior import Density, Posterior, Space
from codingschemes.runs.precision import Precision
from codingschemes.runs.warmup import MOST_ROUNDS, ROUND
from codingschemes.samplers import BUILT_IN, DEEPEST_TREE, Settings, default_sampler, sampler_named
from codingschemes.samplers import own as own_samplers

type Arithmetic = Literal["double", "mixed"]
type Start = Literal["prior", "quenched", "annealed", "tempered", "mixed", "parent"]

#: Draws after which a run ends whose `draws` were left out, whatever its precision, but for large networks: as many as
#: fill so many bytes, though at least so many.
_MOST_DRAWS, _DRAWS_BYTES, _FEWEST_DRAWS = 2000, 2e9, 500

_RECORDED = ("codingschemes", "jax", "jaxlib", "numpyro", "blackjax", "numpy", "equinox", "xarray", "zarr", "arviz")


@known_keywords
@dataclass(frozen=True)
class Sampling:
    """How a posterior is sampled.

    Attributes:
        sampler: registered name, or `module:function` that builds one of your own.
        space: the form of the posterior, `reduced`, `function` or `weights`.
        chains: chains run side by side.
        draws: stored draws a chain, at most where `until_ess` or `until_rhat` are given.
        warmup: adapting steps a chain, not stored; None adapts in rounds until chains have settled (see `warmup`).
        seed: of everything random; the same seed on the same machine gives the same draws.
        start: `prior` (each chain from its own prior draw), `quenched` (taken down the energy from there without
            noise), `annealed` (cooled to the temperature from there), `tempered` (particles of a sequential Monte Carlo
            sweep from the prior) or `mixed` (annealed, prior and quenched in turn: chains that agree although they
            began so differently mean something). None is `mixed` where the warm-up ends by itself, else `prior`.
            `parent` is recorded where chains begin at the draws of another run.
        until_ess: sampling ends as soon as every invariant has so many effective draws over all chains.
        until_rhat: sampling ends as soon as every invariant has an R-hat over all chains of at most this.
        target_acceptance, max_tree_depth: as in `samplers.Settings`; None is the sampler's own.
        precision: `double`, or `mixed`: forces along trajectories in single precision but for the factor of the
            likelihood, proposals accepted by the energy in double precision, so that draws stay exact. For samplers
            that can (`Kernel.mixed`), in the forms `reduced` and `weights`. Where it is None `sample` takes what suits
            (`resolve`).
        time_limit: seconds on the clock, compiling and warm-up included and resumed or not, after which the run stops
            with fewer draws; None sets no limit.
        sampling_limit: seconds of sampling alone; for measurements, which compare samplers after their warm-ups.

    Raises:
        InvalidInput: an unknown name or a number out of range.
    """

    sampler: str = default_sampler("draws")
    space: Space = "reduced"
    chains: int = 4
    draws: int = _MOST_DRAWS
    warmup: int | None = None
    seed: int = 0
    start: Start | None = None
    target_acceptance: float | None = None
    max_tree_depth: int = 10
    precision: Arithmetic | None = None
    time_limit: float | None = None
    sampling_limit: float | None = None
    until_ess: float | None = None
    until_rhat: float | None = None

    def __post_init__(self) -> None:
        sampler_named(self.sampler)
        for name, least in (("chains", 1), ("draws", 1), ("warmup", 0), ("seed", 0)):
            if getattr(self, name) is not None:
                require_whole(name, getattr(self, name), least)
        require_whole("max_tree_depth", self.max_tree_depth, 1, DEEPEST_TREE)
        if self.target_acceptance is not None and not 0 < self.target_acceptance < 1:
            raise InvalidInput(f"`target_acceptance` is {self.target_acceptance}: give a number between 0 and 1")
        for name in ("time_limit", "sampling_limit"):
            if (limit := getattr(self, name)) is not None and not limit > 0:
                raise InvalidInput(f"`{name}` is {limit}: give a number of seconds above 0")
        if self.until_ess is not None and not self.until_ess > 0:
            raise InvalidInput(f"`until_ess` is {self.until_ess}: give a number of effective draws above 0")
        if self.until_rhat is not None and not self.until_rhat > 1:
            raise InvalidInput(f"`until_rhat` is {self.until_rhat}: give a number above 1, such as 1.01")
        if self.start is None:
            object.__setattr__(self, "start", "mixed" if self.warmup is None else "prior")
        for name, kind in (("space", Space), ("start", Start), ("precision", Arithmetic)):
            given, allowed = getattr(self, name), get_args(kind.__value__)
            if given not in allowed and not (name == "precision" and given is None):
                raise InvalidInput(f"there is no {name} {given!r}: choose one of {', '.join(allowed)}")
        if self.precision == "mixed":
            self._check_mixed()

    def _check_mixed(self) -> None:
        if not sampler_named(self.sampler)(self.settings).mixed:
            able = " or ".join(name for name in sorted(BUILT_IN) if sampler_named(name)(self.settings).mixed)
            raise InvalidInput(
                f"{self.sampler} has no mixed precision: choose {able} as `sampler`, or `precision='double'`"
            )
        if self.space == "function":
            raise InvalidInput(
                "function space has no mixed precision: choose `space` reduced or weights, or `precision='double'`"
            )

    def density(self, posterior: Posterior) -> Density:
        """What is sampled: the form of the posterior, for this arithmetic."""
        density = posterior.density(self.space)
        return density.in_mixed_precision() if self.precision == "mixed" else density

    @property
    def round(self) -> int:
        """Adapting steps of a round of the warm-up; of all of it where their number was given."""
        return ROUND if self.warmup is None else self.warmup

    @property
    def longest_warmup(self) -> int:
        """Adapting steps after which sampling begins whether or not chains have settled."""
        return MOST_ROUNDS * ROUND if self.warmup is None else self.warmup

    @property
    def settings(self) -> Settings:
        return Settings(self.round, self.target_acceptance, self.max_tree_depth)

    @property
    def until(self) -> Precision:
        """What ends sampling before all draws are made."""
        return Precision(self.until_ess, self.until_rhat)


class SamplingOptions(TypedDict, total=False):
    """The fields of `Sampling` as keyword arguments."""

    sampler: Annotated[str, "the name of a sampler (register_sampler gives one to a kernel of your own)"]
    space: Space
    chains: int
    draws: int | None
    warmup: int | None
    seed: int
    start: Start | None
    target_acceptance: float | None
    max_tree_depth: int
    precision: Arithmetic | None
    time_limit: float | None
    sampling_limit: float | None
    until_ess: float | None
    until_rhat: float | None


def resolve(posterior: Posterior, options: SamplingOptions) -> Sampling:
    """The options, with what suits the posterior where nothing is given.

    `precision`: mixed where the sampler can and nothing is lost by it (`Posterior.single_forces`), else double.
    `draws`: as many as the run needs to be converged, by the limits that diagnostics judge by (no fewer, or it could
    not be trusted; more only narrow errors, which `until_ess` asks for), at most 2,000 or what fills 2 GB.

    Raises:
        InvalidInput: see `Sampling`.
    """
    given: dict[str, Any] = dict(options)
    precision = given.pop("precision", None)
    if given.get("draws") is None:
        given["draws"] = _MOST_DRAWS
        if given.get("until_ess") is None and given.get("until_rhat") is None:
            given |= {"until_ess": float(ESS_LIMIT), "until_rhat": RHAT_LIMIT}
        held = neuron_bytes(posterior) * Sampling(**given).chains
        given["draws"] = int(np.clip(_DRAWS_BYTES / held, _FEWEST_DRAWS, _MOST_DRAWS))
    if precision is None:
        sampling = Sampling(**given)
        precision = "mixed" if _can_be_mixed(sampling) and posterior.single_forces(sampling.space) else "double"
    return Sampling(**given, precision=precision)


def _can_be_mixed(sampling: Sampling) -> bool:
    return sampler_named(sampling.sampler)(sampling.settings).mixed and sampling.space != "function"


def neuron_bytes(posterior: Posterior) -> int:
    """Of the neurons of a draw of one chain, which outweigh all else that is stored (`footprint`)."""
    network, task = posterior.network, posterior.task
    numbers = network.width * (network.depth * task.sample_count + task.targets.shape[1])
    return numbers * np.dtype(np.float32).itemsize


def describe(posterior: Posterior, sampling: Sampling) -> dict[str, Any]:
    """The resolved configuration as JSON values."""
    task, network = posterior.task, posterior.network
    penalty1, penalty2 = posterior.prior.penalties
    own: dict[str, Any] = {}
    if network.activation.name not in activations.BUILT_IN:
        own["activation"] = own_activations.record(network.activation)
    if sampling.sampler not in BUILT_IN:
        own["sampler"] = own_samplers.record(sampler_named(sampling.sampler))
    return {
        "task": {"name": task.name, "options": task.provenance.get("options", {})},
        "network": {
            "activation": network.activation_name,
            "width": network.width,
            "depth": network.depth,
            "bias": network.bias,
            "scaling": network.scaling,
            "recurrent": network.recurrent,
        },
        "prior": {**posterior.prior._asdict(), "penalty1": penalty1, "penalty2": penalty2},
        "sampling": asdict(sampling),
        **own,
    }


def made_by(sampling: Sampling) -> dict[str, Any]:
    """Versions, device, seed and time."""
    device = jax.devices()[0]
    return {
        "versions": versions(),
        "device": f"{device.platform}: {device.device_kind}",
        "device_count": jax.device_count(),
        "machine": f"{platform.system()} {platform.machine()}",
        "seed": sampling.seed,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def versions() -> dict[str, str]:
    """Of Python and of the packages that draws depend on."""
    return {"python": platform.python_version(), **{name: metadata.version(name) for name in _RECORDED}}
