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
networks in results/mean_field_on_images.md.
"""

from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from codingschemes.progress import announce, tracked
from codingschemes.theory.convex import ConvexProblem
from codingschemes.theory.global_minimum import frank_wolfe
from codingschemes.theory.global_minimum.measures import NeuronMeasure, kernel, move, normalise
from codingschemes.theory.mean_field.annealing import Annealing
from codingschemes.theory.mean_field.dual import refitted_gap
from codingschemes.theory.mean_field.particles import SINGLE, Moves, begin, second_moment, sweep
from codingschemes.theory.mean_field.problem import MeanFieldProblem
from codingschemes.theory.mean_field.solution import PreactivationSample, Request, Singles, Solution
from codingschemes.theory.prediction import Assumption, Certificate, Details, NeuronGroup

ANNEALING = Annealing(cooling=12, settling=6, corrections=4, averaging=18, measuring=20)
"""Rounds of bulk and heavy neurons answering to each other; in each correction all heavy neurons are searched, and the
bulk averaged anew."""
_TRAJECTORIES, _MOVES = 6, Moves(leapfrogs=10, shortest=0.7, rate=0.3)
"""Of the bulk's particles in a round."""
_UNITS = 80
"""Neurons that descend; those that end small or in the same direction are dropped or merged."""
_EXCESS = 1e-4
"""Relative gap of the heavy neurons' loss at which no more of them are searched."""
_HEAVY = 2.0
"""Activity norm, in units of the bulk's median, above which a neuron is listed as heavy."""
_SECONDS, _GROWTH = 55.0, 1.35
"""Measured on one core at 100 samples and 2000 particles, and the power of the samples from 30 to 100."""


@dataclass(frozen=True)
class HeavyNeuron(Details):
    """Attributes:
    class_name: the class that it answers to most, `class` in JSON.
    norm: of its activity.
    activity: (class,).
    """

    class_name: str
    norm: float
    activity: Float[np.ndarray, " G"]

    def to_json(self) -> dict[str, Any]:
        return {"class": self.class_name, "norm": self.norm, "activity": self.activity.tolist()}


@dataclass(frozen=True)
class HeavyDetails(Details):
    """Attributes:
    heavy: the neurons that are listed, the largest first.
    bulk_norm: median activity norm of the bulk.
    bulk_share_of_kernel: the bulk's share of the kernel's trace.
    method: how the theory was solved.
    """

    heavy: tuple[HeavyNeuron, ...]
    bulk_norm: float
    bulk_share_of_kernel: float
    method: str = "particles"


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


def _potential(
    phi: Float[Array, "S P"],
    u: Float[Array, "S R"],
    parameters: tuple[Float[Array, "P C"], Float[Array, "P P"], Float[Array, ""]],
) -> Float[Array, " S"]:
    return neuron_potential(phi, u, *parameters)


class _Bulk:
    """Particles of the single-neuron density."""

    def __init__(self, problem: ConvexProblem, variance: float, count: int, seed: int):
        self.problem, self.variance = problem, variance
        key, of_start = jax.random.split(jax.random.PRNGKey(seed))
        u = jax.random.normal(of_start, (count, problem.basis.shape[1]), SINGLE)
        self.particles = begin(problem.activation, problem.basis, np.asarray(u), key)
        self.v = np.full(count, variance)

    @property
    def phi(self) -> Float[np.ndarray, "S P"]:
        return np.asarray(self.particles.phi, float)

    @property
    def weighted(self) -> Float[np.ndarray, "P P"]:
        """<v phi phi^T>."""
        return self.phi.T @ (self.v[:, None] * self.phi) / len(self.v)

    def sweep(self, t: Float[np.ndarray, "P C"], precision: Float[np.ndarray, "P P"]) -> None:
        parameters = (t, precision, self.variance)
        for _ in range(_TRAJECTORIES):
            self.particles = sweep(
                self.particles,
                self.problem.basis,
                parameters,
                potential=_potential,
                activation=self.problem.activation,
                moves=_MOVES,
            )
        v = _readout_variance(*(jnp.asarray(each) for each in (self.phi, precision, self.variance)))
        self.v = np.asarray(v)

    def average(
        self, t: Float[np.ndarray, "P C"], precision: Float[np.ndarray, "P P"], sweeps: int
    ) -> tuple[Float[np.ndarray, "P P"], Float[np.ndarray, "P P"]]:
        """<v phi phi^T> and <phi phi^T> over sweeps in one field."""
        weighted, plain = np.zeros_like(precision), np.zeros_like(precision)
        for _ in tracked(range(sweeps), "measuring the bulk"):
            self.sweep(t, precision)
            weighted = weighted + self.weighted / sweeps
            plain = plain + second_moment(self.phi) / sweeps
        return weighted, plain


