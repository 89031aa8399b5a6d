"""The No-U-Turn Sampler (Hoffman & Gelman 2014), blackjax's implementation."""

from functools import lru_cache

import jax.numpy as jnp
from blackjax.mcmc import nuts as blackjax
from blackjax.mcmc.hmc import HMCState
from jaxtyping import Array

from codingschemes.posterior import Scalar
from codingschemes.samplers.adaptive import adaptive_kernel
from codingschemes.samplers.hmc import usual_gradients_of_trees
from codingschemes.samplers.kernel import Info, Kernel, Settings, register
from codingschemes.samplers.transition import Point, Transition, TransitionInfo, TransitionTarget


@lru_cache
def blackjax_nuts(settings: Settings) -> Kernel:
    """NUTS with this package's preconditioner and step size."""
    return adaptive_kernel(
        _transition(settings.max_tree_depth),
        warmup=settings.warmup,
        target_acceptance=settings.target_acceptance or 0.8,
        longest_tree=2**settings.max_tree_depth - 1,
        integration_time=_time,
    )._replace(gradients=usual_gradients_of_trees)


@lru_cache
def _transition(max_tree_depth: int) -> Transition:
    proposal = blackjax.build_kernel()

    def transition(
        key: Array,
        point: Point,
        target: TransitionTarget,
        step_size: Scalar,
        iteration: Array,  # noqa: ARG001
    ) -> tuple[Point, TransitionInfo]:
        state, info = proposal(
            key,
            HMCState(*point),
            target.logdensity,
            step_size,
            jnp.ones(target.dimension),
            max_num_doublings=max_tree_depth,
        )
        return Point(*state), TransitionInfo(info.acceptance_rate, info.num_integration_steps, info.is_divergent)

    return transition


def _time(info: Info) -> Array:
    return info.trajectory


register("blackjax-nuts", blackjax_nuts)
