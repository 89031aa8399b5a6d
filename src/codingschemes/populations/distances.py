"""Many populations of the same samples or classes, compared two by two."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from jaxtyping import Float

from codingschemes.calls import checked
from codingschemes.errors import InvalidInput
from codingschemes.populations.measures import MEASURES
from codingschemes.populations.population import Population
from codingschemes.progress import tracked


@dataclass(frozen=True)
class Distances:
    """Populations compared two by two.

    Attributes:
        names: of the populations.
        compared: what rows they were compared on: `samples`, or `classes` where samples are not the same.
        values: each measure by its name, (population, population).

    Example:
        >>> found = cs.populations.distances([population, population])
        >>> sorted(found.values)[:2]
        ['cka', 'cka_debiased']
    """

    names: tuple[str, ...]
    compared: str
    values: dict[str, Float[np.ndarray, "K K"]]

    def to_json(self) -> dict[str, Any]:
        """Plain values; NaN where a measure is undefined."""
        return {
            "names": list(self.names),
            "compared": self.compared,
            **{name: matrix.tolist() for name, matrix in self.values.items()},
        }


@checked
def distances(populations: Any, names: Any = None) -> Distances:
    """Shape distances (Procrustes and whitened), permutation distance, CKA, debiased CKA and RSA of all pairs.

    Populations whose labels are the same sample by sample, given in the same order, are compared on samples, others on
    class means. CKA of few rows is above 0 for unrelated populations; the debiased one is 0 on average and is NaN for
    fewer than four rows.

    Args:
        populations: `Population` objects, two or more, with the same classes.
        names: one a population; their own if left out.

    Raises:
        InvalidInput: there are fewer than two, or their classes differ.

    Example:
        >>> found = cs.populations.distances([population, population])
        >>> found.compared
        'samples'
    """
    found: Sequence[Population] = list(populations)
    if len(found) < 2 or not all(isinstance(each, Population) for each in found):
        raise InvalidInput("distances are between populations: give a list of two `Population`s or more")
    titles = [each.name for each in found] if names is None else [str(name) for name in names]
    if len(titles) != len(found):
        raise InvalidInput(f"{len(found)} populations came with {len(titles)} `names`: give one a population")
    first = found[0]
    for title, other in zip(titles, found, strict=True):
        if other.class_names != first.class_names:
            raise InvalidInput(
                f"{titles[0]} and {title} have different classes: compare populations with the same labels"
            )
    same = all(np.array_equal(each.labels, first.labels) for each in found)
    rows = [each.activity if same else _class_means(each) for each in found]
    count = len(found)
    values = {name: np.full((count, count), measure.same) for name, measure in MEASURES.items()}
    for i, j in tracked(list(combinations(range(count), 2)), "comparing populations"):
        for name, measure in MEASURES.items():
            defined = len(rows[i]) >= measure.fewest
            values[name][i, j] = values[name][j, i] = measure.function(rows[i], rows[j]) if defined else np.nan
    return Distances(tuple(titles), "samples" if same else "classes", values)


def _class_means(population: Population) -> Float[np.ndarray, "G N"]:
    members = np.eye(population.class_count)[population.labels]
    return (members / members.sum(0)).T @ population.activity
