"""One neuron takes another code while all others give way, exactly.

At low temperature the other neurons have settled around the codes that there are: a neuron that jumps alone finds the
forces of its old place. On images a jump that is as probable as not costs 10 to 30 nats before the others have given
way, and the number of neurons in a code changes once in a hundred draws. Here all neurons of each code move along by
how the population responds to one neuron more in one mode and one less in another, to first order and frozen
(`response`), and the neuron that jumps is chosen among all that are in its mode:

1. a pair of modes of different codes is drawn, a and b, with frozen symmetric chances;
2. of the n neurons in a, m are looked at (all, or `_CANDIDATES` at random): all others shift by their code's response,
   the neuron is carried to b about centres that it has among the others before and after (`Modes.carry`); the
   densities' ratio, volumes included, is r_i;
3. one is chosen with chance r_i^{1/2} / sum r^{1/2}, and the move accepted with

       min(1, [(n/m) sum r_i^{1/2}] / [(n'/m') sum r'_j^{1/2}]),

   the second sum over m' of the n' neurons that are in b then, the one that has moved among them, on their way to a.

The way back subtracts the same shifts and has r' = 1/r, so that this is the Metropolis-Hastings ratio (the balanced
weights of Zanella 2020, over a random subset). No other neuron may leave its code, or its shift would not be taken
back.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from codingschemes.posterior import Density, Scalar
from codingschemes.samplers.jumps import centre_among
from codingschemes.samplers.modes import Modes, mode_of
from codingschemes.samplers.neighbourhood import Cavity, LastLayer, cavities_of, populate
from codingschemes.samplers.response import Response

#: Neurons of a mode that are looked at: enough that one of them fits, and few beside the two factorisations of S.
_CANDIDATES = 16


class ConcertedJump(NamedTuple):
    """From one mode to another, and what all neurons do meanwhile, (kind, component)."""

    one: Int[Array, ""]
    other: Int[Array, ""]
    shift: Float[Array, "K R"]

    def back(self) -> "ConcertedJump":
        return ConcertedJump(self.other, self.one, -self.shift)


class Offers(NamedTuple):
    """What a route would do.

    Attributes:
        neurons: those that are looked at.
        log_ratio: of the densities after and before if it is this one that takes the route; -inf where it cannot.
        converted: its coordinates then.
        blur: its auxiliary numbers then.
        others: coordinates of all neurons where it is another one.
        total: log of what all neurons of the mode offer together, by those that are looked at.
    """

    neurons: Int[Array, " M"]
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
    route: ConcertedJump
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
    """There, and where that may be accepted, back: a loop, so that what a route would do is compiled once."""
    route_key, blur_key, order_key, choice_key, accept_key = jax.random.split(key, 5)
    blur = None
    if not modes.frame.complete:  # held, as in `jumps`
        blur = jax.lax.optimization_barrier(jax.random.normal(blur_key, population.activity.shape))
    order = jax.random.uniform(order_key, (2, len(population.activity)))
    level = jnp.log(jax.random.uniform(accept_key, dtype=population.coordinates.dtype))

    def look(journey: Journey) -> Journey:
        place, blur = journey.place, journey.blur
        offers = _offers(place, blur, journey.order, journey.route, modes, response, density)
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
            journey.route.back(),
            journey.totals.at[journey.looks].set(offers.total),
            journey.looks + 1,
            journey.gone | goes,
        )

    totals = jnp.zeros(2, population.coordinates.dtype)
    start = Journey(
        population, blur, order[0], _draw_pair(route_key, response), totals, jnp.asarray(0), jnp.asarray(False)
    )
    end = jax.lax.while_loop(lambda it: (it.looks == 0) | ((it.looks == 1) & it.gone), look, start)
    accepted = end.gone & (level < end.totals[0] - end.totals[1])
    return jax.tree.map(lambda new, old: jnp.where(accepted, new, old), end.place, population), accepted


def _draw_pair(key: Array, response: Response) -> ConcertedJump:
    """A pair of modes of different codes, by the product of their weights."""
    apart = response.kind[:, None] != response.kind
    chance = jnp.outer(response.weight, response.weight) * apart
    one, other = jnp.divmod(jax.random.categorical(key, jnp.log(chance).ravel()), len(response.kind))
    return ConcertedJump(one, other, response.shift[other] - response.shift[one])


def _offers(
    population: LastLayer,
    blur: Float[Array, "N P"] | None,
    order: Float[Array, " N"],
    route: ConcertedJump,
    modes: Modes,
    response: Response,
    density: Density,
) -> Offers:
    """What a route would do; see the module's text. Neurons of its beginning are looked at by `order`, lowest first."""
    places = jax.vmap(mode_of, (0, None))
    own = places(population.activity, modes)
    others = population.coordinates + route.shift[response.kind[own]]
    given_way = populate(density, others, population.basis)
    leaves = response.kind[places(given_way.activity, modes)] != response.kind[own]
    members = own == route.one
    _, neurons = jax.lax.top_k(-jnp.where(members, order, jnp.inf), min(_CANDIDATES, len(own)))
    here, there = (cavities_of(each, neurons, density) for each in (population, given_way))
    centres = jax.vmap(centre_among, (0, None, None, None))
    before = centres(here, route.one, modes.activity[route.one] @ population.inverse, modes)
    after = centres(there, route.other, modes.activity[route.other] @ given_way.inverse, modes)

    def carry(coordinates: Array, blur: Array | None, before: Array, after: Array) -> tuple[Array, Array | None, Array]:
        return modes.carry(coordinates, blur, (route.one, before), (route.other, after))

    begin, blurs = population.coordinates[neurons], None if blur is None else blur[neurons]
    converted, blurred, gain = jax.vmap(carry, (0, None if blur is None else 0, 0, 0))(begin, blurs, before, after)
    activity = density.network.activation(converted @ population.basis.T)
    arrives = places(activity, modes) == route.other
    allowed = members[neurons] & arrives & (jnp.sum(leaves) == leaves[neurons])
    lengths = jnp.sum(others**2, axis=1)
    log_ratio = (
        _log_likelihood(given_way, density)
        - _log_likelihood(population, density)
        + _own_log_likelihood(there, activity, given_way)
        - _own_log_likelihood(there, given_way.activity[neurons], given_way)
        - (jnp.sum(lengths) - lengths[neurons] + jnp.sum(converted**2, axis=1) - jnp.sum(population.coordinates**2)) / 2
        + gain
        + modes.log_volume[route.other]
        - modes.log_volume[route.one]
    )
    log_ratio = jnp.where(allowed, log_ratio, -jnp.inf)
    return Offers(neurons, log_ratio, converted, blurred, others, _total(log_ratio, jnp.sum(members)))


def _total(log_ratio: Float[Array, " M"], members: Int[Array, ""]) -> Scalar:
    """What all members offer together, by the first of them."""
    return jax.nn.logsumexp(log_ratio / 2) + jnp.log(members / jnp.minimum(members, len(log_ratio)))


def _own_log_likelihood(cavities: Cavity, activity: Float[Array, "M P"], population: LastLayer) -> Float[Array, " M"]:
    """The misfit's part of each neuron's log density in its own cavity."""
    image = activity @ population.inverse
    return jax.vmap(lambda cavity, one, its: cavity.log_likelihood(one[None], its[None])[0])(cavities, activity, image)


def _log_likelihood(population: LastLayer, density: Density) -> Scalar:
    """The misfit's part of the whole log density, up to a constant."""
    return -(jnp.sum(density.targets * population.field) + density.targets.shape[1] * population.log_det) / 2
