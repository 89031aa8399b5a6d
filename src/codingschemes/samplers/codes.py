"""HMC for all neurons together, and exact moves of single neurons that gradients never make: the sampler that
equilibrates codes and outliers.

Neurons of bounded activations jump between codes, alone (`jumps`) or while all others give way (`concerted`); pairs of
neurons of all others rotate into each other (`rotations`), of linear networks all of them at once, and the few that
carry the output of one layer of threshold neurons move along trajectories of their own (`outliers`). All act on the
last hidden layer, given the layers below, where neurons of bounded activations change their answer to one class
(`reversals`) or, sigmoid ones, to all (`flips`), and pairs of threshold neurons rotate with the weights that leave them
(`lower_rotations`); neurons of odd activations have a mirror image in every layer (`mirrors`). Pairs of a recurrent
network rotate with their weights (`recurrent_rotations`), whatever the activation.

Of linear networks in the reduced form a few numbers move by HMC, and all else is drawn at once given these
(`linear_networks`).
"""

from functools import lru_cache, partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from codingschemes.networks import Network
from codingschemes.posterior import Density, Position
from codingschemes.samplers.adaptation import AdaptiveState
from codingschemes.samplers.below import move_below, visits_below
from codingschemes.samplers.climbs import Reference
from codingschemes.samplers.concerted import concerted_sweep
from codingschemes.samplers.hmc import MEAN_LENGTH, brief_hmc, hmc, jittered_steps
from codingschemes.samplers.jumps import jump_sweep
from codingschemes.samplers.kernel import Info, Kernel, Search, Settings, register, renewal
from codingschemes.samplers.linear_networks import Factors, covers
from codingschemes.samplers.mode_pooling import SharedModes, join, look_around
from codingschemes.samplers.mode_search import no_reference
from codingschemes.samplers.modes import Modes, mode_count, modes_from
from codingschemes.samplers.neighbourhood import LastLayer, populate
from codingschemes.samplers.outliers import has_outliers, move_outliers, outlier_count
from codingschemes.samplers.recurrent_rotations import recurrent_rotation_sweep
from codingschemes.samplers.response import Response, response_of
from codingschemes.samplers.rotations import over_chains, redraw_alone, rotation_sweep, turn_all

#: When modes are looked for, as shares of the warm-up. What is found is frozen after the last.
_SEARCHES = (0.15, 0.25, 0.4, 0.6, 0.8)
#: A shorter warm-up is one of many on the way down from high temperature: it takes the first reference alone.
_LEAST_FOR_ALL_SEARCHES = 40
#: Above other layers the modes are computed again before neurons jump, which costs as much as several trajectories:
#: that often, and then for several sweeps, during which these layers stay as they are.
_DEEP_INTERVAL, _DEEP_SWEEPS = 5, 5
#: What a sweep of rotations takes, in gradients, at least and at most.
_ROTATIONS = 3.0, 15.0
#: Outliers move along trajectories of their own in one step of so many, where chains are not slow.
_SELDOM = 2
#: What a step of a linear network takes, in gradients, at least and at most.
_DRAWN_AT_ONCE = 1.0, 3.0
#: What a search takes for every place it looks at, in gradients, where there are as many samples as neurons.
_PLACE = 10.0


class CodesState(NamedTuple):
    """State of `codes`.

    Attributes:
        key: of the moves.
        flow: the state of HMC.
        reference: what the jumps have frozen; None where pairs rotate instead.
        modes: what follows from it and stays as it is; None above other layers, where modes move along with these.
        response: how all neurons give way when one changes its mode; None where `modes` is.
        network: the position, where HMC is of the factors that a linear network is drawn from; None elsewhere.
    """

    key: Array
    flow: AdaptiveState
    reference: Reference | None
    modes: Modes | None
    response: Response | None
    network: Position | None = None


@lru_cache
def codes(settings: Settings) -> Kernel:
    """A sweep of jumps or rotations, then an HMC trajectory."""
    flow = hmc(settings)
    kernel = _around(flow.without_schedule(), brief_hmc(settings).without_schedule())
    assert kernel.search is not None
    return kernel._replace(
        init=partial(_init, flow),
        warmup=settings.warmup,
        search=kernel.search._replace(steps=_search_steps(settings.warmup)),
        gradients=partial(_gradients, flow),
    )


