"""A warm-up that ends by itself: rounds of adapting steps, until chains have settled.

After every round the second half of all steps so far is judged. Where chains have settled, an invariant has the same
mean in both halves of every chain's share of it. Fisher's F compares how much these means scatter with what the scatter
inside halves lets expect of means of correlated numbers (a first-order autoregression's). All invariants share one rate
of false alarms (Bonferroni): chains that have settled, and forget within a quarter of a half, are sent into another
round at most once in twenty judgements. Chains that drift, that are in different places, or that remember longer go on;
what is judged grows with the warm-up.

Warming up until chains agree is Zhang, Bales et al.'s cross-chain warm-up for Stan (2020). Their R-hat and effective
draws have no known rate of error in the short windows of a warm-up; this has.
"""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from scipy.special import fdtrc

from codingschemes.convergence import INVARIANTS

#: Adapting steps of a round. Scales and step sizes need about so many; more are wasted where chains settle at once.
ROUND = 100
#: Rounds after which sampling begins all the same: a posterior that needs more is not sampled by more warm-up.
MOST_ROUNDS = 10
#: Rate of false alarms of one judgement.
FALSE_ALARM = 0.05
#: The same of one look at draws, which are given up: what is lost is more, and there may be half a dozen looks.
FALSE_RETURN = 0.005
#: Parts of a round whose means are kept.
_PARTS = 20
#: A chain's half holds at least this many numbers that do not remember each other, or is taken for one that drifts.
_FEWEST_INDEPENDENT = 4
#: What is looked at: numbers that are few. Outputs are all but functions of them.
_WATCHED = tuple(name for name in INVARIANTS if name != "outputs")


class Trace:
    """Means of the invariants over successive parts of a warm-up.

    Attributes:
        means: (chain, part, entry); zeros where the warm-up has not come to yet.
    """

    def __init__(self, means: Float[np.ndarray, "chain part K"]):
        self.means = means

    @classmethod
    def blank(cls, shapes: Mapping[str, tuple[int, ...]], chains: int) -> "Trace":
        """Room for a warm-up of invariants with these shapes."""
        entries = sum(int(np.prod(shapes[name])) for name in _WATCHED)
        return cls(np.zeros((chains, MOST_ROUNDS * _PARTS, entries)))

    def add(self, posterior: Mapping[str, np.ndarray], iteration: int) -> None:
        """Add the invariants of steps from `iteration` on, each (chain, step, ...)."""
        rows = [posterior[name].reshape(*posterior[name].shape[:2], -1) for name in _WATCHED]
        length = ROUND // _PARTS
        # One after the other: sums must not depend on how steps were cut into chunks.
        for index, row in enumerate(np.moveaxis(np.concatenate(rows, axis=2), 1, 0), iteration):
            self.means[:, index // length] += row / length

    def settled(self, steps: int) -> bool:
        """Whether chains have settled after so many steps."""
        return settled(self._between(steps // 2, steps), FALSE_ALARM)

    def apart(self, first: int, end: int) -> bool:
        """Whether chains or halves of them are in different places in steps from `first` to `end`."""
        return not settled(self._between(first, end), FALSE_RETURN)

    def memory(self, steps: int) -> float:
        """Steps after which chains have forgotten by their slowest invariant, cautiously: see `memory`."""
        return memory(self._between(steps // 2, steps)) * ROUND / _PARTS

    def _between(self, first: int, end: int) -> Float[np.ndarray, "chain part K"]:
        """Parts that are complete."""
        length = ROUND // _PARTS
        return self.means[:, -(-first // length) : end // length]


def settled(parts: Float[np.ndarray, "chain part K"], false_alarm: float) -> bool:
    """Whether the means of both halves of all chains agree, for all entries that are defined and move; no for so many
    of those that do agree."""
    entries = parts.shape[2]
    defined = parts[:, :, np.isfinite(parts).all(axis=(0, 1)) & (np.ptp(parts, axis=(0, 1)) > 0)]
    length = parts.shape[1] // 2
    halves = defined[:, : 2 * length].reshape(2 * len(parts), length, defined.shape[2])
    # Halves in which nothing moves have no scatter that different means could come from.
    with np.errstate(divide="ignore", invalid="ignore"):
        p = _equal_means(halves)
    return bool(np.all(p * entries > false_alarm))


def memory(parts: Float[np.ndarray, "chain part K"]) -> float:
    """Integrated autocorrelation time of the slowest entry that is defined and moves, in parts, at least 1: that of a
    first-order autoregression whose correlation is two standard errors below the estimate."""
    chains, length, _ = parts.shape
    defined = parts[:, :, np.isfinite(parts).all(axis=(0, 1)) & (np.ptp(parts, axis=1) > 0).all(axis=0)]
    if not defined.size:
        return 1.0
    about = defined - defined.mean(axis=1, keepdims=True)
    squares = np.sum(about**2, axis=(0, 1))
    lagged = np.sum(about[:, 1:] * about[:, :-1], axis=(0, 1)) * length / (length - 1) / squares
    # var(lagged) = (1 - rho^2) / n: its arcsine has the same error everywhere.
    angle = np.arcsin(np.clip(_unbias(lagged, length), -1, 1)) - 2 / np.sqrt(chains * length)
    correlation = np.clip(np.sin(np.maximum(angle, 0)), 0, 1 - 1 / length)
    return float(np.max((1 + correlation) / (1 - correlation)))


def _unbias(lagged: Float[np.ndarray, " K"], length: int) -> Float[np.ndarray, " K"]:
    """Numbers about their own mean seem to remember less than they do (Kendall 1954)."""
    return lagged + (1 + 3 * lagged) / length


def _equal_means(groups: Float[np.ndarray, "group part K"]) -> Float[np.ndarray, " K"]:
    """p-values of equal means of groups of successive numbers, each group a first-order autoregression."""
    count, length, _ = groups.shape
    means = groups.mean(axis=1)
    about = groups - means[:, None]
    squares = np.sum(about**2, axis=(0, 1))
    products = np.sum(about[:, 1:] * about[:, :-1], axis=(0, 1)) * length / (length - 1)
    lagged = np.divide(products, squares, out=np.zeros_like(squares), where=squares > 0)
    correlation = np.clip(_unbias(lagged, length), 0, 1)
    lags = np.arange(1, length)[:, None]
    inflation = 1 + 2 * np.sum((1 - lags / length) * correlation**lags, axis=0)
    inflation = np.minimum(inflation, max(1, length / _FEWEST_INDEPENDENT))
    expected = squares / (count * (length - inflation)) * inflation / length
    # What is expected is itself estimated: var(log) = (2 + 4 inflation) / (count length), by the delta method.
    freedom = count * length / (1 + 2 * inflation)
    return fdtrc(count - 1, freedom, means.var(axis=0, ddof=1) / expected)
