"""The concave dual of the mean-field problem, and how it is climbed.

In the limit of wide networks the posterior over neurons (a, z) minimises

    F[rho] = KL(rho || N(a|0, s^2 I) N(z|0, K0)) + ||Y - <phi(z) a^T>||^2 / (2 tau),   tau = N T,

and the maximum over t, (sample, output), of

    D(t) = tr(t^T Y) - (tau/2) tr(t^T t) - log Z(t),   Z = ∫ N(a|0, s^2 I) N(z|0, K0) exp(a^T t^T phi(z)),

equals that minimum, with rho proportional to prior times exp(a^T t^T phi) and <phi a^T> = Y - tau t at the solution.
For any t, with g = Y - tau t - <phi a^T>_t the gradient, F[rho_t] - D(t) = |g|^2 / (2 tau); and D is strongly concave,
so that the outputs Y - tau t are within |g| of the solution's. Neurons whose preactivations are those of rho_t, but
whose readouts fit them best, <a | phi> = v phi^T t' with t' = (tau + <v phi phi^T>)^{-1} Y, are closer still:
`refitted_gap`.

Source: van Meegen & Sompolinsky, Nature Communications 16, 3354 (2025), Methods; the dual is its Legendre form.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from codingschemes.progress import check_time


def refitted_gap(gradient: Float[np.ndarray, "P C"], kernel: Float[np.ndarray, "P P"], tau: float) -> float:
    """F less D(t) in nats a neuron, readouts fitted to the preactivations of rho_t: tr g^T (tau + K)^{-1} g / 2.

    Args:
        gradient: g = Y - tau t - K t.
        kernel: K = <v phi phi^T>, v the variance of a readout given its preactivations.
        tau: N T.
    """
    return float(np.sum(gradient * np.linalg.solve(kernel + tau * np.eye(len(kernel)), gradient))) / 2


_ROUNDING = 1e-9
"""Error of a value in nats, that of an integral done by quadrature: smaller losses do not reject a step."""


_HALVINGS = 12


class Ascent(NamedTuple):
    """A concave function at one point: value, gradient and Hessian of the flattened argument."""

    value: float
    gradient: Float[np.ndarray, " K"]
    hessian: Float[np.ndarray, "K K"]


def climb(
    evaluate: Callable[[Float[np.ndarray, " K"]], Ascent | None],
    start: Float[np.ndarray, " K"],
    *,
    tolerance: float,
    most_steps: int = 100,
    backtrack: bool = False,
) -> tuple[Float[np.ndarray, " K"], Ascent]:
    """Levenberg-damped Newton on a concave function.

    Args:
        evaluate: the function; None where it is not defined, which rejects the step.
        start: where it is defined.
        tolerance: the expected increase, in the function's units, at which to stop.
        backtrack: halve a step that leads to where the function is not defined, as suits a barrier.
        most_steps: evaluations after which to stop wherever it is; what stopped early shows in the certificate.

    Returns:
        The last point and the function there.
    """
    point, here = start, evaluate(start)
    if here is None:
        raise ValueError("the ascent must start where the function is defined")
    damping = 1e-6
    for _ in range(most_steps):
        check_time("climbing the dual")
        curvature = -here.hessian
        scale = np.diagonal(curvature) + 1e-300
        step = np.linalg.solve(curvature + damping * np.diag(scale), here.gradient)
        if here.gradient @ step < 2 * tolerance:
            break
        # far from the solution Newton leaps to where Z spans hundreds of orders of magnitude and nothing is learned
        trial = evaluate(point + step) if np.linalg.norm(step) <= np.linalg.norm(point) / 2 else None
        for _ in range(_HALVINGS if backtrack else 0):
            if trial is not None:
                break
            step = step / 2
            trial = evaluate(point + step)
        if trial is not None and trial.value >= here.value + 0.1 * here.gradient @ step - _ROUNDING:
            point, here = point + step, trial
            damping = max(damping / 10, 1e-12)
        else:
            damping = max(damping * 10, 1e-6)
    return point, here


def newton_step(
    t: Float[np.ndarray, "P C"],
    targets: Float[np.ndarray, "P C"],
    kernel: Float[np.ndarray, "P P"],
    now: Float[np.ndarray, "S P"],
    before: Float[np.ndarray, "S P"],
    variance: float,
    tau: float,
) -> Float[np.ndarray, "P C"]:
    """A Newton step on the dual.

    Args:
        kernel: <phi phi^T>.
        now, before: activities of the particles, and some sweeps ago: what moved makes up the covariance.
        variance: s^2.
        tau: N T, or that of a higher temperature.
    """
    samples, outputs = t.shape
    gradient = targets - tau * t - variance * kernel @ t
    products, earlier = (
        (phi[:, :, None] * (variance * phi @ t)[:, None, :]).reshape(len(phi), -1) for phi in (now, before)
    )
    moved = products - earlier
    curvature = moved.T @ moved / (2 * len(moved)) + np.kron(variance * kernel, np.eye(outputs))
    curvature[np.diag_indices(samples * outputs)] += tau
    return np.linalg.solve(curvature, gradient.ravel()).reshape(samples, outputs)
