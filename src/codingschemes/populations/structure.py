"""What a population is made of beside its coding scheme: groups of neurons, recurring states, axes that stand out."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int

from codingschemes.populations.axes import Axes, axes_of
from codingschemes.populations.geometry import Samples
from codingschemes.populations.groups import FEWEST, FunctionalGroups, functional_groups
from codingschemes.populations.population import Population
from codingschemes.populations.states import FEWEST_SHUFFLES, RecurringStates, comparable, recurring_states

_DRAWS, _SHUFFLES = 10, 99
"""Most draws behind the stability of groups, and shuffles of the nulls of groups and states."""
_LARGE, _FEW_DRAWS, _FEW_SHUFFLES = 300, 5, 19
"""Neurons from which on groups have fewer: a mixture of thousands takes seconds."""


@dataclass(frozen=True)
class Structure:
    """Groups, states and axes.

    Attributes:
        axes: how far single neurons stand out among all directions.
        groups: of neurons with alike class means; None of fewer than eight neurons.
        states: that samples come back to, of those that figures show; None without shuffles (19 or more), which tell
            how alike is the same.
        rows: which row of what was given each of these samples is, (sample,).

    Example:
        >>> description.structure.groups.count
        1
    """

    axes: Axes
    groups: FunctionalGroups | None
    states: RecurringStates | None
    rows: Int[np.ndarray, " K"]

    @property
    def words(self) -> dict[str, str]:
        """What there is to say, in a line each, by what it is about."""
        return {
            "functional groups": "not looked for among so few neurons" if self.groups is None else self.groups.words,
            "recurring states": "not looked for without shuffles" if self.states is None else self.states.words,
            "beside rotated axes": self.axes.words,
        }

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "axes": self.axes.to_json(),
            "groups": None if self.groups is None else self.groups.to_json(),
            "states": None if self.states is None else {**self.states.to_json(), "rows": self.rows.tolist()},
        }


def structure_of(population: Population, shown: Population, bootstraps: int, shuffles: int, seed: int) -> Structure:
    """Of all neurons; states of the samples that are shown."""
    drawn, shuffled = (_DRAWS, _SHUFFLES) if population.size <= _LARGE else (_FEW_DRAWS, _FEW_SHUFFLES)
    groups = states = None
    if population.size >= FEWEST:
        groups = functional_groups(
            population, bootstraps=min(bootstraps, drawn), shuffles=min(shuffles, shuffled), seed=seed
        )
    if shuffles >= FEWEST_SHUFFLES and comparable(shown.activity):
        states = recurring_states(
            shown, shuffles=min(shuffles, _SHUFFLES), max_samples=max(10, len(shown.labels)), seed=seed
        )
    axes = axes_of(Samples(population.activity, population.labels), shuffles, seed)
    return Structure(axes, groups, states, np.sort(shown.order))
