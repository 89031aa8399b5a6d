"""Single neurons jump between codes, exactly.

Between the Gaussian approximations of two modes there are maps u -> centre' + spread' O spread^{-1} (u - centre), O
orthogonal, spread a root of the covariance (see `Modes.carry`). They keep a neuron's noise, reflected at the samples
whose class changes side, so that what the approximation misses is nearly the same before and after, and cancels in the
acceptance ratio (the deterministic jump of Pompe, Holmes & Latuszynski 2020). One sweep visits half of the neurons, in
random order:

1. a mode is drawn by the weight that Laplace's approximation gives it among the other neurons, its centre held;
2. where it is the neuron's own nothing happens; else the centres of both move by one Newton step in the field that the
   other neurons leave here, the neuron's coordinates are mapped from one to the other, and the jump is accepted with

       min(1, [p(u') det(spread') w] / [p(u) det(spread) w']),   provided that u' belongs to the mode jumped to.

Centres and weights depend on the other neurons and on frozen numbers alone, and a neuron's mode (the nearest in
activity) on the neuron alone, so the jump back has the same chance: detailed balance holds.

What a mode weighs among the others is a function of a few products with S^{-1}, which a jump changes by rank two. They
are kept for a block of neurons: a visit without a jump costs O(K P), and only jumps that are tried O(P^2).
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from codingschemes.posterior import Density
from codingschemes.samplers.modes import Modes, mode_of, of_found
from codingschemes.samplers.neighbourhood import Cavity, LastLayer, Update, cavity_of, with_neuron

#: Least weight that all modes found share, so that no jump is out of reach where Laplace's weights are off.
_FLOOR = 0.01
#: Neurons whose weights are computed together.
_BLOCK = 8


def jump_sweep(key: Array, population: LastLayer, modes: Modes, density: Density) -> tuple[LastLayer, Int[Array, ""]]:
    """A visit to half of the neurons, drawn at random; also the number of accepted jumps."""
    order_key, mode_key, attempt_key = jax.random.split(key, 3)
    width, dtype = population.coordinates.shape[0], modes.centre.dtype
    visits = -(-width // 2)
    size = min(_BLOCK, visits)
    places, blocks = jnp.arange(size), -(-visits // size)
    # What the whole sweep needs of them at once: piece by piece it costs more than most visits do.
    order = jnp.pad(jax.random.permutation(order_key, width)[:visits], (0, -visits % size))
    attempt_keys = jax.random.split(attempt_key, (blocks, size))
    noise = _gumbel(mode_key, len(order), modes.found, dtype).reshape(blocks, size, -1)
    homes = jax.vmap(mode_of, (0, None))(population.activity[order], modes).reshape(blocks, size)
    order = order.reshape(blocks, size)

    def block(index: Array, carry: tuple[LastLayer, Array, Array]) -> tuple[LastLayer, Array, Array]:
        population, of_modes, switches = carry
        neurons, own = order[index], homes[index]
        visited = (index * size + places < visits) & modes.found[own]

        def intend(population: LastLayer, images: Images) -> Intentions:
            activity = population.activity[neurons]
            cavities = jax.vmap(cavity_of, (None, 0, 0, None))(population, activity, images.of_neurons, density)
            log_weights = with_floor(frozen_weights(cavities, modes, images.of_modes), modes.found)
            other = jnp.argmax(log_weights + noise[index], axis=1)
            return Intentions(population, images, cavities, log_weights, other)

        def next_attempt(intentions: Intentions, behind: Array) -> Int[Array, ""]:
            """The place of the next jump that is tried; the size of the block where there is none."""
            waiting = visited & (own != intentions.other) & (places >= behind)
            return jnp.where(jnp.any(waiting), jnp.argmax(waiting), size)

        def attempt(carry: tuple[Array, Intentions, Array]) -> tuple[Array, Intentions, Array]:
            place, intentions, switches = carry
            population, images, cavities, log_weights, other = intentions
            cavity = jax.tree.map(lambda entries: entries[place], cavities)
            neuron, route = neurons[place], Jump(own[place], other[place], log_weights[place])
            after, accepted = _attempt(
                attempt_keys[index, place], population, neuron, route, cavity, images.of_modes, modes, density
            )

            def changed() -> Intentions:
                activity = density.network.activation(population.basis @ after)
                there, update = with_neuron(population, neuron, cavity, after, activity)
                return intend(there, images.after(update, there.activity[neurons], modes))

            intentions = jax.lax.cond(accepted, changed, lambda: intentions)
            return next_attempt(intentions, place + 1), intentions, switches + accepted

        images = Images(population.activity[neurons] @ population.inverse, of_modes)
        start = intend(population, images)
        _, end, switches = jax.lax.while_loop(
            lambda carry: carry[0] < size, attempt, (next_attempt(start, jnp.asarray(0)), start, switches)
        )
        return end.population, end.images.of_modes, switches

    start = population, modes.images(population.inverse), jnp.asarray(0)
    end, _, switches = jax.lax.fori_loop(0, len(order), block, start)
    return end, switches


def _gumbel(key: Array, visits: int, found: Bool[Array, " K"], dtype: Any) -> Float[Array, "V K"]:
    """Gumbel noise of every visit for the modes found."""
    uniform = jax.random.uniform(key, (len(found), visits), dtype, minval=jnp.finfo(dtype).tiny)
    noise = of_found(lambda uniform: -jnp.log(-jnp.log(uniform)), found, uniform)
    return jax.lax.optimization_barrier(noise.T)  # held: as many numbers again after every jump cost more than it


class Images(NamedTuple):
    """S^{-1} times activities: of the neurons of a block, and of the modes."""

    of_neurons: Float[Array, "B P"]
    of_modes: Float[Array, "K P"]

    def after(self, update: Update, neurons: Float[Array, "B P"], modes: Modes) -> "Images":
        """The images of the same activities once S^{-1} has changed."""
        of_modes = of_found(update.image, modes.found, modes.activity, self.of_modes)
        return Images(update.image(neurons, self.of_neurons), of_modes)


class Jump(NamedTuple):
    """From a neuron's own mode to another, with all modes' log weights in its cavity."""

    own: Int[Array, ""]
    other: Int[Array, ""]
    log_weights: Float[Array, " K"]


class Intentions(NamedTuple):
    """Where all neurons are, and what follows from it for those of a block: their cavities, what each mode weighs
    there, and the modes that are drawn for them."""

    population: LastLayer
    images: Images
    cavities: Cavity
    log_weights: Float[Array, "B K"]
    other: Int[Array, " B"]


def _attempt(
    key: Array,
    population: LastLayer,
    neuron: Array,
    route: Jump,
    cavity: Cavity,
    images: Float[Array, "K P"],
    modes: Modes,
    density: Density,
) -> tuple[Float[Array, " R"], Bool[Array, ""]]:
    """A neuron's coordinates mapped along a route, and whether they are accepted; `images` are those of the modes."""
    own, other, log_weights = route
    before = population.coordinates[neuron]
    accept_key, blur = key, None
    if not modes.frame.complete:
        blur_key, accept_key = jax.random.split(key)
        # held: XLA would compute them anew for every use that it fuses them into
        blur = jax.lax.optimization_barrier(jax.random.normal(blur_key, population.activity.shape[1:], before.dtype))
    start, end = ((mode, centre_among(cavity, mode, images[mode], modes)) for mode in (own, other))
    after, _, gain = modes.carry(before, blur, start, end)
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
    return after, allowed & (jnp.log(jax.random.uniform(accept_key, dtype=after.dtype)) < log_ratio)


