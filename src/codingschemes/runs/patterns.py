"""Which classes the neurons of each draw answer to, as counts: whether chains hold the same codes is known while
sampling, before any summary is made.

Kernels and norms of two chains can agree where their codes do not: with five classes, codes that differ in how they
combine four classes have the same kernel. So what ends sampling looks at the codes themselves.
"""

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Int

from codingschemes.convergence import SAME_NEURONS, worst_rhat
from codingschemes.networks import Activation
from codingschemes.runs.store import StoredDraws

#: Draws a chain that are looked at; evenly spaced where there are more.
_LOOKED_AT = 1000
#: Entries of preactivations that are read at a time.
_PART = 20_000_000
#: Classes that make up a number together.
_TOGETHER = 32


def same_patterns(preactivations: np.ndarray | StoredDraws, activation: Activation, labels: np.ndarray) -> bool:
    """Whether all chains hold the same patterns in the same numbers: R-hat of their counts below `SAME_NEURONS` in
    every layer. Neurons that do not saturate on both sides have no pattern; what their norms say is enough.

    Args:
        preactivations: of the draws so far, (chain, draw, layer, neuron, training_sample).
        labels: the class of each sample.
    """
    if not activation.bounded:
        return True
    found = patterns(preactivations, activation, labels)
    return all(worst_rhat(pattern_counts(found[:, :, layer])) < SAME_NEURONS for layer in range(found.shape[2]))


def patterns(
    preactivations: np.ndarray | StoredDraws, activation: Activation, labels: np.ndarray
) -> Bool[np.ndarray, "chain draw layer N G"]:
    """The classes over which the mean activity of every neuron is above the activation's midpoint. An odd activation
    makes a pattern and its complement one: they are the same neuron up to sign.
    """
    _, draws, *rest = preactivations.shape
    chosen = np.unique(np.linspace(draws - 1, 0, min(draws, _LOOKED_AT)).round().astype(int))
    classes, sizes = np.unique(labels, return_counts=True)
    members = (labels[:, None] == classes) / sizes
    step = max(1, _PART // max(1, preactivations.shape[0] * int(np.prod(rest))))
    parts = []
    for first in range(0, len(chosen), step):
        some = chosen[first : first + step]
        part = np.asarray(preactivations[:, some[0] : some[-1] + 1])[:, some - some[0]]
        parts.append(np.asarray(activation(jnp.asarray(part))) @ members > activation.midpoint)
    found = np.concatenate(parts, axis=1)
    return found ^ found[..., -1:] if activation.family == "odd" else found


def pattern_counts(found: Bool[np.ndarray, "chain draw N G"]) -> np.ndarray:
    """Numbers of neurons in each draw, (chain, draw, K): by pattern, of those that a chain has at least one neuron of
    on average (no chain is long enough for the others), and by how many classes they answer to."""
    index = _numbered(found)
    often = np.zeros((len(index), index.max() + 1))
    for chain, held in enumerate(index):
        often[chain] = np.bincount(held.ravel(), minlength=often.shape[1]) / index.shape[1]
    common = np.flatnonzero(often.max(axis=0) >= 1)
    sizes = found.sum(axis=3)
    by_pattern = [np.sum(index == name, axis=2) for name in common]
    by_size = [np.sum(sizes == size, axis=2) for size in np.unique(sizes)]
    return np.stack([*by_pattern, *by_size], axis=2).astype(float)


def _numbered(found: Bool[np.ndarray, "chain draw N G"]) -> Int[np.ndarray, "chain draw N"]:
    """The patterns that there are, numbered."""
    index = np.zeros(found.shape[:-1], int)
    for first in range(0, found.shape[-1], _TOGETHER):
        some = found[..., first : first + _TOGETHER]
        keys = (index << _TOGETHER) + some @ (1 << np.arange(some.shape[-1]))
        index = np.unique(keys, return_inverse=True)[1].reshape(index.shape)
    return index
