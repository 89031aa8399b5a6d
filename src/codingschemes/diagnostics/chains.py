"""Single chains that went wrong: stuck in one place, with a step that collapsed, or far above the others.

All from records that every sampler keeps. Nothing is left out of any statistic because of what is found here: the run
as a whole is then not to be trusted.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

#: A chain is stuck when it stays in one place for this share of its draws and for at least so many, or for all of a
#: shorter chain: a healthy one that rejects every second proposal does so in one of 500 chains of ten draws, and in
#: one of ten thousand from twenty draws on.
_STUCK_SHARE = 0.25
_STUCK_DRAWS = 20
_FEWEST_DRAWS = 10
#: Changes of the potential below this share of it are round-off of a position that did not change.
_ROUND_OFF = 1e-9
#: A step this many times smaller than the median of the other chains has collapsed.
_COLLAPSE = 20.0
#: Acceptance below this share of what the step size was adapted to is missed.
_MISSED = 0.5
#: Energies this many standard deviations of a chain above the lowest chain are another place altogether: a typical
#: set of d coordinates is sqrt(d / 2) nats wide, so that at d = 10^4 the two differ by hundreds of nats.
_FAR = 6.0


@dataclass(frozen=True)
class Faults:
    """Indices of chains that went wrong.

    Attributes:
        stuck: stayed in one place for a quarter of their draws or more.
        collapsed: step size more than 20 times smaller than the median of the other chains.
        rejecting: accept less than half of what their step size was adapted to.
        far: mean energy more than 6 standard deviations above that of the lowest chain.
    """

    stuck: tuple[int, ...] = ()
    collapsed: tuple[int, ...] = ()
    rejecting: tuple[int, ...] = ()
    far: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.chains)

    @property
    def chains(self) -> tuple[int, ...]:
        """All of them."""
        return tuple(sorted({*self.stuck, *self.collapsed, *self.rejecting, *self.far}))

    def sentences(self) -> list[str]:
        """What happened and what to try, the gravest first."""
        said = []
        if self.stuck:
            said.append(
                f"{_words(self.stuck)} stayed in one place for a quarter of the draws or more, and these count in "
                "every number: raise `warmup` or `target_acceptance`, or try `start='annealed'`"
            )
        if self.far:
            said.append(
                f"{_words(self.far)} stayed at far higher energies than the lowest chain, in a place of next to no "
                "posterior weight: try `start='annealed'`, a longer `warmup` or another `seed`"
            )
        if self.collapsed:
            said.append(
                f"the step size of {_words(self.collapsed)} collapsed to less than a twentieth of the others': "
                "raise `warmup`, or try `start='annealed'`, another `seed` or a higher `temperature`"
            )
        if self.rejecting:
            said.append(
                f"{_words(self.rejecting)} accepted less than half of what the step size was adapted to: "
                "raise `warmup` or `target_acceptance`"
            )
        return said


def find_faults(
    potential: Float[np.ndarray, "chain draw"],
    energy: Float[np.ndarray, "chain draw"],
    step_size: Float[np.ndarray, "chain draw"],
    acceptance_rate: Float[np.ndarray, "chain draw"],
    target_acceptance: float,
) -> Faults:
    """Judge every chain.

    Args:
        potential: of the density that was sampled: unlike the energy, for which integrated weights are drawn afresh,
            it stays as it is where a chain does not move.
        energy: the regularised loss.
        step_size, acceptance_rate: as recorded.
        target_acceptance: what step sizes were adapted to.
    """
    return Faults(
        stuck=_indices(_stuck(potential)),
        collapsed=_indices(_collapsed(step_size[:, -1])),
        rejecting=_indices(acceptance_rate.mean(axis=1) < _MISSED * target_acceptance),
        far=_indices(_far(energy)),
    )


def _words(chains: Sequence[int]) -> str:
    """`chain 2`, or `chains 0, 1, 3`."""
    return f"{'chain' if len(chains) == 1 else 'chains'} {', '.join(map(str, chains))}"


def longest_stay(series: Float[np.ndarray, " draw"]) -> int:
    """The largest number of successive draws with the same value, up to round-off."""
    moves = np.flatnonzero(np.abs(np.diff(series)) > _ROUND_OFF * np.maximum(1, np.abs(series[1:])))
    return int(np.max(np.diff(np.concatenate([[-1], moves, [len(series) - 1]]))))


def _stuck(potential: Float[np.ndarray, "chain draw"]) -> Bool[np.ndarray, " chain"]:
    draws = potential.shape[1]
    enough = max(_FEWEST_DRAWS, min(draws, max(_STUCK_DRAWS, int(np.ceil(_STUCK_SHARE * draws)))))
    return np.array([longest_stay(chain) >= enough for chain in potential])


def _collapsed(step_size: Float[np.ndarray, " chain"]) -> Bool[np.ndarray, " chain"]:
    if len(step_size) == 1:
        return np.array([False])
    others = np.array([np.median(np.delete(step_size, chain)) for chain in range(len(step_size))])
    return step_size * _COLLAPSE < others


def _far(energy: Float[np.ndarray, "chain draw"]) -> Bool[np.ndarray, " chain"]:
    if energy.shape[1] < _FEWEST_DRAWS:
        return np.zeros(len(energy), bool)
    level, spread = energy.mean(axis=1), np.median(energy.std(axis=1, ddof=1))
    return (level - level.min() > _FAR * spread) & (spread > 0)


def _indices(chosen: Bool[np.ndarray, " chain"]) -> tuple[int, ...]:
    return tuple(int(chain) for chain in np.flatnonzero(chosen))
