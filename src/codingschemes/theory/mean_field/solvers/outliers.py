"""ReLU networks at orthogonal inputs: a bulk of neurons, and a few outliers that carry a share of the output each.

A ReLU is homogeneous, so that a neuron with readout sqrt(N) abar and preactivations sqrt(N) zbar adds abar [zbar]_+ to
the outputs at a cost of order one, and the dual is bounded only where in every direction e of readouts

    kappa(e) = k sum_c P_c [e . t_c]_+^2 <= 1/s^2,      K0 = k I.

Where that bound is tight mass condenses: zbar_c = k [abar . t_c]_+ with abar along e. The rest is the bulk, the density
around the mode of E near the origin. It is cut off where E has risen most of the way to its plateau in the tight
directions, sum_silent P_c log 2, at which single neurons of any size begin: the two separate for large P only.

At correlated inputs the two do not separate: networks sampled on images have neurons of all sizes between, and the
kernel would change by several per cent with the norm at which the bulk is cut. There `heavy` is for.

A log barrier keeps t inside the bound; its multipliers are the outliers' squared readouts.

Source: van Meegen & Sompolinsky 2025 (sparse coding in ReLU networks); the bound and the split follow from the dual.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from codingschemes.progress import tracked
from codingschemes.theory.mean_field.class_problem import ClassProblem
from codingschemes.theory.mean_field.dual import Ascent, climb
from codingschemes.theory.mean_field.lattice import Lattice, cover, energy
from codingschemes.theory.mean_field.problem import MeanFieldProblem
from codingschemes.theory.mean_field.sampling import draw_neurons
from codingschemes.theory.mean_field.solution import DRAWN, TOLERANCE, Request, Singles, Solution, neurons_at
from codingschemes.theory.prediction import Assumption, Certificate, Details, NeuronGroup

_BARRIER = np.geomspace(1.0, 1e-7, 9)
"""Strengths of the log barrier, in nats."""
_ON_THE_WAY, _AT_THE_END = 1e-2, 1e-12
"""Expected increase, in units of the barrier's strength, at which Newton stops. A wrong share d of an outlier shows in
the barrier as its strength times d^2 only."""
_WINDOW = 30.0
_OF_PLATEAU = 0.8
"""Share of the way from the mode to the plateau up to which neurons belong to the bulk."""
_OUTLIER = 1e-2
"""abar below which a direction holds no outlier: the barrier leaves the square root of its strength in each."""
_SEPARATE = 10.0
"""Nats from the bulk's mode to its edge from which on the two kinds of neurons are told apart."""


@dataclass(frozen=True)
class Directions:
    """Local maxima of kappa over directions of the readout.

    Attributes:
        unit: e, (direction, output).
        value: kappa(e), (direction,).
        gradient: of kappa in t, (direction, class, output).
        hessian: of kappa in t flattened, (direction, class * output, class * output).
    """

    unit: Float[np.ndarray, "J C"]
    value: Float[np.ndarray, " J"]
    gradient: Float[np.ndarray, "J G C"]
    hessian: Float[np.ndarray, "J K K"]


@dataclass(frozen=True)
class Condensed:
    """A bulk and outliers at one t.

    Attributes:
        t: (class, output).
        lattice: readouts of the bulk.
        weight: their probabilities.
        mean, spread: mean and variance of the activity of one sample of each class in the bulk, (point, class).
        directions: of possible outliers.
        readouts: abar of each, (direction, output); readouts are sqrt(N) times that.
        activities: [zbar]_+ of each for a sample of each class, (direction, class).
        cut: in nats above the bulk's mode, where the bulk ends.
    """

    t: Float[np.ndarray, "G C"]
    lattice: Lattice
    weight: Float[np.ndarray, " n"]
    mean: Float[np.ndarray, "n G"]
    spread: Float[np.ndarray, "n G"]
    directions: Directions
    readouts: Float[np.ndarray, "J C"]
    activities: Float[np.ndarray, "J G"]
    cut: float

    @property
    def bulk_outputs(self) -> Float[np.ndarray, "G C"]:
        """What the bulk adds to the outputs for a sample of each class."""
        return (self.weight[:, None] * self.mean).T @ self.lattice.readouts

    @property
    def outputs(self) -> Float[np.ndarray, "G C"]:
        """<phi a^T> of bulk and outliers."""
        return self.bulk_outputs + self.activities.T @ self.readouts


