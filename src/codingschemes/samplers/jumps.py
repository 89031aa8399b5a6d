"""Single neurons jump between codes, exactly.

Between the Gaussian approximations of two modes there is an obvious map: u -> centre' + spread' spread^{-1} (u -
centre). It keeps a neuron's noise, so that what the approximation misses is nearly the same before and after, and
cancels in the acceptance ratio (the deterministic jump of Pompe, Holmes & Latuszynski 2020; a fresh Gaussian draw is
accepted ten times less often). One sweep visits every neuron once, in random order:

1. each mode's centre moves by one Newton step in the field that the other neurons leave here, and gets the weight that
   Laplace's approximation gives it;
2. a mode is drawn by weight; where it is the neuron's own nothing happens;
3. else the neuron's coordinates are mapped to it, and the jump is accepted with

       min(1, [p(u') det(spread') w] / [p(u) det(spread) w']),   provided that u' belongs to the mode jumped to.

Centres and weights depend on the other neurons and on frozen numbers alone, and a neuron's mode (the nearest pattern of
class-mean activity) on the neuron alone, so the jump back has the same chance: detailed balance holds.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from codingschemes.posterior import Density
from codingschemes.samplers.modes import Modes
from codingschemes.samplers.neighbourhood import Cavity, Population, with_neuron, without

#: Least weight that all modes found share, so that no jump is out of reach where Laplace's weights are off.
_FLOOR = 0.01


def jump_sweep(
    key: Array, population: Population, modes: Modes, density: Density, basis: Float[Array, "P R"]
) -> tuple[Population, Int[Array, ""]]:
    """One sweep over all neurons; also the number of accepted jumps."""
    order_key, move_key = jax.random.split(key)
    order = jax.random.permutation(order_key, population.coordinates.shape[0])

    def visit(index: Array, carry: tuple[Population, Array]) -> tuple[Population, Array]:
        population, switches = carry
        neuron = order[index]
        mode_key, accept_key = jax.random.split(jax.random.fold_in(move_key, index))
        cavity = without(population, neuron, density.targets, density.signal)
        centres, log_weights = _recentred(modes, cavity, density, basis)
        own = _mode_of(population.activity[neuron], modes, density)
        other = jax.random.categorical(mode_key, log_weights)

        def jump() -> tuple[Population, Array]:
            before = population.coordinates[neuron]
            noise = modes.whitening[own] @ (before - centres[own])
            after = centres[other] + modes.spread[other] @ noise
            activity = density.network.activation(basis @ after)
            both = jnp.stack([population.activity[neuron], activity])
            log_likelihood = cavity.log_likelihood(both, cavity.times(both))
            log_ratio = (
                log_likelihood[1]
                - log_likelihood[0]
                - (after @ after - before @ before) / 2
                + modes.log_volume[other]
                - modes.log_volume[own]
                + log_weights[own]
                - log_weights[other]
            )
            allowed = modes.found[own] & (_mode_of(activity, modes, density) == other)
            accepted = allowed & (jnp.log(jax.random.uniform(accept_key, dtype=after.dtype)) < log_ratio)
            changed = jax.lax.cond(
                accepted, lambda: with_neuron(population, neuron, cavity, after, activity), lambda: population
            )
            return changed, switches + accepted

        return jax.lax.cond(own == other, lambda: (population, switches), jump)

    return jax.lax.fori_loop(0, order.shape[0], visit, (population, jnp.asarray(0)))


def _recentred(
    modes: Modes, cavity: Cavity, density: Density, basis: Float[Array, "P R"]
) -> tuple[Float[Array, "K R"], Float[Array, " K"]]:
    """Centres after one Newton step in this cavity, and the log weights of the modes there."""
    slope = modes.gain * cavity.slope(modes.activity, cavity.times(modes.activity)) @ basis - modes.centre
    newton = jnp.einsum("kij,kj->ki", modes.spread, jnp.einsum("kij,kj->ki", modes.spread, slope))
    centres = modes.centre + newton
    activity = density.network.activation(centres @ basis.T)
    log_density = cavity.log_likelihood(activity, cavity.times(activity)) - jnp.sum(centres**2, axis=1) / 2
    log_weights = jnp.where(modes.found, log_density + modes.log_volume, -jnp.inf)
    weights = jax.nn.softmax(jnp.where(jnp.any(modes.found), log_weights, 0.0))
    floored = (1 - _FLOOR) * weights + _FLOOR * modes.found / jnp.maximum(jnp.sum(modes.found), 1)
    return centres, jnp.log(floored)


def _mode_of(activity: Float[Array, " P"], modes: Modes, density: Density) -> Int[Array, ""]:
    """The mode found whose class-mean activities are nearest."""
    distance = jnp.sum((modes.pattern - activity @ density.class_average) ** 2, axis=1)
    return jnp.argmin(jnp.where(modes.found, distance, jnp.inf))
