"""NUTS with a low-rank metric (Seyboldt, Carlson & Carpenter 2026), blackjax's: each chain warmed up by itself.

The metric is a diagonal and a few directions, those that bring draws and gradients together best.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import blackjax
import jax
import jax.numpy as jnp
from blackjax.adaptation.base import AdaptationInfo
from blackjax.mcmc import nuts
from blackjax.mcmc.hmc import HMCState
from blackjax.mcmc.metrics import LowRankInverseMassMatrix
from jaxtyping import Array

from codingschemes.benchmark.rivals.rival import RIVALS, Rival, Tuned, logdensity
from codingschemes.posterior import Density, Position, Scalar
from codingschemes.samplers import Settings
from codingschemes.samplers.transition import TransitionInfo

_CHAINS = 4
#: Directions at most: blackjax's.
_MOST_DIRECTIONS = 10


class LowRankParameters(NamedTuple):
    """Adapted: the leapfrog step and the metric."""

    step_size: Scalar
    metric: LowRankInverseMassMatrix


def _begin(position: Position, logdensity: Callable[[Position], Scalar]) -> HMCState:
    return nuts.init(position, logdensity)


def _trace(state: HMCState, info: Any, adapting: Any) -> AdaptationInfo:  # noqa: ARG001
    """What is stacked over the warm-up: where the chain was, and what `run` itself reads."""
    return AdaptationInfo(
        state.position,
        None,
        adapting._replace(draws_buffer=None, grads_buffer=None, U=None, lam=None, sigma=None),
    )


def low_rank_nuts(settings: Settings) -> Rival:
    """NUTS with step size and low-rank metric adapted over windows that grow, as in Stan."""
    kernel = nuts.build_kernel()

    @functools.partial(jax.jit, static_argnums=3)
    def warm_up(key: Array, position: Position, density: Density, warmup: int) -> tuple[Position, LowRankParameters]:
        adaptation = blackjax.window_adaptation_low_rank(
            blackjax.nuts,
            logdensity(density),
            max_rank=min(_MOST_DIRECTIONS, density.dimension),
            target_acceptance_rate=settings.target_acceptance or 0.8,
            adaptation_info_fn=_trace,
            max_num_doublings=settings.max_tree_depth,
        )
        results, info = adaptation.run(key, position, warmup)
        # blackjax returns the centre of the metric instead, where no chain is in equilibrium
        last = jax.tree.map(lambda positions: positions[-1], info.state)
        return last, LowRankParameters(results.parameters["step_size"], results.parameters["inverse_mass_matrix"])

    def tune(key: Array, density: Density, warmup: int) -> Tuned:
        start_key, run_key = jax.random.split(key)
        positions = density.prior_draws(start_key, _CHAINS)
        # One after the other: side by side every step would decompose the metric, wanted or not.
        ended = [
            warm_up(chain_key, jax.tree.map(lambda leaf, chain=chain: leaf[chain], positions), density, warmup)
            for chain, chain_key in enumerate(jax.random.split(run_key, _CHAINS))
        ]
        return Tuned(*jax.tree.map(lambda *chains: jnp.stack(chains), *ended))

    def transition(
        key: Array, chain: HMCState, parameters: LowRankParameters, density: Density
    ) -> tuple[HMCState, TransitionInfo]:
        state, info = kernel(
            key,
            chain,
            logdensity(density),
            parameters.step_size,
            parameters.metric,
            max_num_doublings=settings.max_tree_depth,
        )
        return state, TransitionInfo(info.acceptance_rate, info.num_integration_steps, info.is_divergent)

    return Rival(_CHAINS, tune, _begin, transition, settings.warmup)


RIVALS.register("blackjax-nuts-low-rank", low_rank_nuts)
