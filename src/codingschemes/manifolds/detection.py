"""How close weights are to a manifold: effective width against a tolerance, and distances.

Neurons are compared in units of the root mean square of their parts, (a / rms a, w / rms w), so that nothing depends
on the units of inputs or outputs. Two neurons count as one if they agree up to what the class of the activation
allows: the sign of theta (odd), the sign of w (even), the length of theta (homogeneous). A neuron is off if it is
close to zero, where the class has a zero block. Clusters have complete linkage: no two neurons of a cluster differ by
more than the tolerance, in units of the root mean square |theta|.

The strict width compares (a, w): it is what a manifold asks for. The width by direction compares w/|w| alone: training
from small weights aligns directions long before, or without ever, reaching a manifold. Report both. Derived here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from codingschemes.calls import known_keywords
from codingschemes.errors import InvalidInput
from codingschemes.manifolds.activation_class import ActivationClass
from codingschemes.manifolds.manifold import Manifold, Neurons, Numbers, manifold_of, ray_family
from codingschemes.manifolds.partitions import Partition, canonical, effective_width

TOLERANCES = np.geomspace(1e-3, 1.0, 31)
"""Relative to the root mean square |theta| of the neurons."""


@dataclass(frozen=True)
class Detection:
    """What weights look like at every tolerance.

    Attributes:
        tolerances: as given, (tolerance,).
        strict: effective width on (a, w), (tolerance,).
        direction: the same on the directions of w, (tolerance,).
        widths: strict widths passed on the way from all neurons to the fewest, (level,), descending.
        distances: relative distance to the manifold found with that width, (level,): upper bounds of the distance to
            the nearest one.
        nearest: relative distance to the nearest manifold that is not the whole space, exact (an upper bound for
            homogeneous activations, whose manifolds come in continuous families).
        partition: at `tolerance`.
        tolerance: where `partition` was read off.
        effective_width: of the partition.

    Example:
        >>> found = cs.manifolds.detect(neurons, kind)
        >>> str(found.partition), found.effective_width
        ('1 -3 | 2', 2)
    """

    tolerances: Float[np.ndarray, " T"]
    strict: Int[np.ndarray, " T"]
    direction: Int[np.ndarray, " T"]
    widths: Int[np.ndarray, " L"]
    distances: Float[np.ndarray, " L"]
    nearest: float
    partition: Partition
    tolerance: float
    effective_width: int

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "strict": self.strict.tolist(),
            "direction": self.direction.tolist(),
            "widths": self.widths.tolist(),
            "distances": self.distances.tolist(),
            "nearest": self.nearest,
        }


@known_keywords
def detect(
    neurons: Neurons,
    activation: ActivationClass,
    *,
    tolerances: Float[np.ndarray, " T"] = TOLERANCES,
    tolerance: float = 0.05,
) -> Detection:
    """Effective widths of a two-layer network's weights, and the manifolds they are close to.

    Args:
        neurons: one network, (neuron, ...).
        activation: its class.
        tolerances: of the curves.
        tolerance: of the partition.

    Raises:
        InvalidInput: weights that are not finite.

    Example:
        >>> found = cs.manifolds.detect(neurons, kind)  # of three neurons, two of them mirror images
        >>> int(found.strict[0])
        2
    """
    parts = [_in_units(np.asarray(part, float)) for part in neurons]
    scaled = Neurons(*parts)
    strict = _Tree(_dissimilarities(parts, activation), activation)
    chosen = strict.partition(tolerance, scaled)
    levels = [strict.partition(height, scaled) for height in strict.heights]
    widths = np.array([effective_width(level, activation) for level in levels])
    distances = np.array([_manifold(level, scaled, activation).distance(scaled) for level in levels])
    return Detection(
        tolerances=np.asarray(tolerances, float),
        strict=strict.widths(tolerances),
        direction=direction_widths(neurons.weight, activation, tolerances),
        widths=widths,
        distances=distances,
        nearest=_nearest(scaled, activation),
        partition=chosen,
        tolerance=tolerance,
        effective_width=effective_width(chosen, activation),
    )


@known_keywords
def strict_widths(
    parts: Sequence[Float[np.ndarray, "m _"]], activation: ActivationClass, tolerances: Float[np.ndarray, " T"]
) -> Int[np.ndarray, " T"]:
    """Clusters of neurons that are described by any parts, up to the signs and lengths of the class.

    Args:
        parts: (a, w), or activities; each in units of its root mean square. For an even activation the sign of the
            last part is free.
        activation: its class.
        tolerances: as in `Detection`.

    Returns:
        (tolerance,).

    Raises:
        InvalidInput: weights that are not finite.

    Example:
        >>> cs.manifolds.strict_widths([neurons.readout, neurons.weight], kind, np.array([1e-3]))
        array([2])
    """
    return _Tree(_dissimilarities([_in_units(part) for part in parts], activation), activation).widths(tolerances)


@known_keywords
def direction_widths(
    weight: Float[Numbers, "m D"], activation: ActivationClass, tolerances: Float[np.ndarray, " T"]
) -> Int[np.ndarray, " T"]:
    """Clusters of the directions w/|w|, distances being chords; up to sign where the class has mirror images.

    Args:
        weight: w of one network, (neuron, input).
        activation: its class.
        tolerances: as in `Detection`.

    Returns:
        (tolerance,).

    Raises:
        InvalidInput: weights that are not finite.

    Example:
        >>> cs.manifolds.direction_widths(neurons.weight, kind, np.array([1e-3]))
        array([2])
    """
    scaled = _in_units(np.asarray(weight, float))
    sizes = np.linalg.norm(scaled, axis=1, keepdims=True)
    directions = np.divide(scaled, sizes, out=np.zeros_like(scaled), where=sizes > 0)
    between = _chords(directions, directions)
    if activation.signed:
        between = np.minimum(between, _chords(directions, -directions))
    return _Tree(_with_zero(between, sizes[:, 0], activation), activation).widths(tolerances)


def _in_units(part: Float[np.ndarray, "m K"]) -> Float[np.ndarray, "m K"]:
    """In units of the root mean square length of a row; as it is where it vanishes."""
    if not np.isfinite(part).all():
        raise InvalidInput("the weights hold NaN or infinite values: give finite weights")
    size = np.sqrt(np.mean(np.sum(part**2, axis=1)))
    return part / size if size > 0 else part


def _chords(left: Float[np.ndarray, "m K"], right: Float[np.ndarray, "m K"]) -> Float[np.ndarray, "m m"]:
    return np.linalg.norm(left[:, None] - right[None], axis=2)


def _dissimilarities(parts: Sequence[Float[np.ndarray, "m _"]], activation: ActivationClass) -> np.ndarray:
    """Between neurons in units of the root mean square |theta|; the last row is to zero, where there is one."""
    theta = np.concatenate(parts, axis=1)
    scale = np.sqrt(np.mean(np.sum(theta**2, axis=1))) or 1.0
    sizes = np.linalg.norm(theta, axis=1) / scale
    if activation.homogeneous:
        lengths = np.linalg.norm(theta, axis=1, keepdims=True)
        directions = np.divide(theta, lengths, out=np.zeros_like(theta), where=lengths > 0)
        between = _chords(directions, directions)
        if activation.signed:
            between = np.minimum(between, _chords(directions, -directions))
        return _with_zero(between, sizes, activation)
    between = _chords(theta, theta)
    if activation.symmetry == "odd":
        between = np.minimum(between, _chords(theta, -theta))
    if activation.symmetry == "even":
        mirrored = np.concatenate([*parts[:-1], -parts[-1]], axis=1)
        between = np.minimum(between, _chords(theta, mirrored))
        flat = np.linalg.norm(parts[-1], axis=1)
        return _with_zero(between / scale, flat / scale, activation)
    return _with_zero(between / scale, sizes, activation)


def _with_zero(
    between: Float[np.ndarray, "m m"], sizes: Float[np.ndarray, " m"], activation: ActivationClass
) -> np.ndarray:
    """The point zero (of w, for even activations) as one more row, where neurons may lie there.

    Two neurons that are both as good as zero are as good as one, whatever their directions.
    """
    if activation.symmetry == "generic":
        return between
    between = np.minimum(between, np.maximum(sizes[:, None], sizes[None]))
    return np.block([[between, sizes[:, None]], [sizes[None], np.zeros((1, 1))]])


class _Tree:
    """Neurons, and perhaps zero as the last point, clustered at every tolerance."""

    def __init__(self, dissimilarities: np.ndarray, activation: ActivationClass):
        self.activation = activation
        self.has_zero = activation.symmetry != "generic"
        self.count = len(dissimilarities)
        np.fill_diagonal(dissimilarities, 0.0)
        symmetric = (dissimilarities + dissimilarities.T) / 2
        self.tree = linkage(squareform(symmetric, checks=False), "complete") if self.count > 1 else np.zeros((0, 4))

    @property
    def heights(self) -> Float[np.ndarray, " L"]:
        """Tolerances at which two clusters become one, with 0 in front."""
        return np.unique(np.concatenate([[0.0], self.tree[:, 2]]))

    def labels(self, tolerance: float) -> Int[np.ndarray, " n"]:
        """The cluster of every point."""
        if self.count == 1:
            return np.ones(1, dtype=np.int32)
        return fcluster(self.tree, tolerance, "distance")

    def widths(self, tolerances: Float[np.ndarray, " T"]) -> Int[np.ndarray, " T"]:
        """Clusters that count in the effective width."""
        found = []
        for tolerance in tolerances:
            labels = self.labels(tolerance)
            clusters = len(np.unique(labels))
            if self.has_zero:
                company = np.sum(labels == labels[-1]) > 1
                constant = self.activation.symmetry == "even" and self.activation.constant_neurons
                clusters -= not (company and constant)
            found.append(clusters)
        return np.array(found)

    def partition(self, tolerance: float, scaled: Neurons) -> Partition:
        """The clusters as a partition; signs relative to the longest neuron of each."""
        labels = self.labels(tolerance)
        neurons, zero_label = (labels[:-1], labels[-1]) if self.has_zero else (labels, -1)
        signing = scaled.weight if self.activation.symmetry == "even" else scaled.concatenate()
        blocks = []
        for label in np.unique(neurons[neurons != zero_label]):
            members = np.flatnonzero(neurons == label)
            longest = members[np.argmax(np.linalg.norm(signing[members], axis=1))]
            sides = np.sign(signing[members] @ signing[longest]) if self.activation.signed else np.ones(len(members))
            blocks.append(
                tuple(int(s) * (int(k) + 1) for s, k in zip(np.where(sides < 0, -1, 1), members, strict=True))
            )
        off = tuple(int(k) + 1 for k in np.flatnonzero(neurons == zero_label))
        if self.activation.symmetry == "even":
            # One block of its own for each: their readouts need not agree.
            return canonical(Partition(tuple(blocks), (), tuple((neuron,) for neuron in off)))
        return canonical(Partition(tuple(blocks), off))


def _manifold(partition: Partition, scaled: Neurons, activation: ActivationClass) -> Manifold:
    if activation.homogeneous and not activation.polynomial:
        return ray_family(partition, np.linalg.norm(scaled.concatenate(), axis=1))
    return manifold_of(partition, activation)


def _nearest(scaled: Neurons, activation: ActivationClass) -> float:
    """Every smaller manifold lies in one where two neurons are one, or one is zero: these are the nearest."""
    theta = np.asarray(scaled.concatenate())
    total = np.linalg.norm(theta) or 1.0
    sizes = np.linalg.norm(scaled.weight if activation.symmetry == "even" else theta, axis=1)
    found = [sizes.min()] if activation.symmetry != "generic" else []
    if len(theta) > 1:
        pairs = np.triu_indices(len(theta), 1)
        if activation.homogeneous and not activation.polynomial:
            # Two neurons on one ray, of any lengths: the smaller singular value of the pair.
            grams = theta @ theta.T
            long, short, cross = sizes[pairs[0]] ** 2, sizes[pairs[1]] ** 2, grams[pairs]
            # A ray needs c > 0; neurons that point apart are closest to it at c = 0, where one of them is zero.
            half = (long + short) / 2 - np.sqrt((long - short) ** 2 / 4 + cross**2)
            found.append(np.sqrt(np.maximum(np.where(cross > 0, half, np.minimum(long, short)), 0)).min())
        else:
            mirrored = (
                np.asarray(Neurons(scaled.readout, -scaled.weight).concatenate())
                if activation.symmetry == "even"
                else -theta
            )
            between = _chords(theta, theta)
            if activation.signed:
                between = np.minimum(between, _chords(theta, mirrored))
            found.append(between[pairs].min() / np.sqrt(2))
    return float(min(found) / total) if found else 0.0
