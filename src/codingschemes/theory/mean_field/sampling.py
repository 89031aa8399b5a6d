"""Neurons drawn from the density over readouts at orthogonal inputs."""

import numpy as np
from jaxtyping import Float, Int

from codingschemes.theory.mean_field.class_problem import ClassProblem
from codingschemes.theory.mean_field.single_input import nodes


def draw_neurons(
    problem: ClassProblem,
    t: Float[np.ndarray, "G C"],
    readouts: Float[np.ndarray, "n C"],
    weight: Float[np.ndarray, " n"],
    labels: Int[np.ndarray, " P"],
    count: int,
    seed: int,
) -> tuple[Float[np.ndarray, "S P"], Int[np.ndarray, " S"]]:
    """Independent neurons: a readout from the lattice, then each preactivation by inverting its distribution.

    Args:
        t: the dual variables of a sample of each class.
        readouts, weight: of the density, and how probable each is.
        labels: class of every training sample.

    Returns:
        Preactivations, (neuron, sample), and which of the readouts each neuron has.
    """
    rng = np.random.default_rng(seed)
    # systematic resampling: shares of lattice points are right to one in `count`
    places = (np.arange(count) + rng.random()) / count
    chosen = np.searchsorted(np.cumsum(weight), places).clip(max=len(weight) - 1)
    fields = readouts[chosen] @ t.T
    rule = nodes(problem.single.activation, problem.single.kappa, float(np.abs(fields).max()))
    preactivation = np.empty((count, len(labels)))
    for label in range(fields.shape[1]):
        members = np.flatnonzero(labels == label)
        for part in np.array_split(np.arange(count), 1 + count * len(rule.activity) // 4_000_000):
            exponent = fields[part, label, None] * rule.activity + rule.log_weight
            p = np.exp(exponent - exponent.max(axis=1, keepdims=True))
            cumulative = np.cumsum(p, axis=1)
            cumulative /= cumulative[:, -1:]
            preactivation[np.ix_(part, members)] = _invert(cumulative, rule.preactivation, rng, len(members))
    return preactivation, chosen


def _invert(
    cumulative: Float[np.ndarray, "n M"], values: Float[np.ndarray, " M"], rng: np.random.Generator, draws: int
) -> Float[np.ndarray, "n k"]:
    """`draws` values of each row's distribution, linear between nodes."""
    rows, size = cumulative.shape
    offset = 2.0 * np.arange(rows)[:, None]  # one increasing list of all rows
    wanted = rng.random((rows, draws))
    flat = (cumulative + offset).ravel()
    place = np.searchsorted(flat, (wanted + offset).ravel()).reshape(rows, draws) - size * np.arange(rows)[:, None]
    right = place.clip(0, size - 1)
    left = (place - 1).clip(0, size - 1)
    row = np.arange(rows)[:, None]
    low = np.where(place > 0, cumulative[row, left], 0.0)
    fraction = (wanted - low) / np.maximum(cumulative[row, right] - low, 1e-300)
    # a node stands for the interval around it: its mass lies half to its left
    edges = np.concatenate([values[:1], (values[1:] + values[:-1]) / 2, values[-1:]])
    return edges[right] + fraction * (edges[right + 1] - edges[right])
