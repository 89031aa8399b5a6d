"""Mean field at orthogonal inputs, K0 = kappa I: a density over readouts alone.

With targets that are the same for all samples of a class, the maximum of the strictly concave dual is symmetric within
classes, so that t is one row a class and

    rho(a) proportional to N(a | 0, s^2 I) prod_c Z(a . t_c)^{P_c}.

Everything is an integral over the few numbers a, done to 1e-10 on a lattice (`lattice`); Newton climbs the dual with
the exact Hessian, down from a high temperature.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from codingschemes.progress import tracked
from codingschemes.theory.mean_field.class_problem import ClassProblem
from codingschemes.theory.mean_field.dual import Ascent, climb
from codingschemes.theory.mean_field.lattice import Lattice, cover, flood
from codingschemes.theory.mean_field.problem import MeanFieldProblem
from codingschemes.theory.mean_field.sampling import draw_neurons
from codingschemes.theory.mean_field.solution import DRAWN, TOLERANCE, Request, Solution, neurons_at
from codingschemes.theory.prediction import Certificate, Details, NeuronGroup, UnstableCodes

_ENOUGH = 1e-13
"""Expected increase of the dual, in nats, at which Newton stops."""
_SATURATING = 30.0
"""A field at which an input is active, or silent with its sign reversed, when modes are looked for."""
_COOLING = 3.0
"""Factor between temperatures on the way down."""


@dataclass(frozen=True)
class ReadoutDensity:
    """The density over readouts at one t, on a lattice.

    Attributes:
        t: (class, output).
        lattice: the readouts that carry it.
        weight: probabilities of the lattice's points, (point,).
        mean, spread: mean and variance of the activity of one sample of each class, (point, class).
        log_partition: log Z(t), in nats.
        group: the code region of each point, an index into `names`, (point,).
        names: one a region, as "110".
    """

    t: Float[np.ndarray, "G C"]
    lattice: Lattice
    weight: Float[np.ndarray, " n"]
    mean: Float[np.ndarray, "n G"]
    spread: Float[np.ndarray, "n G"]
    log_partition: float
    group: Int[np.ndarray, " n"]
    names: tuple[str, ...]

    @property
    def outputs(self) -> Float[np.ndarray, "G C"]:
        """<phi a^T>, for a sample of each class."""
        return (self.weight[:, None] * self.mean).T @ self.lattice.readouts

    @property
    def shares(self) -> Float[np.ndarray, " K"]:
        """Probability of each region."""
        return np.bincount(self.group, weights=self.weight, minlength=len(self.names))


@dataclass(frozen=True)
class QuadratureDetails(Details):
    """Attributes:
    t: the dual variables of a sample of each class, (class, output).
    mean_readout: over all neurons, in the network's units, (output,).
    free_energy: the dual, in nats a neuron.
    method: how the theory was solved.
    """

    t: Float[np.ndarray, "G C"]
    mean_readout: Float[np.ndarray, " C"]
    free_energy: float
    method: str = "quadrature"


def density(
    problem: ClassProblem, t: Float[np.ndarray, "G C"], fractions: dict[str, float] | None = None
) -> ReadoutDensity:
    """The density over readouts at any t, all of it or with given probabilities of the codes.

    Args:
        t: (class, output).
        fractions: probability of each code; other codes are left out.

    Raises:
        UnstableCodes: codes that no readout has.
    """
    if fractions is not None:
        return _conditional(problem, t, fractions)
    lattice = cover(problem, t)
    mean, spread = problem.single.moments(lattice.readouts @ t.T)
    group, names = _regions(problem.bits(mean))
    weight = np.exp(-(lattice.energy - lattice.energy.min()))
    log_partition = float(np.log(weight.sum()) - lattice.energy.min() + lattice.log_cell)
    return ReadoutDensity(t, lattice, weight / weight.sum(), mean, spread, log_partition, group, names)


def _conditional(problem: ClassProblem, t: Float[np.ndarray, "G C"], fractions: dict[str, float]) -> ReadoutDensity:
    parts, weights, log_partition = [], [], 0.0
    unstable = []
    for name, share in fractions.items():
        mode = find_mode(problem, t, name)
        bits = np.array([bit == "1" for bit in name])
        part = None if mode is None else flood(problem, t, mode, bits)
        if part is None or len(part.energy) == 0:
            unstable.append(name)
            continue
        lowest = part.energy.min()
        weight = np.exp(-(part.energy - lowest))
        log_partition += share * (np.log(weight.sum()) - lowest + part.log_cell - np.log(share))
        parts.append(part)
        weights.append(share * weight / weight.sum())
    if unstable:
        raise UnstableCodes(
            f"neurons with the code {' or '.join(unstable)} are not stable at these fractions and this temperature: "
            "lower the temperature or give other fractions",
            tuple(unstable),
        )
    lattice = Lattice(
        np.concatenate([part.readouts for part in parts]),
        np.concatenate([part.energy for part in parts]),
        parts[0].log_cell,
    )
    mean, spread = problem.single.moments(lattice.readouts @ t.T)
    group = np.repeat(np.arange(len(parts)), [len(part.energy) for part in parts])
    return ReadoutDensity(
        t, lattice, np.concatenate(weights), mean, spread, float(log_partition), group, tuple(fractions)
    )


def find_mode(problem: ClassProblem, t: Float[np.ndarray, "G C"], code: str) -> Float[np.ndarray, " C"] | None:
    """The local minimum of E of neurons with a code, or None where there is none.

    By gradient descent with the step s^2, which cannot overshoot: E's curvature is at most 1/s^2.

    Args:
        code: one bit a class.
    """
    bits = np.array([bit == "1" for bit in code])
    lowest, highest = problem.single.moments(np.array([-_SATURATING, _SATURATING]))[0]
    a = problem.variance * (problem.counts * np.where(bits, highest, lowest)) @ t
    for _ in range(1000):
        mean = problem.single.moments(a @ t.T)[0]
        if (problem.bits(mean) != bits).any():
            return None
        moved = problem.variance * (problem.counts * mean) @ t
        if np.linalg.norm(moved - a) < 1e-7 * np.sqrt(problem.variance):
            return moved
        a = moved
    return a


def _regions(bits: Bool[np.ndarray, "n G"]) -> tuple[Int[np.ndarray, " n"], tuple[str, ...]]:
    key = bits @ (1 << np.arange(bits.shape[1]))
    present, group = np.unique(key, return_inverse=True)
    names = tuple("".join(str((int(code) >> bit) & 1) for bit in range(bits.shape[1])) for code in present)
    return group, names


def dual(problem: ClassProblem, found: ReadoutDensity, *, within: bool = False) -> Ascent:
    """The dual at the density's t with gradient and Hessian in t, flattened class by class.

    Args:
        within: take covariances within codes only, as is exact where the probabilities of codes are given.
    """
    t, counts, tau = found.t, problem.counts, problem.tau
    classes, outputs = t.shape
    value = (
        np.sum(counts[:, None] * t * problem.targets) - tau / 2 * np.sum(counts[:, None] * t**2) - found.log_partition
    )
    gradient = counts[:, None] * (problem.targets - tau * t - found.outputs)
    a, p = found.lattice.readouts, found.weight
    q = (found.mean[:, :, None] * a[:, None, :]).reshape(len(p), classes * outputs)
    if within:
        shares = np.maximum(found.shares, 1e-300)
        means = np.stack([np.bincount(found.group, p * column, len(shares)) for column in q.T], axis=1)
        q = q - (means / shares[:, None])[found.group]
    else:
        q = q - p @ q
    scale = np.repeat(counts, outputs)
    covariance = scale[:, None] * (q.T @ (p[:, None] * q)) * scale
    for index in range(classes):
        block = slice(index * outputs, (index + 1) * outputs)
        covariance[block, block] += counts[index] * (a.T @ ((p * found.spread[:, index])[:, None] * a))
    hessian = -covariance - tau * np.diag(scale)
    return Ascent(float(value), gradient.ravel(), hessian)


def solve(problem: ClassProblem, fractions: dict[str, float] | None = None) -> ReadoutDensity:
    """The density at the maximum of the dual.

    Args:
        fractions: given probabilities of the codes, summing to one; left out, those of equilibrium.

    Raises:
        UnstableCodes: codes that no neuron has at this temperature.
    """
    shape = problem.targets.shape
    second = float(problem.single.moments(np.zeros(1))[1][0] + problem.single.moments(np.zeros(1))[0][0] ** 2)
    # where tau exceeds the variance of the outputs under the prior, t = Y/tau nearly
    hot = max(problem.tau, problem.variance * second * float(problem.counts.sum()))
    stages = int(np.ceil(np.log(hot / problem.tau) / np.log(_COOLING)))
    t = problem.targets / (hot + problem.variance * second)
    for tau in tracked(np.geomspace(hot, problem.tau, stages + 1), "cooling the density of neurons"):
        t = _climb(replace(problem, tau=float(tau)), t, None)
    if fractions is not None:
        t = _climb(problem, t, fractions)
    return density(problem, t.reshape(shape), fractions)


def _climb(
    problem: ClassProblem, start: Float[np.ndarray, "G C"], fractions: dict[str, float] | None
) -> Float[np.ndarray, "G C"]:
    shape = start.shape

    def evaluate(flat: np.ndarray) -> Ascent | None:
        try:
            found = density(problem, flat.reshape(shape), fractions)
        except UnstableCodes:  # a step to where a given code does not exist
            return None
        return dual(problem, found, within=fractions is not None)

    density(problem, start, fractions)  # which says what is wrong, if something is
    return climb(evaluate, start.ravel(), tolerance=_ENOUGH)[0].reshape(shape)


def gap(problem: ClassProblem, found: ReadoutDensity) -> tuple[float, float]:
    """How far a density is from the solution: (nats a neuron by which F exceeds the dual, bound on outputs).

    The integral of the dual is done anew over all readouts, so that a density that leaves out codes, or gives them the
    wrong probabilities, shows the relative entropy that it has too much.

    Returns:
        F[rho] - D(t), and |g|: the outputs of all samples together are that near to the exact ones in Euclidean norm.
    """
    whole = density(problem, found.t)
    residual = problem.targets - problem.tau * found.t - found.outputs
    squared = float(np.sum(problem.counts[:, None] * residual**2))
    complete = dual(problem, whole).gradient.reshape(residual.shape) / problem.counts[:, None]
    output_error = float(np.sqrt(np.sum(problem.counts[:, None] * complete**2)))
    return squared / (2 * problem.tau) + whole.log_partition - found.log_partition, output_error


def solution(problem: MeanFieldProblem, request: Request, *, kappa: float) -> Solution:
    """The density over readouts, split into codes where neurons have them, and neurons drawn from it."""
    of_classes, fractions, labels = ClassProblem.of(problem, kappa), request.fractions, problem.task.labels
    found = solve(of_classes, fractions)
    excess, output_error = gap(of_classes, found)
    preactivation, chosen = draw_neurons(
        of_classes, found.t, found.lattice.readouts, found.weight, labels, DRAWN, request.seed
    )
    given = fractions is not None
    return Solution(
        t=found.t[labels],
        kernel=_class_kernel(found)[labels][:, labels] + np.diag((found.weight @ found.spread)[labels]),
        neurons=neurons_at(problem, preactivation, found.t[labels], found.group[chosen] if given else None),
        readout_variance=problem.variance,
        certificate=Certificate(
            gap=_own_gap(of_classes, found) if given else excess,
            tolerance=TOLERANCE,
            meaning="duality gap in nats a neuron"
            + (", of the problem with the given code fractions" if given else ""),
            bounds={
                "equilibrium_gap": excess,
                "output_error": output_error,
                "lowest_energy": float(found.lattice.energy.min()),
            },
        ),
        shares="given" if given else "equilibrium",
        codes=_groups(problem, of_classes, found),
        details=QuadratureDetails(
            found.t, problem.readout_unit * found.weight @ found.lattice.readouts, dual(of_classes, found).value
        ),
    )


def _class_kernel(found: ReadoutDensity) -> Float[np.ndarray, "G G"]:
    """<phi phi'> of different samples."""
    return (found.weight[:, None] * found.mean).T @ found.mean


def _groups(problem: MeanFieldProblem, of_classes: ClassProblem, found: ReadoutDensity) -> tuple[NeuronGroup, ...]:
    """Regions of codes that have a mode of their own and some neurons, most frequent first."""
    if of_classes.middle is None:
        return ()
    groups = []
    fields = of_classes.single.preactivation(found.lattice.readouts @ found.t.T)
    for index in np.argsort(-found.shares):
        inside, share = found.group == index, float(found.shares[index])
        if share <= 1e-9 or find_mode(of_classes, found.t, found.names[index]) is None:
            continue
        weight = found.weight[inside] / share
        groups.append(
            NeuronGroup(
                name=found.names[index],
                count=problem.network.width * share,
                activity=weight @ found.mean[inside],
                readout=problem.readout_unit * weight @ found.lattice.readouts[inside],
                preactivation=weight @ fields[inside],
            )
        )
    return tuple(groups)


def _own_gap(problem: ClassProblem, found: ReadoutDensity) -> float:
    residual = problem.targets - problem.tau * found.t - found.outputs
    return float(np.sum(problem.counts[:, None] * residual**2)) / (2 * problem.tau)
