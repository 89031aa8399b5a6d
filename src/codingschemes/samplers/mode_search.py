"""Where modes are looked for: a reference is taken from the neurons during warm-up and then frozen.

Each code is looked for. Real data have more modes, which differ only in the samples that are hard to tell: they are
found by climbing from the neurons that are farthest from every mode known, and from codes with the sample turned round
that they are least decided about, whether or not there is such a neuron yet.
"""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from codingschemes.posterior import Density
from codingschemes.samplers.climbs import Landscape, Reference, Starts, Summit, climb, summit_from
from codingschemes.samplers.frame import PreactivationPrior
from codingschemes.samplers.modes import ALL_CODES_UP_TO, code_count, mode_count
from codingschemes.samplers.neighbourhood import LastLayer, without

#: Preactivation in the middle of a code's pattern.
_PATTERN_LEVEL = 1.5
#: Neurons from which other modes are looked for: a neuron in a mode that is not known does not jump. Above other layers
#: fewer, as all places are climbed from again whenever these have moved.
_EXPLORERS, _EXPLORERS_ABOVE = 64, 8
#: Samples that are turned round.
_TURNED = 16


def look_for_modes(population: LastLayer, density: Density, known: Float[Array, "M P"]) -> tuple[Starts, Summit]:
    """Where modes are, or codes might be, among the neurons as they are, and where climbs from there lead.

    Each code is looked for in the cavity of the neuron nearest to it, from the mean of the neurons that have it, or
    from its pattern; other modes from single neurons in their own cavities, and from codes with one sample turned
    round, by climbs that end where they come close to what has been found here, or is `known` from before, by its
    activity.
    """
    basis, inverse = population.basis, population.inverse
    prior = PreactivationPrior.of(basis, orthogonal=density.network.depth == 1)

    def climbs(starts: Starts, known: Float[Array, "M P"] | None = None) -> Summit:
        return climb(Reference(population.activity, inverse, starts), density, basis, prior, known=known)

    of_codes = _codes_to_start_from(population, density)
    codes = climbs(of_codes)

    def gaps_to(activity: Float[Array, " P"]) -> Float[Array, " N"]:
        return jnp.max(jnp.abs(population.activity - activity), axis=1)

    def explore(
        carry: tuple[Float[Array, " N"], Bool[Array, " N"]], _: None
    ) -> tuple[tuple[Float[Array, " N"], Bool[Array, " N"]], tuple[Int[Array, ""], Summit]]:
        gaps, tried = carry
        neuron = jnp.argmax(jnp.where(tried, -jnp.inf, gaps))
        landscape = Landscape(without(population, neuron, density), inverse, density, basis)
        summit = summit_from(population.coordinates[neuron], landscape, prior, jnp.full(of_codes.code.shape[1], -1))
        return (jnp.fmin(gaps, gaps_to(summit.activity)), tried.at[neuron].set(True)), (neuron, summit)

    gaps = jnp.min(jax.lax.map(gaps_to, jnp.concatenate([known, _reached(codes)])), axis=0)
    nobody = jnp.zeros(len(population.activity), bool)
    _, (explorers, others) = jax.lax.scan(explore, (gaps, nobody), length=explorer_count(density))
    turned_from, turned = _turn_weakest(codes, population, known, density)
    turning = starts_at(of_codes.neuron[turned_from], turned, density)
    found = stacked(codes, others)
    summits = stacked(found, climbs(turning, known=jnp.concatenate([known, _reached(found)])))
    starts = stacked(of_codes, starts_at(explorers, others.centre @ basis.T, density), turning)
    # where there is no mode there may be one later, above layers that move
    tops = jnp.where(summits.found[:, None], summits.centre @ basis.T, starts.preactivation)
    return starts._replace(preactivation=tops, found=summits.found), summits


def starts_at(neurons: Int[Array, " J"], preactivation: Float[Array, "J P"], density: Density) -> Starts:
    """Of any code."""
    any_code = jnp.full((len(neurons), density.class_average.shape[1]), -1)
    return Starts(neurons, preactivation, any_code, jnp.ones(len(neurons), bool))


def _reached(summits: Summit) -> Float[Array, "K P"]:
    """Where climbs have ended: infinite where that is no mode."""
    return jnp.where(summits.found[:, None], summits.activity, jnp.inf)


def stacked[Rows](*parts: Rows) -> Rows:
    return jax.tree.map(lambda *each: jnp.concatenate(each), *parts)


