"""Levels of a real-valued target: what stands in for classes where there are no labels.

A regression has no classes. Figures and means by class need some grouping of inputs, and low, middle and high targets
are one that says what it is; nothing of it is learned.
"""

import numpy as np
from jaxtyping import Float, Int

NAMES = ("low", "middle", "high")


def level_edges(values: Float[np.ndarray, " P"]) -> Float[np.ndarray, " E"]:
    """Where the second and the third level begin: at values that divide all in thirds, fewer where many are equal."""
    edges = np.quantile(values, np.arange(1, len(NAMES)) / len(NAMES), method="higher")
    return np.unique(edges[edges > values.min()])


def levels_of(values: Float[np.ndarray, " n"], edges: Float[np.ndarray, " E"]) -> Int[np.ndarray, " n"]:
    """The level of each value, from 0."""
    return np.searchsorted(edges, values, side="right").astype(np.int64)


def level_names(count: int) -> tuple[str, ...]:
    """One for each of `count` levels, lowest first."""
    return {1: ("all",), 2: (NAMES[0], NAMES[-1]), 3: NAMES}[count]
