"""Mean field at any inputs: particles of the single-neuron density, stochastic Newton on the dual.

With the readout integrated out, a neuron z = L u has the density exp(-|u|^2/2 + s^2 |t^T phi(L u)|^2/2), its readout
the mean s^2 t^T phi and the variance s^2. Persistent particles follow the density by Hamiltonian Monte Carlo while t
climbs the dual, whose gradient is Y - (tau + s^2 K) t with K the particles' kernel. Temperature falls from where
nothing is learned, or particles start in given codes.

Barriers between codes grow with the number of samples, so that particles keep the codes in which they froze, like the
neurons of an ordinary sampler: outputs, kernel and readouts are those of the theory at these fractions of codes. On
images they also keep for long which single images of a class they answer to. What does not move within a few sweeps
does not respond to t either, so that the Hessian takes the covariance of what particles do within these sweeps: that
over particles makes steps ten times too short.

Where no fractions are given, more particles, which jump between codes besides, go on from there, and all of them make
up the Hessian. If they end with a small gap and have moved between codes, numbers in codes are those of equilibrium.
Jumps that are rarely accepted, as at low temperature, answer too late for that: t and the numbers in codes swing
against each other, and what had frozen before is what is given.
"""

from collections import deque
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from codingschemes.progress import announce, tracked
from codingschemes.theory.mean_field.annealing import Annealing
from codingschemes.theory.mean_field.dual import newton_step
from codingschemes.theory.mean_field.particles import (
    Hold,
    begin,
    jump,
    place_codes,
    refuse_misplaced,
    second_moment,
    sweep,
    towards,
)
from codingschemes.theory.mean_field.problem import MeanFieldProblem
from codingschemes.theory.mean_field.solution import PreactivationSample, Request, Solution, code_groups
from codingschemes.theory.prediction import Assumption, Certificate, Details

ANNEALING = Annealing(cooling=25, settling=30, corrections=3, averaging=15, measuring=30)
_LAG = 4
"""Sweeps over which a particle's changes make up the covariance of a Newton step."""
_SNAPSHOTS = 2
"""Sweeps whose particles are kept as neurons."""
_STABLE, _MOBILE = 0.01, 0.1
"""Share of the particles that may change code at fixed t for codes to count as kept, and that must for their numbers to
be those of equilibrium."""
_MORE, _LONGER = 4, 2
"""Times as many particles that jump, and as many rounds and sweeps: numbers in codes are slow."""
_WITH_JUMPS = 8.0
"""Time with particles that jump, relative to that without."""
_MOVING, _GROWTH, _CLIMBING = 5.0, 1.5, 6.5e-6
"""Seconds of a core that 2000 particles took at 100 samples, the power of the samples from 100 to 200, and what
Newton's steps take beside, for each entry of their matrix."""


@dataclass(frozen=True)
class ParticleDetails(Details):
    """Attributes:
    method: how the theory was solved.
    """

    method: str = "particles"


@dataclass(frozen=True)
class SettledParticles:
    """Particles that have settled, averaged over sweeps.

    Attributes:
        t: (sample, output).
        kernel: <phi phi^T>, (sample, sample).
        preactivation: z of the kept neurons, (neuron, sample).
        readout: s^2 t^T phi of each, (neuron, output).
        code: bits of each, (neuron, class).
        switched: share of particles that changed code while averages were taken.
        jumping: whether they jumped between codes.
    """

    t: Float[np.ndarray, "P C"]
    kernel: Float[np.ndarray, "P P"]
    preactivation: Float[np.ndarray, "S P"]
    readout: Float[np.ndarray, "S C"]
    code: Bool[np.ndarray, "S G"]
    switched: float
    jumping: bool

    def gap(self, problem: MeanFieldProblem) -> float:
        """Duality gap in nats a neuron."""
        return problem.dual_gap(self.t, problem.variance * self.kernel)


def _potential(
    phi: Float[Array, "S P"], u: Float[Array, "S R"], parameters: tuple[Float[Array, "P C"], Float[Array, ""]]
) -> Float[Array, " S"]:
    """That of a neuron at t with its readout of variance s^2 integrated out."""
    t, variance = parameters
    return jnp.sum(u**2, axis=1) / 2 - variance * jnp.sum((phi @ t) ** 2, axis=1) / 2


