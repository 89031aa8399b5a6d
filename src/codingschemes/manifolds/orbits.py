"""How many directions gradient flows of all losses and data can reach from a point.

The orbit of theta under the vector fields V_x = grad_theta F(.)(x) has the dimension of the span of their iterated Lie
brackets at any of its points (Hermann-Nagano; Zhao, Luo & Zhang, arXiv 2510.09564, Theorem 3.1: invariant manifolds
are unions of orbits). Fields and single brackets, taken after random flows along the fields, give a lower bound that
is exact in all cases tried here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from codingschemes.calls import known_keywords
from codingschemes.manifolds.manifold import Neurons

_STAGES = 8
_TOLERANCE = 1e-9


class Fields(eqx.Module):
    """The vector fields V_x of a model, one for every input and output.

    Attributes:
        model: (theta, input) -> outputs, theta a vector.
        inputs: where it is evaluated, (field, feature).

    Example:
        >>> import jax.numpy as jnp
        >>> fields = cs.manifolds.Fields(lambda theta, x: theta @ x, jnp.eye(2))  # a linear model
        >>> fields(jnp.ones(2)).shape
        (2, 2)
    """

    model: Callable[[Any, Any], Any] = eqx.field(static=True)
    inputs: Float[Array, "P D"]

    def __call__(self, theta: Float[Array, " n"]) -> Float[Array, "F n"]:
        """All fields at theta."""
        jacobian = jax.vmap(jax.jacrev(self.model), (None, 0))(theta, self.inputs)
        return jacobian.reshape(-1, theta.shape[0])


class TwoLayerModel(eqx.Module):
    """F(x) = sum_k a_k sigma(w_k . x) as a function of all weights in one vector."""

    activation: Callable[[Any], Any] = eqx.field(static=True)
    width: int = eqx.field(static=True)
    inputs: int = eqx.field(static=True)
    outputs: int = eqx.field(static=True)

    def __call__(self, theta: Float[Array, " n"], x: Float[Array, " D"]) -> Float[Array, " C"]:
        split = self.width * self.outputs
        weight = theta[split:].reshape(self.width, self.inputs)
        return self.activation(weight @ x) @ theta[:split].reshape(self.width, self.outputs)


@dataclass(frozen=True)
class Orbit:
    """The dimension of an orbit, from below.

    Attributes:
        fields: rank of the fields alone.
        dimension: rank of fields and brackets.
        margin: the smallest singular value counted over the largest one left out (infinite if none is).

    Example:
        >>> found = cs.manifolds.network_orbit(cs.Network("tanh").activation, neurons)
        >>> found.dimension  # that of the manifold
        6
    """

    fields: int
    dimension: int
    margin: float


@known_keywords
def orbit(fields: Fields, theta: Float[Array, " n"], *, seed: int = 0, flows: int = 4, duration: float = 0.3) -> Orbit:
    """The dimension of the orbit through theta.

    Args:
        fields: of a model; inputs enough that fields outnumber the dimension.
        theta: all weights as a vector.
        seed: of which fields are followed and how far.
        flows: how many of them, one after another.
        duration: standard deviation of the distance travelled along each.

    Example:
        >>> import jax.numpy as jnp
        >>> fields = cs.manifolds.Fields(lambda theta, x: theta @ x, jnp.eye(2))  # a linear model
        >>> cs.manifolds.orbit(fields, jnp.ones(2)).dimension
        2
    """
    rng = np.random.default_rng(seed)
    count = fields.inputs.shape[0]
    plain, brackets = _fields_and_brackets(
        fields,
        jnp.asarray(theta),
        jnp.asarray(rng.integers(count, size=flows)),
        jnp.asarray(duration * rng.normal(size=flows)),
    )
    plain, brackets = (np.asarray(part) / max(np.abs(part).max(), 1e-300) for part in (plain, brackets))
    rank, _ = _rank(plain)
    total, margin = _rank(np.concatenate([plain, brackets]))
    return Orbit(rank, total, margin)


@known_keywords
def network_orbit(activation: Callable[[Any], Any], neurons: Neurons, *, seed: int = 0) -> Orbit:
    """The orbit of a two-layer network's weights, with random inputs.

    Args:
        activation: elementwise.
        neurons: one network.
        seed: of the inputs, and as for `orbit`.

    Example:
        >>> cs.manifolds.network_orbit(cs.Network("tanh").activation, neurons).dimension
        6
    """
    width, outputs = neurons.readout.shape
    inputs = neurons.weight.shape[1]
    count = -(-2 * width * (inputs + outputs) // outputs)
    points = 1.5 * np.random.default_rng(seed).normal(size=(count, inputs))
    model = TwoLayerModel(activation, width, inputs, outputs)
    theta = np.concatenate([np.ravel(neurons.readout), np.ravel(neurons.weight)])
    return orbit(Fields(model, jnp.asarray(points)), jnp.asarray(theta), seed=seed)


@eqx.filter_jit
def _fields_and_brackets(
    fields: Fields, theta: Float[Array, " n"], chosen: Array, times: Array
) -> tuple[Float[Array, "F n"], Float[Array, "B n"]]:
    def flow(at: Array, along: tuple[Array, Array]) -> tuple[Array, None]:
        def speed(point: Array) -> Array:
            velocity = fields(point)[along[0]]
            return velocity / jnp.maximum(jnp.linalg.norm(velocity), 1.0)

        def midpoint(_: Array, point: Array) -> Array:
            step = along[1] / _STAGES
            return point + step * speed(point + step / 2 * speed(point))

        return jax.lax.fori_loop(0, _STAGES, midpoint, at), None

    at, _ = jax.lax.scan(flow, theta, (chosen, times))
    values = fields(at)
    # derivatives[i, j] is the derivative of field j along field i
    derivatives = jax.vmap(lambda direction: jax.jvp(fields, (at,), (direction,))[1])(values)
    upper = np.triu_indices(values.shape[0], 1)
    return values, (derivatives - jnp.swapaxes(derivatives, 0, 1))[upper]


def _rank(rows: Float[np.ndarray, "k n"]) -> tuple[int, float]:
    # The Gram matrix of the columns would square the condition number; a QR keeps it and is as small.
    triangle = np.linalg.qr(rows, mode="r")
    singular = np.linalg.svd(triangle, compute_uv=False)
    if singular[0] == 0:
        return 0, np.inf
    rank = int(np.sum(singular > _TOLERANCE * singular[0]))
    left_out = singular[rank:]
    return rank, float(singular[rank - 1] / left_out[0]) if len(left_out) and left_out[0] > 0 else np.inf
