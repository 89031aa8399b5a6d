"""The arithmetic of a gradient, and a smaller posterior whose gradient can be timed in its place.

At several thousand neurons and samples a gradient takes seconds, and so does the basis of the inputs before it: what
says in advance how long a run takes cannot wait for either.
"""

import dataclasses
import math

import numpy as np

from codingschemes.networks import Network
from codingschemes.posterior import Density, FunctionDensity, Posterior, WeightsDensity

#: A symmetric eigendecomposition and its gradient, in cubes of its size (as measured: benchmarks/gradient_cost.md).
_EIGENDECOMPOSITION = 25.0


def factor_operations(density: Density) -> float:
    """Floating-point operations of the Cholesky factor of S, or of A where that is smaller; none of `weights`."""
    if isinstance(density, WeightsDensity):
        return 0.0
    return min(density.network.width, density.targets.shape[0]) ** 3 / 3


def operations(density: Density) -> float:
    """Floating-point operations of a gradient, about: products of matrices, factors of matrices. Shapes are enough.

    Of the first layer there and back, of hidden weights three products a layer, of the readouts S (or A), its factor
    and two solutions for all features.
    """
    width, (samples, outputs), layers = density.network.width, density.targets.shape, density.network.depth - 1
    small, large = sorted((width, samples))
    first = density.shapes["input"][1]
    hidden = 6.0 * layers * width**2 * samples
    if isinstance(density, FunctionDensity) and width > samples:
        hidden = layers * (8.0 * width * samples**2 + _EIGENDECOMPOSITION * samples**3)
    last = 6.0 * width * samples * outputs if isinstance(density, WeightsDensity) else 4.0 * large * small**2
    return 4.0 * width * samples * first + hidden + last + factor_operations(density)


def smaller(posterior: Posterior, operations_times: float) -> Posterior:
    """The posterior with fewer neurons and samples in every class, so that a gradient has about a share of
    1 / `operations_times` of the operations."""
    task, network, times = posterior.task, posterior.network, round(operations_times ** (1 / 3), 9)
    classes = [np.flatnonzero(task.labels == label) for label in range(task.class_count)]
    kept = np.sort(np.concatenate([each[: math.ceil(len(each) / times)] for each in classes]))
    fewer = dataclasses.replace(
        task, inputs=task.inputs[kept], targets=task.targets[kept], labels=task.labels[kept], provenance={}
    )
    narrower = Network(
        network.activation_name,
        width=math.ceil(network.width / times),
        depth=network.depth,
        bias=network.bias,
        scaling=network.scaling,
        recurrent=network.recurrent,
    )
    return Posterior.with_prior(fewer, narrower, posterior.prior)
