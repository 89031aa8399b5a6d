"""Exact draws of tiny nonlinear posteriors, and whether a move leaves their law as it is.

Prior draws are resampled by their likelihood: nothing is shared with any sampler. A move then acts on each draw by
itself, and the mean change of every invariant is zero if the posterior is invariant; draws on which nothing happened
add no noise.
"""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from known_answers import small_posterior
from p_values import Findings, levels, mean_p

from codingschemes.posterior import Density, Position
from codingschemes.posterior.collapsed import collapsed_misfit, draw_readout
from codingschemes.samplers.neighbourhood import LastLayer, populate

#: Prior draws that exact ones are resampled from.
PRIOR_DRAWS = 120_000

#: A correct move fails with this probability, a broken one has to fail.
ALARM = 1e-5

NAMES = (
    "misfit", "square", "readout_norm", "output", "kernel_00", "kernel_01", "largest", "second", "low", "high", "split",
)  # fmt: skip


def deep(space: str) -> Density:
    """More neurons than samples: function space has coordinates of its own."""
    return small_posterior(
        "sigmoid", samples=3, width=4, depth=2, bias=True, temperature=0.03, weight_variance=8.0
    ).density(space)


@jax.jit
@functools.partial(jax.vmap, in_axes=(0, None))
def _weighed(key: Array, density: Density) -> tuple[Position, Array]:
    """A prior draw and the log likelihood of its hidden layers, the readout integrated out."""
    position = density.prior_draw(key)
    _, activity = density.propagate(position)
    return position, -collapsed_misfit(activity, density.targets, density.scaled_readout_variance, density.temperature)


@jax.jit
@functools.partial(jax.vmap, in_axes=(0, 0, None))
def _with_readout(key: Array, position: Position, density: Density) -> Position:
    _, activity = density.propagate(position)
    readout = draw_readout(key, activity, density.targets, density.scaled_readout_variance, density.temperature)
    return {**position, "readout": readout / jnp.sqrt(density.scaled_readout_variance)}


def exact_draws(density: Density, count: int, seed: int = 0) -> Position:
    """Positions from the posterior, stacked. In the weights form the readout comes from its conditional."""
    positions, log_weights = _weighed(jax.random.split(jax.random.PRNGKey(seed), PRIOR_DRAWS), density)
    weights = np.exp(np.asarray(log_weights) - np.max(log_weights))
    weights /= weights.sum()
    # few among the effective draws: nearly independent
    assert 1 / np.sum(weights**2) > 2 * count
    chosen = np.random.default_rng(seed).choice(PRIOR_DRAWS, count, p=weights)
    positions = jax.tree.map(lambda block: np.asarray(block)[chosen], positions)
    if "readout" not in positions:
        return positions
    return _with_readout(jax.random.split(jax.random.PRNGKey(seed + 1), count), positions, density)


def _observe(key: Array, position: Position, density: Density) -> Float[Array, " K"]:
    """The NAMES of one draw. The last three count neurons by the side of the middle they are on, on both classes."""
    _, activity = density.propagate(position)
    readout = density.readout(key, position, activity)
    norms = jnp.sort(jnp.sum(activity**2, axis=1))[::-1]
    kernel = activity.T @ activity
    bits = activity @ density.class_average[:, :2] > density.network.activation(jnp.zeros(()))
    counts = [jnp.sum(~bits[:, 0] & ~bits[:, 1]), jnp.sum(bits[:, 0] & bits[:, 1]), jnp.sum(bits[:, 0] & ~bits[:, 1])]
    return jnp.stack(
        [
            density.misfit(position),
            sum(jnp.sum(block**2) for block in position.values()),
            jnp.sum(readout**2),
            density.network.outputs(activity, readout)[0, 0],
            kernel[0, 0],
            kernel[0, 1],
            norms[0],
            norms[1],
            *counts,
        ]
    )


type Sweep = Callable[[Array, LastLayer, Any], tuple[LastLayer, Array]]
type Move = Callable[[Array, Position, Any], tuple[Position, Array]]


def mover(
    density: Density, positions: Position, sweep: Sweep, sweeps: int
) -> Callable[[Any], tuple[Findings, Float[np.ndarray, " draw"], Float[np.ndarray, "2 draw K"]]]:
    """`position_mover` of a move of the last layer alone: (key, population, faults) -> the population afterwards and a
    number."""

    def move(key: Array, position: Position, faults: Any) -> tuple[Position, Array]:
        sweep_key, replace_key = jax.random.split(key)
        population, told = sweep(sweep_key, populate(density, *density.last_layer(position)), faults)
        return density.replace_last_layer(replace_key, position, population.coordinates), told

    return position_mover(density, positions, move, sweeps)


def position_mover(
    density: Density, positions: Position, move: Move, sweeps: int
) -> Callable[[Any], tuple[Findings, Float[np.ndarray, " draw"], Float[np.ndarray, "2 draw K"]]]:
    """A function from faults (numbers for `move`: one compiled program for all) to p-values of no mean change after
    some moves of exact draws, what the moves told of each draw in all, and the invariants before and after.

    `move` maps (key, position, faults) to the position afterwards and a number.
    """

    @jax.jit
    @functools.partial(jax.vmap, in_axes=(0, 0, None))
    def run(key: Array, position: Position, faults: Any) -> tuple[Array, Array]:
        observe_key, key = jax.random.split(key)

        def body(index: Array, carry: tuple[Position, Array]) -> tuple[Position, Array]:
            position, total = carry
            after, told = move(jax.random.fold_in(key, index), position, faults)
            return after, total + told

        after, told = jax.lax.fori_loop(0, sweeps, body, (position, jnp.asarray(0)))
        both = jax.tree.map(lambda *blocks: jnp.stack(blocks), position, after)
        return told, jax.vmap(_observe, (0, 0, None))(jax.random.split(observe_key), both, density)

    def moved(faults: Any) -> tuple[Findings, np.ndarray, np.ndarray]:
        count = len(positions["input"])
        told, values = run(jax.random.split(jax.random.PRNGKey(1), count), positions, faults)
        # what a move keeps changes in the last digits: not in those of float32
        before, after = np.moveaxis(np.asarray(values, np.float32), 1, 0)
        findings = {}
        for name, measure in (("location", lambda level: level), ("spread", lambda level: (2 * level - 1) ** 2)):
            change = measure(levels(after, before)) - measure(levels(before, before))
            p = mean_p(change, np.zeros(len(NAMES)))
            findings |= {f"{name} of {entry}": value for entry, value in zip(NAMES, p, strict=True)}
        return findings, np.asarray(told), np.stack([before, after])

    return moved
