"""The neurons of one draw as the coding schemes see them: class-mean activities, their errors, norms and readouts."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from codingschemes.calls import known_keywords
from codingschemes.errors import InvalidInput


@dataclass(frozen=True)
class ClassMeans:
    """The neurons of one draw, or of many: `draws` stands for any leading axes, as (chain, draw) or none.

    Attributes:
        activity: class-mean activities, (*draws, neuron, class).
        activity_error: their standard errors over the samples of the class, (*draws, neuron, class).
        norm: root-mean-square activity over all samples, (*draws, neuron).
        readout: readout weights, (*draws, neuron, output).

    Example:
        >>> neurons = cs.coding.population(activity.T, rng.normal(size=(12, 4)), labels)
        >>> neurons.norm.shape
        (12,)
    """

    activity: Float[np.ndarray, "*draws N G"]
    activity_error: Float[np.ndarray, "*draws N G"]
    norm: Float[np.ndarray, "*draws N"]
    readout: Float[np.ndarray, "*draws N C"]

    @property
    def draws(self) -> tuple[int, ...]:
        """The leading axes."""
        return self.norm.shape[:-1]

    @property
    def size(self) -> int:
        """Number of neurons N."""
        return self.norm.shape[-1]

    def __getitem__(self, draws: Any) -> "ClassMeans":
        """Some of the draws; leading axes only."""
        return ClassMeans(self.activity[draws], self.activity_error[draws], self.norm[draws], self.readout[draws])

    def neurons(self, chosen: Any) -> "ClassMeans":
        """Some of the neurons of a single draw, those that are `chosen` by index or mask."""
        if self.draws:
            raise ValueError("choose a draw before choosing neurons")
        return self[chosen]

    def select(self, which: Bool[np.ndarray, "*draws N"]) -> "ClassMeans":
        """Some of the neurons of each draw, `which` of them by a mask, all pooled in one population."""
        return ClassMeans(self.activity[which], self.activity_error[which], self.norm[which], self.readout[which])

    def thin(self, count: int) -> "ClassMeans":
        """At most `count` evenly spaced draws of each chain, the first and the last among them."""
        if not self.draws:
            return self
        length = self.draws[-1]
        kept = np.unique(np.linspace(length - 1, 0, min(count, length)).round().astype(int))
        return self[(slice(None),) * (len(self.draws) - 1) + (kept,)]

    def pool(self) -> "ClassMeans":
        """All neurons of all draws as one population."""
        return ClassMeans(
            self.activity.reshape(-1, self.activity.shape[-1]),
            self.activity_error.reshape(-1, self.activity.shape[-1]),
            self.norm.reshape(-1),
            self.readout.reshape(-1, self.readout.shape[-1]),
        )


def join(parts: Sequence[ClassMeans], axis: int) -> ClassMeans:
    """Populations of the same network as one, along an axis that all their arrays have."""
    names = [field.name for field in fields(ClassMeans)]
    return ClassMeans(*(np.concatenate([getattr(part, name) for part in parts], axis=axis) for name in names))


@known_keywords
def population(
    activity: Float[np.ndarray, "*draws N P"],
    readout: Float[np.ndarray, "*draws N C"],
    labels: Int[np.ndarray, " P"],
) -> ClassMeans:
    """Reduce activities over samples to class means with standard errors.

    A class with one sample has no spread of its own; it takes the neuron's pooled spread within the other classes.

    Args:
        activity: phi(z), (*draws, neuron, sample).
        readout: a, (*draws, neuron, output).
        labels: the class of each sample, 0..G-1, every class present.

    Raises:
        InvalidInput: shapes that do not fit, or a class without samples.

    Example:
        >>> neurons = cs.coding.population(activity.T, rng.normal(size=(12, 4)), labels)
        >>> neurons.activity.shape, neurons.readout.shape
        ((12, 4), (12, 4))
    """
    labels, activity, readout = np.asarray(labels), np.asarray(activity, float), np.asarray(readout, float)
    if activity.ndim < 2 or activity.shape[-1] != len(labels) or activity.shape[:-1] != readout.shape[:-1]:
        shapes = f"`activity` {activity.shape}, `readout` {readout.shape} and `labels` {labels.shape}"
        raise InvalidInput(
            f"{shapes} do not fit: give (neuron, sample), (neuron, output) and (sample,), in that order of axes"
        )
    classes, sizes = np.unique(labels, return_counts=True)
    if not np.array_equal(classes, np.arange(len(classes))):
        raise InvalidInput("`labels` are not 0..G-1 with every class present: number the classes anew")
    members = (labels[:, None] == classes).astype(float)
    mean = activity @ (members / sizes)
    squares = (activity - mean[..., labels]) ** 2 @ members
    freedom = sizes - 1
    pooled = squares.sum(-1, keepdims=True) / max(freedom.sum(), 1)
    variance = np.where(freedom > 0, squares / np.maximum(freedom, 1), pooled)
    return ClassMeans(mean, np.sqrt(variance / sizes), np.sqrt((activity**2).mean(-1)), readout)
