"""One neuron takes another code while all others give way, exactly.

At low temperature the other neurons have settled around the codes that there are: a neuron that jumps alone finds the
forces of its old place. On images a jump that is as probable as not costs 10 to 30 nats before the others have given
way, and the number of neurons in a code changes once in a hundred draws. Here all neurons of each code move along by
how the population responds to one neuron more in one mode and one less in another, to first order and frozen
(`response`), and the neuron that jumps is chosen among all that are in its mode:

1. a pair of codes is drawn, A and B, with frozen symmetric chances, and how far all others give way;
2. of the n neurons with code A, m are looked at (all, or `_CANDIDATES` at random): all others shift by their code's
   response, and each i of them is offered a mode b_i of B, by what the modes weigh in its cavity then (as in `jumps`),
   and carried there from its own mode a_i about centres that it has among the others before and after (`Modes.carry`);
   r_i is the densities' ratio, volumes included, times the chance to be offered a_i on the way back over that of b_i;
3. one is chosen with chance r_i^{1/2} / sum r^{1/2}, and the move accepted with

       min(1, [(n/m) sum r_i^{1/2}] / [(n'/m') sum r'_j^{1/2}]),

   the second sum over m' of the n' neurons with code B then, the one that has moved among them, on their way to A: it
   to a_i, the others to modes that they are offered.

The way back subtracts the same shifts and has r' = 1/r, so that this is the Metropolis-Hastings ratio (the balanced
weights of Zanella 2020, over a random subset). No other neuron may leave its code, or its shift would not be taken
back.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from codingschemes.posterior import Density, Scalar
from codingschemes.samplers.jumps import centre_among, frozen_weights, with_floor
from codingschemes.samplers.modes import Modes, mode_of
from codingschemes.samplers.neighbourhood import Cavity, LastLayer, cavities_of, populate
from codingschemes.samplers.response import Response

#: Neurons of a code that are looked at: enough that one of them fits, and few beside the two factorisations of S.
_CANDIDATES = 16
#: Others give way by up to so many times the response: what is best differs between pairs of codes, and neurons that
#: nearly have another code may stand less.
_FARTHEST = 1.25


class Conversion(NamedTuple):
    """From one code to another, and what all neurons do meanwhile, (code, component)."""

    one: Int[Array, ""]
    other: Int[Array, ""]
    shift: Float[Array, "H R"]

    def back(self) -> "Conversion":
        return Conversion(self.other, self.one, -self.shift)


class Traveller(NamedTuple):
    """The neuron that has been converted, and the mode that it was in; nobody before."""

    neuron: Int[Array, ""]
    home: Int[Array, ""]


class Offers(NamedTuple):
    """What a conversion would do.

    Attributes:
        neurons: those that are looked at.
        own: the modes that they are in.
        log_ratio: log r_i if it is this one that is converted; -inf where it cannot.
        converted: its coordinates then.
        blur: its auxiliary numbers then.
        others: coordinates of all neurons where it is another one.
        total: log of what all neurons of the code offer together, by those that are looked at.
    """

    neurons: Int[Array, " M"]
    own: Int[Array, " M"]
    log_ratio: Float[Array, " M"]
    converted: Float[Array, "M R"]
    blur: Float[Array, "M P"] | None
    others: Float[Array, "N R"]
    total: Scalar


class Journey(NamedTuple):
    """On the way: where all neurons are, what the next look takes, what those so far have found, and whether it went
    on after the first."""

    place: LastLayer
    blur: Float[Array, "N P"] | None
    order: Float[Array, " N"]
    conversion: Conversion
    traveller: Traveller
    totals: Float[Array, " 2"]
    looks: Int[Array, ""]
    gone: Bool[Array, ""]


def concerted_sweep(
    key: Array, population: LastLayer, modes: Modes, response: Response, density: Density
) -> tuple[LastLayer, Int[Array, ""]]:
    """As many attempts as are worth it, one after the other; also the number of accepted ones."""

    def attempt(index: Array, carry: tuple[LastLayer, Array]) -> tuple[LastLayer, Array]:
        population, switches = carry
        population, accepted = _attempt(jax.random.fold_in(key, index), population, modes, response, density)
        return population, switches + accepted

    return jax.lax.fori_loop(0, response.attempts, attempt, (population, jnp.asarray(0)))


def _attempt(
    key: Array, population: LastLayer, modes: Modes, response: Response, density: Density
) -> tuple[LastLayer, Array]:
    """There, and where that may be accepted, back: a loop, so that what a conversion would do is compiled once."""
    conversion_key, blur_key, order_key, mode_key, choice_key, accept_key = jax.random.split(key, 6)
    blur = None
    if not modes.frame.complete:  # held, as in `jumps`
        blur = jax.lax.optimization_barrier(jax.random.normal(blur_key, population.activity.shape))
    order = jax.random.uniform(order_key, (2, len(population.activity)))
    level = jnp.log(jax.random.uniform(accept_key, dtype=population.coordinates.dtype))

    def look(journey: Journey) -> Journey:
        place, blur = journey.place, journey.blur
        offers = _offers(jax.random.fold_in(mode_key, journey.looks), journey, modes, response, density)
        chosen = jax.random.categorical(choice_key, offers.log_ratio / 2)
        neuron, own = offers.neurons[chosen], offers.log_ratio[chosen]
        # the way back offers at least what its own neuron does, and at least once
        goes = (journey.looks == 0) & jnp.isfinite(own) & (level < offers.total + own / 2)

        def arrived() -> tuple[LastLayer, Array | None]:
            blurred = None if blur is None or offers.blur is None else blur.at[neuron].set(offers.blur[chosen])
            return populate(density, offers.others.at[neuron].set(offers.converted[chosen]), place.basis), blurred

        there, blurred = jax.lax.cond(goes, arrived, lambda: (place, blur))
        return Journey(
            there,
            blurred,
            order[1].at[neuron].set(-1.0),
            journey.conversion.back(),
            Traveller(neuron, offers.own[chosen]),
            journey.totals.at[journey.looks].set(offers.total),
            journey.looks + 1,
            journey.gone | goes,
        )

    conversion, nobody = _draw_conversion(conversion_key, response), Traveller(jnp.asarray(-1), jnp.asarray(-1))
    totals = jnp.zeros(2, population.coordinates.dtype)
    start = Journey(population, blur, order[0], conversion, nobody, totals, jnp.asarray(0), jnp.asarray(False))
    end = jax.lax.while_loop(lambda it: (it.looks == 0) | ((it.looks == 1) & it.gone), look, start)
    accepted = end.gone & (level < end.totals[0] - end.totals[1])
    return jax.tree.map(lambda new, old: jnp.where(accepted, new, old), end.place, population), accepted


def _draw_conversion(key: Array, response: Response) -> Conversion:
    pair_key, way_key = jax.random.split(key)
    one, other = jnp.divmod(jax.random.categorical(pair_key, jnp.log(response.chance).ravel()), len(response.chance))
    way = jax.random.uniform(way_key, dtype=response.shift.dtype, maxval=_FARTHEST)
    return Conversion(one, other, way * (response.shift[other] - response.shift[one]))


def _offers(key: Array, journey: Journey, modes: Modes, response: Response, density: Density) -> Offers:
    """What a conversion would do; see the module's text. Neurons of its code are looked at by `order`, lowest first."""
    population, conversion = journey.place, journey.conversion
    places = jax.vmap(mode_of, (0, None))
    every = places(population.activity, modes)
    code = response.code[every]
    others = population.coordinates + conversion.shift[code]
    given_way = populate(density, others, population.basis)
    leaves = response.code[places(given_way.activity, modes)] != code
    members = code == conversion.one
    _, neurons = jax.lax.top_k(-jnp.where(members, journey.order, jnp.inf), min(_CANDIDATES, len(code)))
    here, there = (cavities_of(each, neurons, density) for each in (population, given_way))
    images_here, images_there = (modes.images(each.inverse) for each in (population, given_way))
    to_one = _log_chances(here, modes, images_here, response.code == conversion.one)
    to_other = _log_chances(there, modes, images_there, response.code == conversion.other)
    own = every[neurons]
    other = jax.vmap(jax.random.categorical)(jax.random.split(key, len(neurons)), to_other)
    other = jnp.where(neurons == journey.traveller.neuron, journey.traveller.home, other)

    def carry(row: tuple) -> tuple[Array, Array | None, Array]:
        coordinates, blur, own, other, here, there = row
        before = centre_among(here, own, images_here[own], modes)
        after = centre_among(there, other, images_there[other], modes)
        return modes.carry(coordinates, blur, (own, before), (other, after))

    blur = None if journey.blur is None else journey.blur[neurons]
    rows = (population.coordinates[neurons], blur, own, other, here, there)
    converted, blurred, gain = jax.lax.map(carry, rows)
    activity = density.network.activation(converted @ population.basis.T)
    arrives = places(activity, modes) == other
    allowed = members[neurons] & arrives & (jnp.sum(leaves) == leaves[neurons])
    lengths = jnp.sum(others**2, axis=1)
    each = jnp.arange(len(neurons))
    log_ratio = (
        population.misfit(density)
        - given_way.misfit(density)
        + _own_log_likelihood(there, activity, given_way)
        - _own_log_likelihood(there, given_way.activity[neurons], given_way)
        - (jnp.sum(lengths) - lengths[neurons] + jnp.sum(converted**2, axis=1) - jnp.sum(population.coordinates**2)) / 2
        + gain
        + modes.log_volume[other]
        - modes.log_volume[own]
        + to_one[each, own]
        - to_other[each, other]
    )
    log_ratio = jnp.where(allowed, log_ratio, -jnp.inf)
    return Offers(neurons, own, log_ratio, converted, blurred, others, _total(log_ratio, jnp.sum(members)))


def _log_chances(
    cavities: Cavity, modes: Modes, images: Float[Array, "K P"], among: Bool[Array, " K"]
) -> Float[Array, "M K"]:
    """By what chance each of some modes is offered in each cavity."""
    return with_floor(frozen_weights(cavities, modes, images), modes.found & among)


def _total(log_ratio: Float[Array, " M"], members: Int[Array, ""]) -> Scalar:
    """What all members offer together, by the first of them."""
    return jax.nn.logsumexp(log_ratio / 2) + jnp.log(members / jnp.minimum(members, len(log_ratio)))


def _own_log_likelihood(cavities: Cavity, activity: Float[Array, "M P"], population: LastLayer) -> Float[Array, " M"]:
    """The misfit's part of each neuron's log density in its own cavity."""
    image = activity @ population.inverse
    return jax.vmap(lambda cavity, one, its: cavity.log_likelihood(one[None], its[None])[0])(cavities, activity, image)