class _Ascent:
    """Particles, the dual variables, and a step of both."""

    def __init__(self, problem: MeanFieldProblem, u: Float[np.ndarray, "S R"], seed: int):
        self.problem, self.held, self.jumping, self.t = problem, False, False, np.zeros_like(problem.targets)
        self.rng = np.random.default_rng(seed)
        self.particles = begin(problem.activation, problem.basis, u, jax.random.PRNGKey(seed))
        self.recent = deque([self.phi], maxlen=_LAG + 1)

    @property
    def phi(self) -> Float[np.ndarray, "S P"]:
        return np.asarray(self.particles.phi, float)

    @property
    def codes(self) -> Bool[np.ndarray, "S G"]:
        return self.problem.codes_of(self.phi)

    def multiply(self, times: int) -> None:
        """As many copies of every particle, which part as they move."""
        u, phi = (jnp.tile(each, (times, 1)) for each in (self.particles.u, self.particles.phi))
        self.particles = self.particles._replace(u=u, phi=phi)
        self.recent.clear()
        self.recent.append(self.phi)

    def sweep(self) -> None:
        problem = self.problem
        self.particles = sweep(
            self.particles,
            problem.basis,
            (self.t, problem.variance),
            Hold(problem.class_average, problem.activation.midpoint, self.held),
            potential=_potential,
            activation=problem.activation,
        )
        if self.jumping:
            self.particles = jump(
                self.particles,
                problem.basis,
                problem.variance * self.t @ self.t.T,
                codes_of=problem.codes_of,
                activation=problem.activation,
                rng=self.rng,
            )
        self.recent.append(self.phi)

    def balance(self, tau: float) -> None:
        """t that is consistent with the particles as they are."""
        kernel = second_moment(self.phi)
        self.t = np.linalg.solve(tau * np.eye(len(self.t)) + self.problem.variance * kernel, self.problem.targets)

    def measure(self, sweeps: int) -> Float[np.ndarray, "P P"]:
        """The kernel averaged over sweeps at fixed t."""
        total = np.zeros((len(self.t), len(self.t)))
        for _ in range(sweeps):
            self.sweep()
            total += second_moment(self.phi)
        return total / sweeps

    def climb(self, tau: float, rate: float, kernel: Float[np.ndarray, "P P"] | None = None) -> None:
        """A Newton step on the dual at this temperature, with the kernel of the particles or a better one."""
        phi, variance = self.phi, self.problem.variance
        kernel = second_moment(phi) if kernel is None else kernel
        before = phi[self.rng.permutation(len(phi))] if self.jumping else self.recent[0]
        step = newton_step(self.t, self.problem.targets, kernel, phi, before, variance, tau)
        self.t = self.t + rate * step


def settle(
    problem: MeanFieldProblem,
    *,
    count: int,
    seed: int,
    fractions: dict[str, float] | None = None,
    annealing: Annealing = ANNEALING,
) -> SettledParticles:
    """Particles in equilibrium within codes with the dual variables that they support.

    Args:
        problem: of an activation that saturates.
        count: of particles.
        fractions: share of the particles that starts in each code; left out, all start at the prior and cool.
    """
    u = np.random.default_rng(seed).standard_normal((count, problem.basis.shape[1]))
    if fractions is not None:
        bits, wanted = place_codes(fractions, count, problem.class_average)
        u = towards(u, wanted, problem.basis)
    ascent, tau = _Ascent(problem, u, seed), problem.tau
    if fractions is not None:
        refuse_misplaced(ascent.codes, bits)
        ascent.held = True
    # cooled even where codes are held: started cold, t answers to particles that are far from equilibrium within codes
    hot = max(problem.variance * float(np.trace(second_moment(ascent.phi))), tau)
    ascent.balance(hot)
    for temperature in tracked(np.geomspace(hot, tau, annealing.cooling), "cooling particles"):
        ascent.sweep()
        ascent.climb(float(temperature), 0.5)
    found = _settled(ascent, annealing)
    if fractions is not None:
        return found
    ascent.multiply(_MORE)
    ascent.jumping = True
    longer = {name: _LONGER * getattr(annealing, name) for name in ("settling", "averaging", "measuring")}
    jumped = _settled(ascent, replace(annealing, **longer))
    solved = jumped.gap(problem) <= max(found.gap(problem), annealing.tolerance / 2)
    return jumped if solved and jumped.switched >= _MOBILE else found


