"""What every solver of the mean-field problem returns, and what solvers make their neurons of."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from codingschemes.theory.mean_field.annealing import Annealing
from codingschemes.theory.mean_field.problem import MeanFieldProblem
from codingschemes.theory.prediction import Assumption, Certificate, Details, NeuronGroup

TOLERANCE = 1e-6
"""Largest duality gap that is accepted of what is exact but for rounding, in nats a neuron."""
DRAWN = 4000
"""Neurons drawn from a density in closed form or over readouts, for test inputs and to be shown."""

type Shares = Literal["equilibrium", "given", "frozen"]


class Request(NamedTuple):
    """What a prediction was asked for.

    Attributes:
        fractions: share of the neurons that have each code; None for those of equilibrium.
        particles: how many, in each layer.
        seed: of all that is drawn.
        annealing: of solvers by particles; None for their own.
    """

    fractions: dict[str, float] | None
    particles: int
    seed: int
    annealing: Annealing | None


class PreactivationSample(NamedTuple):
    """A sample of neurons of equal weight.

    Attributes:
        preactivation: z at the training inputs, (neuron, sample).
        readout: mean of r given z, s^2 t^T phi(z), (neuron, output).
        group: which code each has; their shares do not fluctuate. One group where they do, (neuron,).
    """

    preactivation: Float[np.ndarray, "S P"]
    readout: Float[np.ndarray, "S C"]
    group: Int[np.ndarray, " S"]


class Singles(NamedTuple):
    """Rectified neurons that are one of a kind, which no density describes.

    Attributes:
        activity: at the training inputs, (neuron, sample).
        preactivation, variance: mean and variance of z there, (neuron, sample).
        readout: r, (neuron, output).
    """

    activity: Float[np.ndarray, "K P"]
    preactivation: Float[np.ndarray, "K P"]
    variance: Float[np.ndarray, "K P"]
    readout: Float[np.ndarray, "K C"]


class Tested(NamedTuple):
    """Mean and variance of f at the test inputs, (test sample, output); no variance where the theory has none."""

    outputs: Float[np.ndarray, "Q C"]
    variance: Float[np.ndarray, "Q C"] | None


@dataclass(frozen=True)
class Solution:
    """The measure over neurons that solves the problem.

    Attributes:
        t: the dual variables, (sample, output): the outputs are Y - tau t.
        kernel: <phi phi^T> of the last layer, (sample, sample).
        neurons: a sample of it.
        certificate: how far it can be from the exact one.
        details: further numbers of its solver.
        readout_variance: of r given z, of all neurons or each.
        shares: whether the fractions of codes are those of equilibrium, were given, or are those in which particles
            froze.
        assumptions: what the solver rests on beyond what all do.
        codes: one group a code, the most frequent first.
        bulk: where it is told apart from condensed neurons.
        condensed: neurons that hold a share of the output each, one group a neuron.
        singles: the same neurons and those too small to be listed, as test inputs need them.
        below: preactivations of a sample of neurons of each lower layer.
        lower_kernels: <phi phi^T> of these layers.
        tested: predictions at the test inputs where the solver has them in closed form.
    """

    t: Float[np.ndarray, "P C"]
    kernel: Float[np.ndarray, "P P"]
    neurons: PreactivationSample
    certificate: Certificate
    details: Details
    readout_variance: Float[np.ndarray, " S"] | float
    shares: Shares = "equilibrium"
    assumptions: tuple[Assumption, ...] = ()
    codes: tuple[NeuronGroup, ...] = ()
    bulk: NeuronGroup | None = None
    condensed: tuple[NeuronGroup, ...] = ()
    singles: Singles | None = None
    below: tuple[Float[np.ndarray, "S P"], ...] = ()
    lower_kernels: tuple[Float[np.ndarray, "P P"], ...] = ()
    tested: Tested | None = None


def neurons_at(
    problem: MeanFieldProblem,
    preactivation: Float[np.ndarray, "S P"],
    t: Float[np.ndarray, "P C"],
    group: Int[np.ndarray, " S"] | None = None,
) -> PreactivationSample:
    """Neurons with the mean readout that each has given its preactivations, s^2 t^T phi."""
    readout = problem.variance * problem.activity(preactivation) @ t
    return PreactivationSample(preactivation, readout, np.zeros(len(preactivation), int) if group is None else group)


def code_groups(
    problem: MeanFieldProblem, neurons: PreactivationSample, names: Bool[np.ndarray, "K G"]
) -> tuple[NeuronGroup, ...]:
    """Means over the neurons of each code, the most frequent first.

    Args:
        neurons: grouped by code.
        names: bits of each code.
    """
    activity = problem.activity(neurons.preactivation) @ problem.class_average
    averaged, readout = neurons.preactivation @ problem.class_average, problem.readout_unit * neurons.readout
    shares = np.bincount(neurons.group) / len(neurons.group)
    return tuple(
        NeuronGroup(
            name="".join(str(int(bit)) for bit in names[index]),
            count=float(problem.network.width * shares[index]),
            activity=activity[neurons.group == index].mean(0),
            readout=readout[neurons.group == index].mean(0),
            preactivation=averaged[neurons.group == index].mean(0),
        )
        for index in np.argsort(-shares)
    )
