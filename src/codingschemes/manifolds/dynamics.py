"""Training and sampling dynamics from given weights: which of them stay in a manifold."""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from blackjax.mcmc import mala
from jaxtyping import Array, Float

from codingschemes.calls import known_keywords
from codingschemes.errors import InvalidInput
from codingschemes.manifolds.manifold import Manifold, Neurons
from codingschemes.manifolds.problem import Problem

type Number = float | np.floating | Array
type Method = Literal["flow", "gd", "sgd", "adam"]

_RK4 = (np.array([0.5, 0.5, 1.0, 0.0]), np.array([1.0, 2.0, 2.0, 1.0]) / 6)


class Path(NamedTuple):
    """Weights along a trajectory, its start first.

    Attributes:
        step: steps made, (snapshot,).
        neurons: the weights, (snapshot, neuron, ...).
        loss: L, (snapshot,).

    Example:
        >>> path = cs.manifolds.descend(problem, neurons, "gd", rate=1e-3, steps=10, snapshots=2)
        >>> path.step.tolist(), path.neurons.weight.shape
        ([0.0, 5.0, 10.0], (3, 3, 2))
    """

    step: Float[Array, " S"]
    neurons: Neurons
    loss: Float[Array, " S"]


@known_keywords
def descend(
    problem: Problem,
    neurons: Neurons,
    method: Method,
    *,
    rate: float,
    steps: int,
    snapshots: int = 10,
    batch: int = 1,
    seed: int = 0,
    metric: Neurons | None = None,
    onto: Manifold | None = None,
) -> Path:
    """Follow -grad L.

    Args:
        problem: network, data and loss.
        neurons: where to start.
        method: `flow` (gradient flow, fourth-order Runge-Kutta), `gd`, `sgd` (batches drawn with replacement) or
            `adam` (betas 0.9 and 0.999, epsilon 1e-8).
        rate: the learning rate; for the flow, the time of a step.
        steps: rounded up to a multiple of `snapshots`.
        snapshots: weights that are kept, besides the start.
        batch: samples of a step of `sgd`, whose gradients are scaled up to the whole data set.
        seed: of the batches.
        metric: what velocities are multiplied with, neuron by neuron, as for a reduced network.
        onto: a manifold on which weights are projected after every step.

    Raises:
        InvalidInput: no steps.

    Example:
        >>> path = cs.manifolds.descend(problem, neurons, "gd", rate=1e-3, steps=10, snapshots=2)
        >>> bool(path.loss[-1] < path.loss[0])
        True
    """
    if steps < 1 or snapshots < 1:
        raise InvalidInput(f"{steps} steps with {snapshots} snapshots: give at least one of each")
    every = -(-steps // snapshots)
    start = Neurons(*(jnp.asarray(part, float) for part in neurons))
    if metric is None:
        metric = Neurons(*(jnp.ones((len(part), 1)) for part in start))
    everywhere = np.eye(len(start.weight))
    frame = _frame(Manifold("everywhere", everywhere, everywhere) if onto is None else onto, start)
    passed, losses = _descend(
        problem,
        start,
        metric,
        frame,
        jnp.asarray(rate),
        jax.random.PRNGKey(seed),
        jnp.asarray(every),
        _Schedule(method, snapshots, batch),
    )
    joined = jax.tree.map(lambda first, rest: jnp.concatenate([first[None], rest]), start, passed)
    return Path(every * jnp.arange(snapshots + 1.0), joined, losses)


def _frame(manifold: Manifold, like: Neurons) -> tuple[Array, Array, Neurons]:
    offset = jax.tree.map(jnp.zeros_like, like) if manifold.offset is None else manifold.offset
    return jnp.asarray(manifold.readout), jnp.asarray(manifold.weight), Neurons(*map(jnp.asarray, offset))


class _Schedule(NamedTuple):
    """What `_descend` is compiled for; arguments of `descend`."""

    method: Method
    snapshots: int
    batch: int


@eqx.filter_jit
def _descend(
    problem: Problem,
    start: Neurons,
    metric: Neurons,
    frame: tuple[Array, Array, Neurons],
    rate: Float[Array, ""],
    key: Array,
    every: Array,
    schedule: _Schedule,
) -> tuple[Neurons, Float[Array, " S"]]:
    method, snapshots, batch = schedule
    samples = problem.inputs.shape[0]
    optimiser = optax.adam(rate) if method == "adam" else optax.sgd(rate)

    def gradient(at: Neurons) -> Neurons:
        return jax.tree.map(jnp.multiply, problem.gradient(at), metric)

    def batch_gradient(at: Neurons, index: Array) -> Neurons:
        chosen = jax.random.randint(jax.random.fold_in(key, index), (batch,), 0, samples)
        scale = samples / batch
        return jax.tree.map(lambda g, m: scale * g * m, problem.batch(chosen).gradient(at), metric)

    def step(index: Array, carry: tuple[Neurons, Any]) -> tuple[Neurons, Any]:
        at, state = carry
        if method == "flow":
            at = _runge_kutta(gradient, at, rate)
        else:
            slope = batch_gradient(at, index) if method == "sgd" else gradient(at)
            updates, state = optimiser.update(slope, state)
            at = optax.apply_updates(at, updates)
        readout, weight, offset = frame
        at = Neurons(
            offset.readout + readout @ (at.readout - offset.readout),
            offset.weight + weight @ (at.weight - offset.weight),
        )
        return at, state

    def snapshot(carry: tuple[Neurons, Any], first: Array) -> tuple[tuple[Neurons, Any], tuple[Neurons, Array]]:
        carry = jax.lax.fori_loop(first, first + every, step, carry)
        return carry, (carry[0], problem.value(carry[0]))

    _, (passed, losses) = jax.lax.scan(snapshot, (start, optimiser.init(start)), every * jnp.arange(snapshots))
    return passed, jnp.concatenate([problem.value(start)[None], losses])


def _runge_kutta(gradient: Callable[[Neurons], Neurons], at: Neurons, time: Array) -> Neurons:
    """A step of gradient flow, of fourth order."""

    def stage(carry: tuple[Neurons, Neurons], weights: tuple[Array, Array]) -> tuple[tuple[Neurons, Neurons], None]:
        total, probe = carry
        slope, (reach, share) = gradient(probe), weights
        total = jax.tree.map(lambda value, g: value - time * share * g, total, slope)
        return (total, jax.tree.map(lambda value, g: value - time * reach * g, at, slope)), None

    return jax.lax.scan(stage, (at, at), jax.tree.map(jnp.asarray, _RK4))[0][0]


@known_keywords
@eqx.filter_jit
def langevin(
    problem: Problem, neurons: Neurons, *, temperature: Number, step: Number, steps: int, chains: int, seed: int = 0
) -> tuple[Neurons, Float[Array, ""]]:
    """Metropolis-adjusted Langevin draws from exp(-L/T), all chains from the same weights; and their acceptance.

    Args:
        problem: network, data and loss.
        neurons: where all chains start.
        temperature: T, in units of the loss.
        step: the variance of the noise is 2 step T.
        steps: kept are the states after each of them, (step, chain, neuron, ...).
        chains: how many.
        seed: of the noise.

    Returns:
        The draws, (step, chain, neuron, ...), and the share of steps accepted.

    Example:
        >>> draws, accepted = cs.manifolds.langevin(problem, neurons, temperature=1e-3, step=1e-4, steps=5, chains=2)
        >>> draws.weight.shape
        (5, 2, 3, 2)
    """
    kernel = mala.build_kernel()

    def log_density(at: Neurons) -> Array:
        return -problem.value(at) / temperature

    def move(states: mala.MALAState, key: Array) -> tuple[mala.MALAState, tuple[Neurons, Array]]:
        step_of = jax.vmap(lambda key, state: kernel(key, state, log_density, step * temperature))
        states, info = step_of(jax.random.split(key, chains), states)
        return states, (states.position, info.is_accepted)

    start = jax.tree.map(lambda part: jnp.broadcast_to(part, (chains, *part.shape)), neurons)
    states = jax.vmap(lambda at: mala.init(at, log_density))(start)
    _, (draws, accepted) = jax.lax.scan(move, states, jax.random.split(jax.random.PRNGKey(seed), steps))
    return draws, jnp.mean(accepted)
