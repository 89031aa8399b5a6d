"""Global minima of the regularised loss on factorised labels, in closed form.

The setting is that of Wang, Johnston & Fusi (2025, arXiv 2510.09816): every combination of dY labels -1/+1 occurs n
times, P = n 2^dY, and 1 and the label vectors v_1 ... v_dY are eigenvectors of the input kernel. Neurons answer to one
label each, so that what remains are one-dimensional problems. With

    E[rho] = penalty * sum h^T K0^+ h + tr( ridge (ridge + K)^{-1} Y Y^T ),    K = sum phi(h) phi(h)^T,

`q0` and `q` are the eigenvalues of K0^+ on 1 and on the v_i, `neurons` is the number M of neurons. K here is the sum
over neurons, as in the paper, not the mean.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize_scalar


@dataclass(frozen=True)
class ClosedForm:
    """A minimum with K = constant 11^T + sum_i scales_i v_i v_i^T.

    Attributes:
        energy: E.
        scales: b_i, one a label.
        constant: the coefficient of 11^T.
        offset, level: a neuron of label i has preactivations offset_i 1 + level_i v_i, or with -level_i: half of them
            each, (label,); None where single neurons are not determined (linear networks).
    """

    energy: float
    scales: Float[np.ndarray, " dY"]
    constant: float
    offset: Float[np.ndarray, " dY"] | None
    level: Float[np.ndarray, " dY"] | None

    @property
    def nontrivial(self) -> bool:
        """Whether the network represents anything of the labels."""
        return bool(np.any(self.scales > 0))


def shrinkage(
    costs: Float[np.ndarray, " dY"], penalty: float, ridge: float, samples: int
) -> tuple[float, Float[np.ndarray, " dY"]]:
    """Energy and scales b_i where representing label i with scale b costs penalty c_i P b: a soft threshold.

    Minimises sum_i [penalty c_i P b_i + ridge P / (ridge + b_i P)]: b_i = sqrt(ridge / (penalty c_i P)) - ridge / P
    and energy 2 sqrt(penalty ridge c_i P) - penalty ridge c_i where penalty ridge c_i < P; b_i = 0 and energy P
    otherwise.
    """
    product = penalty * ridge * costs
    represented = product < samples
    scales = np.where(represented, np.sqrt(ridge / (penalty * costs * samples)) - ridge / samples, 0.0)
    energies = np.where(represented, 2 * np.sqrt(product * samples) - product, float(samples))
    return float(np.sum(energies)), scales


def relu(
    q0: float, q: Float[np.ndarray, " dY"], penalty: float, ridge: float, samples: int, neurons: int
) -> ClosedForm:
    """ReLU with K = sum_i b_i (11^T + v_i v_i^T).

    Where q_i >= q0 preactivations are 1 +- v_i times a factor, and c_i = q0 + q_i; for strongly aligned inputs,
    q_i < q0, they are q_i 1 +- q0 v_i, negative where the neuron is silent, and c_i = 4 q0 q_i / (q0 + q_i).
    """
    costs = np.where(q >= q0, q0 + q, 4 * q0 * q / (q0 + q))
    energy, scales = shrinkage(costs, penalty, ridge, samples)
    # the neurons of a label share sum phi^2 = 2 b_i where active: M / (2 dY) of them for either sign
    active = np.sqrt(4 * scales * len(q) / neurons)
    weight = np.where(q >= q0, 0.5, q / (q0 + q))
    return ClosedForm(energy, scales, float(np.sum(scales)), active * weight * 1.0, active * (1 - weight))


def threshold(
    positive: Callable[[float], float],
    q0: float,
    q: float,
    labels: int,
    penalty: float,
    ridge: float,
    samples: int,
    neurons: int,
) -> ClosedForm:
    """phi(z) = phi_+(z) 1[z >= 0] with phi_+ nondecreasing and concave, phi_+(0) = 0: K = b (dY 11^T + K_Y).

    Preactivations z (1 +- v_i) / 2, or, for strongly aligned inputs (q < q0), z (q 1 +- q0 v_i) / (q0 + q);
    b = m phi_+(z)^2 / 2 with m = M / (2 dY).
    """
    group = neurons / (2 * labels)
    # h^T K0^+ h = cost P z^2
    cost = (q0 + q) / 4 if q >= q0 else q0 * q / (q0 + q)
    weight = 0.5 if q >= q0 else q / (q0 + q)

    def energy(z: float) -> float:
        return labels * (
            2 * penalty * group * samples * cost * z**2
            + ridge * samples / (ridge + group * samples * positive(z) ** 2 / 2)
        )

    z, lowest = _minimum(energy, math.sqrt(labels * samples / (penalty * neurons * samples * cost)))
    scale = group * positive(z) ** 2 / 2
    ones = np.ones(labels)
    return ClosedForm(lowest, scale * ones, labels * scale, z * weight * ones, z * (1 - weight) * ones)


def odd(
    response: Callable[[float], float],
    resting: float,
    q: float,
    labels: int,
    penalty: float,
    ridge: float,
    samples: int,
    neurons: int,
) -> ClosedForm:
    """phi = phi(0) + psi with psi odd, nondecreasing, concave for z >= 0: K = M phi(0)^2 11^T + b K_Y.

    Preactivations +-z v_i, b = m psi(z)^2 with m = M / dY; where phi(0) is not 0, as many of either sign.

    Args:
        response: psi.
        resting: phi(0); 0 for tanh and its like, 1/2 for sigmoids.
    """
    group = neurons / labels

    def energy(z: float) -> float:
        return labels * (
            penalty * group * q * samples * z**2 + ridge * samples / (ridge + group * samples * response(z) ** 2)
        )

    z, lowest = _minimum(energy, math.sqrt(labels / (penalty * neurons * q)))
    scale = group * response(z) ** 2
    ones = np.ones(labels)
    return ClosedForm(lowest, scale * ones, neurons * resting**2, 0 * ones, z * ones)


def linear(q: Float[np.ndarray, " dY"], penalty: float, ridge: float, samples: int) -> ClosedForm:
    """phi(z) = z: singular values are shrunk, K = sum_i b_i v_i v_i^T. Neurons may be mixed by any rotation."""
    energy, scales = shrinkage(q, penalty, ridge, samples)
    return ClosedForm(energy, scales, 0.0, None, None)


@dataclass(frozen=True)
class DeepClosedForm:
    """A stationary point with K^(l) = scales_l (dY 11^T + K_Y) in every hidden layer l.

    Attributes:
        energy: E.
        scales: b_l = ratio^(l-1) b_1, (layer,).
        ratio: gamma; 1 where nothing is represented.
    """

    energy: float
    scales: Float[np.ndarray, " L"]
    ratio: float


def deep_relu(
    q: float, labels: int, depth: int, penalty: float, hidden_penalty: float, ridge: float, samples: int
) -> DeepClosedForm:
    """ReLU networks without biases, L hidden layers, inputs alike on 1 and all v_i (q0 = q_i = q).

    In b_1 and the ratio gamma of successive scales,

        E = 2 penalty q dY P b_1 + (L - 1) hidden_penalty (dY + 1) gamma + ridge dY P / (ridge + b_L P),

    of which the first two kinds of terms are equal at a minimum: b_1 = hidden_penalty (dY + 1) gamma /
    (2 penalty q dY P). Zero weights are always a local minimum, with E = dY P. For equal penalties and q = 1 this is
    the paper's lambda + gamma^L (dY + 1)/(2 dY) = sqrt(P/2) gamma^((L-1)/2), largest root.

    Args:
        hidden_penalty: of |W^l|^2 for l > 1, W^l acting on activities as they stand.
    """

    def first_scale(ratio: float) -> float:
        return hidden_penalty * (labels + 1) * ratio / (2 * penalty * q * labels * samples)

    def energy(ratio: float) -> float:
        last = first_scale(ratio) * ratio ** (depth - 1)
        return depth * hidden_penalty * (labels + 1) * ratio + ridge * labels * samples / (ridge + last * samples)

    ratio, lowest = _minimum(energy, labels * samples / (depth * hidden_penalty * (labels + 1)))
    if ratio == 0:
        return DeepClosedForm(lowest, np.zeros(depth), 1.0)
    return DeepClosedForm(lowest, first_scale(ratio) * ratio ** np.arange(depth), ratio)


def _minimum(energy: Callable[[float], float], largest: float) -> tuple[float, float]:
    """The global minimiser in [0, largest] and the value there; 0 where nothing is below the value at 0.

    There may be a local minimum at 0 beside another one, hence the grid.
    """
    grid = np.concatenate([[0.0], largest * np.geomspace(1e-6, 1, 400)])
    values = np.array([energy(float(z)) for z in grid])
    best = int(np.argmin(values))
    if best == 0:
        return 0.0, float(values[0])
    bounds = (float(grid[best - 1]), float(grid[min(best + 1, len(grid) - 1)]))
    # relative to z, since what can be resolved in z is the root of what can be resolved in the energy
    found = minimize_scalar(energy, bounds=bounds, method="bounded", options={"xatol": 1e-12 * bounds[1]})
    return float(found.x), float(found.fun)
