"""The inner maximum: which single neuron would lower the loss most, given the residual V.

With s = |V phi(L u)|^2 / ridge and c = penalty |u|^2, a measure is optimal if and only if no neuron anywhere gains

- homogeneous phi, masses free: kappa = s / c exceeds 1 nowhere;
- otherwise, masses adding up to M: g = s - c is nowhere larger than on the neurons that are there.

Both are maxima of a function with many local ones, so what a search finds is an estimate from below.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy.optimize import minimize

from codingschemes.progress import tracked
from codingschemes.theory.convex import ConvexProblem
from codingschemes.theory.global_minimum.measures import Vectors
from codingschemes.theory.global_minimum.pointwise import pointwise

#: Rounding of kinks during the refinement of one neuron, relative to its preactivations.
REFINEMENT = (0.03, 1e-3, 3e-5, 1e-7)


@dataclass(frozen=True)
class Maxima:
    """What a search for the inner maximum found.

    Attributes:
        largest: the largest value of kappa or g.
        positions: distinct local maxima, best first, (neuron, component).
        values: their values.
        starts: how many starts there were.
        hits: how many of them ended at the best (a relative difference below 1e-3 before refinement).
    """

    largest: float
    positions: Vectors
    values: Float[np.ndarray, " A"]
    starts: int
    hits: int


def gains(problem: ConvexProblem, v: Float[np.ndarray, "C P"], positions: Vectors) -> Float[np.ndarray, " A"]:
    """kappa (homogeneous phi) or g of each neuron."""
    return _gains(problem, v, positions, 0.0)[0]


def _gains(
    problem: ConvexProblem, v: Float[np.ndarray, "C P"], u: Vectors, rounding: float
) -> tuple[Float[np.ndarray, " A"], Vectors]:
    """Values and their slopes."""
    phi_of = pointwise(problem.activation)
    phi, slope = phi_of(u @ problem.basis.T, rounding)
    driven = phi @ v.T
    reduction = np.sum(driven**2, axis=1) / problem.ridge
    reduction_slope = (2 / problem.ridge) * ((driven @ v) * slope) @ problem.basis
    norms = np.sum(u**2, axis=1)
    if phi_of.homogeneous:
        values = reduction / (problem.penalty * np.maximum(norms, 1e-300))
        return values, (reduction_slope / problem.penalty - 2 * values[:, None] * u) / np.maximum(norms, 1e-300)[
            :, None
        ]
    return reduction - problem.penalty * norms, reduction_slope - 2 * problem.penalty * u


def search(
    problem: ConvexProblem,
    v: Float[np.ndarray, "C P"],
    known: Float[np.ndarray, "K R"],
    rng: np.random.Generator,
    starts: int = 500,
    steps: int = 120,
    refined: int = 12,
) -> Maxima:
    """Ascends from random starts and from known neurons, and refines the best that differ.

    Args:
        v: the residual.
        known: neurons to start from besides, (neuron, component); may have no rows.
        starts: random starts.
        steps: of the batched ascent.
        refined: how many distinct ends are refined.
    """
    fresh = _starting_points(problem, v, starts, rng)
    ends = _ascend(problem, v, fresh, steps)
    values = gains(problem, v, ends)
    candidates = _distinct(np.concatenate([known, ends]), gains(problem, v, np.concatenate([known, ends])), refined)
    polished = [refine(problem, v, each) for each in tracked(candidates, "refining neurons that may gain")]
    positions = np.array(polished)
    final = gains(problem, v, positions)
    order = np.argsort(-final)
    largest = float(final[order[0]])
    reference = (
        largest
        if pointwise(problem.activation).homogeneous
        else largest + problem.penalty * float(np.sum(positions[order[0]] ** 2))
    )
    hits = int(np.sum(values >= largest - 1e-3 * abs(reference)))
    return Maxima(largest, positions[order], final[order], starts, hits)


def refine(problem: ConvexProblem, v: Float[np.ndarray, "C P"], u: Float[np.ndarray, " R"]) -> Float[np.ndarray, " R"]:
    """One neuron moved to the nearest local maximum, to rounding errors where phi is ReLU; never worse than u.

    Elsewhere kinks are rounded off less and less.
    """
    phi_of = pointwise(problem.activation)
    if phi_of.rectifier:
        return _refine_relu(problem, v, u)
    scale = np.sqrt(np.mean((problem.basis @ u) ** 2))
    best, highest = u, float(gains(problem, v, u[None])[0])

    def objective(flat: Float[np.ndarray, " R"], rounding: float) -> tuple[float, Float[np.ndarray, " R"]]:
        value, slope = _gains(problem, v, flat[None], rounding)
        return -float(value[0]), -slope[0]

    # where phi grows without end, so may the gain at a residual that is far from the best one
    reach = 100 * float(np.max(np.abs(u))) + 1e-300
    box = [(-reach, reach)] * len(u)
    at = u
    for rounding in [factor * scale for factor in REFINEMENT] if len(phi_of.kinks) else [0.0]:
        options = {"maxiter": 100, "maxcor": 20, "ftol": 1e-15, "gtol": 1e-12}
        at = minimize(objective, at, (rounding,), jac=True, method="L-BFGS-B", bounds=box, options=options).x
        value = float(gains(problem, v, at[None])[0])
        if value > highest:
            best, highest = at, value
    return best


def _refine_relu(
    problem: ConvexProblem, v: Float[np.ndarray, "C P"], u: Float[np.ndarray, " R"], steps: int = 100
) -> Float[np.ndarray, " R"]:
    """Alternates the readout w, the samples that are active, and what is then a concave problem in u.

    With g = V^T w, maximise g^T relu(h) - |u|^2/2: the part with g > 0 is convex in h and replaced by its tangent at
    the active samples, the rest is max_u min_{0 <= r <= -g} (g_+ - r)^T h - |u|^2/2, a box problem in r. Values never
    decrease, and samples with 0 < r < -g lie on the kink exactly.
    """
    highest = float(gains(problem, v, u[None])[0])
    gram = problem.basis @ problem.basis.T
    r = np.zeros(len(gram))
    h = problem.basis @ u
    for _ in range(steps):
        active = np.where(h > 1e-10 * np.max(np.abs(h)), h, 0.0)
        w = v @ active
        g = v.T @ w / np.linalg.norm(w) if np.any(w) else np.zeros(len(h))
        drive = np.where((g > 0) & (active > 0), g, 0.0)
        r = _box_minimum(
            gram,
            gram @ drive,
            np.maximum(-g, 0.0),
            np.where(h > 0, np.maximum(-g, 0.0), np.minimum(r, np.maximum(-g, 0.0))),
        )
        moved = (drive - r) @ problem.basis
        value = float(gains(problem, v, moved[None])[0]) if np.any(moved) else 0.0
        if not value > highest:
            break
        gained, highest = value - highest, value
        u, h = moved, problem.basis @ moved
        h[(r > 0) & (r < -g)] = 0.0
        if gained < 1e-12 * highest:
            break
    return u


def _box_minimum(
    gram: Float[np.ndarray, "P P"],
    linear: Float[np.ndarray, " P"],
    upper: Float[np.ndarray, " P"],
    r: Float[np.ndarray, " P"],
) -> Float[np.ndarray, " P"]:
    """The minimiser of r^T gram r / 2 - linear^T r over 0 <= r <= upper, by projected Newton steps from r."""
    jitter = 1e-13 * np.trace(gram) * np.eye(len(gram))

    def value(at: Float[np.ndarray, " P"]) -> float:
        return float(at @ (gram @ at) / 2 - linear @ at)

    current = value(r)
    for _ in range(60):
        slope = gram @ r - linear
        free = (upper > 0) & ~((r <= 0) & (slope > 0)) & ~((r >= upper) & (slope < 0))
        if not np.any(free):
            break
        step = np.zeros(len(r))
        step[free] = -np.linalg.solve((gram + jitter)[np.ix_(free, free)], slope[free])
        if -float(slope @ step) <= 1e-14 * abs(current):
            break
        reach = 1.0
        while True:
            trial = np.clip(r + reach * step, 0.0, upper)
            lower = value(trial)
            if lower < current or reach < 1e-6:
                break
            reach /= 2
        if not lower < current - 1e-15 * abs(current):
            break
        r, current = trial, lower
    return r


def _starting_points(
    problem: ConvexProblem, v: Float[np.ndarray, "C P"], count: int, rng: np.random.Generator
) -> Vectors:
    """Half at random in whitened coordinates, half along the response to a random readout at random samples; over two
    decades of size where size matters."""
    samples, components = problem.basis.shape
    random = rng.normal(size=(count - count // 2, components))
    directions = rng.normal(size=(count // 2, len(v)))
    active: Bool[np.ndarray, "A P"] = rng.random((count // 2, samples)) < 0.5
    active[np.arange(count // 2), rng.integers(samples, size=count // 2)] = True
    linear = ((directions @ v) * active) @ problem.basis
    both = np.concatenate([random, linear])
    sizes = np.sqrt(np.mean((both @ problem.basis.T) ** 2, axis=1))
    decades = 0.0 if pointwise(problem.activation).homogeneous else 1.0
    targets = 10 ** rng.uniform(-decades, decades, count)
    return both * (targets / np.maximum(sizes, 1e-300))[:, None]


def _ascend(problem: ConvexProblem, v: Float[np.ndarray, "C P"], u: Vectors, steps: int) -> Vectors:
    """Adam on every start at once, steps relative to the size of each and decaying to nothing.

    Kinks are rounded off at first, which leads to higher maxima.
    """
    homogeneous = pointwise(problem.activation).homogeneous
    size = np.linalg.norm(u, axis=1, keepdims=True) / np.sqrt(u.shape[1])
    rounding = 0.3 * float(np.sqrt(np.mean((u @ problem.basis.T) ** 2)))
    mean, square = np.zeros_like(u), np.zeros((len(u), 1))
    for step in range(steps):
        _, slope = _gains(problem, v, u, rounding * (1 - step / steps) ** 3)
        mean = 0.8 * mean + 0.2 * slope
        # one scale a neuron, not one a coordinate: the whitened coordinates are alike
        square = 0.95 * square + 0.05 * np.mean(slope**2, axis=1, keepdims=True)
        rate = 0.5 * (1 + np.cos(np.pi * step / steps)) / 2
        corrected = mean / (1 - 0.8 ** (step + 1)) / np.sqrt(square / (1 - 0.95 ** (step + 1)) + 1e-300)
        if homogeneous:
            u = u + rate * size * corrected
            u = u * (size * np.sqrt(u.shape[1]) / np.linalg.norm(u, axis=1, keepdims=True))
        else:
            size = np.linalg.norm(u, axis=1, keepdims=True) / np.sqrt(u.shape[1])
            u = u + 0.5 * rate * size * corrected
    return u


def _distinct(
    positions: Float[np.ndarray, "A R"], values: Float[np.ndarray, " A"], count: int
) -> Float[np.ndarray, "B R"]:
    """The best `count` that differ by more than a tenth of their norm, best first."""
    chosen: list[int] = []
    norms = np.linalg.norm(positions, axis=1)
    for index in np.argsort(-values):
        if chosen:
            distances = np.linalg.norm(positions[chosen] - positions[index], axis=1)
            if np.any(distances < 0.1 * np.maximum(norms[chosen], norms[index])):
                continue
        chosen.append(int(index))
        if len(chosen) == count:
            break
    return positions[chosen]