def frozen_weights(cavities: Cavity, modes: Modes, images: Float[Array, "K P"]) -> Float[Array, "B K"]:
    """The logs of the modes' weights in each cavity by Laplace's approximation about the centres that they have had
    since they were found, up to a constant; `images` are S^{-1} times the modes' activities."""

    def in_cavities(activity: Float[Array, "M P"], image: Float[Array, "M P"]) -> Float[Array, "M B"]:
        return jax.vmap(Cavity.log_likelihood, (0, None, None), 1)(cavities, activity, image)

    log_likelihood = of_found(in_cavities, modes.found, modes.activity, images).T
    log_weights = log_likelihood - jnp.sum(modes.centre**2, axis=1) / 2 + modes.log_volume
    return jnp.where(modes.found, log_weights, -jnp.inf)


def centre_among(cavity: Cavity, mode: Array, image: Float[Array, " P"], modes: Modes) -> Float[Array, " R"]:
    """A mode's centre after one Newton step in a cavity; `image` is S^{-1} times its activity."""
    slope = cavity.slope(modes.activity[mode][None], image[None])[0]
    return modes.centre[mode] + modes.drift[mode] + modes.response(mode, slope)


def with_floor(log_weights: Float[Array, "B K"], among: Bool[Array, " K"]) -> Float[Array, "B K"]:
    """Of some modes, normalised, and none of them without a chance."""
    weights = jax.nn.softmax(jnp.where(jnp.any(among), jnp.where(among, log_weights, -jnp.inf), 0.0), axis=1)
    return jnp.log((1 - _FLOOR) * weights + _FLOOR * among / jnp.maximum(jnp.sum(among), 1))
