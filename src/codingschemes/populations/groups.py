"""Functional groups: neurons that answer to the classes alike, how stable they are, and what chance would show."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from codingschemes.calls import checked, require_whole
from codingschemes.coding.clusters import best_mixture, features, fit_mixture
from codingschemes.coding.population import ClassMeans
from codingschemes.errors import InvalidInput
from codingschemes.populations.geometry import Samples
from codingschemes.populations.population import Population
from codingschemes.populations.resampling import Null, Resample, draws, null_of
from codingschemes.progress import tracked
from codingschemes.tables import html_table

STABLE = 0.75
"""Mean overlap from which a group is stable (Hennig, Computational Statistics & Data Analysis 52, 258, 2007)."""
FEWEST = 8
GAUSSIAN = "neurons drawn from one Gaussian with the same mean and covariance of profiles"


@dataclass(frozen=True)
class FunctionalGroups:
    """Groups of neurons by their class-mean activities, the largest first.

    Attributes:
        members: the group of each neuron, (neuron,).
        profiles: mean activity of each group for each class, (group, class).
        sizes: number of neurons of each, (group,).
        stability: mean overlap (Jaccard) of each with the nearest group found among neurons and trials drawn anew,
            (group,); NaN without a draw that has one of its neurons.
        gain: how much better groups explain the neurons than one broad distribution does, difference of BIC in nats; 0
            where there is one group.
        null: of `gain`, where there are no groups; None without shuffles.
        class_names: of the profiles.

    Example:
        >>> found = cs.populations.functional_groups(population, bootstraps=3, shuffles=9)
        >>> found.members.shape, found.profiles.shape[1]
        ((12,), 4)
    """

    members: Int[np.ndarray, " N"]
    profiles: Float[np.ndarray, "K G"]
    sizes: Int[np.ndarray, " K"]
    stability: Float[np.ndarray, " K"]
    gain: float
    null: Null | None
    class_names: tuple[str, ...]

    @property
    def count(self) -> int:
        """Number of groups; 1 where the neurons are one broad distribution."""
        return len(self.sizes)

    @property
    def words(self) -> str:
        """How many, how stable, and how often chance shows as much."""
        if self.count == 1:
            return "no groups: one broad distribution of neurons"
        stable = int(np.sum(self.stability >= STABLE))
        held = "" if np.isnan(self.stability).all() else f", {stable} of them stable (overlap of at least {STABLE})"
        return f"{self.count} groups{held}" + ("" if self.null is None else f", p = {self.null.p:.2g}")

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "count": self.count,
            "members": self.members.tolist(),
            "profiles": self.profiles.tolist(),
            "sizes": self.sizes.tolist(),
            "stability": self.stability.tolist(),
            "gain": self.gain,
            "p": None if self.null is None else self.null.p,
            "shuffles": 0 if self.null is None else self.null.shuffles,
        }

    def __repr__(self) -> str:
        lines = [
            f"  {size} neurons, stability {stability:.2f}: "
            + ", ".join(f"{name} {value:.3g}" for name, value in zip(self.class_names, profile, strict=True))
            for size, stability, profile in zip(self.sizes, self.stability, self.profiles, strict=True)
        ]
        return "\n".join([self.words, *lines])

    def _repr_html_(self) -> str:
        return html_table("Functional groups", {"groups": self.words, "sizes": ", ".join(map(str, self.sizes))})


@checked
def functional_groups(
    population: Population, *, most: int = 12, bootstraps: int = 50, shuffles: int = 99, seed: int = 0
) -> FunctionalGroups:
    """Clusters of neurons in the space of class-mean activities, their number chosen by BIC.

    The model is that of the verdict's clusters: Gaussians with one common covariance. Codes say to which classes a
    neuron answers; groups need no two levels of activity, and no sharpness beyond what tells them apart. Neurons that
    differ in strength alone are different: divide activities by it first, where that is not wanted.

    Args:
        population: of eight neurons or more.
        most: groups at most.
        bootstraps: draws of neurons and trials behind `stability`; 0 leaves it out.
        shuffles: of the null, Gaussian neurons; 0 leaves it out.
        seed: of draws and shuffles.

    Raises:
        InvalidInput: too few neurons, or a number is out of range.

    Example:
        >>> cs.populations.functional_groups(population, bootstraps=0, shuffles=0).count
        1
    """
    for name, value, least in (("most", most, 1), ("bootstraps", bootstraps, 0), ("shuffles", shuffles, 0)):
        require_whole(name, value, least)
    if population.size < FEWEST:
        raise InvalidInput(f"{population.size} neurons are too few for groups: give {FEWEST} or more")
    rng = np.random.default_rng(seed)
    samples = Samples(population.activity, population.labels)
    profiles = _profiles(samples, np.ones(len(population.labels)))
    members, gain = _cluster(profiles, most)
    order = np.argsort(-np.bincount(members), kind="stable")
    members = np.argsort(order)[members]
    groups = np.arange(len(order))
    overlaps = [
        _overlaps(samples, members, drawn, most)
        for *_, drawn in tracked(
            draws(population.labels, population.size, bootstraps, rng), "drawing neurons and trials anew"
        )
    ]
    without = [_cluster(_gaussian(profiles, rng), most)[1] for _ in tracked(range(shuffles), "neurons without groups")]
    return FunctionalGroups(
        members,
        np.stack([profiles[members == group].mean(0) for group in groups]),
        np.bincount(members),
        _mean_of_known(np.array(overlaps).reshape(-1, len(groups))),
        gain,
        null_of(gain, without, GAUSSIAN),
        population.class_names,
    )


def _profiles(samples: Samples, weights: Float[np.ndarray, " P"]) -> Float[np.ndarray, "N G"]:
    """Class means of every neuron."""
    return (samples.sums(weights) / np.add.reduceat(weights, samples.edges[:-1])[:, None]).T


def _cluster(profiles: Float[np.ndarray, "N G"], most: int) -> tuple[Int[np.ndarray, " N"], float]:
    """The group of every neuron, numbered without gaps, and what groups gain over none."""
    neurons = ClassMeans(profiles, np.zeros_like(profiles), np.ones(len(profiles)), np.zeros((len(profiles), 0)))
    points = features(neurons)(neurons)
    found = best_mixture(points, most)
    whole = fit_mixture(points, np.zeros(len(points), int))
    members = np.unique(found.responsibilities.argmax(1), return_inverse=True)[1]
    return members, found.bic - whole.bic if members.max() > 0 else 0.0


def _gaussian(profiles: Float[np.ndarray, "N G"], rng: np.random.Generator) -> Float[np.ndarray, "N G"]:
    """As many neurons of one Gaussian with the same mean and covariance."""
    size = len(profiles)
    centred = profiles - profiles.mean(0)
    return profiles.mean(0) + rng.standard_normal((size, size)) @ centred / np.sqrt(size)


def _overlaps(samples: Samples, members: Int[np.ndarray, " N"], drawn: Resample, most: int) -> Float[np.ndarray, " K"]:
    """How far each group comes back among drawn neurons, each taken once, with drawn trials; NaN for those of which
    none was drawn."""
    taken = drawn.neurons > 0  # copies of a neuron would be a group
    found, _ = _cluster(_profiles(samples, drawn.samples)[taken], most)
    return np.array([_overlap(members[taken] == group, found) for group in range(members.max() + 1)])


def _mean_of_known(overlaps: Float[np.ndarray, "B K"]) -> Float[np.ndarray, " K"]:
    known = np.isfinite(overlaps)
    count = known.sum(0)
    return np.divide(np.where(known, overlaps, 0).sum(0), count, out=np.full(len(count), np.nan), where=count > 0)


def _overlap(group: Bool[np.ndarray, " M"], found: Int[np.ndarray, " M"]) -> float:
    if not group.any():
        return float("nan")
    others = found == np.arange(found.max() + 1)[:, None]
    return float(np.max((others & group).sum(1) / (others | group).sum(1)))
