"""What a sampler is: pure functions over a state, and the registry of those that exist."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import jax
from jaxtyping import Array, Float, Int

from codingschemes.calls import known_keywords
from codingschemes.networks import Network
from codingschemes.posterior import Density, Position
from codingschemes.registry import Registry

type State = Any


@known_keywords
class Info(NamedTuple):
    """What a step tells about itself, for one chain.

    Attributes:
        potential: U at the new position.
        acceptance_rate: mean Metropolis acceptance probability of the step, in [0, 1].
        gradients: gradient evaluations spent.
        diverging: whether the integrator lost the energy.
        step_size: the integrator's step.
        switches: accepted jumps of single neurons between codes; 0 for samplers that propose none.

    Example:
        >>> from jax.numpy import asarray
        >>> info = cs.samplers.Info(asarray(3.0), asarray(0.8), asarray(7), asarray(False), asarray(0.5))
        >>> float(info.trajectory)
        3.5
    """

    potential: Float[Array, "*chains"]
    acceptance_rate: Float[Array, "*chains"]
    gradients: Int[Array, "*chains"]
    diverging: Array
    step_size: Float[Array, "*chains"]
    switches: Int[Array, "*chains"] | int = 0

    @property
    def trajectory(self) -> Float[Array, "*chains"]:
        """Length of the trajectory that the gradients paid for, in integration time."""
        return self.gradients * self.step_size


class Search(NamedTuple):
    """What chains look for during a warm-up, together: what one finds, all have. It is frozen with the warm-up.

    A search is not part of a step, as it needs all chains, and as it is made once in many steps. What follows from it
    for all chains alike is not part of their states: it is held once, lent to each of them for as long as it steps, and
    computed again from them where a run goes on.

    Attributes:
        steps: numbers of adapting steps after which to search, rising.
        explore: (state, lent to, density) -> (what a chain has found for itself, what it tells the others).
        adopt: (state, what it has found, what all chains tell, stacked, density) -> the state after the search.
        common: (states of all chains, stacked, density) -> what follows for all of them; None where nothing does.
        lend: (state, common) -> the state as `explore` and steps take it.
        take_back: (state, lent to) -> the state without it.
        gradients: density -> the time of a search, in gradients.
    """

    steps: tuple[int, ...]
    explore: Callable[[State, Density], tuple[Any, Any]]
    adopt: Callable[[State, Any, Any, Density], State]
    common: Callable[[State, Density], Any]
    lend: Callable[[State, Any], State]
    take_back: Callable[[State], State]
    gradients: Callable[[Density], float] = lambda density: 0.0  # noqa: ARG005


@known_keywords
class Kernel(NamedTuple):
    """One algorithm with its settings, and all that others need to know of it. Functions act on a single chain, but for
    `pool`, `pace` and `renew`; the driver maps them over chains.

    Attributes:
        init: (key, position, density) -> state. The state carries its own random key.
        step: (state, density) -> (state, Info). The first `warmup` steps after `init` adapt and must be discarded.
        position: state -> position.
        move: (state, position, density) -> the state at another position or under another density, with what has been
            adapted kept.
        warmup: number of adapting steps.
        exact: whether the posterior is invariant under `step`; False for samplers with a step-size bias.
        target_acceptance: what step sizes are adapted to; 0 for samplers that adapt to none.
        renew: if the kernel learns from all chains at once, (states, positions, density) -> the states of all chains,
            stacked, at the beginning of another warm-up there, which may start from what they have adapted so far.
            `settle` calls it for every temperature.
        pool: states of all chains, stacked -> the same, what each has adapted brought into line. The driver calls it
            after every round of the warm-up, `settle` after every adapting step.
        pace: (states of all chains, steps after which their slowest invariant has forgotten) -> the same, with moves in
            proportions that suit it. The driver calls it after every round of a warm-up that ends by itself.
        search: what chains look for together during a warm-up, if anything.
        reversible: whether `step` is reversible in the position, after the warm-up; two moves in a fixed order are not.
        neuron_moves: whether `step` moves single neurons in ways that depend on the form of the posterior and on the
            network; all others know the energy and its gradient alone.
        jumps: whether neurons of such a network jump between codes, so that `Info.switches` counts.
        longest_tree: gradients of the longest trajectory, where each grows as a tree until it turns back; else None.
        integration_time: (what steps told) -> the time they moved along a local dynamics, which moves all weights a
            little at a time; None where the draws are no such dynamics, or its time is not known.
        gradients: density -> fewest and most gradients that a draw takes once the step size is adapted, as seen on the
            targets of the bench; moves of single neurons count as many as they take the time of. None: not known.
        mixed: whether steps follow forces in mixed precision where a density has them (`Density.in_mixed_precision`).
        compile_seconds: about how long its programs take to compile, until this machine has compiled one.

    Example:
        >>> from codingschemes.samplers import SAMPLERS
        >>> kernel = SAMPLERS["codes"](cs.samplers.Settings(warmup=100))
        >>> kernel.warmup, kernel.exact, kernel.neuron_moves
        (100, True, True)
    """

    init: Callable[[Array, Position, Density], State]
    step: Callable[[State, Density], tuple[State, Info]]
    position: Callable[[State], Position]
    move: Callable[[State, Position, Density], State]
    warmup: int
    exact: bool = True
    target_acceptance: float = 0.0
    pool: Callable[[State], State] = lambda states: states
    pace: Callable[[State, float], State] = lambda states, memory: states  # noqa: ARG005
    renew: Callable[[State, Position, Density], State] | None = None
    search: Search | None = None
    reversible: bool = False
    neuron_moves: bool = False
    jumps: Callable[[Network], bool] = lambda network: False  # noqa: ARG005
    longest_tree: int | None = None
    integration_time: Callable[[Info], Float[Array, "*chains"]] | None = None
    gradients: Callable[[Density], tuple[float, float]] | None = None
    mixed: bool = False
    compile_seconds: float = 15.0

    def step_with(self, common: Any) -> Callable[[State, Density], tuple[State, Info]]:
        """`step` of a chain that has this in common with others (see `Search`).

        Args:
            common: None for kernels that search for nothing.

        Example:
            >>> from codingschemes.samplers import SAMPLERS
            >>> kernel = SAMPLERS["hmc"](cs.samplers.Settings())
            >>> kernel.step_with(None) is kernel.step
            True
        """
        if self.search is None:
            return self.step
        search = self.search

        def step(state: State, density: Density) -> tuple[State, Info]:
            state, info = self.step(search.lend(state, common), density)
            return search.take_back(state), info

        return step

    def without_schedule(self) -> "Kernel":
        """What steps and searches are made of, the same for warm-ups of any length where `step` is: programs compiled
        from it serve them all.

        Example:
            >>> from codingschemes.samplers import SAMPLERS
            >>> short, long = (SAMPLERS["codes"](cs.samplers.Settings(warmup=steps)) for steps in (100, 900))
            >>> short.without_schedule() == long.without_schedule()
            True
        """
        search = None if self.search is None else self.search._replace(steps=())
        return self._replace(init=_begins_nowhere, warmup=0, search=search, gradients=None)


def _begins_nowhere(key: Array, position: Position, density: Density) -> State:
    raise NotImplementedError("only a kernel with its schedule starts chains")


def renewal(kernel: Kernel) -> Callable[[State, Position, Density], State]:
    """`Kernel.renew`, or for kernels without one `Kernel.move` of every chain."""
    return kernel.renew or jax.vmap(kernel.move, (0, 0, None))


#: Steps of a trajectory are counted in integers of 64 bits.
DEEPEST_TREE = 60


@known_keywords
class Settings(NamedTuple):
    """Settings shared by samplers; each takes what it needs.

    Attributes:
        warmup: adapting steps before the first draw.
        target_acceptance: what step sizes are adapted to; None is each sampler's own optimum.
        max_tree_depth: a NUTS trajectory has at most 2^depth - 1 steps.

    Example:
        >>> cs.samplers.Settings(warmup=100).max_tree_depth
        10
    """

    warmup: int = 500
    target_acceptance: float | None = None
    max_tree_depth: int = 10


#: What samplers are taken for where nobody names one: the draws of a run, the particles of `evidence`, chains of a
#: mixed start on their way down from high temperature, and networks that are followed for their drift.
type Purpose = Literal["draws", "evidence", "cooling", "drift"]


@dataclass(frozen=True)
class Sampler:
    """A sampler that can be named.

    Attributes:
        name: its registered name.
        build: settings -> kernel; the same object for the same settings, so that nothing is compiled twice.
        default_for: what it is taken for where nobody names a sampler.
        source: `module:function` of one that is registered from elsewhere and can be imported.

    Example:
        >>> cs.samplers.sampler_named("hmc").default_for
        ('evidence', 'cooling', 'drift')
    """

    name: str
    build: Callable[[Settings], Kernel]
    default_for: tuple[Purpose, ...] = ()
    source: str | None = None

    def __call__(self, settings: Settings) -> Kernel:
        return self.build(settings)


SAMPLERS: Registry[Sampler] = Registry("sampler")


def register(name: str, build: Callable[[Settings], Kernel], *, default_for: tuple[Purpose, ...] = ()) -> Sampler:
    """Add a sampler of the package; arguments as in `Sampler`."""
    return SAMPLERS.register(name, Sampler(name, build, default_for))


def default_sampler(purpose: Purpose) -> str:
    """The name of the sampler that is taken for this where nobody names one.

    Args:
        purpose: `draws`, `evidence`, `cooling` or `drift`.

    Example:
        >>> cs.samplers.default_sampler("evidence")
        'hmc'
    """
    return next(name for name, sampler in SAMPLERS.items() if purpose in sampler.default_for)