@dataclass(frozen=True)
class OutlierDetails(Details):
    """Attributes:
    t: the dual variables of a sample of each class, (class, output).
    bulk_mode: readout at the bulk's mode, in the network's units, (output,).
    bulk_outputs: what the bulk adds to the outputs, (class, output).
    zbar, abar: activities (class) and readouts (output) of the outliers over the root of the width, one row each.
    method: how the theory was solved.
    """

    t: Float[np.ndarray, "G C"]
    bulk_mode: Float[np.ndarray, " C"]
    bulk_outputs: Float[np.ndarray, "G C"]
    zbar: Float[np.ndarray, "K G"]
    abar: Float[np.ndarray, "K C"]
    method: str = "quadrature"


def directions(problem: ClassProblem, t: Float[np.ndarray, "G C"]) -> Directions:
    """All local maxima of kappa over directions.

    For given active classes kappa is a quadratic form, so that a maximum is the top eigenvector of its active classes:
    every set of classes is tried, and those whose eigenvector activates just them are the maxima.
    """
    classes = len(t)
    strength = problem.single.kappa * problem.counts
    subsets = (np.arange(1, 2**classes)[:, None] >> np.arange(classes)) & 1 == 1
    found: list[tuple[np.ndarray, float, np.ndarray, np.ndarray]] = []
    for chosen in subsets:
        weights = np.where(chosen, strength, 0.0)
        values, vectors = np.linalg.eigh((t.T * weights) @ t)
        e = vectors[:, -1] * (1 if (weights * (t @ vectors[:, -1])).sum() > 0 else -1)
        if not np.array_equal(t @ e > 0, chosen):
            continue
        field = weights * (t @ e)
        gradient = 2 * field[:, None] * e
        hessian = 2 * np.kron(np.diag(weights), np.outer(e, e))
        for value, v in zip(values[:-1], vectors.T[:-1], strict=True):
            coupled = (field[:, None] * v + (weights * (t @ v))[:, None] * e).ravel()
            hessian += 2 * np.outer(coupled, coupled) / (values[-1] - value + 1e-12 * values[-1])
        found.append((e, values[-1], gradient, hessian))
    unit, value, gradient, hessian = (np.array(each) for each in zip(*found, strict=True))
    return Directions(unit, value, gradient, hessian)


def bulk_mode(problem: ClassProblem, t: Float[np.ndarray, "G C"]) -> Float[np.ndarray, " C"]:
    """The local minimum of E below the origin.

    By Newton steps where they lead down, and by descent with the step s^2 elsewhere, which always does: E's curvature
    is at most 1/s^2.
    """
    a, variance, counts = np.zeros(t.shape[1]), problem.variance, problem.counts
    value, slope = (each[0] for each in energy(problem, t, a[None]))
    for _ in range(500):
        if np.linalg.norm(slope) * np.sqrt(variance) < 1e-9:
            break
        spread = problem.single.moments(a @ t.T)[1]
        curvature = np.eye(len(a)) / variance - (t.T * (counts * spread)) @ t
        step = np.linalg.solve(curvature, slope) if np.linalg.eigvalsh(curvature)[0] > 0 else variance * slope
        for moved in (a - step, a - variance * slope):
            there, slope_there = (each[0] for each in energy(problem, t, moved[None]))
            if there <= value:
                break
        a, value, slope = moved, there, slope_there
    return a


