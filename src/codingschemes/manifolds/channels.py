"""Channels to infinity: pairs of neurons whose weights become equal while their readouts grow apart.

Two neurons with weights w -+ e v / 2 and readouts a / 2 -+ b / e have, as e -> 0, the output of a gated linear unit,

    a sigma(w . x) + b (v . x) sigma'(w . x),

which no finite pair has: along a channel the loss falls for ever, ever more slowly, towards the manifold w_i = w_j at
infinite readouts, where training leaves every bounded set. Source: Martinelli, van Meegen, Simsek, Gerstner & Brea,
arXiv 2506.14951. What counts as one in given weights was decided here.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from codingschemes.calls import known_keywords
from codingschemes.errors import InvalidInput
from codingschemes.manifolds.activation_class import ActivationClass
from codingschemes.manifolds.manifold import Neurons
from codingschemes.networks import Activation


class Channel(NamedTuple):
    """Two neurons on the way to infinity, turned to the same side where the activation has mirror images.

    Attributes:
        neurons: which two, from 0.
        apart: |a_i - a_j|, which grows.
        between: |w_i - w_j|, which vanishes.
        gap: |w_i - w_j| over the mean of |w_i| and |w_j|.
        growth: |a_i - a_j| over |a_i + a_j|, which stays.

    Example:
        >>> wide, small = np.array([[1e3], [-999.0]]), np.array([[1.0, 0.0], [1.001, 0.0]])
        >>> pair = cs.manifolds.channels(cs.manifolds.Neurons(wide, small), kind)[0]
        >>> pair.neurons, round(pair.growth), round(pair.product, 3)
        ((0, 1), 1999, 1.999)
    """

    neurons: tuple[int, int]
    apart: float
    between: float
    gap: float
    growth: float

    @property
    def product(self) -> float:
        """|a_i - a_j| |w_i - w_j|, which stays: twice what stands before the gated unit's v . x, times |v|."""
        return self.apart * self.between


@known_keywords
def channels(
    neurons: Neurons, activation: ActivationClass, *, gap: float = 0.3, growth: float = 5.0
) -> tuple[Channel, ...]:
    """Pairs of neurons with nearly the same weights and much larger opposite readouts, those that went furthest first.

    No neuron is in two of them.

    Args:
        neurons: of one network.
        activation: its class.
        gap: the largest, relative, of weights that are nearly the same.
        growth: the smallest that counts; pairs that agree in a and w have none.

    Raises:
        InvalidInput: a homogeneous activation, of which neurons of all lengths are the same, or weights that are not
            finite.

    Example:
        >>> cs.manifolds.channels(neurons, kind)
        ()
    """
    if activation.homogeneous:
        raise InvalidInput("neurons of a homogeneous activation have no weights of their own: give a smooth activation")
    readout, weight = (np.asarray(part, float) for part in neurons)
    if not (np.isfinite(readout).all() and np.isfinite(weight).all()):
        raise InvalidInput("the weights hold NaN or infinite values: give finite weights")
    found = []
    for first, second in zip(*np.triu_indices(len(weight), 1), strict=True):
        pair = pair_of(neurons, int(first), int(second), activation)
        if pair.gap <= gap and pair.growth >= growth and pair.product > 0:
            found.append(pair)
    taken: set[int] = set()
    kept = []
    for each in sorted(found, key=lambda each: -each.growth):
        if taken.isdisjoint(each.neurons):
            kept.append(each)
            taken.update(each.neurons)
    return tuple(kept)


@known_keywords
def pair_of(neurons: Neurons, first: int, second: int, activation: ActivationClass) -> Channel:
    """What `channels` goes by, of any two neurons; NaN where both weights, or both readouts, are zero.

    Args:
        neurons: of one network.
        first, second: which, from 0.
        activation: its class.

    Example:
        >>> cs.manifolds.pair_of(neurons, 0, 1, kind).neurons
        (0, 1)
    """
    chosen = [first, second]
    readout, weight = (np.asarray(part, float)[chosen] for part in neurons)
    a, w = _same_side(readout, weight, activation)
    apart, together = np.linalg.norm(a[0] - a[1]), np.linalg.norm(a[0] + a[1])
    between = np.linalg.norm(w[0] - w[1])
    with np.errstate(divide="ignore", invalid="ignore"):
        relative, grown = between / np.linalg.norm(w, axis=1).mean(), apart / together
    return Channel((first, second), float(apart), float(between), float(relative), float(grown))


@known_keywords
def gated_output(
    neurons: Neurons, channel: Channel, inputs: Float[np.ndarray, "P D"], activation: Activation, kind: ActivationClass
) -> tuple[Float[np.ndarray, "P C"], Float[np.ndarray, "P C"]]:
    """What the two neurons of a channel put out, and what the gated linear unit does that they tend to.

    Args:
        neurons: of one network.
        channel: two of them.
        inputs: as the weights multiply them: scaled, and with a column of ones for a bias.
        activation: what it uses.
        kind: the activation's class.

    Returns:
        Outputs of the pair and of the unit, (sample, output) each, without the network's scale.

    Example:
        >>> pair = cs.manifolds.pair_of(neurons, 0, 1, kind)
        >>> tanh, points = cs.Network("tanh").activation, np.asarray(problem.inputs)
        >>> [each.shape for each in cs.manifolds.gated_output(neurons, pair, points, tanh, kind)]
        [(20, 1), (20, 1)]
    """
    chosen = list(channel.neurons)
    readout, weight = (np.asarray(part, float)[chosen] for part in neurons)
    a, w = _same_side(readout, weight, kind)
    centre, across = inputs @ w.mean(axis=0), inputs @ (w[0] - w[1])
    value, slope = jax.jvp(activation, (jnp.asarray(centre),), (jnp.asarray(across),))
    pair = np.asarray(activation(jnp.asarray(inputs @ weight.T))) @ readout
    return pair, np.outer(value, a[0] + a[1]) + np.outer(slope, (a[0] - a[1]) / 2)


def _same_side(
    readout: Float[np.ndarray, "2 C"], weight: Float[np.ndarray, "2 D"], activation: ActivationClass
) -> tuple[Float[np.ndarray, "2 C"], Float[np.ndarray, "2 D"]]:
    """The second neuron in place of its mirror image where that is nearer."""
    if not activation.signed or weight[0] @ weight[1] >= 0:
        return readout, weight
    turned = np.array([[1.0], [-1.0]])
    return (turned * readout if activation.symmetry == "odd" else readout), turned * weight
