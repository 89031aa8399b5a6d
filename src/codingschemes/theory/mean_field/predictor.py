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
from jaxtyping import Array, Float, Int
from scipy.special import ndtr

from codingschemes.errors import InvalidInput
from codingschemes.networks import Activation
from codingschemes.posterior import Posterior

MOST_VALUES = 4000
"""Training outputs, samples times outputs, up to which the covariance of fluctuations is inverted."""


class Neurons(NamedTuple):
    """A sample of neurons of equal weight.

    Attributes:
        preactivation: z at the training inputs, (neuron, sample).
        readout: mean of a given z, s^2 t^T phi(z), (neuron, output); a | z has variance s^2.
        group: which code each has; their shares do not fluctuate. One group where they do, (neuron,).
    """

    preactivation: Float[np.ndarray, "S P"]
    readout: Float[np.ndarray, "S C"]
    group: Int[np.ndarray, " S"]


class Tested(NamedTuple):
    """Mean and variance of f at the test inputs, (test sample, output)."""

    outputs: Float[np.ndarray, "Q C"]
    variance: Float[np.ndarray, "Q C"]


class Extension(NamedTuple):
    """Preactivations at test inputs given those at training inputs: mean = z @ weights, variance left.

    Attributes:
        weights: K0^+ k0, (sample, test sample).
        variance: (test sample,).
    """

    weights: Float[np.ndarray, "P Q"]
    variance: Float[np.ndarray, " Q"]


def extension(posterior: Posterior) -> Extension:
    """The Gaussian conditional of the preactivations at the task's test inputs."""
    network, variance = posterior.network, posterior.prior.weight_variance
    basis = np.asarray(posterior.density("reduced").basis)
    train = np.asarray(network.features(jnp.asarray(posterior.task.inputs.T)))
    test = np.asarray(network.features(jnp.asarray(posterior.task.test_inputs.T)))
    projected = (basis / (basis**2).sum(0)).T @ (variance * train.T @ test)  # u = (L^+ z), mean = projected^T u
    left = variance * (test**2).sum(0) - (projected**2).sum(0)
    return Extension((basis / (basis**2).sum(0)) @ projected, np.maximum(left, 0.0))


def extension_above(
    below: Extension, preactivation: Float[np.ndarray, "S P"], activation: Activation, gain: float, offset: float
) -> Extension:
    """The same for the next layer of a wide network, whose kernel is gain <phi phi^T> + offset.

    Args:
        below: of this layer.
        preactivation: of a sample of its neurons at the training inputs.
    """
    phi = np.asarray(activation(jnp.asarray(preactivation)))
    first, second = (
        np.asarray(each)
        for each in _extended(activation, jnp.asarray(preactivation @ below.weights), jnp.asarray(below.variance))
    )
    trained, across = (gain * phi.T @ each / len(phi) + offset for each in (phi, first))
    weights = np.linalg.pinv(trained, rcond=1e-10, hermitian=True) @ across
    left = gain * second.mean(axis=0) + offset - (across * weights).sum(axis=0)
    return Extension(weights, np.maximum(left, 0.0))


def predict_tests(
    posterior: Posterior,
    neurons: Neurons,
    t: Float[np.ndarray, "P C"],
    variance: float,
    tau: float,
    *,
    carried: Float[np.ndarray, "P C"] | None = None,
    extend: Extension | None = None,
) -> Tested:
    """Mean and variance of f at the task's test inputs.

    Args:
        neurons: a sample from the theory's density.
        t: the dual variables.
        variance: s^2.
        tau: N T.
        carried: what other neurons than those of the density add to the training outputs.
        extend: of the last layer, where that is not the first. The variance is then that at fixed kernels below.

    Raises:
        InvalidInput: too many training outputs for their covariance.
    """
    samples, outputs = t.shape
    if samples * outputs > MOST_VALUES:
        raise InvalidInput(
            f"test predictions of the mean-field theory take at most {MOST_VALUES} training outputs, not "
            f"{samples * outputs}: leave out the test inputs"
        )
    extend = extension(posterior) if extend is None else extend
    activation = posterior.network.activation
    phi = np.asarray(activation(jnp.asarray(neurons.preactivation)))
    first, second = (
        np.asarray(each)
        for each in _extended(
            activation, jnp.asarray(neurons.preactivation @ extend.weights), jnp.asarray(extend.variance)
        )
    )
    a, count = neurons.readout, len(phi)
    trained = (phi[:, :, None] * a[:, None, :]).reshape(count, -1)
    tested = (first[:, :, None] * a[:, None, :]).reshape(count, -1)
    target = posterior.task.targets - tau * t - (0.0 if carried is None else carried)
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
    fluctuation = (alone - (across * weights).sum(0)) / posterior.network.width
    return Tested(mean.reshape(-1, outputs), np.maximum(fluctuation, 0.0).reshape(-1, outputs))


@partial(jax.jit, static_argnums=0)
def _extended(
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


def rectified_mean(
    mean: Float[np.ndarray, "*shape"], deviation: Float[np.ndarray, "*#shape"]
) -> Float[np.ndarray, "*shape"]:
    """<max(z, 0)> of N(mean, deviation^2)."""
    deviation = np.maximum(deviation, 1e-150)
    density = np.exp(-((mean / deviation) ** 2) / 2) / np.sqrt(2 * np.pi)
    return mean * ndtr(mean / deviation) + deviation * density