def condense(problem: ClassProblem, t: Float[np.ndarray, "G C"], barrier: float) -> tuple[Condensed, Ascent] | None:
    """Bulk and outliers at t, and the dual with a log barrier; None where t violates the bound.

    Args:
        barrier: strength, in nats.
    """
    tight = directions(problem, t)
    room = 1 - problem.variance * tight.value
    if room.min() <= 0:
        return None
    counts, tau = problem.counts, problem.tau
    classes, outputs = t.shape
    mode = bulk_mode(problem, t)
    lowest = energy(problem, t, mode[None])[0][0]
    silent = [counts[t @ e <= 0].sum() for e in tight.unit]
    plateau = np.log(2) * min(silent) - lowest
    cut = float(min(_WINDOW, _OF_PLATEAU * plateau)) if min(silent) > 0 else _WINDOW
    lattice = _basin(problem, t, mode, lowest + cut)
    weight = np.exp(-(lattice.energy - lattice.energy.min()))
    log_partition = float(np.log(weight.sum()) - lattice.energy.min() + lattice.log_cell)
    weight /= weight.sum()
    mean, spread = problem.single.moments(lattice.readouts @ t.T)
    share = barrier * problem.variance / room
    readouts = np.sqrt(2 * share)[:, None] * tight.unit
    activities = problem.single.kappa * np.maximum(readouts @ t.T, 0)
    found = Condensed(t, lattice, weight, mean, spread, tight, readouts, activities, cut)
    scale = np.repeat(counts, outputs)
    value = np.sum(counts[:, None] * (t * problem.targets - tau / 2 * t**2)) - log_partition
    value += barrier * np.log(room).sum()
    gradient = counts[:, None] * (problem.targets - tau * t - found.outputs)
    q = (mean[:, :, None] * lattice.readouts[:, None, :]).reshape(len(weight), -1)
    q = (q - weight @ q) * scale
    curvature = q.T @ (weight[:, None] * q) + tau * np.diag(scale)
    for index in range(classes):
        block = slice(index * outputs, (index + 1) * outputs)
        a = lattice.readouts
        curvature[block, block] += counts[index] * (a.T @ ((weight * spread[:, index])[:, None] * a))
    slopes = tight.gradient.reshape(len(room), -1)
    curvature += np.tensordot(share, tight.hessian, 1)
    curvature += (slopes.T * (share * problem.variance / room)) @ slopes
    return found, Ascent(float(value), gradient.ravel(), -curvature)


def _basin(
    problem: ClassProblem, t: Float[np.ndarray, "G C"], mode: Float[np.ndarray, " C"], ceiling: float
) -> Lattice:
    """The lattice where E is below a ceiling that lies below the plateau, in a box that grows until it holds all."""
    root = np.sqrt(problem.variance)
    radius = float(np.abs(mode).max() + 40 * root)
    while True:
        lattice = cover(problem, t, window=np.inf, ceiling=ceiling, radius=radius)
        if np.abs(lattice.readouts).max() < radius - 2 * root:
            return lattice
        radius *= 1.5


def solve_condensed(problem: ClassProblem) -> Condensed:
    """Bulk and outliers at the maximum of the dual."""
    shape = problem.targets.shape
    second = problem.single.kappa / 2
    hot = max(problem.tau, problem.variance * second * float(problem.counts.sum()))
    t = problem.targets / (hot + problem.variance * second)
    t = t * min(1.0, np.sqrt(0.5 / (problem.variance * directions(problem, t).value.max())))
    for barrier in tracked(_BARRIER, "lowering the barrier between bulk and outliers"):

        def evaluate(flat: np.ndarray, strength: float = float(barrier)) -> Ascent | None:
            result = condense(problem, flat.reshape(shape), strength)
            return None if result is None else result[1]

        enough = float(barrier) * (_AT_THE_END if barrier == _BARRIER[-1] else _ON_THE_WAY)
        t = climb(evaluate, t.ravel(), tolerance=enough, backtrack=True)[0].reshape(shape)
    result = condense(problem, t, float(_BARRIER[-1]))
    if result is None:
        raise ValueError("the ascent left the bound")
    return result[0]


def condensed_gap(problem: ClassProblem, found: Condensed) -> tuple[float, float]:
    """F of bulk and outliers less the dual, in nats a neuron, and the norm of the residual of all outputs.

    The dual is bounded, and the difference means something, where kappa <= 1/s^2 in every direction; the gap is
    infinite elsewhere.
    """
    value = directions(problem, found.t).value
    if problem.variance * value.max() > 1:
        return np.inf, np.inf
    residual = problem.targets - problem.tau * found.t - found.outputs
    squared = float(np.sum(problem.counts[:, None] * residual**2))
    slack = float(np.sum((found.readouts**2).sum(1) * (1 / problem.variance - found.directions.value)) / 2)
    return squared / (2 * problem.tau) + slack, float(np.sqrt(squared))


