"""Codes of a population: clusters of neurons named by the classes they answer to.

A code has one bit a class, in label order: 1 where neurons of the cluster are active for the class. A bit needs
evidence. With m the cluster's mean activity for the class, the midpoint and the range of the activation,

    |m - midpoint| > max(.2 range, 2 standard errors of a neuron's class mean, spread of the neurons in the cluster).

| family | midpoint | range |
| --- | --- | --- |
| sigmoidal | .5 | 1 |
| odd | 0 | 2 |
| every other | halfway between the cluster's largest class mean and the lowest one of any cluster | their distance |

A cluster with an undecided bit has no code, nor has a neuron whose own class mean lies on the other side of a midpoint
than its cluster's: these neurons are uncoded. Fractions of codes sum to one less the uncoded. A population that forms
a single cluster has a code only if it is selective, that is if its bits differ.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from codingschemes.coding.clusters import Features, Mixture, best_mixture, features
from codingschemes.coding.population import Population
from codingschemes.networks.activations import Family

POOLED_NEURONS = 4000
"""Clusters are fitted on about this many neurons, pooled over draws."""


@dataclass(frozen=True)
class Codes:
    """Codes fitted once on pooled draws, and the code of every neuron of every draw.

    Attributes:
        names: the distinct codes, most frequent first, as "110".
        assignment: index into `names` of every neuron, -1 where it is uncoded, (*draws, neuron).
        activity: class-mean activity of the neurons of each code, (code, class).
        readout: their mean readout, (code, output).
        family: the family of the activation, which sets midpoint and range.
        features: coordinates of the clusters.
        mixture: the clusters.
        cluster_code: index into `names` of each cluster, -1 where it has no code, (cluster,).
        cluster_activity: class-mean activity of each cluster, (cluster, class); NaN for an empty one.
    """

    names: tuple[str, ...]
    assignment: Int[np.ndarray, "*draws N"]
    activity: Float[np.ndarray, "K G"]
    readout: Float[np.ndarray, "K C"]
    family: Family
    features: Features
    mixture: Mixture
    cluster_code: Int[np.ndarray, " M"]
    cluster_activity: Float[np.ndarray, "M G"]

    def assign(self, neurons: Population) -> Int[np.ndarray, "*draws N"]:
        """The code of every neuron of other draws of the same network, -1 where it is uncoded."""
        return _assign(neurons, self.features, self.mixture, self.cluster_activity, self.cluster_code, self.family)

    def strings(self) -> np.ndarray:
        """The code of every neuron in words, "" where it is uncoded, (*draws, neuron)."""
        return np.array([*self.names, ""])[self.assignment]

    @property
    def fractions(self) -> Float[np.ndarray, " K"]:
        """Share of the neurons of all draws in each code."""
        return np.array([np.mean(self.assignment == code) for code in range(len(self.names))])


@dataclass(frozen=True)
class Drift:
    """Changes of code of single neurons from one stored draw to the next.

    Attributes:
        probability: that a neuron which has had a code has another one a draw later.
        switches: number of changes, (chain,).
        steps: number of pairs of consecutive draws that a change could have happened in, (chain,).
    """

    probability: float
    switches: Int[np.ndarray, " chain"]
    steps: Int[np.ndarray, " chain"]


def find_codes(neurons: Population, family: Family, most_clusters: int = 24) -> Codes:
    """Cluster the neurons of all draws together and name the clusters.

    Clusters are fitted on a few evenly spaced draws of each chain; the draws of one neuron count as one observation.
    Every draw is then assigned to these clusters, so that codes mean the same in all draws and chains.
    """
    chains = int(np.prod(neurons.draws[:-1]))
    thinned = neurons.thinned(int(np.clip(POOLED_NEURONS // (chains * neurons.size), 1, 5)))
    repeats = thinned.draws[-1] if neurons.draws else 1
    sample = thinned.pooled()
    if sample.size > POOLED_NEURONS:
        sample = sample.neurons(np.random.default_rng(0).choice(sample.size, POOLED_NEURONS, replace=False))
    coordinates = features(sample)
    mixture = best_mixture(coordinates(sample), most_clusters, observations=sample.size / repeats)
    return name_clusters(neurons, sample, coordinates, mixture, family)


def name_clusters(
    neurons: Population, sample: Population, coordinates: Features, mixture: Mixture, family: Family
) -> Codes:
    """Name the clusters fitted on `sample` by their bits and assign all neurons to them."""
    member = mixture.responsibilities.argmax(1)
    activity, error, spread = np.full((3, mixture.count, sample.activity.shape[-1]), np.nan)
    for cluster in np.unique(member):
        chosen = sample.neurons(member == cluster)
        activity[cluster], spread[cluster] = chosen.activity.mean(0), chosen.activity.std(0)
        error[cluster] = np.sqrt((chosen.activity_error**2).mean(0))
    named = decided_bits(activity, error, spread, family).all(1)
    bits = activity > midpoint_and_range(activity, family)[0]
    if mixture.count == 1 and bits.all() == bits.any():
        named[:] = False
    distinct, inverse = np.unique(bits[named], axis=0, return_inverse=True)
    cluster_code = np.full(mixture.count, -1)
    cluster_code[named] = inverse.ravel()
    assignment = _assign(neurons, coordinates, mixture, activity, cluster_code, family)
    frequency = np.bincount(assignment[assignment >= 0], minlength=len(distinct))
    kept = np.argsort(-frequency, kind="stable")[: np.count_nonzero(frequency)]
    renumber = np.full(len(distinct) + 1, -1)
    renumber[kept] = np.arange(len(kept))
    assignment = renumber[assignment]
    return Codes(
        names=tuple("".join("01"[int(bit)] for bit in distinct[code]) for code in kept),
        assignment=assignment,
        activity=np.array([neurons.activity[assignment == k].mean(0) for k in range(len(kept))]).reshape(
            len(kept), neurons.activity.shape[-1]
        ),
        readout=np.array([neurons.readout[assignment == k].mean(0) for k in range(len(kept))]).reshape(
            len(kept), neurons.readout.shape[-1]
        ),
        family=family,
        features=coordinates,
        mixture=mixture,
        cluster_code=renumber[cluster_code],
        cluster_activity=activity,
    )


def midpoint_and_range(
    activity: Float[np.ndarray, "M G"], family: Family
) -> tuple[Float[np.ndarray, "M 1"], Float[np.ndarray, "M 1"]]:
    """What separates an active class from a silent one in each cluster, and the scale it is judged on."""
    largest = activity.max(1, keepdims=True)
    match family:
        case "sigmoidal":
            return np.full_like(largest, 0.5), np.ones_like(largest)
        case "odd":
            return np.zeros_like(largest), np.full_like(largest, 2.0)
        case _:
            lowest = np.nanmin(activity)
            return (largest + lowest) / 2, largest - lowest


def decided_bits(
    activity: Float[np.ndarray, "M G"],
    error: Float[np.ndarray, "M G"],
    spread: Float[np.ndarray, "M G"],
    family: Family,
) -> Bool[np.ndarray, "M G"]:
    """Which bits of the clusters have evidence; none for a cluster whose activity is NaN, being empty.

    Args:
        activity: the clusters' mean activity for each class, (cluster, class).
        error: standard error of the class mean of one of their neurons.
        spread: standard deviation of the class mean over their neurons.
    """
    middle, extent = midpoint_and_range(activity, family)
    return np.abs(activity - middle) > np.maximum(0.2 * extent, np.maximum(2 * error, spread))


def occupancies(assignment: Int[np.ndarray, "*draws N"], codes: int) -> Int[np.ndarray, "*draws K"]:
    """Number of neurons in each code in every draw."""
    return (
        np.stack([(assignment == code).sum(-1) for code in range(codes)], axis=-1)
        if codes
        else np.zeros((*assignment.shape[:-1], 0), int)
    )


def drift(assignment: Int[np.ndarray, "chain draw N"]) -> Drift:
    """Changes of code between consecutive stored draws.

    A neuron without a code in between keeps the last one it had: passing through no code and coming back is no
    change, arriving in another code is one.
    """
    draws = np.arange(assignment.shape[1])[None, :, None]
    latest = np.maximum.accumulate(np.where(assignment >= 0, draws, -1), axis=1)
    held = np.where(latest >= 0, np.take_along_axis(assignment, np.maximum(latest, 0), axis=1), -1)
    before, after = held[:, :-1], held[:, 1:]
    steps = (before >= 0).sum((1, 2))
    switches = ((before >= 0) & (after != before)).sum((1, 2))
    return Drift(float(switches.sum() / max(steps.sum(), 1)), switches, steps)


def _assign(
    neurons: Population,
    coordinates: Features,
    mixture: Mixture,
    cluster_activity: Float[np.ndarray, "M G"],
    cluster_code: Int[np.ndarray, " M"],
    family: Family,
) -> Int[np.ndarray, "*draws N"]:
    points = coordinates(neurons)
    member = mixture.log_densities(points.reshape(-1, points.shape[-1])).argmax(1).reshape(points.shape[:-1])
    middle = midpoint_and_range(cluster_activity, family)[0][member]
    same_side = ((neurons.activity > middle) == (cluster_activity[member] > middle)).all(-1)
    return np.where(same_side, cluster_code[member], -1)
