"""Linear networks with one hidden layer: the mean-field problem in closed form up to a few numbers, any inputs.

Neurons are jointly Gaussian in (a, z): U = Cov(a) = (I/s^2 - t^T K0 t)^{-1}, <z a^T> = K0 t U. With
log det A = min_U tr(A U) - log det U - C the dual becomes a convex minimum over the covariance U of a readout,

    G(U) = sum_i y_i^T (tau + k_i U)^{-1} y_i / 2 + tr(U)/(2 s^2) - log det(U/s^2)/2 - C/2,

k_i the eigenvalues of K0 and y_i the rows of the targets in its eigenbasis; t then solves tau t + K0 t U = Y. At
tau -> 0, U = (s^2/2)(I + (I + 4 M/s^2)^{1/2}), M = Y^T K0^{-1} Y, which at large P is the
U = s_a (M/P)^{1/2} of van Meegen & Sompolinsky 2025.
"""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from codingschemes.theory.mean_field.dual import Ascent, climb
from codingschemes.theory.mean_field.predictor import extension
from codingschemes.theory.mean_field.problem import MeanFieldProblem
from codingschemes.theory.mean_field.solution import DRAWN, TOLERANCE, PreactivationSample, Request, Solution, Tested
from codingschemes.theory.prediction import Certificate, Details