def solution(problem: MeanFieldProblem, request: Request, *, kappa: float) -> Solution:
    """Bulk and outliers, and neurons of the bulk drawn from its density."""
    of_classes, labels, width = ClassProblem.of(problem, kappa), problem.task.labels, problem.network.width
    found = solve_condensed(of_classes)
    excess, output_error = condensed_gap(of_classes, found)
    preactivation, _ = draw_neurons(
        of_classes, found.t, found.lattice.readouts, found.weight, labels, DRAWN, request.seed
    )
    blocks = (found.weight[:, None] * found.mean).T @ found.mean + found.activities.T @ found.activities
    kernel = blocks[labels][:, labels] + np.diag((found.weight @ found.spread)[labels])
    outliers = _outliers(problem, of_classes, found)
    fields = of_classes.single.preactivation(found.lattice.readouts @ found.t.T)
    return Solution(
        t=found.t[labels],
        kernel=kernel,
        neurons=neurons_at(problem, preactivation, found.t[labels]),
        readout_variance=problem.variance,
        certificate=Certificate(
            gap=excess,
            tolerance=TOLERANCE,
            meaning="duality gap in nats a neuron, the bulk being cut off where it merges with single large neurons",
            bounds={"output_error": output_error, "bulk_cut": found.cut},
        ),
        assumptions=(
            Assumption("Each direction of outliers is one neuron: entropy favours it, merging is slow.", holds=True),
            Assumption(
                f"Bulk and outliers are separate: the bulk holds readouts up to {found.cut:.1f} nats above its mode "
                f"(at least {_SEPARATE:g}).",
                found.cut >= _SEPARATE,
            ),
        ),
        bulk=NeuronGroup(
            name="bulk",
            count=float(width - len(outliers)),
            activity=found.weight @ found.mean,
            readout=problem.readout_unit * found.weight @ found.lattice.readouts,
            preactivation=found.weight @ fields,
        ),
        condensed=outliers,
        singles=_singles(problem, of_classes, found),
        details=OutlierDetails(
            found.t,
            problem.readout_unit * bulk_mode(of_classes, found.t),
            found.bulk_outputs,
            found.activities[_carriers(found)],
            found.readouts[_carriers(found)],
        ),
    )


def _carriers(found: Condensed) -> list[int]:
    """Directions that hold an outlier."""
    return [j for j in range(len(found.readouts)) if np.linalg.norm(found.readouts[j]) > _OUTLIER]


def _outliers(problem: MeanFieldProblem, of_classes: ClassProblem, found: Condensed) -> tuple[NeuronGroup, ...]:
    """One neuron a direction, by the class that it answers to most."""
    root, kappa = np.sqrt(problem.network.width), of_classes.single.kappa
    strongest = [(int(np.argmax(found.activities[j])), j) for j in _carriers(found)]
    return tuple(
        NeuronGroup(
            name=problem.task.class_names[top],
            count=1.0,
            activity=root * found.activities[j],
            readout=problem.readout_unit * root * found.readouts[j],
            preactivation=kappa * root * found.t @ found.readouts[j] * (found.activities[j] > 0),
        )
        for top, j in sorted(strongest)
    )


def _singles(problem: MeanFieldProblem, of_classes: ClassProblem, found: Condensed) -> Singles:
    """Outliers of every direction: how they fluctuate is not part of the density over readouts."""
    root, labels, kappa = np.sqrt(problem.network.width), problem.task.labels, of_classes.single.kappa
    fields = root * found.readouts @ found.t.T
    return Singles(
        activity=root * found.activities[:, labels],
        preactivation=of_classes.single.preactivation(fields)[:, labels],
        # a neuron deep in silence has one half of a normal density
        variance=np.where(fields > 0, kappa, kappa * (1 - 2 / np.pi))[:, labels],
        readout=root * found.readouts,
    )
