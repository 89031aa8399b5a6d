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
from codingschemes.posterior import Density, Position, Scalar
from codingschemes.samplers.adaptation import AdaptiveState
from codingschemes.samplers.below import move_below, visits_below
from codingschemes.samplers.climbs import Reference
from codingschemes.samplers.concerted import concerted_sweep
from codingschemes.samplers.hmc import MEAN_LENGTH, brief_hmc, hmc, jittered_steps
from codingschemes.samplers.jumps import jump_sweep
from codingschemes.samplers.kernel import Info, Kernel, Search, Settings, register, renewal
from codingschemes.samplers.linear_networks import Factors, covers
from codingschemes.samplers.mode_pooling import ToldModes, join, look_around, shared
from codingschemes.samplers.mode_search import no_reference, starts_kept
from codingschemes.samplers.modes import Modes, mode_count, modes_from
from codingschemes.samplers.neighbourhood import LastLayer, populate
from codingschemes.samplers.outliers import has_outliers, move_outliers, outlier_count
from codingschemes.samplers.recurrent_rotations import recurrent_rotation_sweep
from codingschemes.samplers.response import Response, response_of
from codingschemes.samplers.rotations import over_chains, redraw_alone, rotation_sweep, turn_all
from codingschemes.samplers.transition import evaluate

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
#: What a search takes for every start, in gradients, where there are as many samples as neurons, with one hidden layer
#: and above others.
_START, _START_ABOVE = 2.5, 10.0
#: What jumps take for every mode, in gradients, at least and at most.
_MODE = 1 / 20, 1 / 3


class CodesState(NamedTuple):
    """State of `codes`.

    Attributes:
        key: of the moves.
        flow: the state of HMC.
        reference: what the chain has found in searches; None where pairs rotate instead.
        network: the position, where HMC is of the factors that a linear network is drawn from; None elsewhere.
        frozen: what follows from those of all chains with one hidden layer, lent for a step; None elsewhere, and above
            other layers, where modes move along with these.
    """

    key: Array
    flow: AdaptiveState
    reference: Reference | None
    network: Position | None = None
    frozen: "FrozenModes | None" = None


class FrozenModes(NamedTuple):
    """The modes that neurons jump between, and how all neurons give way when one changes its mode."""

    modes: Modes
    response: Response


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
        return CodesState(key, flow.init(flow_key, found, _factors(density)), None, position)
    reference = no_reference(density) if _jumps(density.network) else None
    return CodesState(key, flow.init(flow_key, position, density), reference)


def _step(flow: Kernel, state: CodesState, density: Density) -> tuple[CodesState, Info]:
    """Of a network whose layers have weights of their own: moves below, of the last layer, then a trajectory."""
    key, sweep_key, replace_key, below_key, outlier_key = jax.random.split(state.key, 5)
    position, trials = move_below(below_key, flow.position(state.flow), density)
    gradients, misfit = 1 + (trials + 2) // 3, None
    if state.reference is None:
        coordinates, switches = _rotate(sweep_key, position, density), jnp.asarray(0)
        if has_outliers(density):
            coordinates, of_outliers = _move_outliers(outlier_key, coordinates, state.flow, density)
            gradients = gradients + of_outliers
    elif density.network.depth > 1:
        due = state.flow.iteration % _DEEP_INTERVAL == 0
        coordinates, switches = _jump_sweeps_above(sweep_key, position, state.reference, due, density)
    elif state.frozen is None:  # nobody has searched
        coordinates, switches = density.last_layer(position)[0], jnp.asarray(0)
    else:
        coordinates, misfit, switches = _jump_sweeps(sweep_key, position, state.frozen, density)
    position = density.replace_last_layer(replace_key, position, coordinates)
    known = density.potential_of(position, misfit) if misfit is not None and density.collapsed else None
    stepped, info = flow.step(state.flow._replace(point=evaluate(density, position, known)), density)
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

    def explore(state: CodesState, density: Density) -> tuple[Reference | None, ToldModes | None]:
        if state.reference is None:
            return None, None
        population = populate(density, *density.last_layer(flow.position(state.flow)))
        own = look_around(population, density, _known(state, density))
        return own, ToldModes.of(own) if density.network.depth > 1 else None

    def adopt(state: CodesState, own: Reference | None, told: ToldModes | None, density: Density) -> CodesState:
        if own is None:
            return state
        return state._replace(reference=own if told is None else join(own, told, density))

    def common(states: CodesState, density: Density) -> FrozenModes | None:
        if states.reference is None or density.network.depth > 1:
            return None
        return _frozen(states.reference, density)

    def lend(state: CodesState, common: FrozenModes | None) -> CodesState:
        return state._replace(frozen=common)

    def take_back(state: CodesState) -> CodesState:
        return state._replace(frozen=None)

    return Search((), explore, adopt, common, lend, take_back, _search_in_gradients)


