"""ReLU networks at any inputs: a bulk of neurons, and heavy ones that carry most of the output.

With its readouts integrated out a network is Gaussian in the targets, with the covariance
S = T + (s^2/N^2) sum_j phi_j phi_j^T for every output. Given all others, one neuron z = L u has the log density

    -|u|^2/2 + v |t^T phi|^2/2 - (C/2) log(1 + q),   q = (s^2/N^2) phi^T S^-1 phi,   v = s^2/(1 + q),   t = S^-1 Y/N,

S being that of the others. Where N and P are both large, S^-1 does not fluctuate and is the inverse of

    S = T + <v phi phi^T> / N + heavy neurons,

the deterministic equivalent of a sample covariance. As N grows at fixed P, q vanishes, and the density is that of the
mean field, which for ReLU is at the edge of what can be normalised (`outliers`); at correlated inputs, where neurons of
all sizes lie between bulk and outliers, nothing else bounds the bulk. q does: a neuron gains no more than its readout
can fit of what the others leave.

Heavy neurons are one of a kind, so that averages over a density do not describe them: they are at the minimum of the
regularised loss of the last room, `global_minimum`, with the bulk's kernel given. Their fluctuations are those of the
bulk's neurons, whose number stays N.

Sources: van Meegen & Sompolinsky 2025 (bulk and outliers); Couillet & Liao, Random Matrix Methods for Machine Learning,
2022, chapter 2 (deterministic equivalents). That they combine to this theory is derived here, and compared with sampled
networks in benchmarks/mean_field_on_images.md.
"""

from dataclasses import dataclass, replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from codingschemes.networks import Activation
from codingschemes.progress import tracked
from codingschemes.theory.convex import Problem
from codingschemes.theory.global_minimum import frank_wolfe
from codingschemes.theory.global_minimum.measures import Measure, kernel, moved, normalised
from codingschemes.theory.mean_field.dual import refitted_gap
from codingschemes.theory.mean_field.particles import SINGLE, trajectory

_COOLING, _SETTLING = 12, 6
"""Rounds of bulk and heavy neurons answering to each other: while cooling, and at the temperature."""
_BLOCKS, _AVERAGING = 4, 18
"""How often all heavy neurons are searched, and the rounds after each over which the bulk is averaged anew."""
_TRAJECTORIES, _LEAPFROGS, _ACCEPTANCE = 6, 10, 0.8
_UNITS = 80
"""Neurons that descend; those that end small or in the same direction are dropped or merged."""
_MEASURING = 20
_EXCESS = 1e-4
"""Relative gap of the heavy neurons' loss at which no more of them are searched."""


@dataclass(frozen=True)
class Divided:
    """A bulk and heavy neurons that answer to each other.

    Attributes:
        t: (sample, output).
        bulk_kernel: <phi phi^T> of the bulk, (sample, sample).
        preactivation: of a sample of the bulk's neurons, (neuron, sample).
        readout: v t^T phi of each, (neuron, output).
        readout_variance: v of each.
        heavy: z of the heavy neurons, the largest first, (heavy, sample).
        heavy_readout: N gamma a of each, (heavy, output).
        bulk_gap: `refitted_gap`, in nats a neuron.
        heavy_gap: of their loss, over 2 T N, if no search missed a neuron that gains.
    """

    t: Float[np.ndarray, "P C"]
    bulk_kernel: Float[np.ndarray, "P P"]
    preactivation: Float[np.ndarray, "S P"]
    readout: Float[np.ndarray, "S C"]
    readout_variance: Float[np.ndarray, " S"]
    heavy: Float[np.ndarray, "K P"]
    heavy_readout: Float[np.ndarray, "K C"]
    bulk_gap: float
    heavy_gap: float


def neuron_potential(
    phi: Float[Array, "S P"],
    u: Float[Array, "S R"],
    t: Float[Array, "P C"],
    precision: Float[Array, "P P"],
    variance: Float[Array, ""],
) -> Float[Array, " S"]:
    """Minus the log density of a neuron among the others, with its readout integrated out.

    Args:
        phi, u: its activity and its whitened preactivations, for several neurons.
        t: S^-1 Y / N of the others.
        precision: S^-1 / N^2 of the others.
        variance: s^2.
    """
    v = _readout_variance(phi, precision, variance)
    gain = v * jnp.sum((phi @ t) ** 2, axis=1) + t.shape[1] * jnp.log(v / variance)
    return (jnp.sum(u**2, axis=1) - gain) / 2


def _readout_variance(
    phi: Float[Array, "S P"], precision: Float[Array, "P P"], variance: Float[Array, ""]
) -> Float[Array, " S"]:
    """v = s^2 / (1 + q)."""
    return variance / (1 + variance * jnp.sum((phi @ precision) * phi, axis=1))


@partial(jax.jit, static_argnums=0)
def _sweep(
    activation: Activation,
    key: Array,
    u: Float[Array, "S R"],
    basis: Float[Array, "P R"],
    t: Float[Array, "P C"],
    precision: Float[Array, "P P"],
    variance: Float[Array, ""],
    step: Float[Array, ""],
) -> tuple[Float[Array, "S R"], Float[Array, "S P"], Float[Array, " S"], Float[Array, ""]]:
    """Some trajectories of every particle: new particles, their activities, their v, and an adapted step.

    Args:
        precision: S^-1 / N^2.
    """

    def potential(u: Float[Array, "S R"]) -> Float[Array, " S"]:
        return neuron_potential(activation(u @ basis.T), u, t, precision, variance)

    def move(state: tuple[Array, Array], key: Array) -> tuple[tuple[Array, Array], None]:
        u, step = state
        moved_to, taken, acceptance = trajectory(potential, key, u, step, leapfrogs=_LEAPFROGS, shortest=0.7)
        return (jnp.where(taken[:, None], moved_to, u), step * jnp.exp(0.3 * (acceptance - _ACCEPTANCE))), None

    (u, step), _ = jax.lax.scan(move, (u, step), jax.random.split(key, _TRAJECTORIES))
    phi = activation(u @ basis.T)
    return u, phi, _readout_variance(phi, precision, variance), step


