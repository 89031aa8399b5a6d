"""Centring and scaling, learned on the training inputs and applied to test inputs alike."""

import numpy as np

from codingschemes.errors import InvalidInput
from codingschemes.tasks.task import Task


def center(task: Task) -> Task:
    """Subtracts the training mean of each feature."""
    mean = task.inputs.mean(axis=0)
    return task.with_inputs(
        task.inputs - mean, task.test_inputs - mean, "center: the training mean of each feature was subtracted"
    )


def scale(task: Task) -> Task:
    """Divides all inputs by one number, so that the mean over training samples of |x|^2 / N0 is 1."""
    largest = np.abs(task.inputs).max()
    size = largest * np.sqrt(np.mean((task.inputs / largest) ** 2))  # squares of extreme inputs would overflow
    return task.with_inputs(
        task.inputs / size,
        task.test_inputs / size,
        f"scale: all inputs were divided by {size:.6g}, so that |x|^2 / N0 is 1 on average over the training samples",
    )


STEPS = {"center": center, "scale": scale}


def preprocess(task: Task, steps: str) -> Task:
    """Applies the named steps in the order given.

    Args:
        steps: "none", or names of `STEPS` joined by commas, such as "center,scale".

    Raises:
        InvalidInput: there is no such step.
    """
    for step in [] if steps == "none" else steps.split(","):
        if step not in STEPS:
            raise InvalidInput(f"there is no preprocessing step {step!r}: choose from none, {', '.join(STEPS)}")
        task = STEPS[step](task)
    return task
