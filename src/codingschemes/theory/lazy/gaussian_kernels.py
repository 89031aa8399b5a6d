"""Second moments <phi(z) phi(z')> of activities under a Gaussian, the kernels of wide random networks.

In closed form where the activation has one (`Activation.second_moment`), else by quadrature of the bivariate Gaussian.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from codingschemes.networks import Activation

_COARSE, _FINE = 16, 24
"""Gauss-Legendre nodes a panel; their difference is the error that is reported."""
_CHUNK = 2000
"""Kernel entries whose quadrature is done at once."""
_EDGES = (-3.0, -1.0, 0.0, 1.0, 3.0)
"""Preactivations at which panels end, beside the activation's kinks."""
_REACH = 9.0
"""Standard deviations beyond which a normal number is left out."""


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
    return _by_quadrature(activation, covariance)


def _by_quadrature(activation: Activation, covariance: np.ndarray) -> ActivityKernel:
    rows, columns = np.triu_indices(len(covariance))
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
        results.append(kernel + np.triu(kernel, 1).T)
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