class _Bulk:
    """Particles of the single-neuron density."""

    def __init__(self, problem: Problem, variance: float, count: int, seed: int):
        self.problem, self.variance = problem, variance
        self.basis = jnp.asarray(problem.basis, SINGLE)
        self.key, key = jax.random.split(jax.random.PRNGKey(seed))
        self.u = jax.random.normal(key, (count, problem.basis.shape[1]), SINGLE)
        self.phi = np.asarray(problem.activation(self.u @ self.basis.T), float)
        self.v = np.full(count, variance)
        self.step = jnp.asarray(0.5 / problem.basis.shape[1] ** 0.25, SINGLE)

    @property
    def weighted(self) -> Float[np.ndarray, "P P"]:
        """<v phi phi^T>."""
        return self.phi.T @ (self.v[:, None] * self.phi) / len(self.phi)

    @property
    def kernel(self) -> Float[np.ndarray, "P P"]:
        return self.phi.T @ self.phi / len(self.phi)

    def sweep(self, t: Float[np.ndarray, "P C"], precision: Float[np.ndarray, "P P"]) -> None:
        self.key, key = jax.random.split(self.key)
        u, phi, v, step = _sweep(
            self.problem.activation,
            key,
            self.u,
            self.basis,
            jnp.asarray(t, SINGLE),
            jnp.asarray(precision, SINGLE),
            jnp.asarray(self.variance, SINGLE),
            self.step,
        )
        self.u, self.phi, self.v, self.step = u, np.asarray(phi, float), np.asarray(v, float), step


def divide(problem: Problem, *, count: int, seed: int) -> Divided:
    """Bulk and heavy neurons of a ReLU network.

    Args:
        problem: without background.
        count: of particles for the bulk.
        seed: of particles and of searches.
    """
    width, targets = problem.neurons, problem.targets
    variance = width**2 * problem.penalty / problem.ridge  # s^2
    signal = problem.penalty / problem.ridge
    rng = np.random.default_rng(seed)
    bulk = _Bulk(problem, variance, count, seed)
    weighted = bulk.weighted
    heavy = Measure(0.3 * np.sqrt(width) * rng.standard_normal((_UNITS, problem.basis.shape[1])), np.ones(_UNITS))
    hot = max(float(np.trace(weighted)) / width, problem.penalty)

    def at(temperature: float) -> Problem:
        """The heavy neurons' problem at the bulk as it is."""
        return replace(problem, penalty=temperature, ridge=temperature / signal, background=width * weighted / variance)

    def fields(temperature: float) -> tuple[Float[np.ndarray, "P C"], Float[np.ndarray, "P P"]]:
        """t, and S^-1 / N^2."""
        inverse = np.linalg.inv(temperature * np.eye(len(targets)) + signal * kernel(at(temperature), heavy))
        return inverse @ targets / width, inverse / width**2

    def searched(heavy: Measure, searches: int) -> frank_wolfe.Solution:
        last = at(problem.penalty)
        begin = normalised(last, heavy)
        return frank_wolfe.solve(
            last, seed=seed, rounds=30, searches=searches, starts=200, tolerance=_EXCESS, begin=begin
        )

    cooling = [*np.geomspace(hot, problem.penalty, _COOLING), *[problem.penalty] * _SETTLING]
    for temperature in tracked(cooling, "cooling bulk and heavy neurons"):
        heavy = moved(at(temperature), heavy, roundings=(1e-3,), iterations=60)
        bulk.sweep(*fields(temperature))
        weighted = (weighted + bulk.weighted) / 2
    for _ in tracked(range(_BLOCKS), "searching heavy neurons and averaging the bulk"):
        heavy = searched(heavy, searches=1).measure
        for rounds in tracked(range(2, _AVERAGING + 2), "averaging the bulk"):
            heavy = moved(at(problem.penalty), heavy, roundings=(1e-3,), iterations=15)
            bulk.sweep(*fields(problem.penalty))
            weighted = weighted + (bulk.weighted - weighted) / rounds
    solution = searched(heavy, searches=4)
    heavy = solution.measure
    t, precision = fields(problem.penalty)
    measured, plain = np.zeros_like(weighted), np.zeros_like(weighted)
    for _ in tracked(range(_MEASURING), "measuring the bulk"):
        bulk.sweep(t, precision)
        measured, plain = measured + bulk.weighted / _MEASURING, plain + bulk.kernel / _MEASURING
    missed = (weighted - measured) @ t
    order = np.argsort(-heavy.masses)
    positions = (heavy.positions * np.sqrt(heavy.masses)[:, None])[order]
    preactivation = positions @ problem.basis.T
    z = np.asarray(bulk.u @ bulk.basis.T, float)
    active = np.maximum(preactivation, 0)
    fitted = measured + variance / width * active.T @ active
    tau = width * problem.penalty
    t = np.linalg.solve(tau * np.eye(len(targets)) + fitted, targets)
    return Divided(
        t=t,
        bulk_kernel=plain,
        preactivation=z,
        readout=bulk.v[:, None] * bulk.phi @ t,
        readout_variance=bulk.v,
        heavy=preactivation,
        heavy_readout=variance * active @ t,
        bulk_gap=refitted_gap(missed, fitted, tau),
        heavy_gap=max(solution.energy - solution.lower_bound, 0.0) / (2 * tau),
    )
