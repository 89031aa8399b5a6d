"""Direct minimisation of the regularised loss over all weights: knows nothing of kernels, measures or closed forms."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import minimize

from codingschemes import Posterior


class Minimum(NamedTuple):
    energy: float
    kernel: np.ndarray  # sum over neurons, (sample, sample)
    outputs: np.ndarray


#: every threshold max(z, 0) is rounded off by this much, less and less; L-BFGS stops at kinks
ROUNDING = (0.3, 0.1, 0.03, 0.01, 0.003, 1e-3, 1e-4, 1e-5, 0.0)


def _rectified(z, rounding):
    return jnp.where(rounding > 0, (z + jnp.sqrt(z**2 + rounding**2 + 1e-300)) / 2, jnp.maximum(z, 0.0))


SMOOTH = {
    "linear": lambda z: z,
    "tanh": jnp.tanh,
    "erf": jax.scipy.special.erf,
    "sigmoid": lambda z: 0.5 * (1 + jax.scipy.special.erf(jnp.sqrt(jnp.pi) * z / 2)),
    "logistic": lambda z: 1 / (1 + jnp.exp(-z)),
    "softplus": lambda z: jnp.log1p(jnp.exp(z)),
}
THRESHOLD = {
    "relu": lambda z: z,
    "threshold-tanh": jnp.tanh,
    "threshold-log1p": jnp.log1p,
    "threshold-square": jnp.square,
}


def _activity(shape, z, rounding):
    return SMOOTH[shape](z) if shape in SMOOTH else THRESHOLD[shape](_rectified(z, rounding))


@partial(jax.jit, static_argnames=("shape", "bias"))
@partial(jax.value_and_grad, has_aux=True)
def _loss(weights, inputs, targets, penalties, rounding, shape, bias):
    *layers, readout = weights
    activity, norm = inputs.T, 0.0
    for layer in layers:
        if bias:
            activity = jnp.concatenate([activity, jnp.ones((1, activity.shape[1]))])
        activity = _activity(shape, layer @ activity, rounding)
        norm += penalties[0] * jnp.sum(layer**2)
    outputs = activity.T @ readout
    return jnp.sum((targets - outputs) ** 2) + norm + penalties[1] * jnp.sum(readout**2), (activity, outputs)


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

    def evaluate(flat, rounding):
        parts = [part.reshape(each) for part, each in zip(np.split(flat, ends[:-1]), shapes, strict=True)]
        return _loss(parts, task.inputs, task.targets, posterior.prior.penalties, rounding, shape, network.bias)

    def objective(flat, rounding):
        (value, _), slope = evaluate(flat, rounding)
        return float(value), np.concatenate([np.ravel(part) for part in slope])

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
    (energy, (activity, outputs)), _ = evaluate(best.x, 0.0)
    activity = np.asarray(activity)
    return Minimum(float(energy), activity.T @ activity, np.asarray(outputs))
