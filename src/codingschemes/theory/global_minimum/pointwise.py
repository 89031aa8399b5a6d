"""An activation as the optimisers of this room need it: value and slope in numpy, kinks rounded off."""

from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from codingschemes.networks import Activation


class Pointwise:
    """phi and its slope.

    A kink is where the slope jumps. Optimisers that follow gradients stop at kinks, so that they can be rounded off:
    phi is a smooth function plus jump * max(z - kink, 0) a kink, and the maximum is replaced by
    (t + sqrt(t^2 + rounding^2)) / 2, t = z - kink.

    Attributes:
        kinks, jumps: where the slope jumps, and by how much.
        rectifier: whether phi(z) = max(z, 0).
        homogeneous: whether phi(s z) = s phi(z) for s > 0, as for ReLU and linear networks: then masses of neurons can
            be absorbed in their size.
    """

    def __init__(self, activation: Activation):
        self._evaluate = jax.jit(lambda z: jax.jvp(activation.function, (z,), (jnp.ones_like(z),)))
        shape = activation.shape
        self.rectifier, self.homogeneous = shape.rectifier, shape.homogeneous
        self.kinks, self.jumps = shape.kinks, shape.jumps

    def __call__(
        self, z: Float[np.ndarray, "*shape"], rounding: float = 0.0
    ) -> tuple[Float[np.ndarray, "*shape"], Float[np.ndarray, "*shape"]]:
        """(phi(z), phi'(z))."""
        if self.rectifier:  # a call of a compiled function would cost more than all the rest
            value, slope = np.maximum(z, 0.0), (z > 0).astype(float)
        else:
            value, slope = self._compiled(z)
        for kink, jump in zip(self.kinks, self.jumps, strict=True) if rounding > 0 else ():
            offset = z - kink
            root = np.sqrt(offset**2 + rounding**2)
            value = value + jump * (root - np.abs(offset)) / 2
            slope = slope + jump * (offset / root - np.where(offset > 0, 1.0, -1.0)) / 2
        return value, slope

    def _compiled(
        self, z: Float[np.ndarray, "*shape"]
    ) -> tuple[Float[np.ndarray, "*shape"], Float[np.ndarray, "*shape"]]:
        flat = np.ravel(z)
        # few sizes, so that few programs are compiled: powers of 4 from 256 on
        padded = np.zeros(1 << max(2 * ((int(flat.size - 1).bit_length() + 1) // 2), 8))
        padded[: flat.size] = flat
        value, slope = (np.asarray(each)[: flat.size].reshape(z.shape) for each in self._evaluate(padded))
        return value, slope


@lru_cache(maxsize=64)
def pointwise(activation: Activation) -> Pointwise:
    """The same object for the same activation, so that nothing is compiled twice."""
    return Pointwise(activation)
