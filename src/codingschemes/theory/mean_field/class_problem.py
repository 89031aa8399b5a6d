"""The mean-field problem at orthogonal inputs, in which everything is the same for all samples of a class."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from codingschemes.representation.kernels import class_sizes
from codingschemes.theory.mean_field.problem import MeanFieldProblem
from codingschemes.theory.mean_field.single_input import SingleInput, single_input


@dataclass(frozen=True)
class ClassProblem:
    """The mean-field problem of a task with orthogonal inputs and one target a class.

    Attributes:
        single: one input in a field.
        middle: activity that separates an active class from a silent one, the same for all neurons; None where neurons
            do not saturate, so that they have no codes.
        counts: P_c, (class,).
        targets: Y of a sample of each class, (class, output).
        variance: s^2.
        tau: N T.
    """

    single: SingleInput
    middle: float | None
    counts: Float[np.ndarray, " G"]
    targets: Float[np.ndarray, "G C"]
    variance: float
    tau: float

    @classmethod
    def of(cls, problem: MeanFieldProblem, kappa: float) -> "ClassProblem":
        """That of a task with K0 = kappa I."""
        activation = problem.activation
        return cls(
            single_input(activation, kappa),
            activation.midpoint if activation.bounded else None,
            class_sizes(problem.task.labels, problem.task.sample_count).astype(float),
            problem.class_targets,
            problem.variance,
            problem.tau,
        )

    def bits(self, mean: Float[np.ndarray, "*n G"]) -> Bool[np.ndarray, "*n G"]:
        """Which classes neurons with these mean activities answer to; without codes, by halves of what there is."""
        return mean > (float(mean.max() + mean.min()) / 2 if self.middle is None else self.middle)
