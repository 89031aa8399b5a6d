"""One input of one neuron in the field h: Z(h) = ∫ Dz exp(h phi(sqrt(kappa) z)), tabulated.

At orthogonal inputs a neuron's preactivations are independent given its readout a, each in the field h = a . t of its
input, so that everything is made of this one function (van Meegen & Sompolinsky 2025, Methods).
"""

from functools import lru_cache
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float
from scipy.special import log_ndtr

from codingschemes.networks import Activation

_STEP = 0.04
"""Of the table in arcsinh(h). The error of a cubic Hermite interpolant of log Z is below step^4/384 max |fourth
cumulant|, 1e-9 for activities in [0, 1]; cumulants fall with h at least as fast as the step grows."""
_FIRST_FIELD = 4096.0
"""The table reaches so far at least."""
_NEGLIGIBLE = 45.0
"""In nats: densities that far below their maximum are left out."""


class Nodes(NamedTuple):
    """A quadrature of the standard normal prior of one preactivation.

    Attributes:
        preactivation: sqrt(kappa) z.
        activity: phi of it.
        log_weight: weights sum to one.
    """

    preactivation: Float[np.ndarray, " M"]
    activity: Float[np.ndarray, " M"]
    log_weight: Float[np.ndarray, " M"]


def nodes(activation: Activation, kappa: float, field: float) -> Nodes:
    """Gauss-Legendre panels that reach as far as exp(h phi) carries the density for |h| <= `field`.

    Args:
        activation: phi; panels end at its kinks.
        kappa: prior variance of a preactivation.
        field: largest |h|.
    """
    root = np.sqrt(kappa)
    reach = 10.0
    while True:
        outer = np.linspace(-reach, reach, 2001)
        phi = np.asarray(activation(jnp.asarray(root * outer)))
        tilted = field * np.abs(phi) - outer**2 / 2
        if max(tilted[0], tilted[-1]) < -_NEGLIGIBLE:
            break
        reach *= 1.4
    fine = np.arange(-8, 8.01, 0.5) / root  # where the activation bends, however large kappa
    edges = np.concatenate([np.arange(-reach, reach + 0.25, 0.5), fine, np.array(activation.kinks) / root])
    edges = np.unique(np.round(edges[np.abs(edges) <= reach + 0.25], 12))
    x, w = np.polynomial.legendre.leggauss(10)
    half = np.diff(edges)[:, None] / 2
    z = (edges[:-1, None] + half * (1 + x)).ravel()
    log_weight = np.log((half * w).ravel()) - z**2 / 2 - np.log(2 * np.pi) / 2
    activity = np.asarray(activation(jnp.asarray(root * z)))
    return Nodes(root * z, activity, log_weight)


