"""Integrals over readouts by the trapezoidal rule on a lattice that covers every mode.

The density of a readout given t is a mixture of N(s^2 t^T phi, s^2 I) over preactivations, whatever the activation. So
it is nowhere narrower than s, and the trapezoidal rule with spacing d = .9 s is wrong by a relative
2 C exp(-2 pi^2 s^2/d^2) = 1e-10 only. The energy E(a) = |a|^2/(2 s^2) - sum_c P_c log Z(a . t_c) has curvature of at
most 1/s^2 upwards and of at least 1/s^2 - v sum_c P_c |t_c|^2 downwards, v the largest variance of an activity: that
bounds E from below on a whole cell, and cells that cannot hold anything are discarded with certainty (branch and
bound). No mode can be missed.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from codingschemes.errors import InvalidInput
from codingschemes.theory.mean_field.class_problem import ClassProblem

_SPACING = 0.9
_MOST_CELLS = 3_000_000


class Lattice(NamedTuple):
    """Readouts that carry the integral.

    Attributes:
        readouts: (point, output).
        energy: E of each, in nats.
        log_cell: log of the volume of a cell, less the log normalisation of the prior.
    """

    readouts: Float[np.ndarray, "n C"]
    energy: Float[np.ndarray, " n"]
    log_cell: float


def energy(
    problem: ClassProblem,
    t: Float[np.ndarray, "G C"],
    readouts: Float[np.ndarray, "n C"],
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, "n C"]]:
    """E(a) and its gradient."""
    counts, variance = problem.counts, problem.variance
    log_z, mean = problem.single.energy(readouts @ t.T)
    value = (readouts**2).sum(1) / (2 * variance) - log_z @ counts
    return value, readouts / variance - (mean * counts) @ t


def cover(
    problem: ClassProblem,
    t: Float[np.ndarray, "G C"],
    *,
    window: float = 36.0,
    ceiling: float = np.inf,
    radius: float | None = None,
) -> Lattice:
    """The points of the lattice with E below `ceiling` and within `window` nats of the lowest E met on the way.

    Args:
        t: the dual variables of a sample of each class.
        window: in nats; what lies higher is left out of the integral.
        ceiling: an absolute limit on E.
        radius: half the edge of the box that is searched; left out, it is such that nothing can lie outside, which
            takes an activity that grows more slowly than its argument.

    Raises:
        InvalidInput: more cells than fit in memory.
    """
    single, counts, variance, outputs = problem.single, problem.counts, problem.variance, t.shape[1]
    root = np.sqrt(variance)
    spacing = _SPACING * root
    if radius is None:
        radius = _radius(problem, t, min(window, ceiling))
    levels = max(1, int(np.ceil(np.log2(2 * radius / spacing))))
    corners = np.stack(np.meshgrid(*[[-1.0, 1.0]] * outputs, indexing="ij"), -1).reshape(-1, outputs)
    centres = np.zeros((1, outputs))
    half = spacing * 2**levels / 2
    best = 0.0  # E at the origin
    for level in range(levels + 1):
        value, slope = energy(problem, t, centres)
        best = min(best, float(value.min()))
        if level == levels:
            break
        downward = single.largest_variance * np.linalg.eigvalsh((t.T * counts) @ t)[-1] - 1 / variance
        lowest = value - half * np.abs(slope).sum(1) - max(0.0, downward) * outputs * half**2 / 2
        field, reach = centres @ t.T, half * np.abs(t).sum(1)
        nearest = np.maximum(np.abs(centres) - half, 0.0)
        # log Z is convex: largest at an end of an interval
        highest = np.maximum(single.log_partition(field + reach), single.log_partition(field - reach))
        lowest = np.maximum(lowest, (nearest**2).sum(1) / (2 * variance) - highest @ counts)
        keep = lowest < min(best + window, ceiling)
        half /= 2
        centres = (centres[keep][:, None, :] + half * corners).reshape(-1, outputs)
        if len(centres) > _MOST_CELLS:
            raise InvalidInput(
                f"the density over {outputs} readouts needs more than {_MOST_CELLS} cells: use method='particles'"
            )
    keep = value < min(best + window, ceiling)
    log_cell = outputs * (np.log(spacing) - np.log(2 * np.pi * variance) / 2)
    return Lattice(centres[keep], value[keep], log_cell)


def flood(
    problem: ClassProblem,
    t: Float[np.ndarray, "G C"],
    mode: Float[np.ndarray, " C"],
    bits: Bool[np.ndarray, " G"],
    *,
    window: float = 36.0,
) -> Lattice:
    """The points of the lattice around a mode that have its code and lie within `window` nats of it.

    Args:
        mode: a local minimum of E.
        bits: which classes are active there.
    """
    counts, variance, outputs = problem.counts, problem.variance, len(mode)
    spacing = _SPACING * np.sqrt(variance)
    neighbours = np.concatenate([np.eye(outputs, dtype=np.int64), -np.eye(outputs, dtype=np.int64)])
    origin = np.round(mode / spacing).astype(np.int64)
    ceiling = energy(problem, t, mode[None])[0][0] + window
    base = 1 << 20  # places of one number: indices stay below half of it by far
    scale = base ** np.arange(outputs)
    # the mode may lie next to the edge of its region, and the point of the lattice next to it beyond
    frontier = np.stack(np.meshgrid(*[[-1, 0, 1]] * outputs, indexing="ij"), -1).reshape(-1, outputs).astype(np.int64)
    last, latest = np.zeros(0, np.int64), np.zeros(0, np.int64)
    points, values = [], []
    while len(frontier):
        readouts = (frontier + origin) * spacing
        fields = readouts @ t.T
        log_z, mean = problem.single.energy(fields)
        value = (readouts**2).sum(1) / (2 * variance) - log_z @ counts
        inside = (value < ceiling) & (problem.bits(mean) == bits).all(1)
        points.append(readouts[inside])
        values.append(value[inside])
        # a neighbour of a layer lies in that one, the one before or the next
        last, latest = latest, frontier @ scale
        reached = (frontier[inside][:, None, :] + neighbours).reshape(-1, outputs)
        keys, first = np.unique(reached @ scale, return_index=True)
        frontier = reached[first[~np.isin(keys, np.concatenate([last, latest]))]]
    log_cell = outputs * (np.log(spacing) - np.log(2 * np.pi * variance) / 2)
    return Lattice(np.concatenate(points), np.concatenate(values), log_cell)


def _radius(problem: ClassProblem, t: Float[np.ndarray, "G C"], limit: float) -> float:
    """Outside it E exceeds `limit`, and E = 0 at the origin."""
    single, variance = problem.single, problem.variance
    lengths = np.linalg.norm(t, axis=1)
    radius = 10 * np.sqrt(variance)
    while True:
        radii = radius * np.array([1.0, 1.5, 2.0, 4.0])
        field = radii[:, None] * lengths
        highest = np.maximum(single.log_partition(field), single.log_partition(-field)) @ problem.counts
        if np.all(radii**2 / (2 * variance) - highest > limit):
            return float(radius)
        radius *= 1.2
