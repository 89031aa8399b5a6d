"""One sweep of tempered sequential Monte Carlo: particles from the prior down to a temperature.

The path is the temperature itself. At every temperature the particles stand for prior(theta) L_T(theta) / Z(T), with
L_T the normalised likelihood of the targets: Z(T) = p(Y | T) is the evidence at that temperature. The weights from
T to T' are L_T'/L_T; the first weights, of many draws from the prior, are L_T alone. Along a path and with moves that
were fixed before, the product of mean weights is an unbiased estimate of Z (Del Moral, Doucet & Jasra 2006); choosing
both on the way leaves it consistent, with the same asymptotic variance (Beskos, Jasra, Kantas & Thiery 2016).
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from blackjax.smc.ess import ess
from blackjax.smc.resampling import systematic
from blackjax.smc.solver import dichotomy
from jax.scipy.special import logsumexp
from jax.sharding import Mesh
from jaxtyping import Array, Float, Int
from threadpoolctl import threadpool_limits

from codingschemes.devices import CHAIN, EVERYWHERE, chain_mesh, place
from codingschemes.errors import SamplingFailed
from codingschemes.posterior import Density, Position
from codingschemes.progress import tracked
from codingschemes.samplers import Kernel, begin, settle
from codingschemes.samplers.kernel import State
from codingschemes.tempering.options import Tempering

#: Any first temperature lies below this multiple of the last one.
_HOTTEST = 1e16
#: Moves that are accepted more rarely than this hardly move anything.
FROZEN = 0.1
#: Draws of the prior a particle, among which those for the first temperature are chosen: their weights have long tails,
#: of which a few draws see nothing, and they need no moves.
_CANDIDATES = 16
#: A temperature is found when its effective share of particles is this close to the threshold.
_TOLERANCE = 0.01


class NetworkParticles(NamedTuple):
    """Networks of equal weight, the particle in front.

    Attributes:
        positions: whitened coordinates.
        log_likelihoods: log L_T at the temperature they stand for; zero for draws from the prior.
    """

    positions: Position
    log_likelihoods: Float[Array, " particle"]


class Resampled(NamedTuple):
    """A temperature, and the networks that stand for it before they have moved.

    Attributes:
        temperature: T.
        positions: whitened coordinates, the particle in front; some are copies of each other.
        increment, effective, variance: as in `Stage`.
    """

    temperature: Float[Array, ""]
    positions: Position
    increment: Float[Array, ""]
    effective: Float[Array, ""]
    variance: Float[Array, ""]


class Stage(NamedTuple):
    """What one temperature tells about itself; with a leading axis, all temperatures of a sweep.

    Attributes:
        temperature: T.
        increment: log of the mean weight: log Z(T) minus log Z at the temperature before, in nats.
        effective: effective sample size of the weights, between 1 and the number of networks weighed.
        variance: of `increment`, as the weights imply it: a mean weight's relative variance.
        acceptance: mean acceptance probability after adapting, over particles.
        gradients: gradient evaluations of all particles.
    """

    temperature: Float[Array, "*stage"]
    increment: Float[Array, "*stage"]
    effective: Float[Array, "*stage"]
    variance: Float[Array, "*stage"]
    acceptance: Float[Array, "*stage"]
    gradients: Int[Array, "*stage"]


class Sweep(NamedTuple):
    """Where the particles ended, (particle, ...), and what happened on the way."""

    positions: Position
    stages: Stage


def sweep(key: Array, density: Density, tempering: Tempering, path: Float[np.ndarray, " stage"] | None = None) -> Sweep:
    """Take particles from the prior to the temperature of `density`.

    Args:
        key: randomness.
        density: the end of the path.
        tempering: how.
        path: temperatures to follow, falling to that of `density`; chosen on the way where left out.

    Raises:
        SamplingFailed: the likelihood is not finite anywhere colder.
    """
    final, kernel, mesh = float(density.temperature), tempering.kernel, chain_mesh(tempering.particles)
    prior_key, state_key, key = jax.random.split(key, 3)
    networks = density.prior_draws(prior_key, _CANDIDATES * tempering.particles)
    particles = NetworkParticles(networks, jnp.zeros(_CANDIDATES * tempering.particles))
    first = jax.tree.map(lambda leaf: leaf[: tempering.particles], networks)
    states = place(begin(kernel, state_key, first, density), mesh, CHAIN)
    density = place(density, mesh, EVERYWHERE)
    stages: list[Stage] = []
    temperature = np.inf
    with threadpool_limits(1, user_api="blas"):
        colder = iter(lambda: temperature > final, False)
        for _ in tracked(colder, "cooling particles from the prior", None if path is None else len(path)):
            choice = choose(
                tempering.particles,
                density,
                jax.random.fold_in(key, len(stages)),
                particles,
                jnp.asarray(temperature),
                jnp.asarray(final if path is None else float(path[len(stages)])),
                jnp.asarray(tempering.threshold if path is None else 0.0),
            )
            if not (np.isfinite(choice.increment) and choice.temperature < temperature):
                raise SamplingFailed(
                    f"the likelihood is not finite below a temperature of {temperature:g}: raise `temperature`, or "
                    "check the scale of the inputs (`preprocess`)"
                )
            temperature = float(choice.temperature)
            particles, states, acceptance, gradients = move(
                kernel,
                mesh,
                tempering.steps,
                density.at_temperature(choice.temperature),
                states,
                place(choice.positions, mesh, CHAIN),
            )
            stages.append(
                jax.device_get(
                    Stage(
                        choice.temperature,
                        choice.increment,
                        choice.effective,
                        choice.variance,
                        jnp.mean(acceptance),
                        jnp.sum(gradients),
                    )
                )
            )
    return Sweep(particles.positions, jax.tree.map(lambda *values: np.stack(values), *stages))


def frozen_warning(temperatures: Float[np.ndarray, " stage"], acceptance: Float[np.ndarray, " stage"]) -> str | None:
    """A sentence where particles hardly moved at some temperature."""
    frozen = acceptance < FROZEN
    if not frozen.any():
        return None
    return (
        f"at {frozen.sum()} of {len(frozen)} temperatures (the first {temperatures[frozen][0]:.3g}) fewer than "
        f"{FROZEN:.0%} of the moves were accepted, so that particles stayed where they were: raise `adapting` or "
        "`target_acceptance`"
    )


@functools.partial(jax.jit, static_argnums=0)
def choose(
    count: int,
    density: Density,
    key: Array,
    particles: NetworkParticles,
    temperature: Float[Array, ""],
    coldest: Float[Array, ""],
    threshold: Float[Array, ""],
) -> Resampled:
    """From `temperature` to the next one, at least `coldest`: weigh the particles, and resample `count` systematically.

    The next temperature is the lowest that leaves a share `threshold` of them effective; 0 goes to `coldest`.
    """

    def log_weights(inverse: Float[Array, ""]) -> Float[Array, " particle"]:
        at_this = density.at_temperature(1 / inverse)
        likelihoods = jax.lax.map(at_this.log_likelihood, particles.positions, batch_size=count)
        return likelihoods - particles.log_likelihoods

    def spare(inverse: Float[Array, ""]) -> Float[Array, ""]:
        return jnp.nan_to_num(ess(log_weights(inverse))) / len(particles.log_likelihoods) - threshold

    hotter = jnp.maximum(1 / temperature, 1 / (_HOTTEST * coldest))
    inverse = dichotomy(spare, hotter, 1 / coldest, eps=_TOLERANCE)
    weights = log_weights(inverse)
    chosen = systematic(key, jax.nn.softmax(weights), count)
    effective, weighed = ess(weights), len(weights)
    return Resampled(
        # 1 / (1 / T) may differ from T in the last digit.
        temperature=jnp.where(inverse < 1 / coldest, 1 / inverse, coldest),
        positions=jax.tree.map(lambda leaf: leaf[chosen], particles.positions),
        increment=logsumexp(weights) - jnp.log(weighed),
        effective=effective,
        variance=jnp.maximum(1 / effective - 1 / weighed, 0.0),
    )


@functools.partial(jax.jit, static_argnums=(0, 1, 2))
def move(
    kernel: Kernel, mesh: Mesh, steps: int, density: Density, states: State, positions: Position
) -> tuple[NetworkParticles, State, Float[Array, " particle"], Int[Array, " particle"]]:
    """The particles after they have moved at the temperature of `density`, with their acceptance and gradients.

    The particles of a device adapt the kernel together, over `kernel.warmup` steps from where resampling put them, and
    move `steps` more with what they adapted held fixed. Each of these last steps leaves the posterior exactly
    invariant. The adapting steps do so only up to the dependence of the step size on the particles' own past, a
    deviation of their endpoints that later steps contract. (Tuning on the particles themselves is standard: Buchholz,
    Chopin & Jacob 2021.)
    """

    def here(density: Density, states: State, positions: Position) -> tuple:
        settled = settle(kernel, states, positions, density, steps)
        positions = jax.vmap(kernel.position)(settled.states)
        particles = NetworkParticles(positions, jax.vmap(density.log_likelihood)(positions))
        return particles, settled.states, settled.acceptance, settled.gradients

    everywhere = jax.shard_map(here, mesh=mesh, in_specs=(EVERYWHERE, CHAIN, CHAIN), out_specs=CHAIN, check_vma=False)
    return everywhere(density, states, positions)
