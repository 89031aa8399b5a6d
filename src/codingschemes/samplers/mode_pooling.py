"""What one chain has found, all chains have: modes that any of them tells of are looked for among the neurons of one.

A mode is told as the preactivation of a neuron in it, and looked for in the cavity of the neuron nearest to it, so that
all modes belong to one population: with one hidden layer that of a typical chain, whose modes all chains share; above
other layers, which differ between chains, each chain's own.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, Shaped

from codingschemes.posterior import Density
from codingschemes.samplers.climbs import Reference, Starts
from codingschemes.samplers.mode_search import look_for_modes, nearest_neurons, stacked, starts_at, starts_kept
from codingschemes.samplers.modes import DISTINCT, code_count, distinct, mode_count
from codingschemes.samplers.neighbourhood import LastLayer

#: So many times the modes that there is room for are looked for in the typical chain: it does not have all of them.
_LOOKED_FOR = 2


class ToldModes(NamedTuple):
    """Modes that a chain tells the others of.

    Attributes:
        preactivation: of a neuron in the mode.
        found: False where there are fewer modes; the rest of the entry means nothing.
    """

    preactivation: Float[Array, "*chains M P"]
    found: Bool[Array, "*chains M"]

    @classmethod
    def none(cls, density: Density) -> "ToldModes":
        """Nothing to tell of."""
        return cls(jnp.zeros((0, density.targets.shape[0])), jnp.zeros(0, bool))

    @classmethod
    def of(cls, reference: Reference) -> "ToldModes":
        """What a chain with this reference tells."""
        return cls(reference.starts.preactivation, reference.starts.found)


def look_around(population: LastLayer, density: Density, known: ToldModes) -> Reference:
    """What a chain has found, and what was `known` from before: codes first, then most neurons."""
    before = density.network.activation(known.preactivation)
    new, summits = look_for_modes(population, density, jnp.where(known.found[:, None], before, jnp.inf))
    old = starts_at(nearest_neurons(population, before), known.preactivation, density)
    starts = stacked(new, old._replace(found=known.found))
    activity = jnp.concatenate([summits.activity, before])
    found = distinct(activity, starts.found)
    crowd = _crowds(population, jnp.where(found[:, None], activity, jnp.inf))
    crowd = crowd.at[: code_count(starts.code.shape[1])].set(len(population.activity) + 1)  # in front
    order = jnp.argsort(-crowd, stable=True)
    starts = jax.tree.map(lambda rows: rows[order], starts._replace(found=found))
    return Reference(population.activity, population.inverse, starts)


def _crowds(population: LastLayer, activity: Float[Array, "M P"]) -> Int[Array, " M"]:
    """How many neurons each of some modes, infinite where there is none, is the nearest to."""
    gaps = jax.lax.map(lambda own: jnp.sum((activity - own) ** 2, axis=1), population.activity)
    return jnp.zeros(len(activity), int).at[jnp.argmin(gaps, axis=1)].add(1)


def shared(references: Reference, density: Density) -> Reference:
    """With one hidden layer, the reference of all chains, stacked: what any of them tells of, in the typical one."""
    here = typical(references)
    return here._replace(starts=_heard(here, ToldModes.of(references), density, _LOOKED_FOR))


def join(own: Reference, told: ToldModes, density: Density) -> Reference:
    """Above other layers, a chain's reference with what all chains tell of, stacked, in front. Behind that are the
    chain's own starts, as far as there is room."""
    added = _heard(own, told, density)
    wanted = jnp.concatenate([added.found, jnp.ones(len(own.starts.found), bool)])
    chosen = jnp.argsort(~wanted, stable=True)[: starts_kept(density)]
    return own._replace(starts=jax.tree.map(lambda rows: rows[chosen], stacked(added, own.starts)))


def _heard(own: Reference, told: ToldModes, density: Density, times: int = 1) -> Starts:
    """Where a chain looks for what all chains have told of: the distinct modes in the order in which they are told, as
    far as there is room."""
    preactivation, found = jax.tree.map(_in_turn, told)
    activity = density.network.activation(preactivation)
    room = times * mode_count(own.starts.code.shape[1], activity.shape[1])
    kept, found = _first_distinct(activity, found, room)
    nearest = nearest_neurons(own.population(density), activity[kept])
    return starts_at(nearest, preactivation[kept], density)._replace(found=found)


def typical(references: Reference) -> Reference:
    """Of several chains' references, stacked, the one whose neurons have the kernel that is nearest to the mean."""
    activity = references.activity
    every = activity.reshape(-1, activity.shape[-1])
    mean = every.T @ every / len(activity)
    gaps = jax.lax.map(lambda own: jnp.sum((own.T @ own - mean) ** 2), activity)
    return jax.tree.map(lambda rows: rows[jnp.argmin(gaps)], references)


def _in_turn(rows: Shaped[Array, "chains J *entry"]) -> Shaped[Array, "chains*J *entry"]:
    """Rows of all chains, the first of each before the second of any."""
    return jnp.swapaxes(rows, 0, 1).reshape(-1, *rows.shape[2:])


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
