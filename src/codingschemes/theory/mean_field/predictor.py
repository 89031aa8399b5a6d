"""What the theory says of inputs that were not trained on.

A test input's preactivation given those at the training inputs is Gaussian,

    z(x) | z ~ N(k0^T K0^+ z, k0(x, x) - k0^T K0^+ k0),

so that f(x) = <a phi(z(x))> is an average over neurons. At large N the empirical mean over neurons is Gaussian under
the prior measure rho, and conditioning it on the targets leaves the variance

    (1/N) (C_xx - C_xf (C_ff + tau)^{-1} C_fx),

C the covariances over neurons of a phi at the test (x) and training (f) inputs. The same regression takes the noise of
a finite sample of neurons out of the mean.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.special import ndtr

from codingschemes.errors import InvalidInput
from codingschemes.networks import Activation
from codingschemes.theory.mean_field.problem import MeanFieldProblem
from codingschemes.theory.mean_field.solution import PreactivationSample, Singles, Solution, Tested

MOST_VALUES = 4000
"""Training outputs, samples times outputs, up to which the covariance of fluctuations is inverted."""


class Extension(NamedTuple):
    """Preactivations at test inputs given those at training inputs: mean = z @ weights, variance left.

    Attributes:
        weights: K0^+ k0, (sample, test sample).
        variance: (test sample,).
    """

    weights: Float[np.ndarray, "P Q"]
    variance: Float[np.ndarray, " Q"]


def extension(problem: MeanFieldProblem) -> Extension:
    """The Gaussian conditional of the preactivations at the task's test inputs."""
    network, variance, basis = problem.network, problem.posterior.prior.weight_variance, problem.basis
    train = np.asarray(network.features(jnp.asarray(problem.task.inputs.T)))
    test = np.asarray(network.features(jnp.asarray(problem.task.test_inputs.T)))
    projected = (basis / (basis**2).sum(0)).T @ (variance * train.T @ test)  # u = (L^+ z), mean = projected^T u
    left = variance * (test**2).sum(0) - (projected**2).sum(0)
    return Extension((basis / (basis**2).sum(0)) @ projected, np.maximum(left, 0.0))


def _extension_above(problem: MeanFieldProblem, below: Extension, preactivation: Float[np.ndarray, "S P"]) -> Extension:
    """The same for the next layer of a wide network.

    Args:
        below: of this layer.
        preactivation: of a sample of its neurons at the training inputs.
    """
    phi = problem.activity(preactivation)
    first, second = _extended_activity(problem, preactivation, below)
    trained, across = (problem.kernel_above(phi.T @ each / len(phi)) for each in (phi, first))
    weights = np.linalg.pinv(trained, rcond=1e-10, hermitian=True) @ across
    left = problem.gain * second.mean(axis=0) + problem.offset - (across * weights).sum(axis=0)
    return Extension(weights, np.maximum(left, 0.0))


def predict_tests(problem: MeanFieldProblem, solution: Solution) -> Tested:
    """Mean and variance of f at the task's test inputs.

    Variances are left out where they are more than those of the density's neurons: the kernels of several layers
    fluctuate, and so do condensed neurons.

    Raises:
        InvalidInput: too many training outputs for their covariance.
    """
    outputs = problem.targets.shape[1]
    if problem.targets.size > MOST_VALUES:
        raise InvalidInput(
            f"test predictions of the mean-field theory take at most {MOST_VALUES} training outputs, not "
            f"{problem.targets.size}: leave out the test inputs"
        )
    first_layer = extend = extension(problem)
    for preactivation in solution.below:
        extend = _extension_above(problem, extend, preactivation)
    target = problem.targets - problem.tau * solution.t
    singles, width = solution.singles, problem.network.width
    if singles is not None:
        target = target - singles.activity.T @ singles.readout / width
    mean, fluctuation = _of_density(problem, solution.neurons, target, extend)
    if singles is not None:
        mean = mean + _rectify(singles, first_layer).T @ singles.readout / width
    complete = singles is None and not solution.below
    variance = np.maximum(fluctuation, 0.0).reshape(-1, outputs) if complete else None
    return Tested(mean, variance)


