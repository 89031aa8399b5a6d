"""How particles are taken from the prior to the posterior."""

from dataclasses import dataclass
from typing import Annotated, TypedDict, get_args

from codingschemes.calls import known_keywords, require_whole
from codingschemes.errors import InvalidInput
from codingschemes.posterior import Space
from codingschemes.samplers import DEEPEST_TREE, Kernel, Settings, default_sampler, sampler_named


@known_keywords
@dataclass(frozen=True)
class Tempering:
    """Options of a sweep.

    Attributes:
        particles: networks carried along.
        sweeps: independent sweeps; they say how well each can be trusted.
        sampler: registered name, or `module:function`, of what moves the particles at each temperature.
        space: the form of the posterior, `reduced`, `weights` or `function`.
        seed: of everything random; the same seed on the same machine gives the same numbers.
        threshold: the next temperature leaves this share of the particles effective, in (0, 1).
        adapting: adapting steps of every particle at every temperature.
        steps: steps after these, with what was adapted held fixed.
        target_acceptance, max_tree_depth: as in `samplers.Settings`.

    Raises:
        InvalidInput: an unknown name or a number out of range.
    """

    particles: int = 64
    sweeps: int = 2
    sampler: str = default_sampler("evidence")
    space: Space = "reduced"
    seed: int = 0
    threshold: float = 0.5
    adapting: int = 10
    steps: int = 5
    target_acceptance: float | None = None
    max_tree_depth: int = 6

    def __post_init__(self) -> None:
        sampler_named(self.sampler)
        for name, least in {"particles": 2, "sweeps": 1, "seed": 0, "adapting": 0, "steps": 1}.items():
            require_whole(name, getattr(self, name), least)
        require_whole("max_tree_depth", self.max_tree_depth, 1, DEEPEST_TREE)
        for name in ("threshold", "target_acceptance"):
            value = getattr(self, name)
            if value is not None and not 0 < value < 1:
                raise InvalidInput(f"`{name}` is {value}: give a number between 0 and 1")
        if self.space not in get_args(Space.__value__):
            raise InvalidInput(f"there is no space {self.space!r}: choose reduced, weights or function")

    @property
    def kernel(self) -> Kernel:
        """What moves the particles."""
        return sampler_named(self.sampler)(
            Settings(warmup=self.adapting, target_acceptance=self.target_acceptance, max_tree_depth=self.max_tree_depth)
        )


class TemperingOptions(TypedDict, total=False):
    """The fields of `Tempering` as keyword arguments."""

    particles: int
    sweeps: int
    sampler: Annotated[str, "the name of a sampler (register_sampler gives one to a kernel of your own)"]
    space: Space
    seed: int
    threshold: float
    adapting: int
    steps: int
    target_acceptance: float | None
    max_tree_depth: int