_ENOUGH = 1e-14


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
        covariance: <z z^T> - <z><z>^T = K0 + K0 t U t^T K0, the kernel, (sample, sample).
        outputs: <z a^T>, (sample, output).
        gap: F - D in nats a neuron.
        residual: |Y - tau t - <z a^T>|, which bounds the error of the outputs.
    """

    readout_covariance: Float[np.ndarray, "C C"]
    t: Float[np.ndarray, "P C"]
    covariance: Float[np.ndarray, "P P"]
    outputs: Float[np.ndarray, "P C"]
    gap: float
    residual: float


def cold_readout_covariance(
    basis: Float[np.ndarray, "P R"], targets: Float[np.ndarray, "P C"], variance: float
) -> Float[np.ndarray, "C C"]:
    """U at tau -> 0 for any number of samples: the root of U^2/s^2 - U = M.

    Args:
        basis: L with L L^T = K0, orthogonal columns.
        variance: s^2.
    """
    seen = basis.T @ targets / (basis**2).sum(0)[:, None]
    values, vectors = np.linalg.eigh(seen.T @ seen)
    root = variance / 2 * (1 + np.sqrt(1 + 4 * np.maximum(values, 0) / variance))
    return (vectors * root) @ vectors.T


def _minus_objective(
    upper: Float[np.ndarray, " K"],
    eigenvalues: Float[np.ndarray, " R"],
    rows: Float[np.ndarray, "R C"],
    unseen: float,
    variance: float,
    tau: float,
) -> Ascent | None:
    """-G, its gradient and Hessian in the upper triangle of U; None where U is not positive definite."""
    outputs = rows.shape[1]
    directions = _symmetric_basis(outputs)
    u = np.tensordot(upper, directions, axes=1)
    values = np.linalg.eigvalsh(u)
    if values[0] <= 0:
        return None
    resolvent = np.linalg.inv(tau * np.eye(outputs) + eigenvalues[:, None, None] * u)
    solved = np.einsum("ikl,il->ik", resolvent, rows)
    inverse = np.linalg.inv(u)
    value = np.sum(rows * solved) + unseen / tau + np.trace(u) / variance - np.log(values / variance).sum() - outputs
    slope = np.eye(outputs) / variance - inverse - (eigenvalues[:, None] * solved).T @ solved
    moved = np.einsum("akl,il->aik", directions, eigenvalues[:, None] * solved)
    bent = np.einsum("aik,ikl,bil->ab", moved, resolvent, moved, optimize=True)
    turned = directions @ inverse
    curvature = bent + np.einsum("akl,blk->ab", turned, turned) / 2
    return Ascent(-value / 2, -np.einsum("akl,kl->a", directions, slope) / 2, -curvature)


def _symmetric_basis(size: int) -> Float[np.ndarray, "K C C"]:
    rows, columns = np.triu_indices(size)
    basis = np.zeros((len(rows), size, size))
    basis[np.arange(len(rows)), rows, columns] = 1.0
    basis[np.arange(len(rows)), columns, rows] = 1.0
    return basis


def solve_linear(
    basis: Float[np.ndarray, "P R"], targets: Float[np.ndarray, "P C"], variance: float, tau: float
) -> Gaussian:
    """The mean-field solution of a linear network with one hidden layer, at any temperature and inputs.

    Args:
        basis: L with L L^T = K0, orthogonal columns, largest first.
        targets: Y.
        variance: s^2.
        tau: N T.
    """
    eigenvalues = (basis**2).sum(0)
    directions = basis / np.sqrt(eigenvalues)
    rows = directions.T @ targets
    outputs = targets.shape[1]
    unseen = float(np.sum((targets - directions @ rows) ** 2))
    evaluate = partial(_minus_objective, eigenvalues=eigenvalues, rows=rows, unseen=unseen, variance=variance, tau=tau)
    start = cold_readout_covariance(basis, targets, variance)[np.triu_indices(outputs)]
    upper, _ = climb(evaluate, start, tolerance=_ENOUGH)
    u = np.tensordot(upper, _symmetric_basis(outputs), axes=1)
    values, vectors = np.linalg.eigh(u)
    t_seen = (rows @ vectors / (tau + eigenvalues[:, None] * values)) @ vectors.T
    t = directions @ t_seen + (targets - directions @ rows) / tau
    cross = t_seen.T @ (eigenvalues[:, None] * t_seen)
    # the exact covariance at this t, whatever U the minimum stopped at
    exact = np.linalg.inv(np.eye(outputs) / variance - cross)
    pushed = basis @ (basis.T @ t)
    f = pushed @ exact
    residual = float(np.linalg.norm(targets - tau * t - f))
    covariance = basis @ basis.T + pushed @ exact @ pushed.T
    return Gaussian(exact, t, covariance, f, residual**2 / (2 * tau), residual)


def solution(problem: MeanFieldProblem, request: Request) -> Solution:
    """The Gaussian that solves the problem, with a sample of neurons drawn from it."""
    found = solve_linear(problem.basis, problem.targets, problem.variance, problem.tau)
    return Solution(
        t=found.t,
        kernel=found.covariance,
        neurons=_draw_neurons(found, request.seed),
        readout_variance=0.0,  # readouts are drawn with their noise
        certificate=Certificate(
            gap=found.gap,
            tolerance=TOLERANCE,
            meaning="duality gap in nats a neuron",
            bounds={"output_error": found.residual},
        ),
        details=LinearDetails(problem.readout_unit**2 * found.readout_covariance),
        tested=_test_outputs(problem, found) if len(problem.task.test_inputs) else None,
    )


def _draw_neurons(found: Gaussian, seed: int) -> PreactivationSample:
    """Readouts and preactivations are one Gaussian, with covariances U, <z z^T> and <z a^T>."""
    u, cross = found.readout_covariance, found.outputs
    values, vectors = np.linalg.eigh(np.block([[u, cross.T], [cross, found.covariance]]))
    normal = np.random.default_rng(seed).standard_normal((DRAWN, len(values)))
    both = normal * np.sqrt(np.maximum(values, 0)) @ vectors.T
    return PreactivationSample(both[:, len(u) :], both[:, : len(u)], np.zeros(DRAWN, int))


def _test_outputs(problem: MeanFieldProblem, found: Gaussian) -> Tested:
    """z(x) = w . z + noise: the part along w fluctuates with the training outputs, the noise by itself."""
    extend = extension(problem)
    outputs = extend.weights.T @ found.outputs
    u, k, cross = found.readout_covariance, found.covariance, found.outputs
    samples, count = cross.shape
    # Cov(z_m a_k, z_n a_l) = K_mn U_kl + <z_m a_l><z_n a_k>, Wick's theorem
    fluctuation = np.kron(k, u) + np.einsum("ml,nk->mknl", cross, cross).reshape(samples * count, samples * count)
    noise = problem.tau
    # of the training outputs' empirical mean after conditioning: C - C (C + tau)^{-1} C = tau (C + tau)^{-1} C
    left = noise * np.linalg.solve(fluctuation + noise * np.eye(samples * count), fluctuation)
    left = left.reshape(samples, count, samples, count)
    along = np.einsum("mq,mknk,nq->qk", extend.weights, left, extend.weights, optimize=True)
    variance = along + extend.variance[:, None] * np.diagonal(u)
    return Tested(outputs, variance / problem.network.width)
