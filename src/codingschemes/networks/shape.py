"""What a pointwise function is like, found once from its values and slopes: symmetry, limits, growth, kinks, roots."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from codingschemes.precision import in_double_precision

type Symmetry = Literal["generic", "vanishing", "odd", "even"]

_REACH = 10.0
_POINTS = 4096
_EXACT = 1e-12
_DEGREE = 6
_NEAR, _FAR = 1e3, 1e6
"""Where limits and growth are read off."""
_JUMP, _HALVINGS = 1e-3, 48
"""A kink is a jump of the slope by more than this, relative to the largest slope, that no zoom makes smaller."""
_BESIDE = 1e-9
"""How far from a kink its two slopes are taken."""


@dataclass(frozen=True)
class Shape:
    """What is true of a function phi of one number.

    Attributes:
        symmetry: `odd`, `even`, `vanishing` (phi(0) = 0, not odd, not even) or `generic` (neither a parity nor
            phi(0) = 0).
        value: phi(0).
        slope: phi'(0); the mean of the two one-sided slopes where they differ.
        limits: phi at -1e6 and 1e6, what it saturates at where it does.
        growth: p of |phi(z)| ~ |z|^p between 1e3 and 1e6, on the side where it is larger: 0 where phi is bounded, 1
            where it is asymptotically linear.
        homogeneous: whether phi(c z) = c phi(z) for all c > 0, as for ReLU.
        rectifier: whether phi(z) = max(z, 0).
        polynomial: whether phi is a polynomial (of degree up to 6).
        kinks: where the slope jumps, in [-10, 10] unless given.
        jumps: of the slope, upwards positive, one a kink.
        value_roots: zeros of phi other than 0, in [-10, 10].
        slope_roots: isolated zeros of phi' in [-10, 10].
    """

    symmetry: Symmetry
    value: float
    slope: float
    limits: tuple[float, float]
    growth: float
    homogeneous: bool
    rectifier: bool
    polynomial: bool
    kinks: tuple[float, ...]
    jumps: tuple[float, ...]
    value_roots: tuple[float, ...]
    slope_roots: tuple[float, ...]

    @property
    def kinked(self) -> bool:
        """Whether the slope jumps somewhere: phi is then not analytic."""
        return len(self.kinks) > 0

    @property
    def midpoint(self) -> float:
        """Half way between the limits; phi(0) exactly where phi is symmetric about it."""
        low, high = self.limits
        middle = (low + high) / 2
        return self.value if abs(middle - self.value) <= abs(high - low) / _FAR else middle


@lru_cache
def _tabulate(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return jax.jit(jax.vmap(jax.value_and_grad(lambda z: jnp.sum(function(z)))))


def values_and_slopes(
    function: Callable[[Any], Any], points: Float[np.ndarray, "*shape"]
) -> tuple[Float[np.ndarray, "*shape"], Float[np.ndarray, "*shape"]]:
    """phi and phi' at points of any shape, from one compiled function a phi."""
    flat = points.ravel()
    rows = np.pad(flat, (0, -len(flat) % _POINTS or _POINTS * (len(flat) == 0))).reshape(-1, _POINTS)
    with jax.ensure_compile_time_eval():  # whoever asks may be traced
        pairs = [tuple(map(np.asarray, _tabulate(function)(row))) for row in rows]
    values, slopes = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    return values[: len(flat)].reshape(points.shape), slopes[: len(flat)].reshape(points.shape)


def find_kinks(function: Callable[[Any], Any]) -> tuple[float, ...]:
    """Where the slope jumps in [-10, 10], to round-off; of two kinks closer than 0.005 one may be missed.

    Every interval over which the slope changes much is halved, its part with the larger change kept, until it is a
    jump or nothing.
    """
    grid, _, slopes = _table(function, -_REACH, _REACH)
    least = _JUMP * np.abs(slopes).max()
    steep = np.flatnonzero(np.abs(np.diff(slopes)) > least)
    low, high, before, after = grid[steep], grid[steep + 1], slopes[steep], slopes[steep + 1]
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        between = values_and_slopes(function, middle)[1]
        left = np.abs(between - before) >= np.abs(after - between)
        low, before = np.where(left, low, middle), np.where(left, before, between)
        high, after = np.where(left, middle, high), np.where(left, between, after)
    found = high[np.abs(after - before) > least]
    return tuple(float(place) for place in np.unique(np.round(found, 12) + 0.0))


