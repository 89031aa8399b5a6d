"""The mean-field problem of a posterior: made once for a prediction, read by every solver."""

from dataclasses import dataclass
from functools import cached_property

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from codingschemes.networks import Activation, Network
from codingschemes.posterior import Density, Posterior
from codingschemes.tasks import Task
from codingschemes.theory.mean_field.dual import refitted_gap

_COLD = 1e-5
"""N T that stands for none: outputs are within 1e-4 of targets of order one, and shares of codes have their limit."""


@dataclass(frozen=True, eq=False)
class MeanFieldProblem:
    """A posterior in the units of the limit of wide networks, f = (1/N) sum of r phi with r = N gamma a.

    Attributes:
        posterior: of any scaling.
        cold: in the limit T -> 0, whatever the posterior's temperature.
    """

    posterior: Posterior
    cold: bool = False

    @property
    def task(self) -> Task:
        return self.posterior.task

    @property
    def network(self) -> Network:
        return self.posterior.network

    @cached_property
    def activation(self) -> Activation:
        return self.network.activation

    @property
    def targets(self) -> Float[np.ndarray, "P C"]:
        """Y."""
        return self.task.targets

    @property
    def tau(self) -> float:
        """N T."""
        return _COLD if self.cold else self.network.width * self.posterior.prior.temperature

    @property
    def readout_unit(self) -> float:
        """a / r, by which readouts of the theory are multiplied to be those of the network."""
        return 1 / (self.network.width * self.network.readout_scale)

    @property
    def variance(self) -> float:
        """s^2, the prior variance of r."""
        return (self.network.width * self.network.readout_scale) ** 2 * self.posterior.prior.readout_variance

    @cached_property
    def _density(self) -> Density:
        return self.posterior.density("reduced")

    @cached_property
    def basis(self) -> Float[np.ndarray, "P R"]:
        """L with L L^T = K0 and orthogonal columns, largest first: z = L u of a neuron of the first layer."""
        return np.asarray(self._density.basis)

    @cached_property
    def class_average(self) -> Float[np.ndarray, "P G"]:
        """What averages over the samples of each class."""
        return np.asarray(self._density.class_average)

    @cached_property
    def class_targets(self) -> Float[np.ndarray, "G C"]:
        """The target of the first sample of each class."""
        labels = self.task.labels
        return np.stack([self.targets[labels == label][0] for label in range(self.task.class_count)])

    @cached_property
    def orthogonal_variance(self) -> float | None:
        """kappa where K0 = kappa I, targets are the same within classes and readouts are few; None elsewhere."""
        if self.targets.shape[1] > 3:
            return None
        kernel = self.posterior.input_kernel()
        kappa = float(np.mean(np.diagonal(kernel)))
        if not np.allclose(kernel, kappa * np.eye(len(kernel)), rtol=0, atol=1e-8 * kappa):
            return None
        return kappa if np.array_equal(self.class_targets[self.task.labels], self.targets) else None

    @property
    def gain(self) -> float:
        """g of K = g <phi phi^T> + b, what the weights above a layer make of its activities."""
        return self.posterior.prior.weight_variance * (self.network.width if self.network.scaling == "none" else 1)

    @property
    def offset(self) -> float:
        """b of the same, the variance of the bias."""
        return self.posterior.prior.weight_variance if self.network.bias else 0.0

    def kernel_above(self, second_moment: Float[np.ndarray, "P Q"]) -> Float[np.ndarray, "P Q"]:
        """Covariance of the preactivations above a layer with <phi phi^T>."""
        return self.gain * second_moment + self.offset

    def activity(self, preactivation: Float[np.ndarray, "S P"]) -> Float[np.ndarray, "S P"]:
        """phi(z)."""
        return np.asarray(self.activation(jnp.asarray(preactivation)))

    def codes_of(self, activity: Float[np.ndarray, "S P"]) -> Bool[np.ndarray, "S G"]:
        """Which classes neurons with these activities answer to."""
        return activity @ self.class_average > self.activation.midpoint

    def dual_gap(self, t: Float[np.ndarray, "P C"], kernel: Float[np.ndarray, "P P"]) -> float:
        """What neurons of the density at t with this <v phi phi^T> are above the minimum at most, in nats a neuron."""
        return refitted_gap(self.targets - self.tau * t - kernel @ t, kernel, self.tau)

    def fit(self, kernel: Float[np.ndarray, "P P"]) -> Float[np.ndarray, "P C"]:
        """t of readouts that fit neurons with this <v phi phi^T> best: (tau + <v phi phi^T>)^{-1} Y."""
        return np.linalg.solve(kernel + self.tau * np.eye(len(kernel)), self.targets)