def _settled(ascent: _Ascent, annealing: Annealing) -> SettledParticles:
    """What there is after the rounds at the temperature and the corrections."""
    problem = ascent.problem
    for round_ in tracked(range(annealing.settling), "settling particles"):
        ascent.sweep()
        ascent.climb(problem.tau, min(0.5, annealing.settling / 4 / (round_ + 1)))
    for _ in tracked(range(annealing.corrections), "correcting the dual variables"):
        ascent.climb(problem.tau, 1.0, ascent.measure(annealing.averaging))
    ascent.held = False  # codes that are not stable now show
    before, parts, kept = ascent.codes, [], []
    for _ in tracked(range(_SNAPSHOTS), "measuring"):
        parts.append(ascent.measure(annealing.measuring // _SNAPSHOTS))
        kept.append(np.asarray(ascent.particles.u, float))
    z = np.concatenate(kept) @ problem.basis.T
    phi = problem.activity(z)
    return SettledParticles(
        t=ascent.t,
        kernel=np.mean(parts, axis=0),
        preactivation=z,
        readout=problem.variance * phi @ ascent.t,
        code=problem.codes_of(phi),
        switched=float(np.mean((before != ascent.codes).any(1))),
        jumping=ascent.jumping,
    )


def solution(problem: MeanFieldProblem, request: Request) -> Solution:
    """Particles of one layer of neurons that saturate, at fractions of codes that were given, in which they froze, or
    of equilibrium."""
    annealing, fractions = request.annealing or ANNEALING, request.fractions
    moving = _MOVING * (problem.task.sample_count / 100) ** _GROWTH
    seconds = request.particles / 2000 * (moving + _CLIMBING * problem.targets.size**2)
    announce("mean field by particles", seconds if fractions else _WITH_JUMPS * seconds)
    found = settle(problem, count=request.particles, seed=request.seed, fractions=fractions, annealing=annealing)
    gap = found.gap(problem)
    where = "" if found.jumping else " at the particles' fractions of codes"
    names, group = np.unique(found.code, axis=0, return_inverse=True)
    neurons = PreactivationSample(found.preactivation, found.readout, group.ravel())
    return Solution(
        t=problem.fit(problem.variance * found.kernel),
        kernel=found.kernel,
        neurons=neurons,
        readout_variance=problem.variance,
        certificate=Certificate(
            gap=gap,
            tolerance=annealing.tolerance,
            meaning=f"duality gap in nats a neuron{where}, Monte Carlo noise included",
            bounds={"output_error": float(np.sqrt(2 * problem.tau * gap))},
        ),
        shares="given" if fractions else "equilibrium" if found.jumping else "frozen",
        assumptions=(mixing_codes(found.switched) if found.jumping else kept_codes(found.switched),),
        codes=code_groups(problem, neurons, names),
        details=ParticleDetails(),
    )


def mixing_codes(switched: float, layer: str = "") -> Assumption:
    """That particles move between codes.

    Args:
        switched: share of those that did while averages were taken.
        layer: whose particles, in words, where there are several.
    """
    return Assumption(
        "Particles move between codes, so that the numbers in each are those of equilibrium and not noise: "
        f"{switched:.1%} of {layer}particles did while averages were taken (at least {_MOBILE:.0%}).",
        switched >= _MOBILE,
    )


def kept_codes(switched: float) -> Assumption:
    """That particles do not change code while averages are taken.

    Args:
        switched: share of those that did.
    """
    return Assumption(
        f"Neurons keep their codes: {switched:.1%} of the particles changed theirs at fixed t (at most {_STABLE:.0%}).",
        switched <= _STABLE,
    )
