"""Two identities that hold exactly for every smooth posterior and every sampler that is right.

Integration by parts gives <theta . grad U> = dimension and <grad U> = 0. They cost nothing and catch a wrong prior
scale, a wrong temperature, or arithmetic that is too coarse.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from codingschemes.convergence import mean_and_error


@dataclass(frozen=True)
class Identities:
    """Measured against exact values.

    Attributes:
        virial: <theta . grad U> / dimension; exactly 1.
        virial_mcse: its Monte Carlo standard error.
        gradient_z: largest |mean / error| over the leading directions of <grad U>; exactly 0 up to noise.
        directions: how many directions that is the largest of.
    """

    virial: float
    virial_mcse: float
    gradient_z: float
    directions: int

    @property
    def virial_z(self) -> float:
        return (self.virial - 1) / self.virial_mcse

    @property
    def known(self) -> bool:
        """Whether there are enough draws for the errors that the identities are judged by."""
        return bool(np.isfinite([self.virial_mcse, self.gradient_z]).all())

    @property
    def hold(self) -> bool:
        """Whether both agree within what noise does once in ten thousand runs.

        Where chains blow up, the virial's error grows along with it: one beyond the exact value would hide anything.
        """
        gradient_limit = norm.isf(0.5e-4 / self.directions)
        agree = abs(self.virial_z) < norm.isf(0.5e-4) and self.gradient_z < gradient_limit
        return bool(agree and self.virial_mcse < 1)


def identities(virial: np.ndarray, gradient: np.ndarray) -> Identities:
    """From the recorded `virial` (chain, draw) and `gradient` (chain, draw, direction)."""
    mean, error = mean_and_error(virial)
    gradient_mean, gradient_error = mean_and_error(gradient)
    return Identities(
        virial=float(mean),
        virial_mcse=_unless_still(error).item(),
        gradient_z=float(np.max(np.abs(gradient_mean) / _unless_still(gradient_error))),
        directions=gradient.shape[2],
    )


def _unless_still(error: np.ndarray) -> np.ndarray:
    """The error, unknown (NaN) where it is 0 because no chain ever moved."""
    return np.where(error > 0, error, np.nan)
