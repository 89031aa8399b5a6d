"""Kernel renormalisation: N and P large at a fixed ratio, readouts scaled by 1/sqrt(N).

The last layer's activities are taken for a Gaussian process with the kernel K of a random network, given the layers
above. Learning then rescales K: the readouts' covariance V among outputs, and one number q_l for every layer below,
which multiplies its second moment, make least, in nats a neuron,

    sum_l [q_l - log q_l - 1] / 2 + S(V; K(q)),

S that of `readout_covariance` with n = N. Linear networks without bias below the last layer are Gaussian in fact, and
have a matrix in every layer in the place of the numbers: the theory is then exact up to relative order 1/N.

Sources: Li & Sompolinsky, Physical Review X 11, 031059 (2021), linear networks; Pacelli et al., Nature Machine
Intelligence 5, 1497 (2023), other activations. Kernels after learning and variances at test inputs were derived here.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize

from codingschemes.posterior import Posterior
from codingschemes.theory.lazy import prior_kernel
from codingschemes.theory.mean_field.problem import MeanFieldProblem
from codingschemes.theory.prediction import Assumption, Certificate, Details, Prediction
from codingschemes.theory.readout_covariance import FreeEnergy
from codingschemes.theory.theories import THEORIES

_TOLERANCE = 1e-6
"""Decrease of the free energy still to be had that is accepted, in nats a neuron."""
_RESOLVED = 1e-12
"""Eigenvalues of a kernel, relative to the largest, below which a direction is not there."""
_STEP, _SLOPE = 1e-4, 1e-5
"""Of log q in numerical derivatives, and slope along it that is taken for none, in nats a neuron."""


@dataclass(frozen=True)
class ProportionalDetails(Details):
    """Attributes:
    readout_covariance: of the network's readouts, (output, output).
    kernel_scales: q_l by which learning multiplies the kernels of lower layers, first to last; none for linear networks
        without bias, where it is a matrix.
    """

    readout_covariance: Float[np.ndarray, "C C"]
    kernel_scales: Float[np.ndarray, " L"]


def proportional(posterior: Posterior) -> Prediction:
    """Kernel renormalisation at a finite ratio of samples to neurons, N and P large.

    Linear networks of any depth and scaling, kernels of all layers included; for other activations outputs alone, any
    depth, bias and task, meant for lazy scaling, where features learn little and all of them alike. Certificate:
    decrease of the free energy that is still to be had.
    """
    problem = MeanFieldProblem(posterior)
    network, task = problem.network, problem.task
    exact = problem.activation.family == "linear" and (network.depth == 1 or not network.bias)
    scales, left = (np.ones(0), 0.0) if exact else _renormalise(problem)
    kernel = posterior.input_kernel(test=True) if exact else prior_kernel(posterior, tuple(scales)).kernel
    samples, width = task.sample_count, network.width
    energy = _energy(problem, kernel[:samples, :samples], network.depth if exact else 1)
    minimum, minima = energy.minimise()
    v = minimum.v
    kernels = energy.kernels(v) if exact else ()
    test_outputs = test_variance = None
    outputs = task.targets - problem.tau * energy.dual(v)
    if len(task.test_inputs):
        cross, alone = kernel[:samples, samples:], np.diagonal(kernel)[samples:]
        weights = energy.directions @ ((energy.directions.T @ cross) / energy.eigenvalues[:, None])
        left_alone = np.maximum(alone - np.sum(cross * weights, axis=0), 0.0)
        test_outputs = weights.T @ outputs
        test_variance = (energy.output_covariance(v, weights) + left_alone[:, None] * np.diagonal(v)) / width
    return Prediction(
        theory="proportional",
        posterior=posterior,
        outputs=outputs,
        kernel=kernels[-1] if exact else None,
        lower_kernels=kernels[:-1],
        certificate=Certificate(
            gap=minimum.left + left,
            tolerance=_TOLERANCE,
            meaning="decrease of the free energy that a Newton step still promises, in nats a neuron",
        ),
        assumptions=_assumptions(problem, exact=exact, minima=minima),
        test_outputs=test_outputs,
        test_variance=test_variance,
        details=ProportionalDetails(problem.readout_unit**2 * energy.readouts(v), scales),
    )


def _energy(problem: MeanFieldProblem, kernel: Float[np.ndarray, "P P"], layers: int) -> FreeEnergy:
    """That of features with this kernel, below so many layers of a linear network."""
    values, vectors = np.linalg.eigh(kernel)
    there = values > _RESOLVED * values[-1]
    return FreeEnergy(
        eigenvalues=values[there],
        directions=vectors[:, there],
        targets=problem.targets,
        readout_variance=problem.variance,
        tau=problem.tau,
        layers=layers,
        gain=problem.gain,
        inverse_width=1 / problem.network.width,
    )


def _renormalise(problem: MeanFieldProblem) -> tuple[Float[np.ndarray, " L"], float]:
    """Scales of the lower layers, and the decrease that is still to be had in them."""
    below = problem.network.depth - 1
    if not below:
        return np.ones(0), 0.0
    last: list[Float[np.ndarray, "C C"]] = []  # where the covariance of the readouts was, from which little is left

    def cost(logs: Float[np.ndarray, " L"]) -> float:
        scales = np.exp(logs)
        energy = _energy(problem, prior_kernel(problem.posterior, tuple(scales), test=False).kernel, layers=1)
        found = energy.descend(last.pop()) if last else energy.minimise()[0]
        last.append(found.v)
        return float(np.sum(scales - logs - 1)) / 2 + found.value

    logs = minimize(cost, np.zeros(below), method="BFGS", options={"gtol": _SLOPE, "eps": _STEP / 10}).x
    steps = _STEP * np.eye(below)
    here = cost(logs)
    up, down = (np.array([cost(logs + sign * step) for step in steps]) for sign in (1, -1))
    slope, bend = (up - down) / (2 * _STEP), (up + down - 2 * here) / _STEP**2
    return np.exp(logs), float(np.sum(slope**2 / np.abs(bend))) / 2


def _assumptions(problem: MeanFieldProblem, *, exact: bool, minima: int) -> tuple[Assumption, ...]:
    network, samples = problem.network, problem.task.sample_count
    of_width = Assumption(
        f"The width N = {network.width} is large, at any ratio to the number of samples P = {samples}: corrections "
        "are of relative order 1/N.",
        network.width >= 50,
    )
    one_minimum = Assumption(
        f"The free energy has one minimum, or the lowest is among the {minima} that were found.", minima == 1
    )
    if exact:
        return of_width, one_minimum
    of_scaling = Assumption(
        "The scaling is lazy (f = sum a phi / sqrt N), so that learning changes features little.",
        network.scaling == "lazy",
    )
    gaussian = Assumption(
        "Activities are a Gaussian process whose kernel learning only rescales: not so where neurons select.",
        holds=False,
    )
    return of_width, of_scaling, gaussian, one_minimum


THEORIES.register("proportional", proportional)
