"""Chains that go through temperatures: at each, a short warm-up in which they learn together."""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from codingschemes.calls import known_keywords
from codingschemes.posterior import Density, Position
from codingschemes.samplers.kernel import Kernel, Search, State, renewal


class Settled(NamedTuple):
    """Chains at the end of one temperature.

    Attributes:
        states: of all chains, stacked.
        acceptance: mean acceptance probability after adapting, by chain; of the adapting steps where there are no
            others.
        gradients: gradient evaluations spent, by chain.
    """

    states: State
    acceptance: Float[Array, " chain"]
    gradients: Int[Array, " chain"]


@known_keywords
@functools.partial(jax.jit, static_argnums=0)
def begin(kernel: Kernel, key: Array, positions: Position, density: Density) -> State:
    """The states of chains that have not adapted anything yet, each with a random key of its own.

    Args:
        kernel: how they will move.
        key: of all random numbers.
        positions: where they begin, (chain, ...).
        density: what they shall follow; in the same precision.

    Returns:
        Of all chains, stacked.

    Example:
        >>> import jax
        >>> from codingschemes.samplers import SAMPLERS, Settings
        >>> kernel = SAMPLERS["mala"](Settings(warmup=5))
        >>> with cs.double_precision():
        ...     density = posterior.density()
        ...     positions = density.prior_draws(jax.random.key(0), 2)
        ...     states = cs.samplers.begin(kernel, jax.random.key(1), positions, density)
        >>> kernel.position(states)["input"].shape
        (2, 12, 24)
    """
    count = jax.tree.leaves(positions)[0].shape[0]
    return jax.vmap(kernel.init, (0, 0, None))(jax.random.split(key, count), positions, density)


def search_together(search: Search, states: State, density: Density) -> State:
    """A search of all chains, stacked. One after the other: a search needs more memory than a step."""

    def each(function: Callable[..., State], *along: State) -> State:
        return jax.lax.map(lambda one: function(*one), along)

    own, shared = each(lambda state: search.explore(state, density), states)
    adopted = each(lambda state, own: search.adopt(state, own, shared, density), states, own)
    return each(lambda state: search.recall(state, density), adopted)


def search_if_due(kernel: Kernel, states: State, step: Int[Array, ""], density: Density) -> State:
    """The states of all chains before an adapting step of this number: after a search where one is due."""
    if kernel.search is None or not kernel.search.steps:
        return states
    due = jnp.any(step == jnp.asarray(kernel.search.steps))
    search = kernel.search
    return jax.lax.cond(due, lambda states: search_together(search, states, density), lambda states: states, states)


@known_keywords
def settle(kernel: Kernel, states: State, positions: Position, density: Density, steps: int = 0) -> Settled:
    """Move chains from `positions`: `kernel.warmup` adapting steps, then `steps` with what was adapted held fixed.

    Args:
        kernel: how they move.
        states: what they have adapted so far; their positions do not matter.
        positions: where they begin, (chain, ...).
        density: what they shall follow.
        steps: each of these leaves the density exactly invariant, as far as the kernel does.

    Returns:
        `states` of all chains, stacked, their mean `acceptance` and the `gradients` spent, by chain.

    Example:
        >>> import jax
        >>> from codingschemes.samplers import SAMPLERS, Settings
        >>> kernel = SAMPLERS["mala"](Settings(warmup=5))
        >>> with cs.double_precision():
        ...     density = posterior.density()
        ...     positions = density.prior_draws(jax.random.key(0), 2)
        ...     states = cs.samplers.begin(kernel, jax.random.key(1), positions, density)
        ...     settled = cs.samplers.settle(kernel, states, positions, density)
        >>> settled.gradients.tolist()
        [5, 5]
    """
    step = jax.vmap(kernel.step, (0, None))
    counted = steps or kernel.warmup

    def body(index: Array, carry: Settled) -> Settled:
        states, info = step(search_if_due(kernel, carry.states, index, density), density)
        fixed = index >= kernel.warmup + steps - counted
        return Settled(
            jax.lax.cond(index < kernel.warmup, kernel.pool, lambda states: states, states),
            carry.acceptance + fixed * info.acceptance_rate / counted,
            carry.gradients + info.gradients,
        )

    chains = jax.tree.leaves(positions)[0].shape[0]
    start = Settled(renewal(kernel)(states, positions, density), jnp.zeros(chains), jnp.zeros(chains, int))
    return jax.lax.fori_loop(0, kernel.warmup + steps, body, start)
