"""Linear networks of any depth: the mean-field problem in closed form up to a few numbers, any inputs.

Neurons of all layers are Gaussian. Seen from the first layer, f = (1/N) sum of z_i v_i with z = W x and v the readout
through all layers above; the free energy of its covariance V is that of `readout_covariance`, and t solves
tau t + K0 t V = Y. From V follow all layers: with Lambda = (V / s^2)^{1/L},

    Cov(v_l) = s^2 Lambda^{L+1-l},    U = Cov(a) = s^2 Lambda,
    K_l = K0 + K0 t V^{1/2} (1 + Lambda + ... + Lambda^{l-1}) V^{1/2} t^T K0.

At tau -> 0, Lambda^L (Lambda - 1) = Y^T K0^{-1} Y / s^2; with one layer and large P that is the
U = s_a (Y^T K0^{-1} Y / P)^{1/2} of van Meegen & Sompolinsky 2025. Their kernels of L layers are these at large Lambda;
closed forms at any temperature, depth and Lambda were derived here.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from codingschemes.theory.mean_field.predictor import extension
from codingschemes.theory.mean_field.problem import MeanFieldProblem
from codingschemes.theory.mean_field.solution import DRAWN, TOLERANCE, PreactivationSample, Request, Solution, Tested
from codingschemes.theory.prediction import Assumption, Certificate, Details
from codingschemes.theory.readout_covariance import FreeEnergy, spectral


@dataclass(frozen=True)
class LinearDetails(Details):
    """Attributes:
    readout_covariance: of the network's readouts, (output, output).
    method: how the theory was solved.
    """

    readout_covariance: Float[np.ndarray, "C C"]
    method: str = "closed form"


class Gaussian(NamedTuple):
    """The Gaussian distribution of neurons.

    Attributes:
        readout_covariance: U, (output, output).
        t: (sample, output).
        kernels: <z z^T> of each layer, first to last, (sample, sample).
        outputs: <z a^T> of the last layer, (sample, output).
        first: V, covariance of the readouts through all layers above the first, (output, output).
        residual: |Y - tau t - K0 t V| with the V that t implies, which bounds the error of the outputs of one layer.
        minima: of the free energy that were found.
    """

    readout_covariance: Float[np.ndarray, "C C"]
    t: Float[np.ndarray, "P C"]
    kernels: tuple[Float[np.ndarray, "P P"], ...]
    outputs: Float[np.ndarray, "P C"]
    first: Float[np.ndarray, "C C"]
    residual: float
    minima: int


def free_energy(
    basis: Float[np.ndarray, "P R"],
    targets: Float[np.ndarray, "P C"],
    variance: float,
    tau: float,
    *,
    layers: int = 1,
    gain: float = 1.0,
) -> FreeEnergy:
    """That of a linear network's first layer, seen with all layers above as its readout.

    Args:
        basis: L with L L^T = K0, orthogonal columns.
        targets: Y.
        variance: of the readouts.
        tau: N T.
        layers: hidden ones.
        gain: of the weights between layers, `MeanFieldProblem.gain`.
    """
    eigenvalues = (basis**2).sum(0)
    return FreeEnergy(eigenvalues, basis / np.sqrt(eigenvalues), targets, variance, tau, layers, gain)


def solve_linear(energy: FreeEnergy) -> Gaussian:
    """The mean-field solution of a linear network at any temperature and inputs."""
    minimum, minima = energy.minimise()
    t, v = energy.dual(minimum.v), minimum.v
    pushed = energy.directions * energy.eigenvalues @ (energy.directions.T @ t)  # K0 t
    if energy.layers == 1:  # the exact covariance at this t, whatever V the minimum stopped at
        implied = np.linalg.inv(np.eye(len(v)) / energy.variance - t.T @ pushed)
    else:
        root = spectral(v, np.sqrt)
        grown = np.eye(len(v)) + root @ (t.T @ pushed) @ root
        implied = energy.variance * np.linalg.matrix_power(grown, energy.layers)
    outputs = pushed @ implied
    return Gaussian(
        readout_covariance=energy.readouts(v),
        t=t,
        kernels=energy.kernels(v),
        outputs=outputs,
        first=v,
        residual=float(np.linalg.norm(energy.targets - energy.tau * t - outputs)),
        minima=minima,
    )


def solution(problem: MeanFieldProblem, request: Request) -> Solution:
    """The Gaussian that solves the problem, with a sample of neurons drawn from it."""
    layers = problem.network.depth
    energy = free_energy(
        problem.basis, problem.targets, problem.variance, problem.tau, layers=layers, gain=problem.gain
    )
    found = solve_linear(energy)
    one_minimum = Assumption(
        f"The free energy of several layers has one minimum, or the lowest is among the {found.minima} that were found "
        "(learning none to all modes of the targets).",
        found.minima == 1,
    )
    return Solution(
        t=found.t,
        kernel=found.kernels[-1],
        lower_kernels=found.kernels[:-1],
        neurons=_draw_neurons(found, request.seed),
        readout_variance=0.0,  # readouts are drawn with their noise
        certificate=Certificate(
            gap=found.residual**2 / (2 * problem.tau),
            tolerance=TOLERANCE,
            meaning="duality gap in nats a neuron"
            if layers == 1
            else "residual of the self-consistency of all layers, in nats a neuron",
            bounds={"output_error": found.residual},
        ),
        assumptions=(one_minimum,) if layers > 1 else (),
        details=LinearDetails(problem.readout_unit**2 * found.readout_covariance),
        tested=_test_outputs(problem, energy, found) if len(problem.task.test_inputs) else None,
    )


def _draw_neurons(found: Gaussian, seed: int) -> PreactivationSample:
    """Readouts and preactivations of the last layer are one Gaussian, with covariances U, <z z^T> and <z a^T>."""
    u, cross = found.readout_covariance, found.outputs
    values, vectors = np.linalg.eigh(np.block([[u, cross.T], [cross, found.kernels[-1]]]))
    normal = np.random.default_rng(seed).standard_normal((DRAWN, len(values)))
    both = normal * np.sqrt(np.maximum(values, 0)) @ vectors.T
    return PreactivationSample(both[:, len(u) :], both[:, : len(u)], np.zeros(DRAWN, int))


def _test_outputs(problem: MeanFieldProblem, energy: FreeEnergy, found: Gaussian) -> Tested:
    """z(x) = w . z + noise in the first layer: the part along w fluctuates with the training outputs, the noise by
    itself."""
    extend = extension(problem)
    along = energy.output_covariance(found.first, extend.weights)
    variance = along + extend.variance[:, None] * np.diagonal(found.first)
    return Tested(extend.weights.T @ found.outputs, variance / problem.network.width)
