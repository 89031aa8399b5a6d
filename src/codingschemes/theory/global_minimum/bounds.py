"""Lower bounds on the regularised loss from any residual V (weak duality).

    E[rho] = max_V { 2 tr V Y - |V|^2 + sum (penalty |u|^2 - |V phi|^2 / ridge) },

so that the largest gain of a single neuron at one V bounds E from below for every measure. What is known of that
largest gain decides what the bound is worth: found by a search it is *estimated* (a better neuron may have been
missed), bounded from above by a relaxation it is *rigorous*.
"""

import numpy as np
from jaxtyping import Float

from codingschemes.theory.convex import ConvexProblem
from codingschemes.theory.global_minimum.pointwise import pointwise


def lower_bound(problem: ConvexProblem, v: Float[np.ndarray, "C P"], largest: float) -> float:
    """A lower bound on E, never below 0, if no neuron's gain at V exceeds `largest`.

    Args:
        v: any residual.
        largest: of kappa (homogeneous phi) or g; see `oracle`.
    """
    linear, square = float(np.sum(v * problem.targets.T)), float(np.sum(v**2))
    if problem.background is not None:
        square += float(np.sum(v * (v @ problem.background))) / problem.ridge
    if not pointwise(problem.activation).homogeneous:
        return max(2 * linear - square - problem.neurons * largest, 0.0)
    if square == 0:
        return 0.0
    # V is scaled down until no neuron gains
    scale = min(max(largest, 1e-300) ** -0.5, linear / square)
    return 2 * scale * linear - scale**2 * square


def separable_bound(problem: ConvexProblem, v: Float[np.ndarray, "C P"]) -> float:
    """An upper bound on g for any phi, sample by sample.

    |V phi|^2 <= |V|_2^2 |phi|^2 and h^T K0^+ h >= |h|^2 / (largest eigenvalue of K0) leave a one-dimensional maximum.
    Where all rows of V sum to zero, phi - phi(0) may stand for phi. Tight on whitened inputs without bias, loose on
    images.
    """
    phi_of = pointwise(problem.activation)
    strength = float(np.linalg.norm(v, 2)) ** 2 / problem.ridge
    stiffness = problem.penalty / float(np.max(np.sum(problem.basis**2, axis=0)))
    resting = float(phi_of(np.zeros(1))[0][0])
    offset = resting if np.max(np.abs(v.sum(axis=1))) <= 1e-12 * np.sum(np.abs(v)) else 0.0

    def gain(z: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        return strength * (phi_of(z)[0] - offset) ** 2 - stiffness * z**2

    grid = np.linspace(-60, 60, 48001)
    best = float(grid[np.argmax(gain(grid))])
    for spacing in (2.5e-3, 2.5e-5, 2.5e-7):
        fine = best + spacing * np.linspace(-1, 1, 401)
        best = float(fine[np.argmax(gain(fine))])
    return problem.basis.shape[0] * max(float(gain(np.array([best]))[0]) * (1 + 1e-10), 0.0)
