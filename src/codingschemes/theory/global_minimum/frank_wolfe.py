"""The global minimum on any data: sliding Frank-Wolfe over neurons, with a bound at the end.

Many particles descend together; neurons that ended at the same place are merged and their masses optimised, which is
convex; then a search over single neurons either finds some that still gain, which are added, or does not, which bounds
the distance from the minimum. Sources: Denoyelle, Duval, Peyre & Soubies (2019) for the sliding step, Bach (2017) and
Chizat & Bach (2018) for networks as measures.
"""

from dataclasses import dataclass
from itertools import count

import numpy as np
from jaxtyping import Float

from codingschemes.progress import tracked
from codingschemes.theory.convex import ConvexProblem
from codingschemes.theory.global_minimum import oracle
from codingschemes.theory.global_minimum.bounds import lower_bound
from codingschemes.theory.global_minimum.measures import (
    NeuronMeasure,
    Vectors,
    best_masses,
    energy,
    kernel,
    merge,
    move,
    normalise,
    residual,
)
from codingschemes.theory.global_minimum.pointwise import pointwise

#: Rounding of kinks while neurons slide, relative to the typical preactivation.
SLIDING = (1e-3, 1e-4, 1e-5, 1e-6)


@dataclass(frozen=True)
class FrankWolfeSolution:
    """A measure and how far it can be from the minimum.

    Attributes:
        measure: the neurons.
        energy: E of the measure.
        residual: V = Y^T - f.
        estimate: what the last search over single neurons found.
        lower_bound: the bound on E that holds if that search missed nothing.
        rounds: how often neurons were added.
    """

    measure: NeuronMeasure
    energy: float
    residual: Float[np.ndarray, "C P"]
    estimate: oracle.Maxima
    lower_bound: float
    rounds: int

    @property
    def gap(self) -> float:
        """Estimated relative distance from the minimum."""
        return max(self.energy - self.lower_bound, 0.0) / self.energy


def solve(
    problem: ConvexProblem,
    *,
    seed: int = 0,
    particles: int = 100,
    rounds: int = 40,
    searches: int = 16,
    starts: int = 500,
    tolerance: float = 1e-6,
    begin: NeuronMeasure | None = None,
) -> FrankWolfeSolution:
    """Minimises E over measures.

    Args:
        problem: any data, any activation, one hidden layer.
        seed: fixes every random choice.
        particles: neurons to begin with.
        rounds: most rounds of adding neurons.
        searches: independent searches for the bound at the end; each looks at everything any search found before.
        starts: random starts of a search.
        tolerance: relative gap at which no more neurons are added.
        begin: neurons to begin with instead of random ones.
    """
    rng = np.random.default_rng(seed)
    measure = _settle(problem, _particles(problem, particles, rng) if begin is None else begin)
    pool = measure.positions
    done = 0
    for _ in tracked(count(), "adding neurons until none gains", total=rounds + 1):
        solution, pool = _bound(problem, measure, pool, rng, 1, starts, done)
        if solution.gap <= tolerance or done >= rounds:
            solution, pool = _bound(problem, measure, pool, rng, searches, starts, done)
            if solution.gap <= tolerance or done >= rounds:
                return solution
        done += 1
        improved = _add(problem, solution)
        stuck = energy(problem, improved) > solution.energy * (1 - 1e-13)
        measure = solution.measure if stuck else improved
        if stuck:
            done = rounds
    raise AssertionError("the rounds are without end")


def certify(
    problem: ConvexProblem,
    v: Float[np.ndarray, "C P"],
    known: Float[np.ndarray, "K R"],
    *,
    seed: int = 0,
    searches: int = 4,
    starts: int = 200,
) -> oracle.Maxima:
    """Several independent searches at one residual, pooled; hits are counted against the best of all."""
    rng = np.random.default_rng(seed)
    return _pool(problem, v, known, rng, searches, starts)


def _particles(problem: ConvexProblem, count: int, rng: np.random.Generator) -> NeuronMeasure:
    components = problem.basis.shape[1]
    homogeneous = pointwise(problem.activation).homogeneous
    size = (0.3 if homogeneous else 1.0) / np.sqrt(np.mean(np.sum(problem.basis**2, axis=1)))
    masses = np.full(count, 1.0 if homogeneous else problem.neurons / count)
    return NeuronMeasure(size * rng.normal(size=(count, components)), masses)


def _settle(problem: ConvexProblem, measure: NeuronMeasure) -> NeuronMeasure:
    """All particles together, coarsely; then those that differ, with their best masses."""
    measure = merge(normalise(problem, move(problem, measure, iterations=60)), 1e-3)
    return best_masses(problem, measure.positions)


def _pool(
    problem: ConvexProblem,
    v: Float[np.ndarray, "C P"],
    known: Float[np.ndarray, "K R"],
    rng: np.random.Generator,
    searches: int,
    starts: int,
) -> oracle.Maxima:
    # what is known is looked at closely once; later searches are for what is not
    refined = min(40, 10 + len(problem.targets) // 3) if searches == 1 else 12
    found = [oracle.search(problem, v, known, rng, starts, refined=refined)]
    others = tracked(range(searches - 1), "searching for neurons that gain")
    found += [oracle.search(problem, v, known[:0], rng, starts, refined=4) for _ in others]
    largest = max(each.largest for each in found)
    positions = np.concatenate([each.positions for each in found])
    values = np.concatenate([each.values for each in found])
    order = np.argsort(-values)
    hits = sum(each.hits for each in found if each.largest >= largest - 1e-3 * abs(largest))
    return oracle.Maxima(largest, positions[order], values[order], searches * starts, hits)


def _bound(
    problem: ConvexProblem,
    measure: NeuronMeasure,
    pool: Float[np.ndarray, "K R"],
    rng: np.random.Generator,
    searches: int,
    starts: int,
    done: int,
) -> tuple[FrankWolfeSolution, Float[np.ndarray, "B R"]]:
    """The solution with its bound, and the pool with what the search found."""
    v = residual(problem, kernel(problem, measure))
    known = np.concatenate([measure.positions, pool])
    estimate = _pool(problem, v, known, rng, searches, starts)
    value = energy(problem, measure)
    solution = FrankWolfeSolution(measure, value, v, estimate, lower_bound(problem, v, estimate.largest), done)
    return solution, np.concatenate([pool, estimate.positions])[-400:]


def _add(problem: ConvexProblem, solution: FrankWolfeSolution) -> NeuronMeasure:
    """Neurons that gain are added; then masses and places in turn."""
    measure, estimate = solution.measure, solution.estimate
    present = np.max(oracle.gains(problem, solution.residual, measure.positions))
    gaining = estimate.positions[estimate.values > present + 1e-12 * abs(present)]
    positions = np.concatenate([measure.positions, gaining])
    positions = _normalise(problem, positions)
    unique = merge(NeuronMeasure(positions, np.ones(len(positions))), 1e-9).positions
    measure = best_masses(problem, unique)
    # neurons that are nearly the same slide into one, else their number grows from round to round
    slid = move(problem, merge(measure, 3e-3), roundings=SLIDING, iterations=60)
    slid = best_masses(problem, _normalise(problem, slid.positions))
    both = sorted((measure, slid), key=lambda each: energy(problem, each))
    return slid if energy(problem, slid) <= energy(problem, both[0]) * (1 + 1e-9) else both[0]


def _normalise(problem: ConvexProblem, positions: Vectors) -> Vectors:
    if not pointwise(problem.activation).homogeneous:
        return positions
    return positions / np.linalg.norm(positions, axis=1, keepdims=True)
