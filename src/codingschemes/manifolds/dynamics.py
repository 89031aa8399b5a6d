"""Training and sampling dynamics from given weights: which of them stay in a manifold."""

from typing import Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from codingschemes.calls import known_keywords
from codingschemes.errors import InvalidInput
from codingschemes.manifolds.manifold import Manifold, Neurons
from codingschemes.manifolds.problem import Problem

type Number = float | np.floating | Array
type Method = Literal["flow", "gd", "sgd", "adam"]

_RK4 = (np.array([0.5, 0.5, 1.0, 0.0]), np.array([1.0, 2.0, 2.0, 1.0]) / 6)
_ADAM = (0.9, 0.999, 1e-8)


class Path(NamedTuple):
    """Weights along a trajectory, its start first.

    Attributes:
        step: steps made, (snapshot,).
        neurons: the weights, (snapshot, neuron, ...).
        loss: L, (snapshot,).
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
        neurons: where to start.
        method: `flow` (gradient flow, fourth-order Runge-Kutta), `gd`, `sgd` (batches drawn with replacement) or
            `adam` (betas 0.9 and 0.999, epsilon 1e-8).
        rate: the learning rate; for the flow, the time of a step.
        steps: rounded up to a multiple of `snapshots`.
        batch: samples of a step of `sgd`, whose gradients are scaled up to the whole data set.
        metric: what velocities are multiplied with, neuron by neuron, as for a reduced network.
        onto: a manifold on which weights are projected after every step.

    Raises:
        InvalidInput: no steps.
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
        method,
        snapshots,
        batch,
    )
    joined = jax.tree.map(lambda first, rest: jnp.concatenate([first[None], rest]), start, passed)
    return Path(every * jnp.arange(snapshots + 1.0), joined, losses)


def _frame(manifold: Manifold, like: Neurons) -> tuple[Array, Array, Neurons]:
    offset = jax.tree.map(jnp.zeros_like, like) if manifold.offset is None else manifold.offset
    return jnp.asarray(manifold.readout), jnp.asarray(manifold.weight), Neurons(*map(jnp.asarray, offset))


@eqx.filter_jit
def _descend(
    problem: Problem,
    start: Neurons,
    metric: Neurons,
    frame: tuple[Array, Array, Neurons],
    rate: Float[Array, ""],
    key: Array,
    every: Array,
    method: str,
    snapshots: int,
    batch: int,
) -> tuple[Neurons, Float[Array, " S"]]:
    samples = problem.inputs.shape[0]

    def velocity(at: Neurons, on: Problem) -> Neurons:
        return jax.tree.map(lambda slope, factor: -factor * slope, on.gradient(at), metric)

    def moved(at: Neurons, by: Neurons, factor: Array | float) -> Neurons:
        return jax.tree.map(lambda value, change: value + factor * change, at, by)

    def flow(at: Neurons) -> Neurons:
        def stage(carry: tuple[Neurons, Neurons], weights: tuple[Array, Array]) -> tuple[tuple[Neurons, Neurons], None]:
            total, probe = carry
            speed = velocity(probe, problem)
            return (moved(total, speed, rate * weights[1]), moved(at, speed, rate * weights[0])), None

        return jax.lax.scan(stage, (at, at), jax.tree.map(jnp.asarray, _RK4))[0][0]

    def adam(at: Neurons, mean: Neurons, square: Neurons, count: Array) -> tuple[Neurons, Neurons, Neurons]:
        speed = velocity(at, problem)
        fast, slow, floor = _ADAM
        mean = jax.tree.map(lambda old, new: fast * old + (1 - fast) * new, mean, speed)
        square = jax.tree.map(lambda old, new: slow * old + (1 - slow) * new**2, square, speed)
        change = jax.tree.map(
            lambda m, s: m / (1 - fast**count) / (jnp.sqrt(s / (1 - slow**count)) + floor), mean, square
        )
        return moved(at, change, rate), mean, square

    def step(index: Array, carry: tuple[Neurons, Neurons, Neurons]) -> tuple[Neurons, Neurons, Neurons]:
        at, mean, square = carry
        match method:
            case "flow":
                at = flow(at)
            case "gd":
                at = moved(at, velocity(at, problem), rate)
            case "sgd":
                chosen = jax.random.randint(jax.random.fold_in(key, index), (batch,), 0, samples)
                at = moved(at, velocity(at, problem.batch(chosen)), rate * samples / batch)
            case _:
                at, mean, square = adam(at, mean, square, index + 1.0)
        readout, weight, offset = frame
        at = Neurons(
            offset.readout + readout @ (at.readout - offset.readout),
            offset.weight + weight @ (at.weight - offset.weight),
        )
        return at, mean, square

    def snapshot(
        carry: tuple[Neurons, Neurons, Neurons], first: Array
    ) -> tuple[tuple[Neurons, Neurons, Neurons], tuple[Neurons, Array]]:
        carry = jax.lax.fori_loop(first, first + every, step, carry)
        return carry, (carry[0], problem.value(carry[0]))

    zeros = jax.tree.map(jnp.zeros_like, start)
    _, (passed, losses) = jax.lax.scan(snapshot, (start, zeros, zeros), every * jnp.arange(snapshots))
    return passed, jnp.concatenate([problem.value(start)[None], losses])


@known_keywords
@eqx.filter_jit
def langevin(
    problem: Problem, neurons: Neurons, *, temperature: Number, step: Number, steps: int, chains: int, seed: int = 0
) -> tuple[Neurons, Float[Array, ""]]:
    """Metropolis-adjusted Langevin draws from exp(-L/T), all chains from the same weights; and their acceptance.

    Args:
        temperature: T, in units of the loss.
        step: the variance of the noise is 2 step T.
        steps: kept are the states after each of them, (step, chain, neuron, ...).
    """
    start = jax.tree.map(lambda part: jnp.broadcast_to(part, (chains, *part.shape)), neurons)
    evaluate = jax.vmap(jax.value_and_grad(problem.value))

    def squares(difference: Neurons) -> Array:
        return jnp.sum(difference.readout**2, axis=(1, 2)) + jnp.sum(difference.weight**2, axis=(1, 2))

    def move(
        carry: tuple[Neurons, Array, Neurons], key: Array
    ) -> tuple[tuple[Neurons, Array, Neurons], tuple[Neurons, Array]]:
        at, value, slope = carry
        keys = jax.random.split(key, 3)
        noise = Neurons(*(jax.random.normal(k, part.shape) for k, part in zip(keys[:2], at, strict=True)))
        forward = jax.tree.map(lambda g, n: -step * g + jnp.sqrt(2 * step * temperature) * n, slope, noise)
        proposal = jax.tree.map(jnp.add, at, forward)
        new_value, new_slope = evaluate(proposal)
        back = jax.tree.map(lambda f, g: f - step * g, forward, new_slope)
        log_ratio = (value - new_value) / temperature + squares(noise) / 2 - squares(back) / (4 * step * temperature)
        accepted = jnp.log(jax.random.uniform(keys[2], (chains,))) < log_ratio

        def chosen(new: Array, old: Array) -> Array:
            return jnp.where(accepted.reshape((chains,) + (1,) * (new.ndim - 1)), new, old)

        carry = jax.tree.map(chosen, (proposal, new_value, new_slope), carry)
        return carry, (carry[0], accepted)

    _, (draws, accepted) = jax.lax.scan(
        move, (start, *evaluate(start)), jax.random.split(jax.random.PRNGKey(seed), steps)
    )
    return draws, jnp.mean(accepted)