def divide(problem: ConvexProblem, *, count: int, seed: int, annealing: Annealing = ANNEALING) -> Divided:
    """Bulk and heavy neurons of a ReLU network.

    Args:
        problem: without background.
        count: of particles for the bulk.
        seed: of particles and of searches.
    """
    width, targets = problem.neurons, problem.targets
    variance = width**2 * problem.penalty / problem.ridge  # s^2
    scaled_readout_variance = problem.penalty / problem.ridge
    rng = np.random.default_rng(seed)
    bulk = _Bulk(problem, variance, count, seed)
    weighted = bulk.weighted
    heavy = NeuronMeasure(0.3 * np.sqrt(width) * rng.standard_normal((_UNITS, problem.basis.shape[1])), np.ones(_UNITS))
    hot = max(float(np.trace(weighted)) / width, problem.penalty)

    def at(temperature: float) -> ConvexProblem:
        """The heavy neurons' problem at the bulk as it is."""
        return replace(
            problem,
            penalty=temperature,
            ridge=temperature / scaled_readout_variance,
            background=width * weighted / variance,
        )

    def fields(temperature: float) -> tuple[Float[np.ndarray, "P C"], Float[np.ndarray, "P P"]]:
        """t, and S^-1 / N^2."""
        inverse = np.linalg.inv(
            temperature * np.eye(len(targets)) + scaled_readout_variance * kernel(at(temperature), heavy)
        )
        return inverse @ targets / width, inverse / width**2

    def search(heavy: NeuronMeasure, searches: int) -> frank_wolfe.FrankWolfeSolution:
        last = at(problem.penalty)
        begin = normalise(last, heavy)
        return frank_wolfe.solve(
            last, seed=seed, rounds=30, searches=searches, starts=200, tolerance=_EXCESS, begin=begin
        )

    cooling = [*np.geomspace(hot, problem.penalty, annealing.cooling), *[problem.penalty] * annealing.settling]
    for temperature in tracked(cooling, "cooling bulk and heavy neurons"):
        heavy = move(at(temperature), heavy, roundings=(1e-3,), iterations=60)
        bulk.sweep(*fields(temperature))
        weighted = (weighted + bulk.weighted) / 2
    for _ in tracked(range(annealing.corrections), "searching heavy neurons and averaging the bulk"):
        heavy = search(heavy, searches=1).measure
        for rounds in tracked(range(2, annealing.averaging + 2), "averaging the bulk"):
            heavy = move(at(problem.penalty), heavy, roundings=(1e-3,), iterations=15)
            bulk.sweep(*fields(problem.penalty))
            weighted = weighted + (bulk.weighted - weighted) / rounds
    solution = search(heavy, searches=4)
    heavy = solution.measure
    t, precision = fields(problem.penalty)
    measured, plain = bulk.average(t, precision, annealing.measuring)
    missed = (weighted - measured) @ t
    preactivation = _strongest_first(heavy) @ problem.basis.T
    active = np.maximum(preactivation, 0)
    fitted = measured + variance / width * active.T @ active
    tau = width * problem.penalty
    t = np.linalg.solve(tau * np.eye(len(targets)) + fitted, targets)
    return Divided(
        t=t,
        bulk_kernel=plain,
        preactivation=np.asarray(bulk.particles.u, float) @ problem.basis.T,
        readout=bulk.v[:, None] * bulk.phi @ t,
        readout_variance=bulk.v,
        heavy=preactivation,
        heavy_readout=variance * active @ t,
        bulk_gap=refitted_gap(missed, fitted, tau),
        heavy_gap=max(solution.energy - solution.lower_bound, 0.0) / (2 * tau),
    )


def _strongest_first(heavy: NeuronMeasure) -> Float[np.ndarray, "K R"]:
    """Whitened weights of single neurons that carry the masses."""
    order = np.argsort(-heavy.masses)
    return (heavy.positions * np.sqrt(heavy.masses)[:, None])[order]


def solution(problem: MeanFieldProblem, request: Request) -> Solution:
    """Bulk and heavy neurons of a ReLU network at any inputs."""
    annealing, width, average = request.annealing or ANNEALING, problem.network.width, problem.class_average
    seconds = _SECONDS * (problem.task.sample_count / 100) ** _GROWTH
    announce("mean field of ReLU at correlated inputs", seconds)
    of_loss = ConvexProblem.of(problem.posterior, problem.basis)
    found = divide(of_loss, count=request.particles, seed=request.seed, annealing=annealing)
    activity = np.maximum(found.heavy, 0)
    norms = np.linalg.norm(activity, axis=1)
    typical = float(np.median(np.linalg.norm(np.maximum(found.preactivation, 0), axis=1)))
    listed = np.flatnonzero(norms > _HEAVY * typical)
    heavy = tuple(
        NeuronGroup(
            name=problem.task.class_names[int(np.argmax(average.T @ activity[index]))],
            count=1.0,
            activity=average.T @ activity[index],
            readout=problem.readout_unit * found.heavy_readout[index],
            preactivation=average.T @ found.heavy[index],
        )
        for index in listed
    )
    trace = float(np.trace(found.bulk_kernel))
    return Solution(
        t=found.t,
        kernel=found.bulk_kernel + activity.T @ activity / width,
        neurons=PreactivationSample(found.preactivation, found.readout, np.zeros(len(found.preactivation), int)),
        readout_variance=found.readout_variance,
        certificate=Certificate(
            gap=found.bulk_gap + found.heavy_gap,
            tolerance=annealing.tolerance,
            meaning="duality gaps of bulk and heavy neurons in nats a neuron, Monte Carlo noise included",
            bounds={"bulk_gap": found.bulk_gap, "heavy_gap": found.heavy_gap},
        ),
        assumptions=(
            Assumption("Heavy neurons are at their most probable places; they fluctuate like the bulk.", holds=True),
            Assumption(
                "Bulk and heavy neurons differ in size: where neurons of all sizes lie between, outputs and kernel are "
                f"predicted, numbers of heavy neurons are not ({len(listed)} are listed).",
                holds=len(listed) <= problem.task.class_count,
            ),
        ),
        condensed=heavy,
        singles=Singles(activity, found.heavy, np.zeros_like(activity), found.heavy_readout),
        details=HeavyDetails(
            heavy=tuple(
                HeavyNeuron(each.name, float(norm), each.activity)
                for each, norm in zip(heavy, norms[listed], strict=True)
            ),
            bulk_norm=typical,
            bulk_share_of_kernel=trace / float(trace + np.sum(norms**2) / width),
        ),
    )
