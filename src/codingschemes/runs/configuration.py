"""What a run was asked for, and what made it: both as plain JSON in the run folder."""

import platform
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from typing import Any, Literal, TypedDict, get_args

import jax

from codingschemes.errors import InvalidInput
from codingschemes.networks import Network
from codingschemes.networks.activations import BUILT_IN
from codingschemes.networks.own import record
from codingschemes.posterior import Posterior, Space
from codingschemes.samplers import SAMPLERS, Settings

type Start = Literal["prior", "annealed", "tempered"]

_RECORDED = ("codingschemes", "jax", "jaxlib", "numpyro", "blackjax", "numpy", "equinox", "xarray", "zarr", "arviz")


@dataclass(frozen=True)
class Sampling:
    """How a posterior is sampled.

    Attributes:
        sampler: registered name; `resolve` chooses one that suits the network.
        space: the form of the posterior, `reduced`, `function` or `weights`.
        chains: chains run side by side.
        draws: stored draws a chain.
        warmup: adapting steps a chain, not stored.
        seed: of everything random; the same seed on the same machine gives the same draws.
        start: `prior` (each chain from its own prior draw), `annealed` (prior draws cooled to the temperature) or
            `tempered` (particles of a sequential Monte Carlo sweep from the prior).
        target_acceptance, max_tree_depth: as in `samplers.Settings`; None is the sampler's own.
        time_limit: seconds of sampling after which the run stops with fewer draws; None makes them all.

    Raises:
        InvalidInput: an unknown name or a number out of range.
    """

    sampler: str = "codes"
    space: Space = "reduced"
    chains: int = 4
    draws: int = 500
    warmup: int = 500
    seed: int = 0
    start: Start = "prior"
    target_acceptance: float | None = None
    max_tree_depth: int = 10
    time_limit: float | None = None

    def __post_init__(self) -> None:
        SAMPLERS[self.sampler]
        for name, low in (("chains", 1), ("draws", 1), ("warmup", 0), ("seed", 0), ("max_tree_depth", 1)):
            value = getattr(self, name)
            if value < low:
                raise InvalidInput(f"`{name}` is {value}: give an integer of at least {low}")
        if self.target_acceptance is not None and not 0 < self.target_acceptance < 1:
            raise InvalidInput(f"`target_acceptance` is {self.target_acceptance}: give a number between 0 and 1")
        if self.time_limit is not None and not self.time_limit > 0:
            raise InvalidInput(f"`time_limit` is {self.time_limit}: give a number of seconds above 0")
        for name, allowed in (("space", get_args(Space.__value__)), ("start", get_args(Start.__value__))):
            if getattr(self, name) not in allowed:
                raise InvalidInput(f"there is no {name} {getattr(self, name)!r}: choose one of {', '.join(allowed)}")

    @property
    def settings(self) -> Settings:
        return Settings(self.warmup, self.target_acceptance, self.max_tree_depth)


class SamplingOptions(TypedDict, total=False):
    """The fields of `Sampling` as keyword arguments."""

    sampler: str
    space: Space
    chains: int
    draws: int
    warmup: int
    seed: int
    start: Start
    target_acceptance: float | None
    max_tree_depth: int
    time_limit: float | None


def resolve(network: Network, options: SamplingOptions) -> Sampling:
    """The options, with a sampler that suits the network where none is given: `codes` moves neurons of a last layer
    with weights of its own, which a recurrent network does not have, and `hmc` takes its place there.

    Raises:
        InvalidInput: see `Sampling`.
    """
    if network.recurrent and "sampler" not in options:
        options = {**options, "sampler": "hmc"}
    return Sampling(**options)


def describe(posterior: Posterior, sampling: Sampling) -> dict[str, Any]:
    """The resolved configuration as JSON values."""
    task, network = posterior.task, posterior.network
    penalty1, penalty2 = posterior.prior.penalties
    own = {} if network.activation.name in BUILT_IN else {"activation": record(network.activation)}
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
        "versions": {"python": platform.python_version(), **{name: metadata.version(name) for name in _RECORDED}},
        "device": f"{device.platform}: {device.device_kind}",
        "device_count": jax.device_count(),
        "machine": f"{platform.system()} {platform.machine()}",
        "seed": sampling.seed,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }
