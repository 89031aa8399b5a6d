"""ChEES-HMC (Hoffman, Radul & Sountsov 2021), blackjax's: step and trajectory length are adapted on all chains at once.

The length maximises the change in the estimator of the expected square, by gradient ascent; the step follows the
harmonic mean of acceptance. There is no metric but that of the prior, in which coordinates are standard normal:
blackjax's own, a diagonal with a floor under the length, holds a matrix of all pairs of coordinates.
"""

from collections.abc import Callable
from typing import NamedTuple

import blackjax
import jax
import jax.numpy as jnp
import optax
from blackjax.mcmc import dynamic_hmc
from jaxtyping import Array

from codingschemes.benchmark.rivals.rival import RIVALS, Rival, Tuned, flat, logdensity
from codingschemes.posterior import Density, Position, Scalar
from codingschemes.samplers import Settings
from codingschemes.samplers.transition import TransitionInfo

#: Chains that the criterion is estimated on.
_CHAINS = 16
_FIRST_STEP_SIZE = 0.1
#: The rate of gradient ascent in the paper.
_LEARNING_RATE = 0.025
#: Bits of the quasi-random numbers that jitter lengths: they repeat after so many powers of two.
_HALTON_BITS = 20


class ChEESParameters(NamedTuple):
    """Adapted: the leapfrog step, and how many of them make the longest trajectory."""

    step_size: Scalar
    steps: Scalar


def _jittered_steps(index: Array, steps: Scalar) -> Array:
    return jnp.ceil(dynamic_hmc.halton_sequence(index, _HALTON_BITS) * steps).astype(int)


_kernel = dynamic_hmc.build_kernel(next_random_arg_fn=lambda index: index + 1, integration_steps_fn=_jittered_steps)


def _begin(position: Position, logdensity: Callable[[Position], Scalar]) -> dynamic_hmc.DynamicHMCState:
    return dynamic_hmc.init(position, logdensity, jnp.asarray(1))  # the sequence begins with 0: no step at all


def _transition(
    key: Array, chain: dynamic_hmc.DynamicHMCState, parameters: ChEESParameters, density: Density
) -> tuple[dynamic_hmc.DynamicHMCState, TransitionInfo]:
    identity = jnp.ones(density.dimension)
    state, info = _kernel(key, chain, logdensity(density), parameters.step_size, identity, (parameters.steps,))
    return state, TransitionInfo(info.acceptance_rate, info.num_integration_steps, info.is_divergent)


def chees(settings: Settings) -> Rival:
    """ChEES-HMC, with trajectories no longer than the deepest tree of NUTS."""

    def tune(key: Array, density: Density, warmup: int) -> Tuned:
        start_key, run_key = jax.random.split(key)
        target = flat(density)
        adaptation = blackjax.chees_adaptation(
            target.logdensity,
            _CHAINS,
            max_leapfrog_steps=2**settings.max_tree_depth - 1,
            target_acceptance_rate=settings.target_acceptance or 0.651,
            adaptation_info_fn=lambda *_: None,
        )
        (chains, adapted), _ = adaptation.run(
            run_key,
            jax.vmap(target.prior_draw)(jax.random.split(start_key, _CHAINS)),
            _FIRST_STEP_SIZE,
            optax.adam(_LEARNING_RATE),
            warmup,
            max_sampling_steps=2**_HALTON_BITS - warmup,
        )
        shared = ChEESParameters(adapted["step_size"], adapted["integration_steps_params"][0])
        positions = jax.vmap(target.position)(chains.position)
        return Tuned(positions, jax.tree.map(lambda value: jnp.broadcast_to(value, (_CHAINS,)), shared))

    return Rival(_CHAINS, tune, _begin, _transition, settings.warmup)


RIVALS.register("blackjax-chees", chees)
