"""What the verdict on sampled neurons and the scheme that a theory predicts have in common."""

from typing import Literal

import numpy as np
from jaxtyping import Float

type Label = Literal["analog", "redundant", "sparse", "undecided"]


def class_specific_parts(
    activity: Float[np.ndarray, "*draws N G"], readout: Float[np.ndarray, "*draws N C"]
) -> Float[np.ndarray, "*draws N"]:
    """The part of the class-specific output that each neuron carries; they sum to one in every draw, and are zero where
    there is none.

    The output of a neuron for a class is its class-mean activity times its readouts. Class-specific is what remains
    after its mean over classes is taken off; the part is the projection on the same quantity of the whole network.

    Args:
        activity: class means.
        readout: a neuron that stands for several has as many times its own.
    """
    contrast = activity - activity.mean(-1, keepdims=True)
    total = np.swapaxes(contrast, -1, -2) @ readout
    power = np.sum(total**2, axis=(-2, -1))
    parts = np.sum((contrast @ total) * readout, axis=-1)
    return np.divide(parts, power[..., None], out=np.zeros_like(parts), where=power[..., None] > 0)
