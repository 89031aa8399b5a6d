"""The global minimum of any two-layer problem by the solver, and the best network of its width."""

import numpy as np

from codingschemes.progress import announce
from codingschemes.theory.convex import ConvexProblem
from codingschemes.theory.global_minimum import frank_wolfe
from codingschemes.theory.global_minimum.descent import best_network
from codingschemes.theory.global_minimum.geometry import LabelGeometry
from codingschemes.theory.global_minimum.measures import kernel, residual
from codingschemes.theory.global_minimum.pointwise import pointwise
from codingschemes.theory.global_minimum.predictions import (
    EXACT_TOLERANCE,
    TOLERANCE,
    Effort,
    KernelForm,
    Minimum,
    MinimumDetails,
    certificate,
    relative,
)
from codingschemes.theory.prediction import Assumption

SMALL = 64
"""Up to so many samples the solver goes on to `EXACT_TOLERANCE`, and the rigorous bound is computed unasked."""
_SEARCHES = 16
_SECONDS = 20.0
"""On one core at 100 samples and 16 searches; about in proportion to the samples."""


def by_solver(problem: ConvexProblem, geometry: LabelGeometry, effort: Effort) -> Minimum:
    """The minimum over measures of neurons, or, where neurons cannot be split or merged, over networks near it."""
    targets, family = problem.targets, problem.activation.family
    announce("global minimum by the solver", _SECONDS * len(targets) / 100)
    solved = frank_wolfe.solve(
        problem,
        seed=effort.seed,
        # where no certificate can be had, adding neurons does not end
        rounds=6 if family == "smooth" else 80,
        searches=_SEARCHES if effort.searches is None else effort.searches,
        starts=effort.starts,
        tolerance=(EXACT_TOLERANCE if len(targets) <= SMALL else TOLERANCE) / 2,
    )
    judged = certificate(problem, solved.energy, solved.residual, solved.estimate, effort.rigorous, TOLERANCE)
    energy, neurons, above = solved.energy, solved.measure, None
    if not (pointwise(problem.activation).homogeneous and len(neurons.masses) <= problem.neurons):
        neurons, energy = best_network(problem, solved.measure, seed=effort.seed, floor=solved.energy)
        above = relative(energy, solved.energy)
    total = kernel(problem, neurons)
    outputs = targets - residual(problem, total).T
    return Minimum(
        energy=energy,
        total=total,
        outputs=outputs,
        certificate=judged,
        assumptions=(
            Assumption("The measure over neurons has converged, as far as a search over neurons tells.", judged.holds),
            Assumption(
                "Neurons can be split and merged at will; where that is not so, the energy is that of the best network "
                "found, and relaxed_energy is what no network of this width goes below.",
                above is None or above <= TOLERANCE,
            ),
            Assumption(
                "Activity is proportional to the size of the preactivations or grows more slowly; elsewhere (softplus, "
                "gelu, silu) neurons of vanishing mass and unlimited size may be best, and there is no certificate.",
                family != "smooth",
            ),
        ),
        details=MinimumDetails(
            "solver",
            bool(np.max(np.abs(outputs)) > 1e-6 * np.max(np.abs(targets))),
            KernelForm.of(targets, total) if geometry.factorised else None,
            neurons=len(solved.measure.masses),
            relaxed_energy=solved.energy,
            above_relaxed=above,
        ),
    )
