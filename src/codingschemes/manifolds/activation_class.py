"""Which symmetries of one neuron an activation has, found from the function itself."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

type Symmetry = Literal["generic", "vanishing", "odd", "even"]

_REACH = 10.0
_POINTS = 4096
_EXACT = 1e-12
_JUMP = 0.1
_DEGREE = 6


@dataclass(frozen=True)
class ActivationClass:
    """What decides which manifolds a two-layer network with this activation sigma has.

    Attributes:
        symmetry: `odd`, `even`, `vanishing` (sigma(0) = 0, not odd, not even) or `generic` (neither a parity nor
            sigma(0) = 0).
        value: sigma(0).
        slope: sigma'(0); the mean of the two one-sided slopes where they differ.
        homogeneous: whether sigma(c z) = c sigma(z) for all c > 0, as for ReLU.
        polynomial: whether sigma is a polynomial (of degree up to 6).
        kinked: whether the slope jumps somewhere: sigma is then not analytic.
        value_roots: zeros of sigma other than 0, in [-10, 10].
        slope_roots: isolated zeros of sigma' in [-10, 10].
    """

    symmetry: Symmetry
    value: float
    slope: float
    homogeneous: bool
    polynomial: bool
    kinked: bool
    value_roots: tuple[float, ...]
    slope_roots: tuple[float, ...]

    @property
    def signed(self) -> bool:
        """Whether a neuron and its mirror image count as the same: theta = -theta' (odd) or w = -w' (even)."""
        return self.symmetry in ("odd", "even")

    @property
    def has_zero_block(self) -> bool:
        """Whether neurons with a = 0 and w = 0 stay there."""
        return self.symmetry in ("odd", "vanishing")

    @property
    def constant_neurons(self) -> bool:
        """Whether a neuron with w = 0 counts in the effective width: it adds the constant a sigma(0)."""
        return abs(self.value) > _EXACT

    def caveats(self, bias: bool = False) -> tuple[str, ...]:
        """What the list of manifolds of this class leaves out, or what is not a theorem about it, in sentences.

        Args:
            bias: whether the neurons have one.
        """
        found = []
        if self.symmetry == "vanishing":
            found.append(
                "Manifolds with a zero block are invariant because sigma(0) = 0, but no symmetry induces them: they "
                "are not fixed subspaces."
            )
        if self.symmetry == "even":
            found.append(
                "Fixed subspaces only: neurons with w = 0 also stay at any constant differences a_j - a_k, families "
                "that are not listed."
            )
        if self.homogeneous and not self.polynomial:
            found.append(
                "Rescaling (a, w) -> (s a, w/s) is no orthogonal symmetry and induces no manifold; it conserves "
                "|a|^2 - |w|^2 of every neuron, so that orbits have one dimension less for every block. Every "
                "block has a continuous family of manifolds theta_k = c_k theta, c_k > 0, of which c_k = 1 is listed."
            )
        if self.polynomial:
            found.append(
                "A polynomial activation has more manifolds, in continuous families; a linear one conserves "
                "a a^T - W W^T."
            )
        if self.kinked:
            found.append("The activation has kinks, so it is not analytic: invariance holds where gradients exist.")
        if self.symmetry != "even" and abs(self.slope) < _EXACT:
            found.append("The slope at 0 vanishes: the list need not be complete.")
        if bias and (self.value_roots or self.slope_roots):
            found.append(
                "With a bias, a neuron with w = 0 stays at a bias b where sigma'(b) = 0, and with a = 0, too, where "
                "sigma(b) = 0: these manifolds are not listed."
            )
        return tuple(found)


@lru_cache
def _tabulated(activation: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return jax.jit(jax.vmap(jax.value_and_grad(lambda z: jnp.sum(activation(z)))))


def values_and_slopes(
    activation: Callable[[Any], Any], points: Float[np.ndarray, "*shape"]
) -> tuple[Float[np.ndarray, "*shape"], Float[np.ndarray, "*shape"]]:
    """sigma and sigma' at points of any shape, from one compiled function an activation."""
    flat = points.ravel()
    rows = np.pad(flat, (0, -len(flat) % _POINTS)).reshape(-1, _POINTS)
    pairs = [_tabulated(activation)(jnp.asarray(row)) for row in rows]
    values, slopes = (np.concatenate([np.asarray(part) for part in parts]) for parts in zip(*pairs, strict=True))
    return values[: len(flat)].reshape(points.shape), slopes[: len(flat)].reshape(points.shape)


@lru_cache
def classify(activation: Callable[[Any], Any]) -> ActivationClass:
    """The class of an activation, from its values and slopes on 4,096 points of [-10, 10].

    Equalities hold to 1e-12 of the largest value: a function that breaks a parity by less is taken to have it. The
    three classes other than `even` and the conditions (analytic, not a polynomial, sigma'(0) != 0) under which their
    lists are complete were derived here; the paper (Zhao, Luo & Zhang, arXiv 2510.09564) has the theorem that
    invariant manifolds are unions of orbits.

    Args:
        activation: sigma, elementwise, traceable by jax.
    """

    def table(low: float, high: float) -> tuple[Float[np.ndarray, " n"], ...]:
        """Midpoints of _POINTS cells, and values and slopes there."""
        grid = low + (np.arange(_POINTS) + 0.5) * ((high - low) / _POINTS)
        return grid, *values_and_slopes(activation, grid)

    grid, values, slopes = table(-_REACH, _REACH)
    twice = table(-2 * _REACH, 2 * _REACH)[1]
    _, _, slopes_near = table(-1e-9, 1e-9)
    value = float(activation(jnp.zeros(())))
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
    return ActivationClass(
        symmetry=symmetry,
        value=0.0 if abs(value) <= _EXACT * size else value,
        slope=float(slopes_near[0] + slopes_near[-1]) / 2,
        homogeneous=same(twice, 2 * values),
        polynomial=bool(np.abs(fit(grid) - values).max() <= 1e-10 * size),
        kinked=bool(np.abs(np.diff(slopes)).max() > _JUMP * np.abs(slopes).max()),
        value_roots=tuple(root for root in _roots(table, 1, grid, values) if root != 0),
        slope_roots=_roots(table, 2, grid, slopes),
    )


def _roots(
    table: Callable[[float, float], tuple[Float[np.ndarray, " n"], ...]],
    column: int,
    grid: Float[np.ndarray, " n"],
    values: Float[np.ndarray, " n"],
) -> tuple[float, ...]:
    """Where a column of the table changes sign, to round-off; jumps left out."""
    found = []
    for index in np.flatnonzero(values[1:] * values[:-1] < 0):
        points, heights = grid[index : index + 2], values[index : index + 2]
        for _ in range(3):
            finer = table(points[0], points[-1])
            points, heights = finer[0], finer[column]
            change = np.flatnonzero(heights[1:] * heights[:-1] <= 0)
            if len(change):
                points, heights = points[change[0] : change[0] + 2], heights[change[0] : change[0] + 2]
        slope = (heights[-1] - heights[0]) / (points[-1] - points[0])
        root = float(points[0] - heights[0] / slope) if slope else float(points[0])
        if np.abs(heights).max() < 1e-6:
            found.append(0.0 if abs(root) < 1e-12 else root)
    return tuple(found)
