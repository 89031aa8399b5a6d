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

from codingschemes.manifolds.activation_class import values_and_slopes
from codingschemes.manifolds.manifold import Manifold, Neurons
from codingschemes.manifolds.problem import Loss, Problem

_CHUNK = 256


def tangency_residuals(problem: Problem, manifolds: Sequence[Manifold], neurons: Neurons) -> Float[np.ndarray, " K"]:
    """||(I - Proj) grad L|| / ||grad L|| at the projection of the weights on each manifold; 0 where grad L is 0.

    Below 1e-12 (round-off) on an invariant manifold, of order one on a subspace that is none: there the gradient is
    normal somewhere, so the largest residual over the draws counts.

    Args:
        manifolds: of the width of the network.
        neurons: draws of weights, (draw, neuron, ...), each projected on every manifold.
    """
    rows = [
        _residuals(problem, manifolds[first : first + _CHUNK], neurons) for first in range(0, len(manifolds), _CHUNK)
    ]
    return np.concatenate(rows)


def _residuals(problem: Problem, manifolds: Sequence[Manifold], neurons: Neurons) -> Float[np.ndarray, " K"]:
    largest = np.zeros(len(manifolds))
    for readout, weight in zip(np.asarray(neurons.readout), np.asarray(neurons.weight), strict=True):
        points = [manifold.project(Neurons(readout, weight)) for manifold in manifolds]
        gradient = gradients(problem, Neurons(*(np.stack(parts) for parts in zip(*points, strict=True))))
        normal = [
            Neurons(*each).joined() - manifold.tangential(Neurons(*each)).joined()
            for manifold, each in zip(manifolds, zip(*gradient, strict=True), strict=True)
        ]
        size = np.linalg.norm(gradient.joined(), axis=(1, 2))
        away = np.linalg.norm(np.stack(normal), axis=(1, 2))
        largest = np.maximum(largest, np.divide(away, size, out=np.zeros_like(away), where=size > 0))
    return largest


def gradients(problem: Problem, neurons: Neurons) -> Neurons:
    """grad L of many networks at once, (network, neuron, ...).

    dL/da = s sigma(w X^T) l',  dL/dw = s (a l'^T * sigma'(w X^T)) X, plus the penalties; l' is dl/dF, s the scale.
    """
    readout, weight = np.asarray(neurons.readout), np.asarray(neurons.weight)
    inputs = np.asarray(problem.inputs)
    values, slopes = values_and_slopes(problem.activation, weight @ inputs.T)
    outputs = problem.scale * np.swapaxes(values, 1, 2) @ readout
    missing = -len(outputs) % _CHUNK
    padded = np.concatenate([outputs, np.zeros((missing, *outputs.shape[1:]))])
    slope_of_loss = np.concatenate(
        [
            np.asarray(_loss_gradients(problem.loss)(jnp.asarray(chunk), problem.targets))
            for chunk in padded.reshape(-1, _CHUNK, *outputs.shape[1:])
        ]
    )[: len(outputs)]
    back = problem.scale * np.swapaxes(slope_of_loss, 1, 2)
    return Neurons(
        values @ np.swapaxes(back, 1, 2) + problem.readout_penalty * readout,
        (readout @ back * slopes) @ inputs + problem.weight_penalty * weight,
    )


@lru_cache
def _loss_gradients(loss: Loss) -> Callable[[Any, Any], Any]:
    return jax.jit(jax.vmap(jax.grad(loss), (0, None)))
