"""Chains that go through temperatures: at each, a short warm-up in which they learn together."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from codingschemes.calls import known_keywords
from codingschemes.posterior import Density, Position
from codingschemes.samplers.kernel import Info, Kernel, Search, State, renewal


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


def search_together(search: Search, states: State, common: Any, density: Density) -> State:
    """The states of all chains, stacked, after a search; `common` is what they have had in common before it. One after
    the other: a search needs more memory than a step."""

    def each(function: Callable[..., Any], *along: Any) -> Any:
        return jax.lax.map(lambda one: function(*one), along)

    own, told = each(lambda state: search.explore(search.lend(state, common), density), states)
    return each(lambda state, own: search.adopt(state, own, told, density), states, own)


def in_common(kernel: Kernel, states: State, density: Density) -> Any:
    """What chains, stacked, have in common."""
    return None if kernel.search is None else kernel.search.common(states, density)


def nothing_in_common(kernel: Kernel, states: State, density: Density) -> Any:
    """Room for what chains, stacked, will have in common."""
    shapes = jax.eval_shape(lambda: in_common(kernel, states, density))
    return jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)


def step_together(
    kernel: Kernel, states: State, common: Any, step: Int[Array, ""], density: Density
) -> tuple[State, Any, Info]:
    """A step of all chains, stacked, after a search where one is due.

    Args:
        common: what they have in common; before step 0, when it is made from the states, no more than room for it.
        step: number of the step.

    Returns:
        Their states, what they have in common now, and what the step tells.
    """
    if (search := kernel.search) is not None:
        due = jnp.asarray(False)
        if search.steps:
            due = jnp.any(step == jnp.asarray(search.steps))
            states = jax.lax.cond(due, lambda: search_together(search, states, common, density), lambda: states)
        common = jax.lax.cond(due | (step == 0), lambda: in_common(kernel, states, density), lambda: common)
    states, info = jax.vmap(kernel.step_with(common), (0, None))(states, density)
    return states, common, info


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
    counted = steps or kernel.warmup

    def body(index: Array, carry: tuple[Settled, Any]) -> tuple[Settled, Any]:
        settled, common = carry
        states, common, info = step_together(kernel, settled.states, common, index, density)
        fixed = index >= kernel.warmup + steps - counted
        settled = Settled(
            jax.lax.cond(index < kernel.warmup, kernel.pool, lambda states: states, states),
            settled.acceptance + fixed * info.acceptance_rate / counted,
            settled.gradients + info.gradients,
        )
        return settled, common

    chains = jax.tree.leaves(positions)[0].shape[0]
    start = Settled(renewal(kernel)(states, positions, density), jnp.zeros(chains), jnp.zeros(chains, int))
    room = nothing_in_common(kernel, start.states, density)
    return jax.lax.fori_loop(0, kernel.warmup + steps, body, (start, room))[0]
