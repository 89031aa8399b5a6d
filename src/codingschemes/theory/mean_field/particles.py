"""Particles of a single-neuron density, z = L u with density exp(-potential), moved by Hamiltonian Monte Carlo.

A solver says what the potential is, as a function of activities, whitened coordinates and its own parameters; all else
is the same for one layer, several layers and the bulk beside heavy neurons.

Particles move in single precision, at a quarter of the time of double: its rounding is far below the noise of
particles. Averages and dual variables are in double.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from codingschemes.networks import Activation
from codingschemes.theory.prediction import UnstableCodes

type Potential = Callable[[Float[Array, "S P"], Float[Array, "S R"], Any], Float[Array, " S"]]
"""Minus the log density from activities, coordinates and the parameters of the density."""

SINGLE = jnp.float32

_FEWEST_OF_A_CODE = 20
"""Particles of a code whose mean others are shifted to."""


class Moves(NamedTuple):
    """How particles move.

    Attributes:
        leapfrogs: steps of a trajectory.
        shortest: a trajectory's step over the step that is adapted, drawn from here to 1.2.
        rate: at which the log of the step follows the acceptance.
        acceptance: that it aims at.
    """

    leapfrogs: int = 8
    shortest: float = 0.8
    rate: float = 0.5
    acceptance: float = 0.8


ORDINARY = Moves()


class Particles(NamedTuple):
    """Where particles are.

    Attributes:
        u: whitened preactivations, (particle, component).
        phi: their activities, (particle, sample).
        key: of the next move.
        step: of the integrator.
    """

    u: Float[Array, "S R"]
    phi: Float[Array, "S P"]
    key: Array
    step: Float[Array, ""]


class Hold(NamedTuple):
    """Codes that particles keep: moves that change them are rejected, so that the density within codes is sampled.

    Attributes:
        class_average: what averages over the samples of each class.
        middle: activity that separates an active class from a silent one.
        held: whether they do.
    """

    class_average: Float[np.ndarray, "P G"]
    middle: float
    held: bool


def begin(
    activation: Activation, root: Float[np.ndarray, "P R"], u: Float[np.ndarray, "S R"], key: Array, dtype: Any = SINGLE
) -> Particles:
    """Particles at u, with a step that fits a standard normal density."""
    at = jnp.asarray(u, dtype)
    return Particles(at, activation(at @ jnp.asarray(root, dtype).T), key, jnp.asarray(0.5 / root.shape[1] ** 0.25))


def sweep(
    particles: Particles,
    root: Float[np.ndarray, "P R"],
    parameters: Any,
    hold: Hold | None = None,
    *,
    potential: Potential,
    activation: Activation,
    moves: Moves = ORDINARY,
) -> Particles:
    """One trajectory of every particle.

    Args:
        root: L.
        parameters: of the potential, arrays and numbers.
    """
    at, root, parameters, hold = jax.tree.map(
        partial(jnp.asarray, dtype=SINGLE), ((particles.u, particles.phi), root, parameters, hold)
    )
    particles = particles._replace(u=at[0], phi=at[1])
    return _move(particles, root, parameters, hold, potential=potential, activation=activation, moves=moves)


@partial(jax.jit, static_argnames=("potential", "activation", "moves"))
def _move(
    particles: Particles,
    root: Float[Array, "P R"],
    parameters: Any,
    hold: Any,
    *,
    potential: Potential,
    activation: Activation,
    moves: Moves,
) -> Particles:
    u, following = particles.u, jax.random.split(particles.key)

    def activity(u: Float[Array, "S R"]) -> Float[Array, "S P"]:
        return activation(u @ root.T)

    def energy(u: Float[Array, "S R"]) -> Float[Array, " S"]:
        return potential(activity(u), u, parameters)

    moved, taken, acceptance = _trajectory(energy, following[1], u, particles.step.astype(SINGLE), moves)
    phi, phi_moved = activity(u), activity(moved)
    if hold is not None:
        average, middle = hold.class_average, hold.middle
        same = jnp.all((phi @ average > middle) == (phi_moved @ average > middle), axis=1)
        taken = taken & (same | (hold.held == 0))
    step = particles.step * jnp.exp(moves.rate * (acceptance.astype(particles.step.dtype) - moves.acceptance))
    chosen = taken[:, None]
    return Particles(jnp.where(chosen, moved, u), jnp.where(chosen, phi_moved, phi), following[0], step)


def _trajectory(
    energy: Callable[[Float[Array, "S R"]], Float[Array, " S"]],
    key: Array,
    u: Float[Array, "S R"],
    step: Float[Array, ""],
    moves: Moves,
) -> tuple[Float[Array, "S R"], Bool[Array, " S"], Float[Array, ""]]:
    """Proposals, which are accepted, and the mean acceptance."""
    slope = jax.grad(lambda u: jnp.sum(energy(u)))
    key_momentum, key_length, key_accept = jax.random.split(key, 3)
    momentum = jax.random.normal(key_momentum, u.shape, u.dtype)
    size = step * jax.random.uniform(key_length, (), u.dtype, minval=moves.shortest, maxval=1.2)

    def leap(state: tuple[Array, Array], _: None) -> tuple[tuple[Array, Array], None]:
        u, p = state
        p = p - size * slope(u)
        return (u + size * p, p), None

    start = momentum + size * slope(u) / 2  # the first full kick then makes a half one
    (moved, p), _ = jax.lax.scan(leap, (u, start), length=moves.leapfrogs)
    p = p - size * slope(moved) / 2
    before = energy(u) + jnp.sum(momentum**2, axis=1) / 2
    change = energy(moved) + jnp.sum(p**2, axis=1) / 2 - before
    probability = jnp.exp(-jnp.maximum(jnp.where(jnp.isnan(change), jnp.inf, change), 0.0))
    return moved, jax.random.uniform(key_accept, probability.shape, u.dtype) < probability, jnp.mean(probability)


@partial(jax.jit, static_argnums=0)
def weigh(
    activation: Activation, u: Float[Array, "S R"], root: Float[Array, "P R"], tilt: Float[Array, "P P"]
) -> tuple[Float[Array, "S P"], Float[Array, " S"]]:
    """Activities of particles, and phi^T B phi / 2."""
    phi = activation(u @ root.T)
    return phi, jnp.sum(phi * (phi @ tilt), axis=1) / 2


def jump(
    particles: Particles,
    root: Float[np.ndarray, "P R"],
    tilt: Float[np.ndarray, "P P"],
    *,
    codes_of: Callable[[Float[np.ndarray, "S P"]], Bool[np.ndarray, "S G"]],
    activation: Activation,
    rng: np.random.Generator,
) -> Particles:
    """Proposes to each particle another code that many have, shifted by what the means of the two are apart.

    Args:
        root: L.
        tilt: B of the density exp(-|u|^2/2 + phi^T B phi/2).
        codes_of: bits of each particle.
    """
    u, phi = (np.asarray(each) for each in (particles.u, particles.phi))
    names, code, counts = np.unique(codes_of(phi), axis=0, return_inverse=True, return_counts=True)
    code, common = code.ravel(), np.flatnonzero(counts >= _FEWEST_OF_A_CODE)
    if len(common) < 2:
        return particles
    means = np.zeros((len(names), u.shape[1]), u.dtype)
    for each in common:
        means[each] = u[code == each].mean(axis=0)
    aim = common[rng.integers(len(common), size=len(u))]
    moved = u + means[aim] - means[code]
    single = partial(jnp.asarray, dtype=SINGLE)
    _, here = weigh(activation, single(u), single(root), single(tilt))
    there, exponent = weigh(activation, single(moved), single(root), single(tilt))
    gain = np.asarray(exponent) - np.asarray(here) + np.sum(u**2 - moved**2, axis=1) / 2
    # the way back is proposed as often only from the code that was meant, by means that stay
    both = (aim != code) & np.isin(code, common) & np.all(codes_of(np.asarray(there)) == names[aim], axis=1)
    taken = (both & (np.log(rng.random(len(u))) < gain))[:, None]
    return particles._replace(u=jnp.where(taken, moved, particles.u), phi=jnp.where(taken, there, particles.phi))


def second_moment(phi: Float[np.ndarray, "S P"]) -> Float[np.ndarray, "P P"]:
    """<phi phi^T> over particles."""
    return phi.T @ phi / len(phi)


def place_codes(
    fractions: dict[str, float], count: int, class_average: Float[np.ndarray, "P G"]
) -> tuple[Bool[np.ndarray, "S G"], Float[np.ndarray, "S P"]]:
    """Codes of particles at given fractions, and preactivations of either sign that have these codes."""
    places = np.searchsorted(np.cumsum(list(fractions.values()))[:-1], (np.arange(count) + 0.5) / count, "right")
    bits = np.array([[bit == "1" for bit in code] for code in fractions])[places]
    return bits, np.where(bits, 1.5, -1.5) @ (class_average > 0).T


def towards(
    u: Float[np.ndarray, "S R"], wanted: Float[np.ndarray, "S P"], basis: Float[np.ndarray, "P R"]
) -> Float[np.ndarray, "S R"]:
    """Coordinates near those of the wanted preactivations, weakly seen directions of the basis left alone.

    Args:
        u: drawn from the prior.
        basis: with orthogonal columns.
    """
    strength = (basis**2).sum(0)
    return 0.3 * u + wanted @ basis / (strength + 0.02 * strength.max())


def refuse_misplaced(codes: Bool[np.ndarray, "S G"], bits: Bool[np.ndarray, "S G"]) -> None:
    """Raises `UnstableCodes` where particles do not have the codes that were given."""
    missed = np.unique(bits[(codes != bits).any(1)], axis=0)
    if len(missed):
        names = tuple("".join(str(int(bit)) for bit in code) for code in missed)
        raise UnstableCodes(
            f"these inputs cannot put a neuron into the code {' or '.join(names)}: leave it out of code_fractions",
            names,
        )
