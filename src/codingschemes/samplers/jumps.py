"""Single neurons jump between codes, exactly.

Between the Gaussian approximations of two modes there are maps u -> centre' + spread' O spread^{-1} (u - centre), O
orthogonal, spread a root of the covariance (see `Modes.carry`). They keep a neuron's noise, reflected at the samples
whose class changes side, so that what the approximation misses is nearly the same before and after, and cancels in the
acceptance ratio (the deterministic jump of Pompe, Holmes & Latuszynski 2020). One sweep visits half of the neurons, in
random order:

1. each mode's centre moves by one Newton step in the field that the other neurons leave here, and gets the weight that
   Laplace's approximation gives it;
2. a mode is drawn by weight; where it is the neuron's own nothing happens;
3. else the neuron's coordinates are mapped to it, and the jump is accepted with

       min(1, [p(u') det(spread') w] / [p(u) det(spread) w']),   provided that u' belongs to the mode jumped to.

Centres and weights depend on the other neurons and on frozen numbers alone, and a neuron's mode (the nearest in
activity) on the neuron alone, so the jump back has the same chance: detailed balance holds.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from codingschemes.posterior import Density
from codingschemes.samplers.modes import Modes, mode_of
from codingschemes.samplers.neighbourhood import Cavity, LastLayer, with_neuron, without

#: Least weight that all modes found share, so that no jump is out of reach where Laplace's weights are off.
_FLOOR = 0.01
#: Neurons whose centres and weights are computed together.
_BLOCK = 8


def jump_sweep(key: Array, population: LastLayer, modes: Modes, density: Density) -> tuple[LastLayer, Int[Array, ""]]:
    """A visit to half of the neurons, drawn at random; also the number of accepted jumps.

    Centres and weights are computed for a block of neurons at once. They hold until a neuron of the block has jumped;
    then the next block begins behind it.
    """
    order_key, move_key = jax.random.split(key)
    visits = -(-population.coordinates.shape[0] // 2)
    order = jnp.pad(jax.random.permutation(order_key, population.coordinates.shape[0])[:visits], (0, _BLOCK))

    def block(carry: tuple[LastLayer, Array, Array]) -> tuple[LastLayer, Array, Array]:
        population, first, switches = carry
        neurons = jax.lax.dynamic_slice(order, (first,), (_BLOCK,))
        cavities = jax.vmap(without, (None, 0, None, None))(
            population, neurons, density.targets, density.scaled_readout_variance
        )
        centres, laplace = recentre(modes, population, cavities, density)
        log_weights = _with_floor(laplace, modes)
        own = jax.vmap(mode_of, (0, None))(population.activity[neurons], modes)
        keys = jax.vmap(jax.random.fold_in, (None, 0))(move_key, first + jnp.arange(_BLOCK))
        mode_keys, accept_keys = jnp.moveaxis(jax.vmap(jax.random.split)(keys), 1, 0)
        other = jax.vmap(jax.random.categorical)(mode_keys, log_weights)
        attempts = (own != other) & modes.found[own] & (first + jnp.arange(_BLOCK) < visits)

        def waiting(carry: tuple[LastLayer, Array, Array]) -> Array:
            _, behind, jumped = carry
            return ~jumped & jnp.any(attempts & (jnp.arange(_BLOCK) >= behind))

        def attempt(carry: tuple[LastLayer, Array, Array]) -> tuple[LastLayer, Array, Array]:
            population, behind, _ = carry
            index = jnp.argmax(attempts & (jnp.arange(_BLOCK) >= behind))
            cavity = jax.tree.map(lambda entries: entries[index], cavities)
            population, jumped = _attempt(
                accept_keys[index],
                population,
                neurons[index],
                Jump(own[index], other[index], centres[index], log_weights[index]),
                cavity,
                modes,
                density,
            )
            return population, index + 1, jumped

        population, behind, jumped = jax.lax.while_loop(
            waiting, attempt, (population, jnp.asarray(0), jnp.asarray(False))
        )
        return population, first + jnp.where(jumped, behind, _BLOCK), switches + jumped

    population, _, switches = jax.lax.while_loop(
        lambda carry: carry[1] < visits, block, (population, jnp.asarray(0), jnp.asarray(0))
    )
    return population, switches


class Jump(NamedTuple):
    """From a neuron's own mode to another, with all modes' centres and log weights in its cavity."""

    own: Int[Array, ""]
    other: Int[Array, ""]
    centres: Float[Array, "K R"]
    log_weights: Float[Array, " K"]


def _attempt(
    key: Array,
    population: LastLayer,
    neuron: Array,
    route: Jump,
    cavity: Cavity,
    modes: Modes,
    density: Density,
) -> tuple[LastLayer, Bool[Array, ""]]:
    """Map a neuron along a route and accept or reject; also whether it was accepted."""
    own, other, centres, log_weights = route
    before = population.coordinates[neuron]
    accept_key, blur = key, None
    if not modes.frame.complete:
        blur_key, accept_key = jax.random.split(key)
        blur = jax.random.normal(blur_key, population.activity.shape[1:], before.dtype)
    after, _, gain = modes.carry(before, blur, (own, centres[own]), (other, centres[other]))
    activity = density.network.activation(population.basis @ after)
    both = jnp.stack([population.activity[neuron], activity])
    log_likelihood = cavity.log_likelihood(both, both @ population.inverse)
    log_ratio = (
        log_likelihood[1]
        - log_likelihood[0]
        - (after @ after - before @ before) / 2
        + gain
        + modes.log_volume[other]
        - modes.log_volume[own]
        + log_weights[own]
        - log_weights[other]
    )
    allowed = mode_of(activity, modes) == other
    accepted = allowed & (jnp.log(jax.random.uniform(accept_key, dtype=after.dtype)) < log_ratio)
    changed = jax.lax.cond(
        accepted, lambda: with_neuron(population, neuron, cavity, after, activity), lambda: population
    )
    return changed, accepted


def recentre(
    modes: Modes, population: LastLayer, cavities: Cavity, density: Density
) -> tuple[Float[Array, "B K R"], Float[Array, "B K"]]:
    """Centres after one Newton step in each cavity, and the logs of the modes' weights there by Laplace's
    approximation, up to a constant."""
    images = modes.activity @ population.inverse
    log_likelihood = jax.vmap(lambda cavity, activity, image: cavity.log_likelihood(activity[None], image[None])[0])

    def visit(
        mode: Array, carry: tuple[Float[Array, "K B R"], Float[Array, "K B"]]
    ) -> tuple[Float[Array, "K B R"], Float[Array, "K B"]]:
        centres, log_weights = carry
        centre = centre_among(cavities, mode, images[mode], modes)
        activity = density.network.activation(centre @ population.basis.T)
        log_density = log_likelihood(cavities, activity, activity @ population.inverse) - jnp.sum(centre**2, axis=1) / 2
        return centres.at[mode].set(centre), log_weights.at[mode].set(log_density + modes.log_volume[mode])

    block, count = cavities.gap.shape[0], modes.found.shape[0]
    start = jnp.zeros((count, block, modes.centre.shape[1])), jnp.full((count, block), -jnp.inf)
    # those found come first
    centres, log_weights = jax.lax.fori_loop(0, jnp.sum(modes.found), visit, start)
    return jnp.swapaxes(centres, 0, 1), log_weights.T


def centre_among(cavities: Cavity, mode: Array, image: Float[Array, " P"], modes: Modes) -> Float[Array, "B R"]:
    """A mode's centre after one Newton step in each cavity; `image` is S^{-1} times its activity."""
    slope = jax.vmap(Cavity.slope, (0, None, None))(cavities, modes.activity[mode][None], image[None])[:, 0]
    return modes.centre[mode] + modes.drift[mode] + slope @ modes.response[mode].T


def _with_floor(log_weights: Float[Array, "B K"], modes: Modes) -> Float[Array, "B K"]:
    """Normalised, and none of the modes found without a chance."""
    weights = jax.nn.softmax(jnp.where(jnp.any(modes.found), log_weights, 0.0), axis=1)
    return jnp.log((1 - _FLOOR) * weights + _FLOOR * modes.found / jnp.maximum(jnp.sum(modes.found), 1))
