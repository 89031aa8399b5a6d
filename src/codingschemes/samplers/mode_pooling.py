"""What one chain has found, all chains have: modes that any of them tells of are looked for in every one.

A mode is told as the preactivation of a neuron in it. Each chain looks for it in a cavity of its own, that of its
neuron nearest to the mode, so that everything in a reference belongs to one population.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from codingschemes.posterior import Density
from codingschemes.samplers.climbs import Reference
from codingschemes.samplers.mode_search import look_for_modes, places_kept
from codingschemes.samplers.modes import DISTINCT, code_count, distinct, mode_count
from codingschemes.samplers.neighbourhood import LastLayer, cavities_of


class SharedModes(NamedTuple):
    """Modes that a chain tells the others of.

    Attributes:
        preactivation: of a neuron in the mode.
        found: False where there are fewer modes; the rest of the entry means nothing.
    """

    preactivation: Float[Array, "*chains M P"]
    found: Bool[Array, "*chains M"]

    @classmethod
    def none(cls, density: Density) -> "SharedModes":
        """Nothing to tell of."""
        return cls(jnp.zeros((0, density.targets.shape[0])), jnp.zeros(0, bool))


def look_around(population: LastLayer, density: Density, known: SharedModes) -> tuple[Reference, SharedModes]:
    """A chain's own reference, and the modes that it tells of: codes, then what else it has found and what was `known`
    from before, most neurons first. There may not be room for all."""
    activity = jnp.where(known.found[:, None], density.network.activation(known.preactivation), jnp.inf)
    own, modes = look_for_modes(population, density, activity)
    preactivation = jnp.concatenate([modes.centre @ population.basis.T, known.preactivation])
    activity = jnp.concatenate([modes.activity, activity])
    every = SharedModes(preactivation, distinct(activity, jnp.concatenate([modes.found, known.found])))
    crowd = _crowds(population, jnp.where(every.found[:, None], activity, jnp.inf))
    crowd = crowd.at[: code_count(own.code.shape[1])].set(len(population.activity) + 1)  # in front
    order = jnp.argsort(-crowd, stable=True)
    return own, jax.tree.map(lambda rows: rows[order], every)


def _crowds(population: LastLayer, activity: Float[Array, "M P"]) -> Int[Array, " M"]:
    """How many neurons each of some modes, infinite where there is none, is the nearest to."""
    gaps = jax.lax.map(lambda own: jnp.sum((activity - own) ** 2, axis=1), population.activity)
    return jnp.zeros(len(activity), int).at[jnp.argmin(gaps, axis=1)].add(1)


def join(own: Reference, shared: SharedModes, population: LastLayer, density: Density) -> Reference:
    """A chain's reference with the distinct modes that all chains have told of in front.

    They come in the order in which chains tell of them, codes first, alike in all chains. Behind them are the chain's
    own entries, as far as there is room (`places_kept`).
    """
    samples = own.preactivation.shape[1]
    room = mode_count(own.code.shape[1], samples)
    preactivation = jnp.swapaxes(shared.preactivation, 0, 1).reshape(-1, samples)
    activity = density.network.activation(preactivation)
    kept, found = _first_distinct(activity, shared.found.T.ravel(), room)
    nearest = jax.lax.map(lambda mode: jnp.argmin(jnp.sum((population.activity - mode) ** 2, axis=1)), activity[kept])
    cavities = cavities_of(population, nearest, density)
    any_code = jnp.full((room, own.code.shape[1]), -1, own.code.dtype)
    wanted = jnp.concatenate([found, jnp.ones(len(own.code), bool)])
    chosen = jnp.argsort(~wanted, stable=True)[: places_kept(density)]
    added = (cavities, preactivation[kept], any_code)
    entries = jax.tree.map(
        lambda one, other: jnp.concatenate([one, other])[chosen], added, (own.cavities, own.preactivation, own.code)
    )
    return Reference(own.activity, own.inverse, *entries)


def _first_distinct(
    activity: Float[Array, "K P"], found: Bool[Array, " K"], room: int
) -> tuple[Int[Array, " M"], Bool[Array, " M"]]:
    """The first `room` modes found that differ from those before them, by index, and False where there are fewer."""

    def consider(
        carry: tuple[Float[Array, "M P"], Int[Array, " M"], Array], index: Array
    ) -> tuple[tuple[Float[Array, "M P"], Int[Array, " M"], Array], None]:
        known, kept, count = carry
        apart = jnp.all(jnp.max(jnp.abs(known - activity[index]), axis=1) >= DISTINCT)
        slot = jnp.where(found[index] & apart, count, room)  # beyond the room nothing is set
        return (known.at[slot].set(activity[index]), kept.at[slot].set(index), count + (slot < room)), None

    start = (jnp.full((room, activity.shape[1]), jnp.inf), jnp.zeros(room, int), jnp.asarray(0))
    (_, kept, count), _ = jax.lax.scan(consider, start, jnp.arange(len(activity)))
    return kept, jnp.arange(room) < count
