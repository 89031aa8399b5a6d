"""When does a wide student recover a narrow teacher from fewer samples than it has weights?"""

from dataclasses import dataclass
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from codingschemes.manifolds import (
    LOSSES,
    Detection,
    Neurons,
    Path,
    Problem,
    classify,
    descend,
    detect,
    direction_widths,
    random_neurons,
)
from codingschemes.networks import ACTIVATIONS
from codingschemes.studies.manifolds.training import TOLERANCE, at_snapshot

_TEST, _SNAPSHOTS, _RATE = 2000, 100, 0.3


@dataclass(frozen=True)
class Lessons:
    """A narrow teacher of tanh neurons and normal inputs.

    Attributes:
        teacher: neurons of the teacher.
        inputs: of both.
        width: neurons of the student.
        most: samples that are drawn; lessons of fewer are the first of them.
    """

    teacher: int = 2
    inputs: int = 5
    width: int = 30
    most: int = 48

    @property
    def teacher_weights(self) -> int:
        """How many the teacher has."""
        return self.teacher * (self.inputs + 1)

    @property
    def student_weights(self) -> int:
        """How many the student has."""
        return self.width * (self.inputs + 1)


class Recovery(NamedTuple):
    """What became of one student.

    Attributes:
        samples: that it learned from.
        training_error, test_error: mean squared, relative to the variance of the teacher's outputs at test inputs.
        strict, direction: effective widths at the end.
        fewest: directions passed.
        path: of training.
    """

    samples: int
    training_error: float
    test_error: float
    strict: int
    direction: int
    fewest: int
    path: Path

    def series(self) -> list[Detection]:
        """What the weights look like at every snapshot."""
        kind, at = classify(ACTIVATIONS["tanh"]), np.array([TOLERANCE])
        return [detect(at_snapshot(self.path, index), kind, tolerances=at) for index in range(len(self.path.loss))]


def recover(lessons: Lessons, size: float, samples: int, seed: int, steps: int) -> Recovery:
    """Train a student by gradient descent on the first samples of a teacher's.

    Args:
        lessons: sizes of teacher and student.
        size: of the student's first weights.
        samples: how many are learned from.
        seed: of teacher, inputs and student.
        steps: of gradient descent, at a rate of 0.3 over the samples.
    """
    rng, at = np.random.default_rng(seed), np.array([TOLERANCE])
    tanh, kind = ACTIVATIONS["tanh"], classify(ACTIVATIONS["tanh"])
    teacher = random_neurons(rng, lessons.teacher, lessons.inputs, 1)
    test = rng.normal(size=(_TEST, lessons.inputs))
    inputs = rng.normal(size=(lessons.most, lessons.inputs))[:samples]
    begin = random_neurons(rng, lessons.width, lessons.inputs, 1)
    problem = Problem(
        jnp.asarray(inputs), jnp.asarray(_outputs(teacher, inputs)), tanh, LOSSES["squared"], jnp.ones(())
    )
    start = Neurons(size * begin.readout, size * begin.weight)
    path = descend(problem, start, "gd", rate=_RATE / samples, steps=steps, snapshots=_SNAPSHOTS)
    last, target = at_snapshot(path, -1), _outputs(teacher, test)
    found = detect(last, kind, tolerances=at)
    directions = [direction_widths(at_snapshot(path, index).weight, kind, at)[0] for index in range(1, _SNAPSHOTS + 1)]
    return Recovery(
        samples=samples,
        training_error=float(2 * path.loss[-1] / samples / np.var(target)),
        test_error=float(np.mean((_outputs(last, test) - target) ** 2) / np.var(target)),
        strict=int(found.strict[0]),
        direction=int(found.direction[0]),
        fewest=int(min(directions)),
        path=path,
    )


def _outputs(neurons: Neurons, inputs: Float[np.ndarray, "P D"]) -> Float[np.ndarray, "P 1"]:
    return np.tanh(inputs @ np.asarray(neurons.weight).T) @ np.asarray(neurons.readout)
