"""The regularised loss as a convex function of a measure over neurons: energy, residual, best masses, best places.

A measure is a list of neurons u_k (preactivations h_k = L u_k) with masses m_k. `ConvexProblem` says what E is.
The residual V = Y^T - f = ridge Y^T (ridge + K)^{-1} is the dual variable: adding mass at u changes E by
penalty |u|^2 - |V phi(L u)|^2 / ridge a unit.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize

from codingschemes.progress import check_time
from codingschemes.theory.convex import ConvexProblem
from codingschemes.theory.global_minimum.pointwise import pointwise

type Vectors = Float[np.ndarray, "A R"]

#: Kinks are rounded off by this much of the typical preactivation, less and less.
ROUNDING = (0.3, 0.1, 0.03, 0.01, 0.003, 1e-3, 1e-4, 1e-5, 1e-6)


#: Neurons below this share of the total mass are left out.
NEGLIGIBLE = 1e-8


@dataclass(frozen=True)
class NeuronMeasure:
    """Neurons and how much there is of each.

    Attributes:
        positions: u_k, (neuron, component).
        masses: m_k > 0, (neuron,). Where phi is homogeneous, position and mass are not separately determined:
            positions then have norm 1.
    """

    positions: Vectors
    masses: Float[np.ndarray, " A"]


def activities(problem: ConvexProblem, positions: Vectors) -> Float[np.ndarray, "A P"]:
    """phi(L u) of every neuron at every sample."""
    return pointwise(problem.activation)(positions @ problem.basis.T)[0]


def kernel(problem: ConvexProblem, measure: NeuronMeasure) -> Float[np.ndarray, "P P"]:
    """K, the sum over neurons, the background included."""
    return _kernel_of(problem, activities(problem, measure.positions), measure.masses)


def _kernel_of(
    problem: ConvexProblem, phi: Float[np.ndarray, "A P"], masses: Float[np.ndarray, " A"]
) -> Float[np.ndarray, "P P"]:
    total = phi.T @ (masses[:, None] * phi)
    return total if problem.background is None else total + problem.background


def residual(problem: ConvexProblem, total: Float[np.ndarray, "P P"]) -> Float[np.ndarray, "C P"]:
    """V = Y^T - f for the best readout on the kernel K."""
    factor = cho_factor(total + problem.ridge * np.eye(len(total)))
    return problem.ridge * cho_solve(factor, problem.targets).T


def energy(problem: ConvexProblem, measure: NeuronMeasure) -> float:
    """E of the measure."""
    v = residual(problem, kernel(problem, measure))
    norm = measure.masses @ np.sum(measure.positions**2, axis=1)
    return float(problem.penalty * norm + np.sum(v * problem.targets.T))


def normalise(problem: ConvexProblem, measure: NeuronMeasure) -> NeuronMeasure:
    """The same measure without neurons that do not count, and with homogeneous neurons of norm 1."""
    positions, masses = measure.positions, measure.masses
    if pointwise(problem.activation).homogeneous:
        norms = np.linalg.norm(positions, axis=1)
        positions, masses = positions / np.maximum(norms, 1e-300)[:, None], masses * norms**2
    kept = masses > NEGLIGIBLE * masses.sum()
    masses = masses[kept]
    if not pointwise(problem.activation).homogeneous:
        masses = masses * (problem.neurons / masses.sum())
    return NeuronMeasure(positions[kept], masses)


def merge(measure: NeuronMeasure, tolerance: float = 1e-4) -> NeuronMeasure:
    """Neurons closer than `tolerance` of their norm become one, at the heaviest of them."""
    order = np.argsort(-measure.masses)
    positions, masses = measure.positions[order], measure.masses[order].copy()
    kept: list[int] = []
    for index, position in enumerate(positions):
        if kept:
            distances = np.linalg.norm(positions[kept] - position, axis=1)
            nearest = int(np.argmin(distances))
            if distances[nearest] <= tolerance * (np.linalg.norm(position) + 1e-12):
                masses[kept[nearest]] += masses[index]
                continue
        kept.append(index)
    return NeuronMeasure(positions[kept], masses[kept])


def best_masses(problem: ConvexProblem, positions: Vectors) -> NeuronMeasure:
    """The best masses for neurons at given places: a convex problem, by a log-barrier Newton method.

    Masses are free where phi is homogeneous; elsewhere they sum to the number of neurons.
    """
    phi = activities(problem, positions)
    costs = problem.penalty * np.sum(positions**2, axis=1)
    fixed = not pointwise(problem.activation).homogeneous
    count = len(positions)
    identity = np.eye(phi.shape[1])

    def barrier(masses: Float[np.ndarray, " A"], mu: float) -> float:
        v = residual(problem, _kernel_of(problem, phi, masses))
        return float(costs @ masses + np.sum(v * problem.targets.T) - mu * np.sum(np.log(masses)))

    largest = float(np.sum(problem.targets**2))
    start = problem.neurons / count if fixed else largest / (2 * float(np.sum(costs)))
    masses = np.full(count, start)
    mu = largest / count
    while mu > 1e-14 * largest / count:
        mu /= 10
        for _ in range(30):
            total = _kernel_of(problem, phi, masses)
            factor = cho_factor(total + problem.ridge * identity)
            v = problem.ridge * cho_solve(factor, problem.targets).T
            driven = phi @ v.T
            slope = costs - np.sum(driven**2, axis=1) / problem.ridge - mu / masses
            curvature = (2 / problem.ridge) * (phi @ cho_solve(factor, phi.T)) * (driven @ driven.T)
            # in units of the masses, which span many orders of magnitude
            scaled = masses[:, None] * curvature * masses
            scaled += (mu + 1e-15 * np.trace(scaled)) * np.eye(count)
            step_factor = cho_factor(scaled)
            step = -cho_solve(step_factor, masses * slope)
            if fixed:
                across = cho_solve(step_factor, masses)
                step -= across * (masses @ step) / (masses @ across)
            decrement = -float(step @ (masses * slope))
            if fixed:
                decrement = float(step @ scaled @ step)
            reach = min(1.0, 0.99 / max(float(np.max(-step)), 1e-300))
            before = barrier(masses, mu)
            while barrier(masses * (1 + reach * step), mu) > before + 1e-13 * abs(before) and reach > 1e-10:
                reach /= 2
            masses = masses * (1 + reach * step)
            if decrement < 1e-4 * mu:
                break
    return normalise(problem, NeuronMeasure(positions, masses))


def move(
    problem: ConvexProblem, measure: NeuronMeasure, roundings: tuple[float, ...] = ROUNDING, iterations: int = 300
) -> NeuronMeasure:
    """The places of neurons improved at fixed masses, by L-BFGS on activations whose kinks are rounded off.

    Never worse than the measure given.
    """
    phi_of = pointwise(problem.activation)
    masses, shape = measure.masses, measure.positions.shape
    if phi_of.homogeneous:
        measure = NeuronMeasure(measure.positions * np.sqrt(masses)[:, None], np.ones(len(masses)))
        masses = measure.masses

    def objective(flat: Float[np.ndarray, " n"], rounding: float) -> tuple[float, Float[np.ndarray, " n"]]:
        check_time("moving neurons")
        u = flat.reshape(shape)
        phi, slope = phi_of(u @ problem.basis.T, rounding)
        v = residual(problem, _kernel_of(problem, phi, masses))
        value = problem.penalty * float(masses @ np.sum(u**2, axis=1)) + float(np.sum(v * problem.targets.T))
        force = ((phi @ v.T) @ v * slope) @ problem.basis / problem.ridge
        return value, np.ravel(2 * masses[:, None] * (problem.penalty * u - force))

    flat = np.ravel(measure.positions)
    scale = float(np.sqrt(np.mean((measure.positions @ problem.basis.T) ** 2)))
    for rounding in [factor * scale for factor in roundings] if len(phi_of.kinks) else [0.0]:
        options = {"maxiter": iterations, "maxcor": 20, "ftol": 1e-15, "gtol": 1e-12}
        flat = minimize(objective, flat, (rounding,), jac=True, method="L-BFGS-B", options=options).x
    better = replace(measure, positions=flat.reshape(shape))
    return min((measure, better), key=lambda each: energy(problem, each))
