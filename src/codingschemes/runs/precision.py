"""Sampling to the precision asked for: when draws are looked at, and whether they are enough.

Looks come at numbers of draws that are fixed in advance and grow by half each: so that they depend on nothing but
draws, a run that was cut off ends where it would have ended, and all looks together cost at most three times the last
one. That is because each of them ends with the first numbers that are not precise enough, mostly a few, and holds no
more than some of the many at a time.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from codingschemes.convergence import INVARIANTS, ess, moving, rhat
from codingschemes.runs.store import StoredDraws

#: Draws a chain at the first look; below, R-hat and effective draws are themselves too noisy to stop by.
_FIRST = 100
_GROWTH = 1.5
#: Numbers of draws that are looked at together.
_PART = 2_000_000
#: Few numbers first: most looks end with the first that is not precise enough.
_IN_ORDER = sorted(INVARIANTS, key=lambda name: name == "outputs")


@dataclass(frozen=True)
class Precision:
    """What the slowest invariant must reach; None asks nothing.

    Attributes:
        ess: effective draws over all chains.
        rhat: rank-normalised R-hat over all chains, at most. A run that asks for it asks for the same codes in all
            chains, too (`patterns.same_patterns`).
    """

    ess: float | None = None
    rhat: float | None = None

    def __bool__(self) -> bool:
        return self.ess is not None or self.rhat is not None

    def reached(self, read: Callable[[str], np.ndarray | StoredDraws]) -> bool:
        """Whether the draws so far reach it.

        Args:
            read: name of an invariant -> its draws, (chain, draw, ...): an array, in memory or on disk.
        """
        known = False
        for part in (part for name in _IN_ORDER for part in _parts(read(name))):
            series = moving(part)
            if series.shape[2] == 0:
                continue
            known = True
            # Written so that NaN, of which nothing is known, is not enough.
            if self.ess is not None and not np.nanmin(ess(series)) >= self.ess:
                return False
            if self.rhat is not None and not np.nanmax(rhat(series)) <= self.rhat:
                return False
        return known


def _parts(draws: np.ndarray | StoredDraws) -> Iterator[np.ndarray]:
    """Some entries of a variable at a time, (chain, draw, some, ...)."""
    if draws.ndim == 2:
        yield np.asarray(draws[:, :])
        return
    count = draws.shape[2]
    step = max(1, _PART * count // max(draws.size, 1))
    for first in range(0, count, step):
        yield np.asarray(draws[:, :, first : first + step])


def next_look(draws: int) -> int:
    """The first number of draws above `draws` at which they are looked at."""
    look = _FIRST
    while look <= draws:
        look = int(np.ceil(_GROWTH * look))
    return look


def is_look(draws: int) -> bool:
    """Whether so many draws are looked at."""
    return draws > 0 and next_look(draws - 1) == draws
