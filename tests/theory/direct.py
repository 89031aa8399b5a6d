"""Direct minimisation of the regularised loss over all weights: knows nothing of kernels, measures or closed forms.

Gradients are written out by hand: compiling a program for every shape would take longer than all descents together.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import erf, expit

from codingschemes import Posterior


class Minimum(NamedTuple):
    energy: float
    kernel: np.ndarray  # sum over neurons, (sample, sample)
    outputs: np.ndarray


#: every threshold max(z, 0) is rounded off by this much, less and less; L-BFGS stops at kinks
ROUNDING = (0.3, 0.1, 0.03, 0.01, 0.003, 1e-3, 1e-4, 1e-5, 0.0)


def _bell(z):
    return np.exp(-(z**2))


#: phi and its slope
SMOOTH = {
    "linear": (lambda z: z, np.ones_like),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
    "erf": (erf, lambda z: 2 / np.sqrt(np.pi) * _bell(z)),
    "sigmoid": (lambda z: 0.5 * (1 + erf(np.sqrt(np.pi) * z / 2)), lambda z: 0.5 * _bell(np.sqrt(np.pi) * z / 2)),
    "logistic": (expit, lambda z: expit(z) * expit(-z)),
    "softplus": (lambda z: np.logaddexp(0, z), expit),
}
#: phi_+ and its slope, of max(z, 0)
THRESHOLD = {
    "relu": SMOOTH["linear"],
    "threshold-log1p": (np.log1p, lambda z: 1 / (1 + z)),
    "threshold-square": (np.square, lambda z: 2 * z),
}


def _activity(shape, z, rounding):
    if shape in SMOOTH:
        value, slope = SMOOTH[shape]
        return value(z), slope(z)
    value, slope = THRESHOLD[shape]
    if rounding == 0:
        return value(np.maximum(z, 0)), slope(np.maximum(z, 0)) * (z > 0)
    root = np.sqrt(z**2 + rounding**2)
    positive = (z + root) / 2
    return value(positive), slope(positive) * (1 + z / root) / 2


def _loss(weights, posterior, shape, rounding):
    """E, its slope in every weight matrix, the last activities and the outputs."""
    task, bias, (penalty1, penalty2) = posterior.task, posterior.network.bias, posterior.prior.penalties
    *layers, readout = weights
    activity, below, slopes = task.inputs.T, [], []
    for layer in layers:
        below.append(np.vstack([activity, np.ones(activity.shape[1])]) if bias else activity)
        activity, slope = _activity(shape, layer @ below[-1], rounding)
        slopes.append(slope)
    outputs = activity.T @ readout
    error = outputs - task.targets
    energy = np.sum(error**2) + penalty1 * sum(np.sum(layer**2) for layer in layers) + penalty2 * np.sum(readout**2)
    gradient = [2 * activity @ error + 2 * penalty2 * readout]
    back = 2 * readout @ error.T
    for layer, inputs, slope in zip(layers[::-1], below[::-1], slopes[::-1], strict=True):
        back = back * slope
        gradient.insert(0, back @ inputs.T + 2 * penalty1 * layer)
        back = layer[:, : layer.shape[1] - bias].T @ back
    return float(energy), gradient, activity, outputs


def minimise(
    posterior: Posterior, starts: int = 3, scale: float = 0.5, seed: int = 0, shape: str | None = None
) -> Minimum:
    """The lowest energy of L-BFGS from several random starts, for networks with scaling "none"."""
    task, network = posterior.task, posterior.network
    assert network.scaling == "none"
    shape = shape or network.activation_name
    rng = np.random.default_rng(seed)
    below = [task.inputs.shape[1], *[network.width] * (network.depth - 1)]
    shapes = [(network.width, count + network.bias) for count in below] + [(network.width, task.targets.shape[1])]
    ends = np.cumsum([int(np.prod(each)) for each in shapes])

    def weights(flat):
        return [part.reshape(each) for part, each in zip(np.split(flat, ends[:-1]), shapes, strict=True)]

    def objective(flat, rounding):
        value, slope, *_ = _loss(weights(flat), posterior, shape, rounding)
        return value, np.concatenate([np.ravel(part) for part in slope])

    best = None
    kinked = shape in THRESHOLD
    for _ in range(starts):
        flat = scale * rng.normal(size=ends[-1])
        for rounding in ROUNDING if kinked else (0.0,):
            options = {"maxiter": 300 if kinked else 3000, "maxcor": 20, "ftol": 1e-14, "gtol": 1e-9}
            found = minimize(objective, flat, (rounding,), jac=True, method="L-BFGS-B", options=options)
            flat = found.x
        if best is None or found.fun < best.fun:
            best = found
    energy, _, activity, outputs = _loss(weights(best.x), posterior, shape, 0.0)
    return Minimum(energy, activity.T @ activity, outputs)