def _of_density(
    problem: MeanFieldProblem, neurons: PreactivationSample, target: Float[np.ndarray, "P C"], extend: Extension
) -> tuple[Float[np.ndarray, "Q C"], Float[np.ndarray, " K"]]:
    """Mean of what a sample of neurons adds at the test inputs, and its variance, flattened.

    Args:
        target: what it adds at the training inputs.
        extend: of their layer.
    """
    variance, tau, (samples, outputs) = problem.variance, problem.tau, target.shape
    phi = problem.activity(neurons.preactivation)
    first, second = _extended_activity(problem, neurons.preactivation, extend)
    a, count = neurons.readout, len(phi)
    trained = (phi[:, :, None] * a[:, None, :]).reshape(count, -1)
    tested = (first[:, :, None] * a[:, None, :]).reshape(count, -1)
    mean_trained, mean_tested = trained.mean(0), tested.mean(0)
    _, group, sizes = np.unique(neurons.group, return_inverse=True, return_counts=True)
    sizes = sizes[:, None]
    membership = np.eye(len(sizes))[group]
    centred = [each - (membership.T @ each / sizes)[group] for each in (trained, tested)]
    readout_noise = [variance * np.kron(phi.T @ each / count, np.eye(outputs)) for each in (phi, first)]
    within = centred[0].T @ centred[0] / count + readout_noise[0] + tau * np.eye(samples * outputs)
    across = centred[0].T @ centred[1] / count + readout_noise[1]
    weights = np.linalg.solve(within, across)
    mean = mean_tested + (target.ravel() - mean_trained) @ weights
    # within groups: E[phi(x)^2 (s^2 + a^2)] less the squared group means
    means = membership.T @ tested / sizes
    alone = (second[:, :, None] * (variance + a[:, None, :] ** 2)).reshape(count, -1).mean(0)
    alone = alone - (sizes / count * means**2).sum(0)
    return mean.reshape(-1, outputs), (alone - (across * weights).sum(0)) / problem.network.width


def _extended_activity(
    problem: MeanFieldProblem, preactivation: Float[np.ndarray, "S P"], extend: Extension
) -> tuple[Float[np.ndarray, "S Q"], Float[np.ndarray, "S Q"]]:
    """<phi> and <phi^2> of each neuron at the test inputs."""
    mean, variance = jnp.asarray(preactivation @ extend.weights), jnp.asarray(extend.variance)
    first, second = _extend(problem.activation, mean, variance)
    return np.asarray(first), np.asarray(second)


@partial(jax.jit, static_argnums=0)
def _extend(
    activation: Activation, mean: Float[Array, "S Q"], variance: Float[Array, " Q"]
) -> tuple[Float[Array, "S Q"], Float[Array, "S Q"]]:
    """<phi> and <phi^2> of N(mean, variance), by quadrature one node at a time."""
    if activation.kinked:  # polynomials miss a kink by a per cent
        x = np.linspace(-8, 8, 161)
        w = np.exp(-(x**2) / 2)
    else:
        x, w = np.polynomial.hermite_e.hermegauss(40)
    root = jnp.sqrt(variance)

    def add(total: tuple[Array, Array], node: tuple[Array, Array]) -> tuple[tuple[Array, Array], None]:
        phi = activation(mean + root * node[0])
        return (total[0] + node[1] * phi, total[1] + node[1] * phi**2), None

    zero = jnp.zeros_like(mean)
    return jax.lax.scan(add, (zero, zero), (jnp.asarray(x), jnp.asarray(w / w.sum())))[0]


def _rectify(singles: Singles, extend: Extension) -> Float[np.ndarray, "K Q"]:
    """<max(z, 0)> of single neurons at the test inputs."""
    mean = singles.preactivation @ extend.weights
    deviation = np.maximum(np.sqrt(extend.variance + singles.variance @ extend.weights**2), 1e-150)
    density = np.exp(-((mean / deviation) ** 2) / 2) / np.sqrt(2 * np.pi)
    return mean * ndtr(mean / deviation) + deviation * density
