"""A kernel that compiles in a second: NUTS takes ten for every activation, form and size."""

from functools import lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
import pytest
from jaxtyping import Array

from codingschemes.posterior import Position
from codingschemes.samplers import SAMPLERS, Info, Kernel, Settings

_LEAPS = 4


class State(NamedTuple):
    key: Array
    position: Position
    log_step: Array
    iteration: Array


@lru_cache
def leapfrog(settings: Settings) -> Kernel:
    """Hybrid Monte Carlo with four leaps; the step follows the acceptance (Robbins & Monro) while adapting."""

    def step(state, density):
        key, momentum_key, jitter_key, accept_key = jax.random.split(state.key, 4)
        size = jnp.exp(state.log_step) * jax.random.uniform(jitter_key, minval=0.5, maxval=1.5)
        add = lambda left, right, scale: jax.tree.map(lambda a, b: a + scale * b, left, right)  # noqa: E731
        gradient = jax.grad(density.potential)
        momentum = density.prior_draw(momentum_key)

        def leap(_, carry):
            position, momentum = carry
            position = add(position, momentum, size / 2)
            momentum = add(momentum, gradient(position), -size)
            return add(position, momentum, size / 2), momentum

        proposal, end = jax.lax.fori_loop(0, _LEAPS, leap, (state.position, momentum))
        kinetic = [sum(jnp.sum(block**2) for block in each.values()) / 2 for each in (momentum, end)]
        rise = density.potential(proposal) - density.potential(state.position) + kinetic[1] - kinetic[0]
        acceptance = jnp.nan_to_num(jnp.exp(-jnp.maximum(rise, 0.0)))
        taken = jax.random.uniform(accept_key) < acceptance
        position = jax.tree.map(lambda new, old: jnp.where(taken, new, old), proposal, state.position)
        adapting = state.iteration < settings.warmup
        log_step = state.log_step + adapting * (acceptance - settings.target_acceptance)
        info = Info(density.potential(position), acceptance, jnp.asarray(_LEAPS), jnp.asarray(False), size)
        return State(key, position, log_step, state.iteration + 1), info

    def init(key, position, density):
        return State(key, position, jnp.log(0.3), jnp.asarray(0))

    def move(state, position, density):
        return state._replace(position=position)

    return Kernel(init, step, lambda state: state.position, move, settings.warmup)


@pytest.fixture
def quick_kernel(monkeypatch) -> str:
    monkeypatch.setitem(SAMPLERS._entries, "leapfrog", leapfrog)
    return "leapfrog"