def _known(state: CodesState, density: Density) -> ToldModes:
    """The modes found in the last search. Above other layers, which have moved since, none are taken for known."""
    if state.frozen is None:
        return ToldModes.none(density)
    modes = state.frozen.modes
    return ToldModes(modes.centre @ density.basis.T, modes.found)


def _jumps(network: Network) -> bool:
    """Whether neurons jump between codes: those of other networks rotate in pairs."""
    return network.activation.bounded and network.width > 1 and not network.recurrent


def _frozen(references: Reference, density: Density) -> FrozenModes:
    """What follows from the references of all chains, stacked, with one hidden layer: no modes before there are any."""

    def found() -> FrozenModes:
        reference = shared(references, density)
        modes = modes_from(reference, density, density.basis)
        return FrozenModes(modes, response_of(modes, reference, references.activity, density))

    def nothing() -> FrozenModes:
        return jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), jax.eval_shape(found))

    return jax.lax.cond(jnp.any(references.starts.found), found, nothing)


def _search_in_gradients(density: Density) -> float:
    """The time of a search, in gradients: of a cube of the samples for every start."""
    if not _jumps(density.network):
        return 0.0
    of_start = _START if density.network.depth == 1 else _START_ABOVE
    return of_start * starts_kept(density) * density.targets.shape[0] / density.network.width


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
        return below + _MODE[0] * modes + again / 9, below + _MODE[1] * modes + again / 3
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
    key: Array, position: Position, frozen: FrozenModes, density: Density
) -> tuple[Float[Array, "N R"], Scalar, Int[Array, ""]]:
    """The only layer's coordinates after jumps, alone and in concert, the misfit there with the readout integrated out,
    and how many were accepted. Chains one after the other, so that a branch not taken costs nothing."""
    alone_key, concerted_key = jax.random.split(key)
    population = populate(density, *density.last_layer(position))
    population, alone = jump_sweep(alone_key, population, frozen.modes, density)
    population, concerted = concerted_sweep(concerted_key, population, *frozen, density)
    return population.coordinates, population.misfit(density), alone + concerted


@jax.custom_batching.sequential_vmap
def _jump_sweeps_above(
    key: Array, position: Position, reference: Reference, due: Array, density: Density
) -> tuple[Float[Array, "N R"], Int[Array, ""]]:
    """The last layer's coordinates, where it is time after jumps, and how many were accepted."""
    coordinates, basis = density.last_layer(position)

    def sweep() -> tuple[Array, Array]:
        population = populate(density, coordinates, basis)
        here = modes_from(reference, density, basis)

        def again(index: Array, carry: tuple[LastLayer, Array]) -> tuple[LastLayer, Array]:
            swept, switches = jump_sweep(jax.random.fold_in(key, index), carry[0], here, density)
            return swept, carry[1] + switches

        population, switches = jax.lax.fori_loop(0, _DEEP_SWEEPS, again, (population, jnp.asarray(0)))
        return population.coordinates, switches

    return jax.lax.cond(due, sweep, lambda: (coordinates, jnp.asarray(0)))


register("codes", codes, default_for=("draws",))
