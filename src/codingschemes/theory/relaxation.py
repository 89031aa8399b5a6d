"""A rigorous upper bound on the gain of a single ReLU neuron: the doubly-nonnegative relaxation.

With h = p - n, p and n its positive and negative parts, x = (p; n) >= 0 and X = x x^T, the largest

    kappa = |V p|^2 / (penalty ridge h^T K0^+ h)

is the maximum of a linear function of X under linear constraints, X >= 0 in every entry and p_i n_i = 0. Requiring X to
be positive semidefinite instead of of rank one can only enlarge it. The dual,

    minimise t  over t, d, N >= 0:   t Q + D(d) - A - N  positive semidefinite,

is solved by the alternating direction method of multipliers (Wen, Goldfarb & Yin 2010). Whatever the iterate, adding
the most negative eigenvalue times a bound on the trace of X makes it feasible: an unconverged run is still a bound.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from codingschemes.errors import InvalidInput
from codingschemes.theory.convex import Problem
from codingschemes.theory.pointwise import pointwise


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
    problem: Problem, v: Float[np.ndarray, "C P"], *, iterations: int = 1500, tolerance: float = 1e-7
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


def _dual_bound(problem: Problem, v: Float[np.ndarray, "C P"], iterations: int, tolerance: float) -> Relaxation:
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
    gram_trace = float(singular[0] ** 2)  # |x|^2 = |h|^2 <= this at h^T K0^+ h = 1
    quadratic = np.block([[q, -q], [-q, q]])
    scale = float(np.sqrt(np.sum(quadratic**2)))
    quadratic = quadratic / scale
    w = v * sizes / np.sqrt(problem.penalty * problem.ridge)
    objective = np.zeros((2 * samples, 2 * samples))
    objective[:samples, :samples] = w.T @ w
    level = float(np.linalg.norm(objective))
    objective = objective / level

    # constraints: <quadratic, X> = 1/scale, X_{i,P+i} = 0
    pairs = np.arange(samples)
    overlap = 2 * quadratic[pairs, samples + pairs]

    def constraints(x: Float[np.ndarray, "n n"]) -> tuple[float, Float[np.ndarray, " P"]]:
        return float(np.sum(quadratic * x)), 2 * x[pairs, samples + pairs]

    def adjoint(t: float, d: Float[np.ndarray, " P"]) -> Float[np.ndarray, "n n"]:
        matrix = t * quadratic
        matrix[pairs, samples + pairs] += d
        matrix[samples + pairs, pairs] += d
        return matrix

    def multipliers(first: float, second: Float[np.ndarray, " P"]) -> tuple[float, Float[np.ndarray, " P"]]:
        """Solves (A A^*) (t, d) = (first, second): A A^* is [1, overlap; overlap, 2]."""
        t = (first - overlap @ second / 2) / (1 - overlap @ overlap / 2)
        return t, (second - overlap * t) / 2

    # X in units in which its constraint reads <quadratic, X> = 1
    trace = gram_trace * scale
    s = np.zeros_like(objective)
    nonnegative = np.zeros_like(objective)
    x = np.eye(2 * samples) / max(trace, 1.0)
    sigma = 1.0
    best = np.inf
    done = 0
    for done in range(1, iterations + 1):
        at_x = constraints(x)
        at_sum = constraints(s + nonnegative + objective)
        t, d = multipliers(at_sum[0] + (at_x[0] - 1) / sigma, at_sum[1] + at_x[1] / sigma)
        dual = adjoint(t, d) - objective
        values, vectors = np.linalg.eigh(dual - nonnegative - x / sigma)
        positive = np.maximum(values, 0)
        s = (vectors * positive) @ vectors.T
        nonnegative = np.maximum(dual - s - x / sigma, 0)
        gap = s + nonnegative - dual
        x = x + 1.6 * sigma * gap
        if done % 25 == 0:
            dual_error = float(np.linalg.norm(gap))
            primal_error = float(np.linalg.norm(np.minimum(x, 0)) + abs(constraints(x)[0] - 1))
            lowest = float(np.linalg.eigvalsh(dual - nonnegative)[0])
            best = min(best, (t + trace * max(-lowest, 0.0)) * level / scale)
            if best <= 1 + tolerance:
                break
            # keep both errors going down together
            if primal_error < dual_error * np.linalg.norm(x) / 5:
                sigma = max(sigma / 1.5, 1e-8)
            elif primal_error > dual_error * np.linalg.norm(x) * 5:
                sigma = min(sigma * 1.5, 1e8)
    return Relaxation(best, done)
