"""Does the gradient stay in a manifold? The size of its normal part, relative to the whole.

The gradient of a two-layer network is written out here, so that thousands of manifolds take one compiled function an
activation and one a loss.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from codingschemes.calls import known_keywords
from codingschemes.manifolds.manifold import Manifold, Neurons
from codingschemes.manifolds.problem import Loss, Problem
from codingschemes.networks.shape import values_and_slopes

_CHUNK = 256


@known_keywords
def tangency_residuals(problem: Problem, manifolds: Sequence[Manifold], neurons: Neurons) -> Float[np.ndarray, " K"]:
    """||(I - Proj) grad L|| / ||grad L|| at the projection of the weights on each manifold; 0 where grad L is 0.

    Below 1e-12 (round-off) on an invariant manifold, of order one on a subspace that is none: there the gradient is
    normal somewhere, so the largest residual over the draws counts.

    Args:
        problem: network, data and loss.
        manifolds: of the width of the network.
        neurons: draws of weights, (draw, neuron, ...), each projected on every manifold.

    Returns:
        The largest over the draws, (manifold,).

    Example:
        >>> draws = cs.manifolds.Neurons(rng.normal(size=(2, 3, 1)), rng.normal(size=(2, 3, 2)))
        >>> manifold = cs.manifolds.manifold_of(partition, kind)
        >>> bool(cs.manifolds.tangency_residuals(problem, [manifold], draws)[0] < 1e-12)
        True
    """
    rows = [
        _residuals(problem, manifolds[first : first + _CHUNK], neurons) for first in range(0, len(manifolds), _CHUNK)
    ]
    return np.concatenate(rows)


def _residuals(problem: Problem, manifolds: Sequence[Manifold], neurons: Neurons) -> Float[np.ndarray, " K"]:
    onto = Neurons(*(np.stack([getattr(each, name) for each in manifolds]) for name in ("readout", "weight")))
    origin = Neurons(*(np.zeros(part.shape[1:]) for part in neurons))
    origins = [manifold.offset or origin for manifold in manifolds]
    offset = Neurons(*(np.stack(parts) for parts in zip(*origins, strict=True)))
    largest = np.zeros(len(manifolds))
    for draw in zip(*map(np.asarray, neurons), strict=True):
        points = [o + p @ (part - o) for o, p, part in zip(offset, onto, draw, strict=True)]
        gradient = gradients(problem, Neurons(*points))
        normal = Neurons(*(slope - p @ slope for p, slope in zip(onto, gradient, strict=True)))
        size, away = (np.linalg.norm(each.concatenate(), axis=(1, 2)) for each in (gradient, normal))
        largest = np.maximum(largest, np.divide(away, size, out=np.zeros_like(away), where=size > 0))
    return largest


@known_keywords
def gradients(problem: Problem, neurons: Neurons) -> Neurons:
    """grad L of many networks at once, (network, neuron, ...).

    dL/da = s sigma(w X^T) l',  dL/dw = s (a l'^T * sigma'(w X^T)) X, plus the penalties; l' is dl/dF, s the scale.

    Args:
        problem: network, data and loss.
        neurons: (network, neuron, ...).

    Returns:
        Of the same shapes.

    Example:
        >>> many = cs.manifolds.Neurons(rng.normal(size=(5, 3, 1)), rng.normal(size=(5, 3, 2)))
        >>> cs.manifolds.gradients(problem, many).weight.shape
        (5, 3, 2)
    """
    readout, weight = np.asarray(neurons.readout), np.asarray(neurons.weight)
    inputs, scale = np.asarray(problem.inputs), float(problem.scale)
    values, slopes = values_and_slopes(problem.activation, weight @ inputs.T)
    outputs = scale * np.swapaxes(values, 1, 2) @ readout
    missing = -len(outputs) % _CHUNK
    padded = np.concatenate([outputs, np.zeros((missing, *outputs.shape[1:]))])
    slope_of_loss = np.concatenate(
        [
            np.asarray(_loss_gradients(problem.loss)(jnp.asarray(chunk), problem.targets))
            for chunk in padded.reshape(-1, _CHUNK, *outputs.shape[1:])
        ]
    )[: len(outputs)]
    back = scale * np.swapaxes(slope_of_loss, 1, 2)
    return Neurons(
        values @ np.swapaxes(back, 1, 2) + float(problem.readout_penalty) * readout,
        (readout @ back * slopes) @ inputs + float(problem.weight_penalty) * weight,
    )


@lru_cache
def _loss_gradients(loss: Loss) -> Callable[[Any, Any], Any]:
    return jax.jit(jax.vmap(jax.grad(loss), (0, None)))
