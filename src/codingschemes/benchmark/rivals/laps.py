"""The Late Adjusted Parallel Sampler (Robnik & Seljak 2025), blackjax's: an ensemble of microcanonical chains.

All chains go down without a Metropolis test until the ensemble no longer drifts, then go on with one, its step found by
bisection. The rows of the bench are that second phase gone on with.
"""

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import NamedTuple

import jax
import jax.numpy as jnp
from blackjax import eca
from blackjax.adaptation.laps import laps as blackjax_laps
from blackjax.mcmc import adjusted_mclmc, integrators
from blackjax.mcmc.hmc import HMCState
from jax.sharding import Mesh
from jaxtyping import Array, Float

from codingschemes.benchmark.rivals.rival import RIVALS, Rival, Tuned, flat, logdensity
from codingschemes.devices import chain_mesh
from codingschemes.errors import InvalidInput
from codingschemes.posterior import Density, Position, Scalar
from codingschemes.samplers import Settings
from codingschemes.samplers.transition import TransitionInfo

_CHAINS = 16
#: Steps a trajectory, and length after which the velocity is renewed relative to it: blackjax's.
_STEPS = 15
_RENEWAL = 1.25
#: Unadjusted steps at most, and adjusted trajectories, for every iteration of the warm-up that was asked for.
_UNADJUSTED, _ADJUSTED = 10, 0.5
#: The axis of its mesh, which blackjax names.
_AXIS = "chains"
#: Coordinates above which blackjax takes the longer integrator.
_HIGH_DIMENSION = 200


class LAPSParameters(NamedTuple):
    """Adapted: the step, and the variance of each coordinate."""

    step_size: Scalar
    variances: Float[Array, " K"]


def _coefficients(dimension: int) -> tuple[float, ...]:
    high = dimension > _HIGH_DIMENSION
    return tuple(integrators.omelyan_coefficients if high else integrators.mclachlan_coefficients)


def _gradients(dimension: int) -> int:
    """Gradients of a step: the last of one is the first of the next."""
    return len(_coefficients(dimension)) // 2


def _begin(position: Position, logdensity: Callable[[Position], Scalar]) -> HMCState:
    return HMCState(position, *jax.value_and_grad(logdensity)(position))


def _transition(
    key: Array, chain: HMCState, parameters: LAPSParameters, density: Density
) -> tuple[HMCState, TransitionInfo]:
    kernel = adjusted_mclmc.build_kernel(
        integrators.generate_isokinetic_integrator(list(_coefficients(density.dimension)))
    )
    state, info = kernel(
        key,
        chain,
        logdensity(density),
        parameters.step_size,
        integration_steps_params=(_STEPS,),
        inverse_mass_matrix=parameters.variances,
        L_proposal_factor=_RENEWAL,
    )
    gradients = jnp.asarray(_STEPS * _gradients(density.dimension))
    return state, TransitionInfo(info.acceptance_rate, gradients, info.is_divergent)


@contextlib.contextmanager
def _compiled_whole() -> Iterator[None]:
    """blackjax maps over devices outside of any compiled program: a thousand operations compiled one by one, which take
    more than a minute however small the network. Nor is it checked there what differs between devices: erf in double
    precision is a polynomial whose coefficients do not, which JAX refuses."""
    by_operation = eca.shard_map
    eca.shard_map = lambda *arguments, **options: jax.jit(by_operation(*arguments, **options, check_vma=False))
    try:
        yield
    finally:
        eca.shard_map = by_operation


def laps(settings: Settings, chains: int = _CHAINS) -> Rival:
    """LAPS with its diagonal metric. blackjax does not hand that out: it is estimated again, as there, as the variance
    over the ensemble, at the end of the second phase."""

    def tune(key: Array, density: Density, warmup: int) -> Tuned:
        if density.dimension < 2:
            raise InvalidInput("an ensemble at constant speed needs more than one coordinate: choose another `sampler`")
        trajectories = max(2, int(_ADJUSTED * warmup))
        target = flat(density)
        with _compiled_whole():
            info, *_, ensemble = blackjax_laps(
                target.logdensity,
                target.prior_draw,
                density.dimension,
                num_steps1=_UNADJUSTED * warmup,
                num_steps2=trajectories * _STEPS * _gradients(density.dimension),
                num_chains=chains,
                mesh=Mesh(chain_mesh(chains).devices, (_AXIS,)),
                rng_key=key,
                steps_per_sample=_STEPS,
                acc_prob=settings.target_acceptance,
            )
        shared = LAPSParameters(info["phase_2"]["step_size"][-1], jnp.var(ensemble.position, axis=0))
        everyone = jax.tree.map(lambda value: jnp.broadcast_to(value, (chains, *value.shape)), shared)
        return Tuned(jax.vmap(target.position)(ensemble.position), everyone)

    return Rival(chains, tune, _begin, _transition, settings.warmup, functools.partial(laps, settings))


RIVALS.register("blackjax-laps", laps)