def explorer_count(density: Density) -> int:
    """How many neurons are climbed from."""
    return min(_EXPLORERS if density.network.depth == 1 else _EXPLORERS_ABOVE, density.network.width)


def turned_count(codes: int, samples: int) -> int:
    """How many of a reference's places are codes with one sample turned round."""
    return min(_TURNED, codes * samples)


def _turn_weakest(
    modes: Summit, population: LastLayer, known: Float[Array, "M P"], density: Density
) -> tuple[Int[Array, " K"], Float[Array, "K P"]]:
    """The modes with the least decided samples, and their preactivations with that sample on the other side. Codes that
    neurons have come first, and in each the samples that no mode known of that code has turned round."""
    preactivation = modes.centre @ population.basis.T
    middle = density.network.activation.midpoint

    def among(activity: Float[Array, "M P"]) -> Bool[Array, "K M"]:
        """Which of them have the code of each mode."""
        codes, of_these = (each @ density.class_average > middle for each in (modes.activity, activity))
        return jnp.all(codes[:, None] == of_these, axis=2)

    apart = (known > middle) != (modes.activity[:, None] > middle)
    turned = jnp.any(among(known)[:, :, None] & jnp.isfinite(known) & apart, axis=1)
    empty = ~jnp.any(among(population.activity), axis=1, keepdims=True)
    last = jnp.max(jnp.abs(preactivation)) * (empty + turned)
    undecided = jnp.where(modes.found[:, None], -jnp.abs(preactivation) - last, -jnp.inf)
    chosen = jax.lax.top_k(undecided.ravel(), turned_count(*undecided.shape))[1]
    mode, sample = jnp.divmod(chosen, preactivation.shape[1])
    start, row = preactivation[mode], jnp.arange(len(chosen))
    return mode, start.at[row, sample].set(-_PATTERN_LEVEL * jnp.sign(start[row, sample]))


def _codes_to_start_from(population: LastLayer, density: Density) -> Starts:
    """Where the codes are looked for."""
    middle = density.network.activation.midpoint
    means = population.activity @ density.class_average
    bits = (means > middle).astype(int)
    codes = _codes_to_find(bits)
    membership = (density.class_average > 0).astype(population.activity.dtype)
    patterns = _PATTERN_LEVEL * (2.0 * codes - 1) @ membership.T
    owners = jnp.all(bits[None] == codes[:, None], axis=2).astype(patterns.dtype)
    counts = jnp.sum(owners, axis=1, keepdims=True)
    preactivation = population.coordinates @ population.basis.T
    starts = jnp.where(counts > 0, owners @ preactivation / jnp.maximum(counts, 1), patterns)
    wanted = density.network.activation(patterns) @ density.class_average
    nearest = jnp.argmin(jnp.sum((means[None] - wanted[:, None]) ** 2, axis=2), axis=1)
    return Starts(nearest, starts, codes, jnp.ones(len(codes), bool))


def nearest_neurons(population: LastLayer, activity: Float[Array, "M P"]) -> Int[Array, " M"]:
    """The neuron nearest to each of some activities."""
    lengths = jnp.sum(population.activity**2, axis=1) / 2
    return jnp.argmin(lengths - activity @ population.activity.T, axis=1)


def starts_kept(density: Density) -> int:
    """Starts of a reference that is kept. Above layers that move on, codes that nobody has found yet may be found
    later, and nothing is known from before."""
    samples, classes = len(density.targets), density.class_average.shape[1]
    known = mode_count(classes, samples) if density.network.depth == 1 else 0
    return code_count(classes) + known + explorer_count(density) + turned_count(code_count(classes), samples)


def no_reference(density: Density) -> Reference:
    """Room for a reference."""
    samples, classes, count = len(density.targets), density.class_average.shape[1], starts_kept(density)
    return Reference(
        activity=jnp.zeros((density.network.width, samples)),
        inverse=jnp.eye(samples),
        starts=Starts(
            neuron=jnp.zeros(count, int),
            preactivation=jnp.zeros((count, samples)),
            code=jnp.zeros((count, classes), int),
            found=jnp.zeros(count, bool),
        ),
    )


def _codes_to_find(bits: Int[Array, "N G"]) -> Int[Array, "K G"]:
    """The codes to look for: all, or the first that the neurons have (repeated where they are fewer)."""
    classes = bits.shape[1]
    if classes <= ALL_CODES_UP_TO:
        return (jnp.arange(2**classes)[:, None] >> jnp.arange(classes)) & 1
    return jnp.unique(bits, axis=0, size=code_count(classes))
