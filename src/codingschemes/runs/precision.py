"""Sampling to the precision asked for: when draws are looked at, and whether they are enough.

Looks come at numbers of draws that are fixed in advance and grow by a quarter each: so that they depend on nothing but
draws, a run that was cut off ends where it would have ended, and all looks together cost as much as the last few.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from codingschemes.convergence import INVARIANTS, ess, moving, rhat

#: Draws a chain at the first look; below, R-hat and effective draws are themselves too noisy to stop by.
_FIRST = 100
_GROWTH = 1.25
#: Few numbers first: most looks end with the first that is not precise enough.
_IN_ORDER = sorted(INVARIANTS, key=lambda name: name == "outputs")


@dataclass(frozen=True)
class Precision:
    """What the slowest invariant must reach; None asks nothing.

    Attributes:
        ess: effective draws over all chains.
        rhat: rank-normalised R-hat over all chains, at most.
    """

    ess: float | None = None
    rhat: float | None = None

    def __bool__(self) -> bool:
        return self.ess is not None or self.rhat is not None

    def reached(self, read: Callable[[str], np.ndarray]) -> bool:
        """Whether the draws so far reach it.

        Args:
            read: name of an invariant -> its draws, (chain, draw, ...).
        """
        known = False
        for name in _IN_ORDER:
            series = moving(read(name))
            if series.shape[2] == 0:
                continue
            known = True
            # Written so that NaN, of which nothing is known, is not enough.
            if self.ess is not None and not np.nanmin(ess(series)) >= self.ess:
                return False
            if self.rhat is not None and not np.nanmax(rhat(series)) <= self.rhat:
                return False
        return known


def next_look(draws: int) -> int:
    """The first number of draws above `draws` at which they are looked at."""
    look = _FIRST
    while look <= draws:
        look = int(np.ceil(_GROWTH * look))
    return look


def is_look(draws: int) -> bool:
    """Whether so many draws are looked at."""
    return draws > 0 and next_look(draws - 1) == draws
