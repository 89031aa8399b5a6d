"""An activation as the optimisers of this room need it: value and slope in numpy, kinks found and rounded off."""

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
        grid = np.linspace(-3, 3, 61)
        self.rectifier = bool(np.all(self._compiled(grid)[0] == np.maximum(grid, 0)))
        self.kinks, self.jumps = self._find_kinks(np.linspace(-10, 10, 1 << 12 if activation.kinked else 0))
        self.homogeneous = bool(np.allclose(self(7 * grid)[0], 7 * self(grid)[0], rtol=1e-12, atol=1e-12))

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

    def _find_kinks(self, grid: Float[np.ndarray, " n"]) -> tuple[Float[np.ndarray, " K"], Float[np.ndarray, " K"]]:
        """Jumps of the slope between points of the grid, found by bisection; no kink may lie on it."""
        if len(grid) == 0:
            return np.zeros(0), np.zeros(0)
        slopes = self(grid)[1]
        kinks, jumps = [], []
        for index in np.flatnonzero(np.abs(np.diff(slopes)) > 0.02):
            low, high = grid[index], grid[index + 1]
            for _ in range(60):
                middle = (low + high) / 2
                at_low, at_middle, at_high = self(np.array([low, middle, high]))[1]
                low, high = (middle, high) if abs(at_middle - at_low) < abs(at_high - at_middle) else (low, middle)
            before, after = self(np.array([low - 1e-9, high + 1e-9]))[1]
            if abs(after - before) > 0.01:
                kinks.append(round(high, 12) + 0.0)
                jumps.append(after - before)
        return np.array(kinks), np.array(jumps)


@lru_cache(maxsize=64)
def pointwise(activation: Activation) -> Pointwise:
    """The same object for the same activation, so that nothing is compiled twice."""
    return Pointwise(activation)
