"""Prediction at orthogonal inputs: the density over readouts by quadrature, split into codes."""

import numpy as np
from jaxtyping import Float

from codingschemes.posterior import Posterior
from codingschemes.theory.mean_field.class_problem import ClassProblem
from codingschemes.theory.mean_field.dual import Units
from codingschemes.theory.mean_field.predictor import predict_tests
from codingschemes.theory.mean_field.quadrature import Density, dual, find_mode, gap, solve
from codingschemes.theory.mean_field.routes.shared import (
    NEURONS,
    TOLERANCE,
    assumptions,
    class_problem,
    neuron_sample,
    with_readouts,
)
from codingschemes.theory.mean_field.sampling import draw_neurons
from codingschemes.theory.prediction import Certificate, NeuronGroup, Prediction
from codingschemes.theory.scheme import scheme_of


def by_quadrature(posterior: Posterior, kappa: float, fractions: dict[str, float] | None, seed: int) -> Prediction:
    task, units = posterior.task, Units.of(posterior)
    problem = class_problem(posterior, kappa)
    found = solve(problem, fractions)
    formed = _formed_codes(problem, found)
    excess, output_error = gap(problem, found)
    t = found.t[task.labels]
    drawn = draw_neurons(problem, found, task.labels, NEURONS, seed, frozen=fractions is not None)
    neurons = with_readouts(posterior, drawn, t)
    tests = predict_tests(posterior, neurons, t, units.variance, units.tau) if len(task.test_inputs) else None
    conditional = fractions is not None
    own_gap = _own_gap(problem, found) if conditional else excess
    sample = neuron_sample(posterior, neurons, seed)
    return Prediction(
        theory="mean-field",
        posterior=posterior,
        outputs=(problem.targets - units.tau * found.t)[task.labels],
        kernel=_class_kernel(found, posterior),
        certificate=Certificate(
            gap=own_gap,
            tolerance=TOLERANCE,
            meaning="duality gap in nats a neuron"
            + (", of the problem with the given code fractions" if conditional else ""),
            bounds={
                "equilibrium_gap": excess,
                "output_error": output_error,
                "lowest_energy": float(found.lattice.energy.min()),
            },
        ),
        assumptions=assumptions(posterior, conditional=conditional),
        codes=_groups(problem, found, formed, posterior, units),
        neurons=sample,
        scheme=scheme_of(posterior, sample),
        test_outputs=None if tests is None else tests.outputs,
        test_variance=None if tests is None else tests.variance,
        details={
            "method": "quadrature",
            "t": found.t.tolist(),
            "mean_readout": (units.readout * found.weight @ found.lattice.readouts).tolist(),
            "conditional": conditional,
            "free_energy": dual(problem, found).value,
        },
    )


def _formed_codes(problem: ClassProblem, found: Density) -> list[int]:
    """Regions of codes that have a mode of their own and some neurons, most frequent first."""
    if problem.middle is None:
        return []
    shares = found.shares
    candidates = [index for index in np.argsort(-shares) if shares[index] > 1e-9]
    return [int(index) for index in candidates if find_mode(problem, found.t, found.names[index]) is not None]


def _groups(
    problem: ClassProblem, found: Density, formed: list[int], posterior: Posterior, units: Units
) -> tuple[NeuronGroup, ...]:
    groups = []
    fields = problem.single.preactivation(found.lattice.readouts @ found.t.T)
    for index in formed:
        inside = found.group == index
        share = found.weight[inside].sum()
        weight = found.weight[inside] / share
        groups.append(
            NeuronGroup(
                name=found.names[index],
                count=float(posterior.network.width * share),
                activity=weight @ found.mean[inside],
                readout=units.readout * weight @ found.lattice.readouts[inside],
                preactivation=weight @ fields[inside],
            )
        )
    return tuple(groups)


def _own_gap(problem: ClassProblem, found: Density) -> float:
    residual = problem.targets - problem.tau * found.t - found.outputs
    return float(np.sum(problem.counts[:, None] * residual**2)) / (2 * problem.tau)


def _class_kernel(found: Density, posterior: Posterior) -> Float[np.ndarray, "P P"]:
    labels = posterior.task.labels
    blocks = (found.weight[:, None] * found.mean).T @ found.mean
    kernel = blocks[labels][:, labels]
    np.fill_diagonal(kernel, (found.weight @ (found.spread + found.mean**2))[labels])
    return kernel