@lru_cache
def _around(flow: Kernel, brief: Kernel) -> Kernel:
    """The kernel around the trajectories of `flow`, or the `brief` ones where outliers have their own, but for what
    depends on the length of the warm-up."""

    def step(state: CodesState, density: Density) -> tuple[CodesState, Info]:
        if covers(density):
            return _linear_step(flow, state, density)
        if density.network.recurrent:
            return _recurrent_step(flow, state, density)
        return _step(brief if has_outliers(density) else flow, state, density)

    def move(state: CodesState, position: Position, density: Density) -> CodesState:
        if not covers(density):
            return state._replace(flow=flow.move(state.flow, position, density))
        key, found = _factors_of(state.key, position, density)
        return state._replace(key=key, flow=flow.move(state.flow, found, _factors(density)), network=position)

    def pool(states: CodesState) -> CodesState:
        return states._replace(flow=flow.pool(states.flow))

    def pace(states: CodesState, memory: float) -> CodesState:
        return states._replace(flow=flow.pace(states.flow, memory))

    def renew(states: CodesState, positions: Position, density: Density) -> CodesState:
        if covers(density):
            keys, found = jax.vmap(_factors_of, (0, 0, None))(states.key, positions, density)
            return states._replace(
                key=keys, flow=renewal(flow)(states.flow, found, _factors(density)), network=positions
            )
        return states._replace(flow=renewal(flow)(states.flow, positions, density))

    return flow._replace(
        step=step,
        position=lambda state: flow.position(state.flow) if state.network is None else state.network,
        move=move,
        renew=renew,
        pool=pool,
        pace=pace,
        search=_search(flow),
        reversible=False,
        neuron_moves=True,
        jumps=_jumps,
        integration_time=None,
        compile_seconds=30.0,
    )


def _gradients(flow: Kernel, density: Density) -> tuple[float, float]:
    assert flow.gradients is not None
    if covers(density):
        return _DRAWN_AT_ONCE
    (fewest, most), (least, largest) = flow.gradients(density), _moves_in_gradients(density)
    return fewest + least, most + largest


def _init(flow: Kernel, key: Array, position: Position, density: Density) -> CodesState:
    key, flow_key = jax.random.split(key)
    if covers(density):
        key, found = _factors_of(key, position, density)
        return CodesState(key, flow.init(flow_key, found, _factors(density)), None, None, None, position)
    state = CodesState(key, flow.init(flow_key, position, density), None, None, None)
    if not _jumps(density.network):
        return state
    blank = no_reference(density)
    if density.network.depth > 1:
        return state._replace(reference=blank)
    modes, response = jax.tree.map(
        lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), jax.eval_shape(_modes_and_response, blank, density)
    )
    return state._replace(reference=blank, modes=modes, response=response)


def _step(flow: Kernel, state: CodesState, density: Density) -> tuple[CodesState, Info]:
    """Of a network whose layers have weights of their own: moves below, of the last layer, then a trajectory."""
    key, sweep_key, replace_key, below_key, outlier_key = jax.random.split(state.key, 5)
    position, trials = move_below(below_key, flow.position(state.flow), density)
    gradients = 1 + (trials + 2) // 3
    if state.reference is None:
        coordinates, switches = _rotate(sweep_key, position, density), jnp.asarray(0)
        if has_outliers(density):
            coordinates, of_outliers = _move_outliers(outlier_key, coordinates, state.flow, density)
            gradients = gradients + of_outliers
    else:
        due = state.flow.iteration % (1 if density.network.depth == 1 else _DEEP_INTERVAL) == 0
        coordinates, switches = _jump_sweeps(
            sweep_key, position, state.reference, state.modes, state.response, due, density
        )
    moved = flow.move(state.flow, density.replace_last_layer(replace_key, position, coordinates), density)
    stepped, info = flow.step(moved, density)
    info = info._replace(gradients=info.gradients + gradients, switches=switches)
    return state._replace(key=key, flow=stepped), info


