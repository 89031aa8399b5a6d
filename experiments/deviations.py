"""How far sampled networks are from a theory, by kind of quantity."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from codingschemes.comparison.comparison import Row


class Deviation(NamedTuple):
    """Root mean square of sampled less predicted over all quantities of a kind, and of its Monte Carlo error, relative
    to the root mean square of the predictions."""

    size: float
    error: float

    def __str__(self) -> str:
        return f"{self.size:.2%} ± {self.error:.2%}"


def kind_of(name: str, kinds: Iterable[str]) -> str | None:
    """The longest kind with which the name of a quantity begins."""
    return max((kind for kind in kinds if name.startswith(kind)), key=len, default=None)


def by_kind(rows: Sequence[Row], kinds: Iterable[str]) -> dict[str, list[Row]]:
    """The rows of each kind."""
    return {kind: [row for row in rows if kind_of(row.quantity, kinds) == kind] for kind in kinds}


def deviations(rows: Sequence[Row], kinds: Iterable[str]) -> dict[str, Deviation]:
    """That of each kind."""
    found = {}
    for kind, each in by_kind(rows, kinds).items():
        size = np.linalg.norm([row.predicted for row in each])
        off = np.linalg.norm([row.sampled - row.predicted for row in each])
        found[kind] = Deviation(float(off / size), float(np.linalg.norm([row.mcse for row in each]) / size))
    return found
