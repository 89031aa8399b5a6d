"""What a rival is: a warm-up that its library runs whole, and the transition that it ends with.

Such a warm-up sees all chains at every step, or is one call that ends when it likes: neither is a `Kernel`, whose steps
adapt one chain. What it ends with is one again: everything adapted is frozen, and is held to the known answers that all
samplers are held to.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Float

from codingschemes.posterior import Density, Position, Scalar
from codingschemes.registry import Registry
from codingschemes.samplers import Info, Kernel, Settings
from codingschemes.samplers.transition import TransitionInfo


class Tuned(NamedTuple):
    """All chains at the end of a warm-up.

    Attributes:
        positions: with the chain in front.
        parameters: what was adapted, with the chain in front; a NamedTuple with a `step_size`.
    """

    positions: Position
    parameters: Any


class FrozenState(NamedTuple):
    """State of a chain of a rival.

    Attributes:
        key: randomness of the next step.
        chain: the library's state: a NamedTuple with `position`, `logdensity`, `logdensity_grad`.
        parameters: of this chain.
    """

    key: Array
    chain: Any
    parameters: Any


class Rival(NamedTuple):
    """A sampler that another library warms up.

    Attributes:
        chains: how many are warmed up and sampled together.
        tune: (key, density, warm-up iterations) -> the chains at its end; they begin at prior draws.
        begin: (position, log density) -> the library's state.
        transition: (key, the library's state, parameters, density) -> (the next state, what happened).
        warmup: iterations of `tune`.
        resized: number of chains -> the rival with an ensemble of so many; None where that is fixed.
    """

    chains: int
    tune: Callable[[Array, Density, int], Tuned]
    begin: Callable[[Position, Callable[[Position], Scalar]], Any]
    transition: Callable[[Array, Any, Any, Density], tuple[Any, TransitionInfo]]
    warmup: int
    resized: Callable[[int], "Rival"] | None = None

    def start(self, key: Array, position: Position, density: Density, *, parameters: Any) -> FrozenState:
        """A chain at a position, with parameters of its own."""
        return FrozenState(key, self.begin(position, logdensity(density)), parameters)

    def kernel(self, parameters: Any = None) -> Kernel:
        """What samples once the warm-up is over. `init` gives every chain these parameters; steps take each chain's."""

        def step(state: FrozenState, density: Density) -> tuple[FrozenState, Info]:
            key, step_key = jax.random.split(state.key)
            chain, outcome = self.transition(step_key, state.chain, state.parameters, density)
            info = Info(
                potential=-chain.logdensity,
                acceptance_rate=outcome.acceptance_rate,
                gradients=outcome.gradients,
                diverging=outcome.diverging,
                step_size=state.parameters.step_size,
            )
            return FrozenState(key, chain, state.parameters), info

        def move(state: FrozenState, position: Position, density: Density) -> FrozenState:
            value, gradient = jax.value_and_grad(logdensity(density))(position)
            chain = state.chain._replace(position=position, logdensity=value, logdensity_grad=gradient)
            return state._replace(chain=chain)

        init = functools.partial(self.start, parameters=parameters)
        return Kernel(init, step, lambda state: state.chain.position, move, warmup=0)


def logdensity(density: Density) -> Callable[[Position], Scalar]:
    """What blackjax samples."""
    return lambda position: -density.potential(position)


class Flat(NamedTuple):
    """A density of vectors: some libraries' warm-ups take no others.

    Attributes:
        logdensity: of a vector.
        prior_draw: random key -> vector.
        position: vector -> the density's own coordinates.
    """

    logdensity: Callable[[Float[Array, " K"]], Scalar]
    prior_draw: Callable[[Array], Float[Array, " K"]]
    position: Callable[[Float[Array, " K"]], Position]


def flat(density: Density) -> Flat:
    """The density with all coordinates in one vector."""
    _, position = ravel_pytree(density.prior_draw(jax.random.PRNGKey(0)))
    return Flat(
        lambda vector: -density.potential(position(vector)),
        lambda key: ravel_pytree(density.prior_draw(key))[0],
        position,
    )


#: name -> function from settings to rival.
RIVALS: Registry[Callable[[Settings], Rival]] = Registry("sampler")
