"""Second moments <phi(z) phi(z')> of activities under a Gaussian, the kernels of wide random networks.

In closed form where the activation has one (`Activation.second_moment`), else by Mehler's series,

    <phi(s x) phi(s' x')> = sum_n c_n(s) c_n(s') rho^n,   c_n(s) = <phi(s x) h_n(x)>,

h_n the orthonormal Hermite polynomials, whose first n terms leave at most |rho|^n times the geometric mean of what they
leave of either <phi^2>. Where that is too much, as at kinks and near rho = 1, by quadrature of the bivariate Gaussian.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from codingschemes.networks import Activation

_COARSE, _FINE = 16, 24
"""Gauss-Legendre nodes a panel; their difference is the error that is reported."""
_CHUNK = 2000
"""Kernel entries whose quadrature is done at once."""
_EDGES = (-3.0, -1.0, 0.0, 1.0, 3.0)
"""Preactivations at which panels end, beside the activation's kinks."""
_REACH = 9.0
"""Standard deviations beyond which a normal number is left out."""
_TERMS = 256
"""Terms of the series."""
_LEFT = 1e-11
"""What the series may leave out, relative to the largest <phi^2>."""
_PANELS, _SERIES_REACH = 40, 13.0
"""Of the one-dimensional quadrature of the series' coefficients."""


class ActivityKernel(NamedTuple):
    """<phi(z_i) phi(z_j)> and a bound on what quadrature can have got wrong in any entry."""

    kernel: Float[np.ndarray, "P P"]
    error: float


def activity_kernel(activation: Activation, covariance: Float[np.ndarray, "P P"]) -> ActivityKernel:
    """<phi(z_i) phi(z_j)> for z ~ N(0, covariance).

    Args:
        activation: phi.
        covariance: of the preactivations.
    """
    if activation.second_moment is not None:
        return ActivityKernel(activation.second_moment(covariance), 0.0)
    if activation.kinked:
        return _by_quadrature(activation, covariance, *np.triu_indices(len(covariance)))
    kernel, left = _by_series(activation, covariance)
    enough = left <= _LEFT * np.max(np.diagonal(kernel), initial=0.0)
    rows, columns = np.nonzero(np.triu(~enough))
    error = float(np.max(left, initial=0.0, where=enough))
    if len(rows):
        exact = _by_quadrature(activation, covariance, rows, columns)
        kernel = np.where(enough, kernel, exact.kernel)
        error = max(error, exact.error)
    return ActivityKernel(kernel, error)


def _by_series(
    activation: Activation, covariance: Float[np.ndarray, "P P"]
) -> tuple[Float[np.ndarray, "P P"], Float[np.ndarray, "P P"]]:
    """The kernel, and a bound on what each entry leaves out."""
    deviation = np.sqrt(np.diagonal(covariance))
    squares = []
    for count in (_COARSE, _FINE):
        x, weight = _normal_rule(count)
        phi = np.asarray(activation(jnp.asarray(deviation[:, None] * x)))
        squares.append(phi**2 @ weight)
    error = np.abs(squares[1] - squares[0])
    coefficients = (phi * weight) @ _hermite(x).T
    tail = np.maximum(squares[1] - np.sum(coefficients**2, axis=1), 0.0)
    scale = np.where(deviation > 0, deviation, 1.0)
    rho = np.clip(covariance / np.outer(scale, scale), -1.0, 1.0)
    kernel, power = np.zeros_like(covariance), np.ones_like(covariance)
    for each in coefficients.T:
        kernel += power * np.outer(each, each)
        power *= rho
    left = np.abs(power) * np.sqrt(np.outer(tail, tail)) + np.sqrt(np.outer(error, error))
    np.fill_diagonal(kernel, squares[1])
    np.fill_diagonal(left, error)
    return kernel, left


def _normal_rule(count: int) -> tuple[Float[np.ndarray, " K"], Float[np.ndarray, " K"]]:
    """Nodes and weights of a standard normal number, `count` nodes in each panel."""
    x, w = np.polynomial.legendre.leggauss(count)
    ends = np.linspace(-_SERIES_REACH, _SERIES_REACH, _PANELS + 1)
    half = np.diff(ends)[:, None] / 2
    nodes = (ends[:-1, None] + half * (1 + x)).ravel()
    weights = (half * w).ravel() * np.exp(-(nodes**2) / 2)
    return nodes, weights / weights.sum()


