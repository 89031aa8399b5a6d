"""One sweep of tempered sequential Monte Carlo: particles from the prior down to a temperature.

The path is the temperature itself. At every temperature the particles stand for prior(theta) L_T(theta) / Z(T), with
L_T the normalised likelihood of the targets: Z(T) = p(Y | T) is the evidence at that temperature. The weights from
T to T' are L_T'/L_T; the first weights, from the prior, are L_T alone. Along a path and with moves that were fixed
before, the product of mean weights is an unbiased estimate of Z (Del Moral, Doucet & Jasra 2006); choosing both on the
way leaves it consistent, with the same asymptotic variance (Beskos, Jasra, Kantas & Thiery 2016).
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
from codingschemes.samplers import Kernel
from codingschemes.tempering.options import Tempering

#: Any first temperature lies below this multiple of the last one.
_HOTTEST = 1e16
#: A temperature is found when its effective share of particles is this close to the threshold.
_TOLERANCE = 0.01


class Particles(NamedTuple):
    """Networks of equal weight, the particle in front.

    Attributes:
        positions: whitened coordinates.
        log_likelihoods: log L_T at the temperature they stand for; zero for draws from the prior.
    """

    positions: Position
    log_likelihoods: Float[Array, " particle"]


class Stage(NamedTuple):
    """What one temperature tells about itself; with a leading axis, all temperatures of a sweep.

    Attributes:
        temperature: T.
        increment: log of the mean weight: log Z(T) minus log Z at the temperature before, in nats.
        effective: effective sample size of the weights, between 1 and the number of particles.
        acceptance: mean acceptance probability after adapting.
        gradients: gradient evaluations of all particles.
    """

    temperature: Float[Array, "*stage"]
    increment: Float[Array, "*stage"]
    effective: Float[Array, "*stage"]
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
    prior_key, key = jax.random.split(key)
    positions = density.prior_draws(prior_key, tempering.particles)
    particles = Particles(positions, jnp.zeros(tempering.particles))
    density = place(density, mesh, EVERYWHERE)
    stages: list[Stage] = []
    temperature = np.inf
    with threadpool_limits(1, user_api="blas"):
        while temperature > final:
            coldest = final if path is None else float(path[len(stages)])
            particles, stage = cool(
                kernel,
                mesh,
                tempering.steps,
                density,
                jax.random.fold_in(key, len(stages)),
                place(particles, mesh, CHAIN),
                jnp.asarray(temperature),
                jnp.asarray(coldest),
                jnp.asarray(tempering.threshold if path is None else 0.0),
            )
            stages.append(jax.device_get(stage))
            if not (np.isfinite(stages[-1].increment) and stages[-1].temperature < temperature):
                raise SamplingFailed(
                    f"the likelihood is not finite below a temperature of {temperature:g}: raise `temperature`, or "
                    "check the scale of the inputs (`preprocess`)"
                )
            temperature = float(stages[-1].temperature)
    return Sweep(particles.positions, jax.tree.map(lambda *values: np.stack(values), *stages))


def implied_variances(
    effective: Float[np.ndarray, "*sweep stage"], particles: int
) -> Float[np.ndarray, "*sweep stage"]:
    """Variance of the log evidence at every temperature of one sweep whose particles forget their past at each.

    The sum of 1/ESS - 1/N over temperatures: the relative variance of a mean weight is (N/ESS - 1)/N, and perfect
    mixing makes the factors independent (Del Moral, Doucet & Jasra 2006).
    """
    return np.cumsum(np.maximum(1 / effective - 1 / particles, 0), axis=-1)


@functools.partial(jax.jit, static_argnums=(0, 1, 2))
def cool(
    kernel: Kernel,
    mesh: Mesh,
    steps: int,
    density: Density,
    key: Array,
    particles: Particles,
    temperature: Float[Array, ""],
    coldest: Float[Array, ""],
    threshold: Float[Array, ""],
) -> tuple[Particles, Stage]:
    """From `temperature` to the next one, at least `coldest`: reweigh, resample systematically, move.

    The next temperature is the lowest that leaves a share `threshold` of the particles effective; 0 goes to `coldest`.

    Every particle then adapts the kernel for itself at the new temperature, over `kernel.warmup` steps from where
    resampling put it, and moves `steps` more with what it adapted held fixed. Each of these last steps leaves the
    posterior exactly invariant. The adapting steps do so only up to the dependence of a step size on the particle's
    own past, a deviation of their endpoints that later steps contract. (Tuning on the particles themselves is standard:
    Buchholz, Chopin & Jacob 2021.)
    """
    count = particles.log_likelihoods.shape[0]

    def log_weights(inverse: Float[Array, ""]) -> Float[Array, " particle"]:
        at_this = density.at_temperature(1 / inverse)
        return jax.vmap(at_this.log_likelihood)(particles.positions) - particles.log_likelihoods

    def spare(inverse: Float[Array, ""]) -> Float[Array, ""]:
        return jnp.nan_to_num(ess(log_weights(inverse))) / count - threshold

    hotter = jnp.maximum(1 / temperature, 1 / (_HOTTEST * coldest))
    inverse = dichotomy(spare, hotter, 1 / coldest, eps=_TOLERANCE)
    weights = log_weights(inverse)
    resample_key, move_key = jax.random.split(key)
    chosen = systematic(resample_key, jax.nn.softmax(weights), count)
    # 1 / (1 / T) may differ from T in the last digit.
    colder = jnp.where(inverse < 1 / coldest, 1 / inverse, coldest)
    move = jax.shard_map(
        functools.partial(_move, kernel, steps),
        mesh=mesh,
        in_specs=(EVERYWHERE, CHAIN, CHAIN),
        out_specs=CHAIN,
        check_vma=False,
    )
    moved, acceptance, gradients = move(
        density.at_temperature(colder),
        jax.random.split(move_key, count),
        jax.tree.map(lambda leaf: leaf[chosen], particles.positions),
    )
    stage = Stage(
        temperature=colder,
        increment=logsumexp(weights) - jnp.log(count),
        effective=ess(weights),
        acceptance=jnp.mean(acceptance),
        gradients=jnp.sum(gradients),
    )
    return moved, stage


def _move(
    kernel: Kernel, steps: int, density: Density, keys: Array, positions: Position
) -> tuple[Particles, Float[Array, " particle"], Int[Array, " particle"]]:
    """The particles of one device after adapting and `steps` more, with their acceptance and gradients."""
    step = jax.vmap(kernel.step, (0, None))

    def body(index: Array, carry: tuple) -> tuple:
        states, acceptance, gradients = carry
        states, info = step(states, density)
        fixed = index >= kernel.warmup
        return states, acceptance + fixed * info.acceptance_rate / steps, gradients + info.gradients

    count = keys.shape[0]
    states = jax.vmap(kernel.init, (0, 0, None))(keys, positions, density)
    start = (states, jnp.zeros(count), jnp.zeros(count, int))
    states, acceptance, gradients = jax.lax.fori_loop(0, kernel.warmup + steps, body, start)
    positions = jax.vmap(kernel.position)(states)
    return Particles(positions, jax.vmap(density.log_likelihood)(positions)), acceptance, gradients
