"""Codes of a population: the set of classes that each neuron answers to.

A code has one bit a class, in label order: 1 where the neuron is active for the class. Bits are decided neuron by
neuron (`bits.py`), so that a code need not be shared: with many classes nearly every neuron can have a code of its own.
A neuron with an undecided bit is uncoded. Fractions of codes sum to one less the uncoded.

Clusters of neurons in the space of class means and readouts are kept beside the codes: how many groups of neurons do
the same in activity and in readout, whatever they are called.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import comb

import numpy as np
from jaxtyping import Bool, Float, Int

from codingschemes.calls import checked, known_keywords
from codingschemes.coding.bits import BitRule, bit_rule
from codingschemes.coding.clusters import Mixture, best_mixture, features
from codingschemes.coding.population import ClassMeans
from codingschemes.networks.activations import Bounds

POOLED_NEURONS = 4000
"""Levels and clusters are fitted on about this many neurons, pooled over draws."""


@dataclass(frozen=True)
class Codes:
    """The code of every neuron of every draw.

    Attributes:
        names: the distinct codes, most frequent first, as "110".
        assignment: index into `names` of every neuron, -1 where it is uncoded, (*draws, neuron).
        activity: class-mean activity of the neurons of each code, (code, class).
        readout: their mean readout, (code, output).
        decided: share of the bits of all neurons that are decided.
        rule: how bits are decided in this network.
        clusters: of class means and readouts, fitted on some draws.

    Example:
        >>> neurons = cs.coding.population(activity.T, rng.normal(size=(12, 4)), labels)
        >>> codes = cs.coding.find_codes(neurons, None)
        >>> codes.names, codes.activity.shape
        ((), (0, 4))
    """

    names: tuple[str, ...]
    assignment: Int[np.ndarray, "*draws N"]
    activity: Float[np.ndarray, "K G"]
    readout: Float[np.ndarray, "K C"]
    decided: float
    rule: BitRule
    clusters: Mixture

    def assign(self, neurons: ClassMeans) -> Int[np.ndarray, "*draws N"]:
        """The codes of `neurons` of other draws of the same network, -1 where one is uncoded or has another code."""
        bits, _, coded = self.rule(neurons)
        keys = _keys(bits)
        known = _keys(self.bits)
        if not len(known):
            return np.full(keys.shape, -1)
        order = np.argsort(known)
        place = order[np.minimum(np.searchsorted(known, keys, sorter=order), len(known) - 1)]
        return np.where(coded & (known[place] == keys), place, -1)

    def strings(self) -> np.ndarray:
        """The code of every neuron in words, "" where it is uncoded, (*draws, neuron)."""
        return np.array([*self.names, ""])[self.assignment]

    @property
    def bits(self) -> Bool[np.ndarray, "K G"]:
        """The classes that each code answers to."""
        return np.array([[bit == "1" for bit in name] for name in self.names], bool).reshape(-1, self.activity.shape[1])

    @property
    def common(self) -> int:
        """How many codes are held by at least one neuron on average over all draws: the first ones of `names`."""
        draws = self.assignment.size // max(self.assignment.shape[-1], 1)
        return int(np.sum(_counts(self.assignment, len(self.names)) >= max(draws, 1)))

    @property
    def fractions(self) -> Float[np.ndarray, " K"]:
        """Share of the neurons of all draws in each code."""
        return _counts(self.assignment, len(self.names)) / max(self.assignment.size, 1)

    @property
    def code_sizes(self) -> Float[np.ndarray, " G_plus_1"]:
        """Share of the coded neurons that answer to 0, 1, .. G classes; zeros where no neuron has a code."""
        share = np.bincount(self.bits.sum(1), self.fractions, minlength=self.activity.shape[1] + 1)
        return share / max(float(share.sum()), np.finfo(float).tiny)

    @property
    def possible(self) -> int:
        """How many codes there are of the sizes that occur: 20 where all neurons answer to three of six classes."""
        return sum(comb(self.activity.shape[1], size) for size in {name.count("1") for name in self.names})


@dataclass(frozen=True)
class Drift:
    """Changes of code of single neurons from one stored draw to the next.

    Attributes:
        probability: that a neuron which has had a code has another one a draw later.
        switches: number of changes, (chain,).
        steps: number of pairs of consecutive draws that a change could have happened in, (chain,).

    Example:
        >>> assignment = np.array([[[0, 1], [0, 1], [1, 1]]])
        >>> cs.coding.drift(assignment).steps
        array([4])
    """

    probability: float
    switches: Int[np.ndarray, " chain"]
    steps: Int[np.ndarray, " chain"]


@checked
def find_codes(neurons: ClassMeans, bounds: Bounds, most_clusters: int = 24) -> Codes:
    """The codes of all neurons of all draws.

    What the levels of activity are is decided on a few evenly spaced draws of each chain together, so that codes mean
    the same in all draws and chains; the draws of one neuron count as one observation.

    Args:
        neurons: of all draws, their leading axes (chain, draw), or of one population.
        bounds: of the activation (`Activation.bounds`): at which levels a neuron is silent and active.
        most_clusters: of the mixture that the map of neurons is drawn with.

    Example:
        >>> neurons = cs.coding.population(activity.T, rng.normal(size=(12, 4)), labels)
        >>> codes = cs.coding.find_codes(neurons, None)
        >>> codes.assignment.shape
        (12,)
    """
    chains = int(np.prod(neurons.draws[:-1]))
    thinned = neurons.thin(int(np.clip(POOLED_NEURONS // (chains * neurons.size), 1, 5)))
    repeats = thinned.draws[-1] if neurons.draws else 1
    rule = bit_rule(thinned, bounds)
    bits, decided, coded = rule(neurons)
    names, assignment = _by_frequency(bits, coded)
    sample = thinned.pool()
    if sample.size > POOLED_NEURONS:
        sample = sample.neurons(np.random.default_rng(0).choice(sample.size, POOLED_NEURONS, replace=False))
    return Codes(
        names=names,
        assignment=assignment,
        activity=_means(neurons.activity, assignment, len(names)),
        readout=_means(neurons.readout, assignment, len(names)),
        decided=float(decided.mean()),
        rule=rule,
        clusters=best_mixture(features(sample)(sample), most_clusters, observations=sample.size / repeats),
    )


def code_counts(codes: Codes) -> Int[np.ndarray, "*draws K"]:
    """Numbers of neurons in every draw that tell whether chains hold the same codes.

    One count for each common code. With many classes hardly any neurons share a code, and no chain is long enough for
    the occupancy of a rare one; so neurons with rare codes are counted by how many classes they answer to, 0, 1, .. G,
    and by which: one count a class of the neurons that answer to it.
    """
    rare = codes.assignment >= codes.common
    size = np.append(codes.bits.sum(1), 0)[codes.assignment]
    active = [np.append(bit, False)[codes.assignment] for bit in codes.bits.T]
    return np.concatenate(
        [
            occupancies(np.where(rare, -1, codes.assignment), codes.common),
            occupancies(np.where(rare, size, -1), len(active) + 1),
            np.stack([np.sum(rare & each, axis=-1) for each in active], axis=-1),
        ],
        axis=-1,
    )


@known_keywords
def occupancies(assignment: Int[np.ndarray, "*draws N"], codes: int) -> Int[np.ndarray, "*draws K"]:
    """Number of neurons in each code in every draw.

    Args:
        assignment: the number of each neuron's code, -1 without one, (*draws, neuron).
        codes: how many codes there are.

    Returns:
        Numbers of neurons, (*draws, code).

    Example:
        >>> cs.coding.occupancies(np.array([[0, 0, 1], [1, 1, 1]]), 2)
        array([[2, 1],
               [0, 3]])
    """
    draws = assignment.shape[:-1]
    flat = assignment.reshape(-1, assignment.shape[-1])
    place = np.where(flat >= 0, flat + codes * np.arange(len(flat))[:, None], -1)
    return _counts(place, codes * len(flat)).reshape(*draws, codes)


@known_keywords
def drift(assignment: Int[np.ndarray, "chain draw N"]) -> Drift:
    """Changes of code between consecutive stored draws.

    A neuron without a code in between keeps the last one it had: passing through no code and coming back is no
    change, arriving in another code is one.

    Args:
        assignment: the number of each neuron's code, -1 without one, (chain, draw, neuron).

    Example:
        >>> assignment = np.array([[[0, 1], [0, 1], [1, 1]]])
        >>> cs.coding.drift(assignment).switches
        array([1])
    """
    draws = np.arange(assignment.shape[1])[None, :, None]
    latest = np.maximum.accumulate(np.where(assignment >= 0, draws, -1), axis=1)
    held = np.where(latest >= 0, np.take_along_axis(assignment, np.maximum(latest, 0), axis=1), -1)
    before, after = held[:, :-1], held[:, 1:]
    steps = (before >= 0).sum((1, 2))
    switches = ((before >= 0) & (after != before)).sum((1, 2))
    return Drift(float(switches.sum() / max(steps.sum(), 1)), switches, steps)


def _keys(bits: Bool[np.ndarray, "*rows G"]) -> np.ndarray:
    """One string of bytes a code, ordered by the last class first; there may be any number of classes."""
    packed = np.packbits(bits[..., ::-1], axis=-1)
    return packed.view(f"S{packed.shape[-1]}")[..., 0]


def _by_frequency(
    bits: Bool[np.ndarray, "*draws N G"], coded: Bool[np.ndarray, "*draws N"]
) -> tuple[tuple[str, ...], Int[np.ndarray, "*draws N"]]:
    """The codes that occur, most frequent first, and the number of each neuron's."""
    keys = _keys(bits)
    distinct, first, inverse, count = np.unique(keys[coded], return_index=True, return_inverse=True, return_counts=True)
    order = np.lexsort((-np.arange(len(distinct)), -count))
    assignment = np.full(keys.shape, -1)
    assignment[coded] = np.argsort(order)[inverse]
    return tuple(_strings(bits[coded][first[order]])), assignment


def _strings(bits: Bool[np.ndarray, "K G"]) -> Iterable[str]:
    return ("".join("01"[int(bit)] for bit in row) for row in bits)


def _counts(assignment: Int[np.ndarray, "*shape"], codes: int) -> Int[np.ndarray, " K"]:
    return np.bincount(assignment[assignment >= 0], minlength=codes)


def _means(
    values: Float[np.ndarray, "*draws N D"], assignment: Int[np.ndarray, "*draws N"], codes: int
) -> Float[np.ndarray, "K D"]:
    """Mean over the neurons of each code."""
    chosen, held = values[assignment >= 0], assignment[assignment >= 0]
    count = np.maximum(np.bincount(held, minlength=codes), 1)
    total = [np.bincount(held, column, minlength=codes) for column in chosen.T]
    return np.stack(total, axis=1) / count[:, None]
