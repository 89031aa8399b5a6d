"""Recurring states: patterns of the whole population that come back, more often than neurons that go each its own way
would bring them."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from codingschemes.calls import checked, require_whole
from codingschemes.errors import InvalidInput
from codingschemes.populations.population import Population
from codingschemes.progress import tracked
from codingschemes.representation.arrays import checked_activity
from codingschemes.tables import html_table

CHANCE = 0.95
"""Quantile over shuffles of the likest pair of samples: what is liker recurs."""
FEWEST_SHUFFLES = 19
_FADED = 0.1
"""Autocorrelation below which two times are no longer one visit."""
APART = "each neuron's samples permuted by themselves"
IN_TIME = "each neuron's time course shifted in a circle by itself"


@dataclass(frozen=True)
class RecurringStates:
    """States that a population comes back to, the most visited first.

    Attributes:
        members: the state of each sample, (sample,); -1 where it is in none.
        patterns: mean activity in each state, (state, neuron).
        visits: how often each was visited, (state,): samples, or in time the stretches of them.
        p: (1 + shuffles in which any state has as many visits) / (1 + shuffles), (state,): of all states together, it
            is chance that a state is below .05 in one of twenty populations.
        expected: mean over shuffles of the visits of their most visited state; 1 where nothing recurs.
        likeness: correlation between samples from which they are the same state, that of the likest pair by chance.
        broken: what shuffles broke, in words.
        shuffles: their number.

    Example:
        >>> found = cs.populations.recurring_states(population, shuffles=19)
        >>> found.visits.tolist(), bool(found.p[0] <= 0.05)
        ([10, 10, 10, 10], True)
    """

    members: Int[np.ndarray, " P"]
    patterns: Float[np.ndarray, "S N"]
    visits: Int[np.ndarray, " S"]
    p: Float[np.ndarray, " S"]
    expected: float
    likeness: float
    broken: str
    shuffles: int

    @property
    def words(self) -> str:
        """How many, how often, and what chance would show."""
        if not len(self.visits):
            return f"no state recurs: no two samples are liker than chance makes them ({self.likeness:.2f})"
        share = np.mean(self.members >= 0)
        often = ", ".join(map(str, self.visits[:5])) + (", …" if len(self.visits) > 5 else "")
        return (
            f"{len(self.visits)} recurring states in {share:.0%} of the samples, visited {often} times (chance "
            f"{self.expected:.1f}), p of the first = {self.p[0]:.2g}"
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "members": self.members.tolist(),
            "visits": self.visits.tolist(),
            "p": self.p.tolist(),
            "expected": self.expected,
            "likeness": self.likeness,
            "shuffles": self.shuffles,
        }

    def __repr__(self) -> str:
        return self.words

    def _repr_html_(self) -> str:
        return html_table("Recurring states", {"states": self.words, "shuffled": self.broken})


class _Order(NamedTuple):
    """Of samples in time.

    Attributes:
        gap: samples no further apart are one visit; 0 where samples have no order.
        timed: whether they have one.
    """

    gap: int
    timed: bool


@checked
def recurring_states(
    activity: Any,
    *,
    timed: bool = False,
    gap: int | None = None,
    shuffles: int = 99,
    max_samples: int = 1000,
    seed: int = 0,
) -> RecurringStates:
    """States that recur, over samples or over time, and how often.

    Neurons count in units of their own spread. Samples are the same state where they are liker (correlation of
    population vectors) than the likest pair of populations in which every neuron goes its own way: nothing but what
    neurons do together is called a state. Classes that are told apart are states; so is what low-dimensional noise
    shared by all neurons comes back to.

    Args:
        activity: (sample, neuron), or a `Population`, in the order in which it was given.
        timed: samples follow each other in time: neurons are shifted, not permuted, in the null, and a stretch of
            samples in one state is one visit.
        gap: with `timed`, times up to this far apart are one visit; until the autocorrelation has faded if left out.
        shuffles: of the null, 19 or more.
        max_samples: most samples compared, chosen at random; in time there may not be more.
        seed: of shuffles and random samples.

    Raises:
        InvalidInput: fewer than three neurons or ten samples, too few shuffles, more samples in time than can be
            compared, a `gap` without time or longer than a tenth of it.

    Example:
        >>> noise = np.random.default_rng(0).normal(size=(40, 30))
        >>> cs.populations.recurring_states(noise, shuffles=99).visits.tolist()
        []
    """
    require_whole("shuffles", shuffles, FEWEST_SHUFFLES)
    require_whole("max_samples", max_samples, 10)
    if isinstance(activity, Population):
        activity = activity.activity[np.argsort(activity.order)]
    phi = checked_activity(activity)
    moving = np.ptp(phi, axis=0) > 0
    if not comparable(phi):
        raise InvalidInput(
            f"{len(phi)} samples of {int(moving.sum())} neurons that change are too few for states: give ten samples "
            "and three neurons or more"
        )
    rng = np.random.default_rng(seed)
    chosen = np.arange(len(phi))
    if len(phi) > max_samples:
        if timed:
            raise InvalidInput(
                f"{len(phi)} times are more than `max_samples` = {max_samples}: average over bins, or raise it"
            )
        chosen = np.sort(rng.permutation(len(phi))[:max_samples])
    units = phi[np.ix_(chosen, np.flatnonzero(moving))]
    units = (units - units.mean(0)) / units.std(0)
    order = _Order(_gap(units, gap, timed=timed), timed)
    shuffled = [_likeness(_shuffle(units, order, rng)) for _ in tracked(range(shuffles), "shuffling neurons apart")]
    later = _later(len(units), order)
    level = float(np.quantile([each[later].max() for each in shuffled], CHANCE))
    chance = [int(_visits(_states(each, level, order), order).max(initial=1)) for each in shuffled]
    states = _states(_likeness(units), level, order)
    visits = _visits(states, order)
    rank = np.argsort(-visits, kind="stable")
    members = np.full(len(phi), -1)
    members[chosen] = np.where(states >= 0, np.argsort(rank)[states], -1) if len(visits) else -1
    visits = visits[rank]
    patterns = [phi[members == state].mean(0) for state in range(len(visits))]
    return RecurringStates(
        members,
        np.array(patterns).reshape(len(visits), phi.shape[1]),
        visits,
        np.array([(1 + np.sum(np.array(chance) >= each)) / (1 + shuffles) for each in visits]),
        float(np.mean(chance)),
        level,
        IN_TIME if timed else APART,
        shuffles,
    )


def comparable(activity: Float[np.ndarray, "P N"]) -> bool:
    """Whether there are samples and neurons enough to ask for states."""
    return len(activity) >= 10 and int(np.sum(np.ptp(activity, axis=0) > 0)) >= 3


def _gap(units: Float[np.ndarray, "T N"], gap: int | None, *, timed: bool) -> int:
    """The lag at which the mean autocorrelation of the neurons has faded, unless it is given.

    Raises:
        InvalidInput: there is a gap without time, or it is too long for anything to come back.
    """
    if not timed:
        if gap is not None:
            raise InvalidInput("a `gap` is between times: leave it out, or set `timed`")
        return 0
    longest = len(units) // 10
    if gap is None:
        faded = (lag for lag in range(1, longest + 1) if np.mean(units[lag:] * units[:-lag]) < _FADED)
        gap = next(faded, longest + 1) - 1
    if not 0 <= gap < longest:
        raise InvalidInput(
            f"activity stays alike for {gap} of {len(units)} times, too long for states to come back: take a longer "
            "stretch, or give a shorter `gap`"
        )
    return gap


def _shuffle(units: Float[np.ndarray, "T N"], order: _Order, rng: np.random.Generator) -> Float[np.ndarray, "T N"]:
    """Every neuron by itself: permuted, or shifted in a circle."""
    if not order.timed:
        return rng.permuted(units, axis=0)
    shifts = rng.integers(len(units), size=units.shape[1])
    places = (np.arange(len(units))[:, None] + shifts) % len(units)
    return np.take_along_axis(units, places, axis=0)


def _likeness(units: Float[np.ndarray, "T N"]) -> Float[np.ndarray, "T T"]:
    """Correlations of population vectors about the mean of each neuron; 0 with samples at the mean of all."""
    lengths = np.linalg.norm(units, axis=1, keepdims=True)
    directions = np.divide(units, lengths, out=np.zeros_like(units), where=lengths > 0)
    return np.clip(directions @ directions.T, -1, 1)


def _later(size: int, order: _Order) -> Bool[np.ndarray, "T T"]:
    """Pairs of samples that are no single visit."""
    return np.triu(np.ones((size, size), bool), order.gap + 1)


def _states(likeness: Float[np.ndarray, "T T"], level: float, order: _Order) -> Int[np.ndarray, " T"]:
    """Clusters of samples that are liker than `level` on average and visited more than once; -1 outside of them."""
    distances = 1 - likeness
    np.fill_diagonal(distances, 0)
    found = fcluster(linkage(squareform(distances, checks=False), "average"), 1 - level, "distance")
    kept = [state for state in np.unique(found) if _stretches(np.flatnonzero(found == state), order) > 1]
    states = np.full(len(found), -1)
    for number, state in enumerate(kept):
        states[found == state] = number
    return states


def _visits(states: Int[np.ndarray, " T"], order: _Order) -> Int[np.ndarray, " S"]:
    return np.array(
        [_stretches(np.flatnonzero(states == state), order) for state in range(states.max(initial=-1) + 1)], int
    )


def _stretches(places: Int[np.ndarray, " K"], order: _Order) -> int:
    """How many visits samples at these places are."""
    return int(1 + np.sum(np.diff(places) > order.gap)) if order.timed else len(places)