class SingleInput:
    """log Z(h) and its derivatives: mean m and variance v of the activity of one input in the field h.

    Args:
        activation: phi; the rectifier is in closed form, others are tabulated.
        kappa: prior variance of a preactivation.
    """

    def __init__(self, activation: Activation, kappa: float):
        self.activation, self.rectifier = activation, activation.shape.rectifier
        self.kappa = kappa
        self._field = 0.0
        self._grid: Float[np.ndarray, " H"] = np.zeros(0)
        self._coefficients: dict[str, Float[np.ndarray, "4 H"]] = {}
        self._peak = 1.1 * kappa  # of v, for the rectifier; the table knows it for others

    def log_partition(self, h: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
        """log Z alone."""
        if self.rectifier:
            return np.logaddexp(np.log(0.5), self._relu_active(h))
        return self._interpolate("log_z", self._locate(h))

    def energy(self, h: Float[np.ndarray, "*shape"]) -> tuple[Float[np.ndarray, "*shape"], Float[np.ndarray, "*shape"]]:
        """log Z and m."""
        if self.rectifier:
            log_z, mean, _ = self._relu(h)
            return log_z, mean
        place = self._locate(h)
        return self._interpolate("log_z", place), self._interpolate("mean", place)

    def moments(
        self, h: Float[np.ndarray, "*shape"]
    ) -> tuple[Float[np.ndarray, "*shape"], Float[np.ndarray, "*shape"]]:
        """m and v."""
        if self.rectifier:
            _, mean, variance = self._relu(h)
            return mean, variance
        place = self._locate(h)
        return self._interpolate("mean", place), self._interpolate("variance", place)

    def preactivation(self, h: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape"]:
        """The mean preactivation in the field h."""
        if self.rectifier:
            active = self._relu_active(h)
            on = np.exp(active - np.logaddexp(np.log(0.5), active))
            return self.kappa * h * on  # kappa h <phi'>, by parts
        return self._interpolate("preactivation", self._locate(h))

    @property
    def largest_variance(self) -> float:
        """The largest v at any field seen so far."""
        return self._peak

    def _relu_active(self, h: np.ndarray) -> np.ndarray:
        return self.kappa * h**2 / 2 + log_ndtr(np.sqrt(self.kappa) * h)

    def _relu(self, h: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        kappa, active = self.kappa, self._relu_active(h)
        log_z = np.logaddexp(np.log(0.5), active)
        on = np.exp(active - log_z)
        edge = np.exp(-log_z) * np.sqrt(kappa / (2 * np.pi))
        mean = kappa * h * on + edge
        second = (kappa + (kappa * h) ** 2) * on + kappa * h * edge
        return log_z, mean, second - mean**2

    def _locate(self, h: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        largest = float(np.max(np.abs(h), initial=0.0))
        if largest >= self._field:
            self._tabulate(max(_FIRST_FIELD, 2 * largest))
        index = ((np.arcsinh(h) - np.arcsinh(self._grid[0])) / _STEP).astype(np.int64).clip(0, len(self._grid) - 2)
        left = self._grid[index]
        return index, (h - left) / (self._grid[index + 1] - left)

    def _interpolate(self, name: str, place: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        index, x = place
        c = self._coefficients[name]
        return ((c[3][index] * x + c[2][index]) * x + c[1][index]) * x + c[0][index]

    def _tabulate(self, field: float) -> None:
        rule = nodes(self.activation, self.kappa, field)
        ends = np.ceil(np.arcsinh(field) / _STEP)
        h = np.sinh(np.arange(-ends, ends + 1) * _STEP)
        powers = rule.activity[:, None] ** np.arange(1, 4)
        observed = np.column_stack([powers, rule.preactivation, rule.preactivation * rule.activity])
        raw, log_z = np.empty((len(h), 5)), np.empty(len(h))
        for part in np.array_split(np.arange(len(h)), 1 + len(h) * len(rule.activity) // 2_000_000):
            exponent = h[part, None] * rule.activity + rule.log_weight
            largest = exponent.max(axis=1)
            p = np.exp(exponent - largest[:, None])
            total = p.sum(axis=1)
            log_z[part], raw[part] = largest + np.log(total), p @ observed / total[:, None]
        mean, second, cube, zeta, product = raw.T
        variance = second - mean**2
        third = cube - 3 * mean * second + 2 * mean**3
        slope = product - zeta * mean
        self._field, self._grid = field, h
        self._peak = float(variance.max())
        self._coefficients = {
            "log_z": _hermite(h, log_z, mean),
            "mean": _hermite(h, mean, variance),
            "variance": _hermite(h, variance, third),
            "preactivation": _hermite(h, zeta, slope),
        }


def _hermite(
    grid: Float[np.ndarray, " H"], values: Float[np.ndarray, " H"], slopes: Float[np.ndarray, " H"]
) -> Float[np.ndarray, "4 H-1"]:
    """Coefficients, lowest power first, of the cubic between neighbouring entries, (power, entry)."""
    step = np.diff(grid)
    y0, y1, d0, d1 = values[:-1], values[1:], step * slopes[:-1], step * slopes[1:]
    return np.stack([y0, d0, 3 * (y1 - y0) - 2 * d0 - d1, 2 * (y0 - y1) + d0 + d1])


@lru_cache(maxsize=32)
def single_input(activation: Activation, kappa: float) -> SingleInput:
    """The table of an activation, made once."""
    return SingleInput(activation, kappa)
