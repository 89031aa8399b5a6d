"""The one convex problem behind both ends of temperature.

Over measures rho of single neurons (preactivations h at the training inputs), with K = sum over neurons of
phi(h) phi(h)^T,

    E[rho] = penalty * sum h^T K0^+ h  +  tr( ridge (ridge + K)^{-1} Y Y^T )

is the regularised loss with the readout minimised out (Wang, Johnston & Fusi 2025); at finite temperature the entropy
of rho is added (van Meegen & Sompolinsky 2025). What is shared by both is here.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from codingschemes.networks import Activation
from codingschemes.posterior import Posterior


@dataclass(frozen=True)
class ConvexProblem:
    """A two-layer network's regularised loss, in the units in which neurons are interchangeable.

    Attributes:
        basis: L with L L^T = K0, the prior covariance of a neuron's preactivations: h = L u, (sample, component).
        targets: Y, (sample, output).
        activation: phi.
        penalty: of |u|^2 = h^T K0^+ h; equals the temperature.
        ridge: of |gamma a|^2, gamma the network's readout scale: f = sum over neurons of phi(h) (gamma a)^T.
        neurons: N, the mass of the measure where neurons cannot be split or merged.
        background: the kernel of neurons that are given, beside those of the measure; none if left out.
    """

    basis: Float[np.ndarray, "P R"]
    targets: Float[np.ndarray, "P C"]
    activation: Activation
    penalty: float
    ridge: float
    neurons: int
    background: Float[np.ndarray, "P P"] | None = None

    @classmethod
    def of(cls, posterior: Posterior, basis: Float[np.ndarray, "P R"] | None = None) -> "ConvexProblem":
        """The problem of a posterior with one hidden layer.

        Args:
            basis: where it is known; computed if left out.
        """
        network, temperature = posterior.network, posterior.prior.temperature
        scaled_readout_variance = network.readout_scale**2 * posterior.prior.readout_variance
        return cls(
            basis=np.asarray(posterior.density("reduced").basis) if basis is None else basis,
            targets=posterior.task.targets,
            activation=network.activation,
            penalty=temperature,
            ridge=temperature / scaled_readout_variance,
            neurons=network.width,
        )
