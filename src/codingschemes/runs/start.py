"""Where chains begin."""

import dataclasses
import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree
from jaxtyping import Array

from codingschemes.posterior import Density, Position
from codingschemes.progress import tracked
from codingschemes.runs.configuration import Sampling
from codingschemes.samplers import SAMPLERS, Kernel, begin, default_sampler, settle
from codingschemes.samplers.kernel import State
from codingschemes.tempering import Tempering, sweep

_ANNEALING_STAGES = 30
_STEPS_PER_STAGE = 10
#: Steps of a chain that is annealed.
COOLING_STEPS = _ANNEALING_STAGES * _STEPS_PER_STAGE
#: A tempered start carries at least this many particles: weights of fewer say little about the next temperature.
_FEWEST_PARTICLES = 16
_DEEPEST_TREE = 6
#: Steps down the energy; it falls by ever less after so many.
_QUENCHING_STEPS = 200
#: How chains of a `mixed` start begin, in turn: a single one where it is best off.
_MIXTURE = ("annealed", "prior", "quenched")


class Beginning(NamedTuple):
    """Positions of all chains, with the chain in front, and what there is to record about them, as JSON values."""

    positions: Position
    facts: dict[str, Any]


def beginning(key: Array, density: Density, sampling: Sampling) -> Beginning:
    """Where the chains of a run begin: at prior draws, or taken down from there as `start` says.

    Annealing lowers the temperature geometrically from 1 (targets are of order 1: the prior all but alone) to the
    density's own, with a few adapting steps at each of 30 temperatures. It finds lower energies than a quench, which
    follows the energy down at the density's own temperature to the next minimum; the chains still have their whole
    warm-up ahead of them.

    Tempering takes a population of networks down by sequential Monte Carlo: those that come to explain the targets
    multiply, the others die out, so that the basins the chains begin in carry about their share of the posterior. Its
    log evidence is recorded, with the error that its weights imply, and the smallest acceptance on the way.
    """
    prior_key, cooling_key = jax.random.split(key)
    if sampling.start == "tempered":
        return _tempered(cooling_key, density, sampling)
    positions = density.prior_draws(prior_key, sampling.chains)
    kinds = _MIXTURE if sampling.start == "mixed" else (str(sampling.start),)
    of_chains = np.resize(kinds, sampling.chains)
    cooled = np.flatnonzero(of_chains == "annealed")
    if cooled.size:
        sampler = cooled_by(sampling) or sampling.sampler
        there = jax.tree.map(lambda leaf: leaf[cooled], positions)
        there = _annealed(cooling_key, density, dataclasses.replace(sampling, sampler=sampler), there)
        positions = jax.tree.map(lambda leaf, new: leaf.at[cooled].set(new), positions, there)
    quenched = np.flatnonzero(of_chains == "quenched")
    for chain in tracked(quenched, "quenching chains") if quenched.size else ():
        one = jax.tree.map(lambda leaf, chain=chain: leaf[chain], positions)
        positions = jax.tree.map(
            lambda leaf, new, chain=chain: leaf.at[chain].set(new), positions, _quenched(density, one)
        )
    return Beginning(positions, {})


def cooled_by(sampling: Sampling) -> str | None:
    """The sampler that anneals chains; None where none are."""
    if sampling.start == "mixed":
        # Jumps between codes are not needed where it is hot, and take three times as long to compile.
        return default_sampler("cooling")
    return sampling.sampler if sampling.start == "annealed" else None


def _quenched(density: Density, position: Position) -> Position:
    """The position down the energy, by L-BFGS."""
    from scipy.optimize import minimize  # takes as long as much of JAX, and few starts need it

    flat, unravel = ravel_pytree(position)

    def energy(at: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = _energy(density, unravel(jnp.asarray(at)))
        return float(value), np.asarray(ravel_pytree(slope)[0])

    found = minimize(
        energy, np.asarray(flat), jac=True, method="L-BFGS-B", options={"maxiter": _QUENCHING_STEPS, "ftol": 0.0}
    )
    return unravel(jnp.asarray(found.x))


@jax.jit
def _energy(density: Density, position: Position) -> tuple[Array, Position]:
    return jax.value_and_grad(density.potential)(position)


def _tempered(key: Array, density: Density, sampling: Sampling) -> Beginning:
    apart = -(-_FEWEST_PARTICLES // sampling.chains)
    tempering = Tempering(
        particles=apart * sampling.chains,
        sampler=sampling.sampler,
        space=sampling.space,
        target_acceptance=sampling.target_acceptance,
        max_tree_depth=min(sampling.max_tree_depth, _DEEPEST_TREE),
    )
    found = sweep(key, density, tempering)
    # Systematic resampling keeps copies of one particle side by side.
    positions = jax.tree.map(lambda leaf: leaf[::apart], found.positions)
    return Beginning(
        positions,
        {
            "log_evidence": float(found.stages.increment.sum()),
            "log_evidence_error": float(np.sqrt(found.stages.variance.sum())),
            "tempering_acceptance": float(found.stages.acceptance.min()),
            "tempering_gradients": int(found.stages.gradients.sum()),
        },
    )


def _annealed(key: Array, density: Density, sampling: Sampling, positions: Position) -> Position:
    kernel = SAMPLERS[sampling.sampler](sampling.settings._replace(warmup=_STEPS_PER_STAGE))
    hottest = max(1.0, float(density.temperature))
    states = begin(kernel, key, positions, density)
    temperatures = np.geomspace(hottest, float(density.temperature), _ANNEALING_STAGES)
    for temperature in tracked(temperatures, "cooling chains from the prior"):
        states, positions = _settle(kernel, states, positions, density.at_temperature(jnp.asarray(temperature)))
    return positions


@functools.partial(jax.jit, static_argnums=0)
def _settle(kernel: Kernel, states: State, positions: Position, density: Density) -> tuple[State, Position]:
    """Chains after the steps of one temperature."""
    states = settle(kernel, states, positions, density).states
    return states, jax.vmap(kernel.position)(states)