def _hermite(x: Float[np.ndarray, " K"]) -> Float[np.ndarray, "n K"]:
    """Hermite polynomials that are orthonormal under the standard normal distribution."""
    found = [np.ones_like(x), x]
    for n in range(1, _TERMS - 1):
        found.append((x * found[n] - np.sqrt(n) * found[n - 1]) / np.sqrt(n + 1))
    return np.stack(found)


def _by_quadrature(
    activation: Activation,
    covariance: Float[np.ndarray, "P P"],
    rows: Int[np.ndarray, " K"],
    columns: Int[np.ndarray, " K"],
) -> ActivityKernel:
    """Entries on or above the diagonal, and those mirrored; the others are zero."""
    pairs = np.stack([covariance[rows, rows], covariance[columns, columns], covariance[rows, columns]], axis=1)
    # orthogonal inputs have two different entries only, but for round-off
    distinct, inverse = np.unique(np.round(pairs, 14), axis=0, return_inverse=True)
    results = []
    for count in (_COARSE, _FINE):
        rule = tuple(jnp.asarray(each) for each in np.polynomial.legendre.leggauss(count))
        chunks = np.array_split(distinct, 1 + len(distinct) // _CHUNK)
        moments = np.concatenate([np.asarray(_moments(activation, jnp.asarray(chunk), *rule)) for chunk in chunks])
        kernel = np.zeros_like(covariance)
        kernel[rows, columns] = moments[inverse.ravel()]
        kernel[columns, rows] = kernel[rows, columns]
        results.append(kernel)
    return ActivityKernel(results[1], float(np.max(np.abs(results[1] - results[0]))))


@partial(jax.jit, static_argnums=0)
def _moments(
    activation: Activation, pairs: Float[Array, "n 3"], x: Float[Array, " m"], w: Float[Array, " m"]
) -> Float[Array, " n"]:
    return jax.lax.map(lambda pair: _moment(activation, pair[0], pair[1], pair[2], x, w), pairs)


def _moment(
    activation: Activation,
    first: Float[Array, ""],
    second: Float[Array, ""],
    cross: Float[Array, ""],
    x: Float[Array, " m"],
    w: Float[Array, " m"],
) -> Float[Array, ""]:
    """z = sqrt(first) y, z' = slope y + left y' with y, y' standard normal."""
    root = jnp.sqrt(first)
    slope = jnp.where(first > 0, cross / jnp.where(first > 0, root, 1.0), 0.0)
    left = jnp.sqrt(jnp.maximum(second - slope**2, 0.0))
    edges = jnp.asarray(sorted({*_EDGES, *activation.kinks}))
    outer, outer_weight = _panels(edges, jnp.zeros(1), root, x, w)
    inner, inner_weight = _panels(edges, slope * outer[0], left, x, w)
    averaged = jnp.sum(activation(slope * outer[0][:, None] + left * inner) * inner_weight, axis=1)
    return jnp.sum(activation(root * outer[0]) * averaged * outer_weight[0])


def _panels(
    preactivations: Float[Array, " e"],
    mean: Float[Array, " k"],
    deviation: Float[Array, ""],
    x: Float[Array, " m"],
    w: Float[Array, " m"],
) -> tuple[Float[Array, "k M"], Float[Array, "k M"]]:
    """Nodes and normalised weights for a standard normal y; panels end where mean + deviation y is at an edge."""
    places = (preactivations - mean[:, None]) / jnp.where(deviation > 0, deviation, 1.0)
    ends = jnp.full((len(mean), 1), _REACH)
    edges = jnp.concatenate([-ends, jnp.clip(places, -_REACH, _REACH), ends], axis=1)
    half = jnp.diff(edges, axis=1)[:, :, None] / 2
    nodes = (edges[:, :-1, None] + half * (1 + x)).reshape(len(mean), -1)
    weights = (half * w).reshape(len(mean), -1) * jnp.exp(-(nodes**2) / 2)
    return nodes, weights / jnp.sum(weights, axis=1, keepdims=True)