@in_double_precision
def shape_of(function: Callable[[Any], Any], kinks: tuple[float, ...] | None = None) -> Shape:
    """The shape of a function, from values and slopes on 4,096 points of [-10, 10].

    Equalities hold to 1e-12 of the largest value: a function that breaks a parity by less is taken to have it.

    Args:
        function: phi, elementwise, traceable by jax.
        kinks: where they are known; looked for if left out.
    """
    grid, values, slopes = _table(function, -_REACH, _REACH)
    twice = _table(function, -2 * _REACH, 2 * _REACH)[1]
    kinks = find_kinks(function) if kinks is None else kinks
    places = np.array([0.0, *kinks])
    (value, *far), _ = values_and_slopes(function, np.array([0.0, -_FAR, _FAR, -_NEAR, _NEAR]))
    before, after = values_and_slopes(function, np.stack([places - _BESIDE, places + _BESIDE]))[1]
    size = np.abs(values).max()

    def same(left: Float[np.ndarray, " n"], right: Float[np.ndarray, " n"]) -> bool:
        return bool(np.abs(left - right).max() <= _EXACT * size)

    symmetry: Symmetry = "generic"
    if same(values, -values[::-1]):
        symmetry = "odd"
    elif same(values, values[::-1]):
        symmetry = "even"
    elif abs(value) <= _EXACT * size:
        symmetry = "vanishing"
    fit = np.polynomial.chebyshev.Chebyshev.fit(grid, values, _DEGREE)
    return Shape(
        symmetry=symmetry,
        value=0.0 if abs(value) <= _EXACT * size else float(value),
        slope=float(before[0] + after[0]) / 2,
        limits=(float(far[0]), float(far[1])),
        growth=_growth(*np.abs(far)),
        homogeneous=same(twice, 2 * values),
        rectifier=bool(np.all(values == np.maximum(grid, 0))),
        polynomial=bool(np.abs(fit(grid) - values).max() <= 1e-10 * size),
        kinks=kinks,
        jumps=tuple(map(float, (after - before)[1:])),
        value_roots=tuple(root for root in _roots(function, 1, grid, values) if root != 0),
        slope_roots=_roots(function, 2, grid, slopes),
    )


def _growth(left_far: float, right_far: float, left: float, right: float) -> float:
    far, near = max(left_far, right_far), max(left, right)
    return float(np.log(far / near) / np.log(_FAR / _NEAR)) if far > 0 and near > 0 else 0.0


def _table(function: Callable[[Any], Any], low: float, high: float) -> tuple[Float[np.ndarray, " n"], ...]:
    """Midpoints of _POINTS cells, and values and slopes there."""
    grid = low + (np.arange(_POINTS) + 0.5) * ((high - low) / _POINTS)
    return grid, *values_and_slopes(function, grid)


def _roots(
    function: Callable[[Any], Any], column: int, grid: Float[np.ndarray, " n"], values: Float[np.ndarray, " n"]
) -> tuple[float, ...]:
    """Where a column of the table changes sign, to round-off; jumps left out."""
    found = []
    for index in np.flatnonzero(values[1:] * values[:-1] < 0):
        points, heights = grid[index : index + 2], values[index : index + 2]
        for _ in range(3):
            finer = _table(function, points[0], points[-1])
            points, heights = finer[0], finer[column]
            change = np.flatnonzero(heights[1:] * heights[:-1] <= 0)
            if len(change):
                points, heights = points[change[0] : change[0] + 2], heights[change[0] : change[0] + 2]
        slope = (heights[-1] - heights[0]) / (points[-1] - points[0])
        root = float(points[0] - heights[0] / slope) if slope else float(points[0])
        if np.abs(heights).max() < 1e-6:
            found.append(0.0 if abs(root) < 1e-12 else root)
    return tuple(found)
