"""A rigorous upper bound on the gain of a single ReLU neuron: the doubly-nonnegative relaxation.

With h = p - n, p and n its positive and negative parts, x = (p; n) >= 0 and X = x x^T, the largest

    kappa = |V p|^2 / (penalty ridge h^T K0^+ h)

is the maximum of a linear function of X under linear constraints, X >= 0 in every entry and p_i n_i = 0. Requiring X to
be positive semidefinite instead of of rank one can only enlarge it. The dual,

    minimise t  over t, d, N >= 0:   t Q + D(d) - A - N  positive semidefinite,

is approached by the alternating direction method of multipliers (Wen, Goldfarb & Yin 2010), which finds N. Any N >= 0
gives a bound: the best t and d for it are found by an interior-point method, which keeps the slack positive definite,
so that an unconverged run is still a bound.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.linalg import cho_solve

from codingschemes.errors import InvalidInput
from codingschemes.progress import tracked
from codingschemes.theory.convex import ConvexProblem
from codingschemes.theory.global_minimum.pointwise import pointwise

#: The step of the multipliers, in units in which the objective and one neuron's X have norm 1.
SIGMA = 0.03


@dataclass(frozen=True)
class Relaxation:
    """An upper bound on kappa.

    Attributes:
        bound: the smallest bound met.
        iterations: how many were made.
    """

    bound: float
    iterations: int


def largest_gain(
    problem: ConvexProblem, v: Float[np.ndarray, "C P"], *, iterations: int = 3200, tolerance: float = 1e-7
) -> Relaxation:
    """No ReLU neuron has a kappa at V above the bound.

    Args:
        problem: a ReLU problem; linear ones are answered exactly.
        v: the residual.
        iterations: most iterations; an eigendecomposition of a 2P x 2P matrix each.
        tolerance: excess over 1 at which the bound is good enough.

    Raises:
        InvalidInput: another activation.
    """
    phi_of = pointwise(problem.activation)
    if phi_of.homogeneous and not phi_of.rectifier:
        return Relaxation(float(np.linalg.norm(v @ problem.basis, 2) ** 2 / (problem.penalty * problem.ridge)), 0)
    if not phi_of.rectifier:
        raise InvalidInput("the doubly-nonnegative relaxation is for relu and linear: use separable_bound")
    return _dual_bound(problem, v, iterations, tolerance)


class _Forms(NamedTuple):
    """A gain and its charge as quadratic forms of X over the positive and negative parts of h, both of norm one.

    Attributes:
        objective, level: of the gain, and its norm before.
        quadratic, scale: of the charge, and its norm before.
        start: X of one neuron, along the direction of the largest gain.
    """

    objective: Float[np.ndarray, "n n"]
    level: float
    quadratic: Float[np.ndarray, "n n"]
    scale: float
    start: Float[np.ndarray, "n n"]

    @classmethod
    def of(cls, problem: ConvexProblem, v: Float[np.ndarray, "C P"]) -> "_Forms":
        samples = len(problem.basis)
        # every preactivation in units of its prior standard deviation, which maxima commute with
        sizes = np.sqrt(np.sum(problem.basis**2, axis=1))
        sizes = np.where(sizes > 0, sizes, 1.0)
        basis = problem.basis / sizes[:, None]
        left, singular, _ = np.linalg.svd(basis, full_matrices=True)
        rank = len(singular)
        # h has no part outside the range of K0: whatever is charged for one is not paid
        inverse = np.full(samples, 10 / singular[-1] ** 2)
        inverse[:rank] = 1 / singular**2
        q = (left * inverse) @ left.T
        quadratic = np.block([[q, -q], [-q, q]])
        scale = float(np.linalg.norm(quadratic))
        w = v * sizes / np.sqrt(problem.penalty * problem.ridge)
        objective = np.zeros((2 * samples, 2 * samples))
        objective[:samples, :samples] = w.T @ w
        level = float(np.linalg.norm(objective))
        h = basis @ (basis.T @ np.linalg.svd(w)[2][0])
        neuron = np.maximum(np.concatenate([h, -h]), 0)
        start = np.outer(neuron, neuron) / float(neuron @ neuron)
        return cls(objective / level, level, quadratic / scale, scale, start)


def _dual_bound(problem: ConvexProblem, v: Float[np.ndarray, "C P"], iterations: int, tolerance: float) -> Relaxation:
    samples = len(problem.basis)
    # the scale of X is free: with that of one neuron, all of X, the objective and the quadratic form are of order one
    objective, level, quadratic, scale, x = _Forms.of(problem, v)

    # constraints: <quadratic, X> = charge, X_{i,P+i} = 0
    pairs = np.arange(samples)
    overlap = 2 * quadratic[pairs, samples + pairs]

    def adjoint(t: float, d: Float[np.ndarray, " P"]) -> Float[np.ndarray, "n n"]:
        matrix = t * quadratic
        matrix[pairs, samples + pairs] += d
        matrix[samples + pairs, pairs] += d
        return matrix

    charge = float(np.sum(quadratic * x))
    s = np.zeros_like(objective)
    nonnegative = np.zeros_like(objective)
    best, done, check = np.inf, 0, 25
    average, since = np.zeros_like(objective), 0
    for done in tracked(range(1, iterations + 1), "bounding the gain of a neuron rigorously"):
        x_charge, x_pairs = float(np.sum(quadratic * x)), 2 * x[pairs, samples + pairs]
        rest = s + nonnegative + objective
        first = float(np.sum(quadratic * rest)) + (x_charge - charge) / SIGMA
        second = 2 * rest[pairs, samples + pairs] + x_pairs / SIGMA
        # A A^* is [1, overlap; overlap, 2]
        t = float((first - overlap @ second / 2) / (1 - overlap @ overlap / 2))
        d = (second - overlap * t) / 2
        dual = adjoint(t, d) - objective
        values, vectors = np.linalg.eigh(dual - nonnegative - x / SIGMA)
        kept = values > 0
        s = (vectors[:, kept] * values[kept]) @ vectors[:, kept].T
        nonnegative = np.maximum(dual - s - x / SIGMA, 0)
        x = x + 1.6 * SIGMA * (s + nonnegative - dual)
        average, since = average + nonnegative, since + 1
        if done in (check, iterations):
            # iterates circle around the solution, and N may be any: their mean is closer
            for each in (nonnegative, average / since):
                found = _best_for(quadratic, objective + each, t, d, tolerance / 10)
                best = min(best, found * level / scale)
            if best <= 1 + tolerance:
                break
            average, since = np.zeros_like(objective), 0
            check = 2 * check
    return Relaxation(best, done)


def _best_for(
    quadratic: Float[np.ndarray, "n n"],
    objective: Float[np.ndarray, "n n"],
    t: float,
    d: Float[np.ndarray, " P"],
    precision: float,
) -> float:
    """The least t for which some d makes t quadratic + D(d) - objective positive definite, from above.

    Newton's method on t - mu log det with mu going to zero; every t it passes is feasible.
    """
    samples = len(d)
    pairs, others = np.arange(samples), samples + np.arange(samples)

    def slack(t: float, d: Float[np.ndarray, " P"]) -> Float[np.ndarray, "n n"]:
        matrix = t * quadratic - objective
        matrix[pairs, others] += d
        matrix[others, pairs] += d
        return matrix

    def factor(t: float, d: Float[np.ndarray, " P"]) -> Float[np.ndarray, "n n"] | None:
        try:
            return np.linalg.cholesky(slack(t, d))
        except np.linalg.LinAlgError:
            return None

    # d raises what p + n is charged, t what p - n is: together they raise every eigenvalue
    lift = 1.05 * max(-float(np.linalg.eigvalsh(slack(t, d))[0]), 0.0) + 1e-12
    d = d + lift
    stiffest = float(np.linalg.eigvalsh(quadratic[:samples, :samples])[0])
    start, raised = t, lift / stiffest
    while (root := factor(t, d)) is None:
        t, raised = start + raised, 2 * raised
    mu = abs(t) / (4 * samples)
    while True:
        for _ in range(15):
            inverse = cho_solve((root, True), np.eye(2 * samples))
            product = inverse @ quadratic
            twice = product @ inverse
            slope = np.append(1 / mu - np.trace(product), -2 * inverse[pairs, others])
            curvature = np.empty((samples + 1, samples + 1))
            curvature[0, 0] = np.sum(product * product.T)
            curvature[0, 1:] = curvature[1:, 0] = 2 * twice[pairs, others]
            cross = inverse[samples:, :samples]
            curvature[1:, 1:] = 2 * (cross * cross.T + inverse[samples:, samples:] * inverse[:samples, :samples])
            # in units of the diagonal, which spans many orders of magnitude
            units = 1 / np.sqrt(np.diag(curvature))
            step = -units * np.linalg.solve(units[:, None] * curvature * units, units * slope)
            decrement = -float(slope @ step)
            reach = 1.0 if decrement < 0.25 else 1.6 / (1 + np.sqrt(decrement))
            while (ahead := factor(t + reach * step[0], d + reach * step[1:])) is None and reach > 1e-12:
                reach /= 2
            if ahead is None:
                return t
            t, d, root = t + reach * float(step[0]), d + reach * step[1:], ahead
            if decrement < 0.05:
                break
        if 2 * samples * mu < precision * t:
            return t
        mu /= 8
