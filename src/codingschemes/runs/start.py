"""Where chains begin."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from codingschemes.posterior import Density, Position
from codingschemes.runs.configuration import Sampling
from codingschemes.samplers import SAMPLERS, Kernel

_ANNEALING_STAGES = 30
_STEPS_PER_STAGE = 10


def initial_positions(key: Array, density: Density, sampling: Sampling) -> Position:
    """Positions of all chains, with the chain in front: prior draws, cooled down where `start` is `annealed`.

    Annealing lowers the temperature geometrically from 1 (targets are of order 1: the prior all but alone) to the
    density's own, with a few adapting steps at each of 30 temperatures. It finds lower energies than a quench at low
    temperature; the chains still have their whole warm-up ahead of them.
    """
    prior_key, anneal_key = jax.random.split(key)
    positions = jax.vmap(density.prior_draw)(jax.random.split(prior_key, sampling.chains))
    if sampling.start == "prior":
        return positions
    kernel = SAMPLERS[sampling.sampler](sampling.settings._replace(warmup=_STEPS_PER_STAGE))
    hottest = max(1.0, float(density.temperature))
    for stage, temperature in enumerate(np.geomspace(hottest, float(density.temperature), _ANNEALING_STAGES)):
        tempered = density.at_temperature(jnp.asarray(temperature))
        keys = jax.random.split(jax.random.fold_in(anneal_key, stage), sampling.chains)
        states = jax.vmap(kernel.init, (0, 0, None))(keys, positions, tempered)
        positions = _settle(kernel, states, tempered)
    return positions


@functools.partial(jax.jit, static_argnums=0)
def _settle(kernel: Kernel, states: Any, density: Density) -> Position:
    step = jax.vmap(kernel.step, (0, None))
    states = jax.lax.fori_loop(0, _STEPS_PER_STAGE, lambda _, states: step(states, density)[0], states)
    return jax.vmap(kernel.position)(states)
