"""HMC for all neurons together, and jumps of single neurons between codes: the sampler that equilibrates codes."""

from functools import lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int

from codingschemes.posterior import Density, Position
from codingschemes.samplers.adaptive import AdaptiveState
from codingschemes.samplers.hmc import hmc
from codingschemes.samplers.jumps import jump_sweep
from codingschemes.samplers.kernel import SAMPLERS, Info, Kernel, Settings
from codingschemes.samplers.modes import Modes, find_modes, no_modes
from codingschemes.samplers.neighbourhood import populate

#: When modes are looked for, as shares of the warm-up. They are frozen after the last.
_SEARCHES = (0.15, 0.25, 0.4, 0.6, 0.8)


class CodesState(NamedTuple):
    """State of `codes`: that of HMC, the modes, and the key of the jumps."""

    key: Array
    flow: AdaptiveState
    modes: Modes


@lru_cache
def codes(settings: Settings) -> Kernel:
    """A sweep of jumps, then an HMC trajectory."""
    flow = hmc(settings)
    searches = jnp.asarray([int(settings.warmup * share) for share in _SEARCHES])

    def init(key: Array, position: Position, density: Density) -> CodesState:
        key, flow_key = jax.random.split(key)
        modes = no_modes(density.basis.shape[0], density.basis.shape[1], density.class_average.shape[1])
        return CodesState(key, flow.init(flow_key, position, density), modes)

    def step(state: CodesState, density: Density) -> tuple[CodesState, Info]:
        key, sweep_key = jax.random.split(state.key)
        searching = jnp.any(state.flow.iteration == searches)
        coordinates, modes, switches = _sweep(
            sweep_key, state.flow.point.position["input"], state.modes, searching, density
        )
        moved = flow.move(state.flow, {**state.flow.point.position, "input": coordinates}, density)
        stepped, info = flow.step(moved, density)
        return CodesState(key, stepped, modes), info._replace(gradients=info.gradients + 1, switches=switches)

    def move(state: CodesState, position: Position, density: Density) -> CodesState:
        return state._replace(flow=flow.move(state.flow, position, density))

    return Kernel(init, step, lambda state: flow.position(state.flow), move, settings.warmup)


@jax.custom_batching.sequential_vmap
def _sweep(
    key: Array, coordinates: Array, modes: Modes, searching: Array, density: Density
) -> tuple[Array, Modes, Int[Array, ""]]:
    """Chains one after the other, so that a branch not taken costs nothing."""
    population = populate(density, coordinates, density.basis)
    modes = jax.lax.cond(searching, lambda: find_modes(population, density, density.basis), lambda: modes)
    population, switches = jump_sweep(key, population, modes, density, density.basis)
    return population.coordinates, modes, switches


SAMPLERS.register("codes", codes)
