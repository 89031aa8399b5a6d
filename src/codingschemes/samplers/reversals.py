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
from codingschemes.samplers.flips import Place, accept_in_turn


def reversal_sweep(key: Array, position: Position, density: Density, visits: int) -> tuple[Position, Int[Array, ""]]:
    """Neurons drawn from all layers below the last, a class for each, one after the other; also the number of
    reversals accepted."""
    layer_key, neuron_key, class_key, accept_key = jax.random.split(key, 4)
    layers = jax.random.randint(layer_key, (visits,), 0, density.network.depth - 1)
    neurons = jax.random.randint(neuron_key, (visits,), 0, density.network.width)
    classes = jax.random.randint(class_key, (visits,), 0, density.class_average.shape[1])
    levels = jnp.log(jax.random.uniform(accept_key, (visits,)))

    def propose(index: Array, here: Place) -> tuple[Position, Scalar]:
        return _reverse_neuron(here.position, here.activity, layers[index], neurons[index], classes[index], density)

    return accept_in_turn(position, density, levels, propose)


def _reverse_neuron(
    position: Position, activity: Float[Array, "L N P"], layer: Array, neuron: Array, label: Array, density: Density
) -> tuple[Position, Scalar]:
    """The position with the answer of one neuron to one class turned round, and the log of the volume that this
    changes."""
    network = density.network
    first, hidden = position["input"], position["hidden"]
    below = jnp.maximum(layer - 1, 0)
    lower = jnp.sqrt(density.weight_variance) * density.factor(network.hidden_features(activity[below]))
    turned_first = _reverse(first[neuron], density.first_factor @ density.class_average, label)
    turned_hidden = _reverse(hidden[below, neuron], lower @ density.class_average, label)
    changed = {
        **position,
        "input": first.at[neuron].set(jnp.where(layer == 0, turned_first, first[neuron])),
        "hidden": hidden.at[below, neuron].set(jnp.where(layer == 0, hidden[below, neuron], turned_hidden)),
    }
    if hidden.shape[-1] != network.hidden_feature_count:
        return changed, jnp.zeros(())
    preactivation = jnp.where(layer == 0, turned_first @ density.first_factor, turned_hidden @ lower)
    there = activity[layer].at[neuron].set(network.activation(preactivation))
    before, after = (
        _Seen.of(network.hidden_features(units) @ density.class_average, neuron) for units in (activity[layer], there)
    )
    leaving = changed["hidden"][layer]
    seen = leaving @ before.directions
    kept = jax.scipy.linalg.solve_triangular(after.lengths, before.lengths.T @ seen.T, trans="T").T
    leaving += kept @ after.directions.T - seen @ before.directions.T
    leaving += jnp.outer(changed["hidden"][layer] @ before.aside, after.aside - before.aside)
    log_volume = len(leaving) * (before.log_volume - after.log_volume)
    return {**changed, "hidden": changed["hidden"].at[layer].set(leaving)}, log_volume


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
