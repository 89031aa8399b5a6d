"""Gaussian-process regression with the kernel of wide random networks, at any ridge.

With K = scale <phi phi'> and temperature T, as in `theory.lazy`,

    <f(x)> = k(x)^T (K + T)^{-1} Y,   Var f(x) = k(x, x) - k(x)^T (K + T)^{-1} k(x),

and what it says of a training sample that it has not seen (Rasmussen & Williams 2006, eq. 5.12),

    Y_i - <f(x_i)>_{without i} = [(K + T)^{-1} Y]_i / [(K + T)^{-1}]_ii.

The means depend on T / scale alone. At T = 0 the inverse is that of the kernel's range: the interpolation of least
norm.
"""

from functools import cached_property

import numpy as np
from jaxtyping import Float

from codingschemes.calls import checked
from codingschemes.coding.predictions import Predictions, score
from codingschemes.errors import InvalidInput
from codingschemes.posterior import Posterior
from codingschemes.theory.lazy import output_variance, prior_kernel

#: Ridges tried, relative to the kernel's largest eigenvalue: from round-off to where nothing is learned.
_RIDGES = np.logspace(-14, 1, 151)


class GaussianProcess:
    """The limit of infinitely wide networks whose features do not change, on the task of a posterior.

    Any depth, activation, bias and task. Nothing is computed before it is asked for.

    Attributes:
        posterior: of the networks.
        scale: by which <phi phi'> is multiplied: the prior variance of an output with features of norm one. That of the
            posterior (N gamma^2 sigma_a^2) is 1/(N P) at mean-field scaling with the literature's variance of readouts,
            so that its T is a ridge of N P T; 1 is that of lazy scaling with readouts of variance 1.

    Raises:
        InvalidInput: a scale that is not positive.

    Example:
        >>> from codingschemes.baselines import GaussianProcess
        >>> learner = GaussianProcess(posterior, scale=1.0)
        >>> learner.predict(0.0, test=False).outputs.shape
        (24, 3)
    """

    @checked
    def __init__(self, posterior: Posterior, *, scale: float | None = None):
        if scale is not None and not scale > 0:
            raise InvalidInput(f"`scale` is {scale}: give a positive factor of the kernel")
        self.posterior = posterior
        self.scale = output_variance(posterior) if scale is None else scale

    @cached_property
    def _kernel(self) -> Float[np.ndarray, "PQ PQ"]:
        """Of training and then test inputs."""
        return self.scale * prior_kernel(self.posterior).kernel

    @cached_property
    def _spectrum(self) -> tuple[Float[np.ndarray, " P"], Float[np.ndarray, "P P"]]:
        """Eigenvalues of the training kernel, those of round-off set to zero, and eigenvectors."""
        samples = self.posterior.task.sample_count
        values, vectors = np.linalg.eigh(self._kernel[:samples, :samples])
        return np.where(values > values[-1] * samples * np.finfo(float).eps, values, 0.0), vectors

    def predict(self, temperature: float, *, test: bool = True) -> Predictions:
        """Mean and variance of the outputs, set beside the targets.

        Args:
            temperature: T of these units; 0 interpolates.
            test: at the test inputs, else at the training inputs.

        Raises:
            InvalidInput: a negative temperature, or a task without test inputs.
        """
        if not temperature >= 0:
            raise InvalidInput(f"`temperature` is {temperature}: give zero or a positive number")
        task = self.posterior.task
        if test and not len(task.test_inputs):
            raise InvalidInput("the task has no test inputs: make it with `test`")
        samples = task.sample_count
        asked = slice(samples, None) if test else slice(samples)
        resolved = self._spectrum[0] > 0
        values, vectors = self._spectrum[0][resolved], self._spectrum[1][:, resolved]
        seen = vectors.T @ self._kernel[:samples, asked]
        weighted = seen / (values + temperature)[:, None]
        mean = weighted.T @ (vectors.T @ task.targets)
        variance = np.maximum(np.diagonal(self._kernel)[asked] - np.sum(weighted * seen, axis=0), 0.0)
        return score(mean, np.tile(variance[:, None], mean.shape[1]), task, temperature, test=test)

    def left_out(self, temperature: float) -> Float[np.ndarray, "P C"]:
        """What is said of each training sample without having seen it, (sample, output).

        Args:
            temperature: T of these units, positive.

        Raises:
            InvalidInput: a temperature that is not positive.
        """
        if not temperature > 0:
            raise InvalidInput(f"`temperature` is {temperature}: give a positive number")
        values, vectors = self._spectrum
        targets = self.posterior.task.targets
        inverse = vectors / (values + temperature)
        return targets - inverse @ (vectors.T @ targets) / np.sum(inverse * vectors, axis=1)[:, None]

    @cached_property
    def best_temperature(self) -> float:
        """The temperature with the smallest squared error of left-out training samples, of 151 from 1e-14 to 10 of the
        kernel's largest eigenvalue."""
        tried = _RIDGES * self._spectrum[0][-1]
        targets = self.posterior.task.targets
        errors = [np.mean((self.left_out(each) - targets) ** 2) for each in tried]
        return float(tried[int(np.argmin(errors))])
