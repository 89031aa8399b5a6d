"""What every way to the global minimum gives, and the one place where a prediction is made of it."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from codingschemes.posterior import Posterior
from codingschemes.representation import class_kernel, parallelism_score_from_kernel
from codingschemes.theory.convex import ConvexProblem
from codingschemes.theory.global_minimum import relaxation
from codingschemes.theory.global_minimum.bounds import lower_bound, separable_bound
from codingschemes.theory.global_minimum.oracle import Maxima
from codingschemes.theory.global_minimum.pointwise import pointwise
from codingschemes.theory.prediction import Assumption, Certificate, Details, NeuronGroup, Prediction

TOLERANCE = 1e-4
"""Largest relative gap that a prediction may have."""
EXACT_TOLERANCE = 1e-6
"""Largest relative gap of a closed form: rounding errors."""


class Effort(NamedTuple):
    """How much is searched for neurons that gain.

    Attributes:
        seed: fixes every random choice.
        searches: independent ones; None for as many as the method takes.
        starts: random starts of each.
        rigorous: whether to compute the rigorous bound.
    """

    seed: int
    searches: int | None
    starts: int
    rigorous: bool


@dataclass(frozen=True)
class KernelForm(Details):
    """The sum over neurons K as constant 11^T + scale Y Y^T, of factorised targets.

    Attributes:
        scale: b; the mean over labels.
        constant: coefficient of 11^T.
        scales: one a label, (label,); None where they are equal by symmetry.
        misfit: relative distance of K from this form; None where it has it by symmetry.
    """

    scale: float
    constant: float
    scales: Float[np.ndarray, " dY"] | None = None
    misfit: float | None = None

    @classmethod
    def of(cls, targets: Float[np.ndarray, "P dY"], total: Float[np.ndarray, "P P"]) -> "KernelForm":
        """Projections of K on 11^T and Y Y^T."""
        samples = len(targets)
        scales = np.sum(targets * (total @ targets), axis=0) / samples**2
        constant, scale = float(np.sum(total)) / samples**2, float(np.mean(scales))
        rest, norm = total - constant - scale * targets @ targets.T, float(np.linalg.norm(total))
        return cls(scale, constant, scales, float(np.linalg.norm(rest)) / norm if norm > 0 else 0.0)


@dataclass(frozen=True)
class LayerScales(Details):
    """Attributes:
    scales: b_l of each hidden layer, (layer,).
    ratio: of successive ones.
    """

    scales: Float[np.ndarray, " L"]
    ratio: float


@dataclass(frozen=True)
class MinimumDetails(Details):
    """Attributes:
    method: how the minimum was found.
    nontrivial: whether anything is represented.
    kernel: of factorised targets.
    neurons: how many different ones the solver's measure has.
    relaxed_energy: below which no network of this width can be, where neurons cannot be split or merged.
    above_relaxed: how far the best network found is above, relative.
    layers: of deep networks.
    """

    method: Literal["closed-form", "solver"]
    nontrivial: bool
    kernel: KernelForm | None = None
    neurons: int | None = None
    relaxed_energy: float | None = None
    above_relaxed: float | None = None
    layers: LayerScales | None = None


@dataclass(frozen=True)
class Minimum:
    """The global minimum, by a formula or a search.

    Attributes:
        energy: E.
        total: the kernel summed over neurons, (sample, sample).
        outputs: f, (sample, output).
        certificate: how far it can be from the minimum.
        assumptions: what it rests on.
        details: further numbers.
        unique: whether the kernel is the only one at this energy.
        codes: groups of neurons, where single neurons are known.
    """

    energy: float
    total: Float[np.ndarray, "P P"]
    outputs: Float[np.ndarray, "P C"]
    certificate: Certificate
    assumptions: tuple[Assumption, ...]
    details: MinimumDetails
    unique: bool = True
    codes: tuple[NeuronGroup, ...] = ()


def prediction_of(posterior: Posterior, found: Minimum) -> Prediction:
    """What the theory says, given the minimum; parallelism and codes where the minimum determines them."""
    shown = found.unique and found.details.nontrivial
    return Prediction(
        theory="global-minimum",
        posterior=posterior,
        outputs=found.outputs,
        kernel=found.total / posterior.network.width,
        certificate=found.certificate,
        assumptions=found.assumptions,
        energy=found.energy,
        codes=found.codes if found.unique else (),
        parallelism=_parallelism(posterior, found.total) if shown else None,
        details=found.details,
    )


def certificate(
    problem: ConvexProblem,
    energy: float,
    v: Float[np.ndarray, "C P"],
    estimate: Maxima,
    rigorous: bool,
    tolerance: float,
) -> Certificate:
    """The gap that rests on a search over single neurons, beside the rigorous one where it is asked for.

    Args:
        energy: E.
        v: the residual Y^T - f.
        estimate: what the search found.
    """
    bounds = {
        "estimated_gap": relative(energy, lower_bound(problem, v, estimate.largest)),
        "hit_rate": estimate.hits / estimate.starts,
        "starts": float(estimate.starts),
    }
    if rigorous:
        if pointwise(problem.activation).homogeneous:
            largest = relaxation.largest_gain(problem, v).bound
        else:
            largest = separable_bound(problem, v)
        bounds["rigorous_gap"] = relative(energy, lower_bound(problem, v, largest))
    return Certificate(
        gap=bounds["estimated_gap"],
        tolerance=tolerance,
        meaning=(
            "largest relative distance of the energy from the minimum over measures of neurons, if the search for a "
            "single neuron that gains missed none; rigorous_gap, where given, holds without that condition"
        ),
        bounds=bounds,
    )


def relative(energy: float, bound: float) -> float:
    """Distance of a bound, in units of the energy."""
    return abs(energy - bound) / energy if energy > 0 else 0.0


def _parallelism(posterior: Posterior, total: Float[np.ndarray, "P P"]) -> float | None:
    task = posterior.task
    if task.factors is None or not np.any(np.abs(total) > 1e-12):
        return None
    return parallelism_score_from_kernel(class_kernel(total, task.labels), task.factors).value
