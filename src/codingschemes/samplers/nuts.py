"""The No-U-Turn Sampler (Hoffman & Gelman 2014), numpyro's implementation: step size and diagonal metric adapted."""

from functools import lru_cache
from typing import TYPE_CHECKING

import jax
from jaxtyping import Array

from codingschemes.posterior import Density, Position
from codingschemes.samplers.hmc import usual_gradients_of_trees
from codingschemes.samplers.kernel import Info, Kernel, Settings, register

if TYPE_CHECKING:
    from numpyro.infer.hmc import HMCState


@jax.jit
def _potential_and_gradient(density: Density, position: Position) -> tuple[Array, Position]:
    return jax.value_and_grad(density.potential)(position)


@lru_cache
def nuts(settings: Settings) -> Kernel:
    """NUTS with dual averaging and a diagonal metric, both adapted over the first `settings.warmup` steps."""
    from numpyro.infer.hmc import hmc  # no other sampler needs it
    from numpyro.infer.util import ParamInfo

    target_acceptance = settings.target_acceptance or 0.8
    init_kernel, sample_kernel = hmc(potential_fn_gen=lambda density: density.potential, algo="NUTS")

    def init(key: Array, position: Position, density: Density) -> "HMCState":
        potential, gradient = _potential_and_gradient(density, position)
        return init_kernel(
            ParamInfo(position, potential, gradient),
            num_warmup=settings.warmup,
            step_size=0.1,
            target_accept_prob=target_acceptance,
            max_tree_depth=settings.max_tree_depth,
            model_args=(density,),
            rng_key=key,
        )

    def step(state: "HMCState", density: Density) -> "tuple[HMCState, Info]":
        state = sample_kernel(state, model_args=(density,), model_kwargs={})
        return state, Info(
            potential=state.potential_energy,
            acceptance_rate=state.accept_prob,
            gradients=state.num_steps,
            diverging=state.diverging,
            step_size=state.adapt_state.step_size,
        )

    def move(state: "HMCState", position: Position, density: Density) -> "HMCState":
        potential, gradient = _potential_and_gradient(density, position)
        return state._replace(z=position, potential_energy=potential, z_grad=gradient)

    def renew(states: "HMCState", positions: Position, density: Density) -> "HMCState":
        return jax.vmap(init, (0, 0, None))(states.rng_key, positions, density)

    return Kernel(
        init,
        step,
        lambda state: state.z,
        move,
        settings.warmup,
        target_acceptance=target_acceptance,
        renew=renew,
        reversible=True,
        longest_tree=2**settings.max_tree_depth - 1,
        integration_time=lambda info: info.trajectory,
        gradients=usual_gradients_of_trees,
    )


register("nuts", nuts)
