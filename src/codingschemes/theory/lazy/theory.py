"""Lazy limit: infinitely wide networks whose features do not change, Gaussian-process regression.

With f = gamma sum_i a_i phi(z_i), f is a Gaussian process under the prior, in the limit of width, with covariance
c N <phi phi'>, c N = N gamma^2 sigma_a^2; its posterior at temperature T is exact linear algebra,

    <f(x)> = k(x)^T (K + T)^{-1} Y,   Var f(x) = k(x, x) - k(x)^T (K + T)^{-1} k(x)  in each output.

Sources: Neal 1996; Lee et al., ICLR 2018 (arXiv 1711.00165); kernels in `gaussian_kernels`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float
from scipy.linalg import cho_factor, cho_solve

from codingschemes.posterior import Posterior
from codingschemes.theory.lazy.gaussian_kernels import ActivityKernel, activity_kernel
from codingschemes.theory.prediction import Assumption, Certificate, Details, Prediction
from codingschemes.theory.theories import THEORIES

_TOLERANCE = 1e-6
MANY = 10
"""Neurons a sample from which on a network counts as wide."""


@dataclass(frozen=True)
class LazyDetails(Details):
    """Attributes:
    training_variance: posterior variance of each output at the training inputs, (sample,).
    kernel_form: how the prior's kernel was computed: "closed", or "quadrature" (by Mehler's series, too).
    """

    training_variance: Float[np.ndarray, " P"]
    kernel_form: Literal["closed", "quadrature"]


def prior_kernel(posterior: Posterior, scales: Sequence[float] = (), *, test: bool = True) -> ActivityKernel:
    """<phi phi^T> of the last hidden layer of a random network of infinite width, at training and then test inputs.

    Args:
        scales: by which the second moments of the layers below are multiplied, first to last; left out, by one.
        test: at the test inputs, too.

    Layer by layer: the preactivations' covariance is the weights' variance times the features' second moment, whose
    part from the layer below is the mean over neurons where the scaling divides by width, and their sum otherwise.
    Time steps of a recurrent network go on from each other in the same way, with the input at each: that they share
    their weights correlates them, and changes no step's own covariance (Yang, arXiv 1910.12478).
    """
    network, variance = posterior.network, posterior.prior.weight_variance
    of_input = posterior.input_kernel(test=test)
    besides = of_input if network.recurrent else variance * network.bias
    kernel, error = activity_kernel(network.activation, of_input)
    for scale in scales or (1.0,) * (network.depth - 1):
        fan_in = scale * (network.width if network.scaling == "none" else 1)
        kernel, above = activity_kernel(network.activation, variance * fan_in * kernel + besides)
        # slopes of registered activations are at most of order one
        error = above + variance * fan_in * error
    return ActivityKernel(kernel, error)


def output_variance(posterior: Posterior) -> float:
    """c N = N gamma^2 sigma_a^2, the prior variance of an output whose features have a second moment of one."""
    network = posterior.network
    return network.width * network.readout_scale**2 * posterior.prior.readout_variance


def lazy(posterior: Posterior) -> Prediction:
    """Gaussian-process regression with the kernel of a random network of infinite width.

    Any depth, activation, bias and task, recurrent or not. `kernel` is the prior's; test variances are one number a
    sample, the same for every output. Certificate: residual of the linear solve plus the error of the kernel's
    quadrature, in units of the outputs.
    """
    network, task, prior = posterior.network, posterior.task, posterior.prior
    activity = prior_kernel(posterior)
    scale = output_variance(posterior)
    samples = task.sample_count
    covariance = scale * activity.kernel
    seen, cross, alone = covariance[:samples, :samples], covariance[:samples, samples:], np.diagonal(covariance)
    noisy = seen + prior.temperature * np.eye(samples)
    factor = cho_factor(noisy, lower=True)
    dual = cho_solve(factor, task.targets)
    dual = dual + cho_solve(factor, task.targets - noisy @ dual)
    outputs = task.targets - prior.temperature * dual
    explained = cho_solve(factor, cross)
    residual = float(np.max(np.abs(noisy @ dual - task.targets)))
    # an error e of every entry of K moves the outputs by at most e sum|dual| T / (smallest eigenvalue of K + T)
    propagated = scale * activity.error * float(np.abs(dual).sum(0).max())
    variance = np.maximum(alone[samples:] - np.sum(cross * explained, axis=0), 0.0)
    training = prior.temperature * np.diagonal(cho_solve(factor, seen))
    tested = len(task.test_inputs) > 0
    return Prediction(
        theory="lazy",
        posterior=posterior,
        outputs=outputs,
        kernel=activity.kernel[:samples, :samples],
        certificate=Certificate(
            gap=residual + propagated,
            tolerance=_TOLERANCE,
            meaning="largest error of an output: residual of the linear solve plus that of the kernel's quadrature",
            bounds={"solve_residual": residual, "kernel_error": activity.error},
        ),
        assumptions=_assumptions(posterior),
        test_outputs=cross.T @ dual if tested else None,
        test_variance=variance if tested else None,
        details=LazyDetails(training, "quadrature" if network.activation.second_moment is None else "closed"),
    )


def _assumptions(posterior: Posterior) -> tuple[Assumption, ...]:
    network = posterior.network
    samples = posterior.task.sample_count
    return (
        Assumption(
            "The scaling is lazy (f = sum a phi / sqrt N): features keep their prior distribution as N grows.",
            network.scaling == "lazy",
        ),
        Assumption(
            f"The width N = {network.width} is much larger than the number of samples P = {samples} (N >= {MANY} P).",
            network.width >= MANY * samples,
        ),
    )


THEORIES.register("lazy", lazy)