def _linear_step(flow: Kernel, state: CodesState, density: Density) -> tuple[CodesState, Info]:
    """A trajectory of the factors, and the network drawn given these."""
    key, draw_key = jax.random.split(state.key)
    factors = _factors(density)
    stepped, info = flow.step(state.flow, factors)
    network = factors.draw_network(draw_key, flow.position(stepped))
    info = info._replace(potential=density.potential(network), gradients=jnp.ones_like(info.gradients))
    return state._replace(key=key, flow=stepped, network=network), info


def _factors(density: Density) -> Any:
    """What a linear network is drawn from. HMC, a kernel of densities, asks them for no more than `GradientTarget`."""
    return Factors(density)


def _factors_of(key: Array, position: Position, density: Density) -> tuple[Array, Position]:
    """Another key, and the factors of a linear network."""
    key, factor_key = jax.random.split(key)
    return key, Factors(density).of_network(factor_key, position)


def _recurrent_step(flow: Kernel, state: CodesState, density: Density) -> tuple[CodesState, Info]:
    key, sweep_key = jax.random.split(state.key)
    pairs = density.network.width // 2
    position = recurrent_rotation_sweep(sweep_key, flow.position(state.flow), density, pairs)
    stepped, info = flow.step(flow.move(state.flow, position, density), density)
    return state._replace(key=key, flow=stepped), info._replace(gradients=info.gradients + 1 + 2 * pairs)


def _search_steps(warmup: int) -> tuple[int, ...]:
    shares = _SEARCHES if warmup >= _LEAST_FOR_ALL_SEARCHES else _SEARCHES[:1]
    return tuple(sorted({int(warmup * share) for share in shares})) if warmup else ()


def _search(flow: Kernel) -> Search:
    """What chains look for together: the modes that neurons jump between."""

    def explore(state: CodesState, density: Density) -> tuple[Reference, SharedModes] | tuple[None, None]:
        if state.reference is None:
            return None, None
        population = populate(density, *density.last_layer(flow.position(state.flow)))
        return look_around(population, density, _known(state, density))

    def adopt(state: CodesState, own: Reference | None, shared: SharedModes | None, density: Density) -> CodesState:
        if own is None or shared is None:
            return state
        population = populate(density, *density.last_layer(flow.position(state.flow)))
        return state._replace(reference=join(own, shared, population, density))

    def forget(state: CodesState) -> CodesState:
        return state._replace(modes=None, response=None)

    def recall(state: CodesState, density: Density) -> CodesState:
        if state.reference is None or density.network.depth > 1:
            return state
        modes, response = _modes_and_response(state.reference, density)
        return state._replace(modes=modes, response=response)

    def remember(forgetful: CodesState, state: CodesState) -> CodesState:
        return forgetful._replace(modes=state.modes, response=state.response)

    return Search((), explore, adopt, forget, recall, remember, _search_in_gradients)


def _known(state: CodesState, density: Density) -> SharedModes:
    """The modes found in the last search. Above other layers, which have moved since, none are taken for known."""
    if state.modes is None:
        return SharedModes.none(density)
    return SharedModes(state.modes.centre @ density.basis.T, state.modes.found)


def _jumps(network: Network) -> bool:
    """Whether neurons jump between codes: those of other networks rotate in pairs."""
    return network.activation.bounded and network.width > 1 and not network.recurrent


def _modes_and_response(reference: Reference, density: Density) -> tuple[Modes, Response]:
    """What follows from a reference, with one hidden layer."""
    modes = modes_from(reference, density, density.basis)
    return modes, response_of(modes, reference, density)


def _search_in_gradients(density: Density) -> float:
    """The time of a search, in gradients: of a cube of the samples for every place looked at."""
    if not _jumps(density.network):
        return 0.0
    places = len(jax.eval_shape(no_reference, density).preactivation)
    return _PLACE * places * density.targets.shape[0] / density.network.width


