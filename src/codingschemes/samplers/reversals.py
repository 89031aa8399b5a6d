"""Neurons below the last layer change their answer to one class, exactly.

The mean preactivation of a neuron over the samples of a class changes sign, those of the other classes stay: a
reflection of the weights that enter it, along the shortest direction that does so. Its layer then tells classes apart
a little differently. So every neuron of the layer above moves its weights just enough to keep its own mean
preactivation in every class: with M = Q R the class means of the features below, (feature, class), its weights are
w = Q s + v c + rest, v the part of the neuron's axis that M does not span, and become Q' s' + v' c + rest with
s' R' = s R. What the rest of the network answers by stays what it was, but for differences within classes.

With the weights above left as they are next to none is accepted in a layer that has sharpened: each of the N neurons
above would lose a little of what it answers by. Both maps are their own inverse; the second changes volume by
(det R / det R')^N. In function space the layer above has no weights of its own: its neurons keep their coordinates,
and their preactivations follow the kernel.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from codingschemes.posterior import Density, Position, Scalar
from codingschemes.samplers.lower_layers import Place, Proposal, accept_in_turn, has_own_weights


def reversal_sweep(key: Array, position: Position, density: Density, visits: int) -> tuple[Position, Int[Array, ""]]:
    """Neurons of all layers below the last, a class for each, one after the other; also the number of reversals
    accepted."""
    class_key, visit_key = jax.random.split(key)
    classes = jax.random.randint(class_key, (visits,), 0, density.class_average.shape[1])

    def propose(index: Array, here: Place, layer: Array, neuron: Array) -> Proposal:
        return _reverse_neuron(here, layer, neuron, classes[index], density)

    return accept_in_turn(visit_key, position, density, visits, propose)


def _reverse_neuron(here: Place, layer: Array, neuron: Array, label: Array, density: Density) -> Proposal:
    """The answer of one neuron to one class turned round."""
    network, position = density.network, here.position
    first, hidden = position["input"], position["hidden"]
    below = jnp.maximum(layer - 1, 0)
    lower = density.factor_above(here.activity[below])
    turned_first = _reverse(first[neuron], density.first_factor @ density.class_average, label)
    turned_hidden = _reverse(hidden[below, neuron], lower @ density.class_average, label)
    changed = {
        **position,
        "input": first.at[neuron].set(jnp.where(layer == 0, turned_first, first[neuron])),
        "hidden": hidden.at[below, neuron].set(jnp.where(layer == 0, hidden[below, neuron], turned_hidden)),
    }
    preactivation = jnp.where(layer == 0, turned_first @ density.first_factor, turned_hidden @ lower)
    units = here.activity[layer]
    there = units.at[neuron].set(network.activation(preactivation))
    leaving, features = changed["hidden"][layer], density.factor_above(there)
    if not has_own_weights(hidden, density):
        return Proposal(changed, preactivation, leaving @ features, jnp.zeros(()))
    before_features = density.factor_above(units)
    before, after = (_Seen.of(each @ density.class_average, neuron) for each in (before_features, features))
    seen = leaving @ before.directions
    kept = jax.scipy.linalg.solve_triangular(after.lengths, before.lengths.T @ seen.T, trans="T").T
    gained = jnp.concatenate([kept, -seen, (leaving @ before.aside)[:, None]], axis=1)
    along = jnp.concatenate([after.directions, before.directions, (after.aside - before.aside)[:, None]], axis=1)
    above = here.preactivation[layer + 1] + gained @ (along.T @ features)
    above += jnp.outer(leaving[:, neuron], features[neuron] - before_features[neuron])
    changed = {**changed, "hidden": changed["hidden"].at[layer].set(leaving + gained @ along.T)}
    return Proposal(changed, preactivation, above, len(leaving) * (before.log_volume - after.log_volume))


def _reverse(coordinates: Float[Array, " K"], means: Float[Array, "K G"], label: Array) -> Float[Array, " K"]:
    """With the mean preactivation in one class, coordinates @ means, of the other sign, and as far as classes differ
    the others as they were."""
    mean = means[:, label]
    direction = means @ jnp.linalg.pinv(means.T @ means, hermitian=True)[:, label]
    return coordinates - 2 * (coordinates @ mean) / (direction @ mean) * direction


class _Seen(NamedTuple):
    """What a layer's class means see of the weights above: directions Q and lengths R of a QR decomposition, and the
    part of one neuron's axis that they do not see, a unit vector."""

    directions: Float[Array, "K G"]
    lengths: Float[Array, "G G"]
    aside: Float[Array, " K"]

    @classmethod
    def of(cls, means: Float[Array, "K G"], neuron: Array) -> "_Seen":
        directions, lengths = jnp.linalg.qr(means)
        aside = -directions @ directions[neuron]
        aside = aside.at[neuron].add(1.0)
        return cls(directions, lengths, aside / jnp.linalg.norm(aside))

    @property
    def log_volume(self) -> Scalar:
        """log |det R|."""
        return jnp.sum(jnp.log(jnp.abs(jnp.diagonal(self.lengths))))