def _moves_in_gradients(density: Density) -> tuple[float, float]:
    """The time of the moves beside a trajectory, at least and at most about, in gradients."""
    network, classes = density.network, density.class_average.shape[1]
    if network.recurrent:
        pairs = network.width // 2
        return 1.0 + 2 * pairs, 1.0 + 2 * pairs
    below = 1 + visits_below(density).gradients
    if _jumps(network):  # each neuron is compared with every mode; above other layers these are found again
        again = 0.0 if network.depth == 1 else _search_in_gradients(density) / _DEEP_INTERVAL
        modes = mode_count(classes, density.targets.shape[0])
        return below + modes / 3 + again / 9, below + modes + again / 3
    return below + _ROTATIONS[0], below + _ROTATIONS[1]


def _rotate(key: Array, position: Position, density: Density) -> Float[Array, "N R"]:
    """The last layer's coordinates after rotations."""
    if density.network.activation.family == "linear":
        return turn_all(key, density.last_layer(position)[0])
    if density.network.width == 1:
        return redraw_alone(key, *density.last_layer(position), density)
    return over_chains(_rotate_pairs, density)(key, position, density)


def _rotate_pairs(key: Array, position: Position, density: Density) -> Float[Array, "N R"]:
    population = populate(density, *density.last_layer(position))
    return rotation_sweep(key, population, density, density.network.width // 2).coordinates


def _move_outliers(
    key: Array, coordinates: Float[Array, "N R"], flow: AdaptiveState, density: Density
) -> tuple[Float[Array, "N R"], Int[Array, ""]]:
    """The last layer's coordinates, where it is time after a trajectory of its outliers, and what that took, in
    gradients.

    Trajectories are as long as outliers are. While chains look for equilibrium, and where they are slow, there is one
    in every step: it is along these that arrangements of outliers are left. Their steps are those of all neurons or
    down to half of them: outliers may need shorter ones.
    """
    step_key, trajectory_key = jax.random.split(key)
    step_size = flow.step_size * jax.random.uniform(step_key, dtype=flow.step_size.dtype, minval=0.5)
    steps = jittered_steps(flow.iteration, step_size, flow.extent / MEAN_LENGTH)
    interval = jnp.where(flow.slow | (flow.iteration < flow.warmup), 1, _SELDOM)
    due = flow.iteration % interval == 0
    moved = over_chains(_move_if_due, density)(trajectory_key, coordinates, due, density, step_size, steps)
    return moved, jnp.where(due, 1 + steps * outlier_count(density) // density.network.width, 0)


def _move_if_due(
    key: Array, coordinates: Float[Array, "N R"], due: Array, density: Density, step_size: Array, steps: Array
) -> Float[Array, "N R"]:
    return jax.lax.cond(due, lambda: move_outliers(key, coordinates, density, step_size, steps), lambda: coordinates)


@jax.custom_batching.sequential_vmap
def _jump_sweeps(
    key: Array,
    position: Position,
    frozen: Reference,
    modes: Modes | None,
    response: Response | None,
    due: Array,
    density: Density,
) -> tuple[Float[Array, "N R"], Int[Array, ""]]:
    """The last layer's coordinates after jumps, and how many were accepted. Chains one after the other, so that a
    branch not taken costs nothing."""
    coordinates, basis = density.last_layer(position)

    def sweep() -> tuple[Array, Array]:
        population = populate(density, coordinates, basis)
        if modes is not None and response is not None:
            alone_key, concerted_key = jax.random.split(key)
            population, alone = jump_sweep(alone_key, population, modes, density)
            population, concerted = concerted_sweep(concerted_key, population, modes, response, density)
            return population.coordinates, alone + concerted
        here = modes_from(frozen, density, basis)

        def again(index: Array, carry: tuple[LastLayer, Array]) -> tuple[LastLayer, Array]:
            swept, switches = jump_sweep(jax.random.fold_in(key, index), carry[0], here, density)
            return swept, carry[1] + switches

        population, switches = jax.lax.fori_loop(0, _DEEP_SWEEPS, again, (population, jnp.asarray(0)))
        return population.coordinates, switches

    return jax.lax.cond(due, sweep, lambda: (coordinates, jnp.asarray(0)))


register("codes", codes, default_for=("draws",))
