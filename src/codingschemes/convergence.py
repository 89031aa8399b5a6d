"""R-hat and effective sample size of invariants, by arviz.

Raw weights mean nothing here: neurons can be permuted. Only quantities that do not change under permutations are
diagnosed.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

#: Recorded invariants that convergence is judged by.
INVARIANTS = (
    "energy",
    "training_loss",
    "outputs",
    "kernel_block",
    "kernel_diagonal",
    "kernel_eigenvalue",
    "activity_norm_quantile",
    "readout_norm_quantile",
)


#: Rank-normalised R-hat and effective draws that every invariant must reach, over all chains: above and below them
#: means and their errors say nothing certain of the posterior.
RHAT_LIMIT, ESS_LIMIT = 1.05, 100
#: Chains whose code counts and outlier norms all have smaller R-hats do the same. No run is sampled until these are
#: precise: of dozens of them, at `ESS_LIMIT` effective draws, the largest R-hat of chains that agree is up to 1.1.
SAME_NEURONS = 1.1


def _statistics() -> Any:
    """arviz's functions of arrays: imported when they are needed, which takes two seconds."""
    from arviz_stats.base import array_stats

    return array_stats


def moving(series: Float[np.ndarray, "chain draw *rest"]) -> Float[np.ndarray, "chain draw K"]:
    """The entries of a recorded variable that are defined and not constant, flattened."""
    flat = series.reshape(*series.shape[:2], -1).astype(float)
    finite = np.isfinite(flat).all(axis=(0, 1))
    spread = np.ptp(np.where(finite, flat, 0.0), axis=(0, 1))
    scale = np.abs(np.where(finite, flat, 0.0)).max(axis=(0, 1))
    return flat[:, :, finite & (spread > 1e-12 * scale)]


def rhat(series: Float[np.ndarray, "chain draw K"]) -> Float[np.ndarray, " K"]:
    """Rank-normalised split R-hat (Vehtari et al. 2021) of each entry, of a single chain that of its halves; NaN below
    four draws, infinite where halves of chains do not move but differ, 1 where nothing moves but in the draw in the
    middle, which halves of an odd number leave out."""
    with np.errstate(invalid="ignore"):
        span = np.ptp(series, axis=(0, 1))
    if len(series) == 1:
        half = series.shape[1] // 2
        series = series[:, : 2 * half].reshape(2, half, -1)
    if series.shape[1] < 4:
        return np.full(series.shape[2], np.nan)
    # Where one chain alone changed once, folded ranks may not vary at all.
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.atleast_1d(_statistics().rhat(series, chain_axis=0, draw_axis=1))
    return np.where(np.isnan(found) & np.isfinite(span) & (span > 0), 1.0, found)


def worst_rhat(series: Float[np.ndarray, "chain draw K"]) -> float:
    """Largest R-hat of a few numbers, most of which may hardly ever change: 1 where none moves, infinite where one
    stays as it is in every chain but differs between chains."""
    changing = moving(series)
    if changing.shape[2] == 0:
        return 1.0
    if (np.ptp(changing, axis=1) == 0).all(axis=0).any():
        return float("inf")
    found = rhat(changing)
    return float("nan") if np.isnan(found).all() else float(np.nanmax(found))


def ess(series: Float[np.ndarray, "chain draw K"]) -> Float[np.ndarray, " K"]:
    """Bulk effective sample size (Vehtari et al. 2021) of each entry; NaN below four draws."""
    if series.shape[1] < 4:
        return np.full(series.shape[2], np.nan)
    return np.atleast_1d(_statistics().ess(series, chain_axis=0, draw_axis=1, method="bulk"))


def mean_and_error(series: Float[np.ndarray, "chain draw *rest"]) -> tuple[np.ndarray, np.ndarray]:
    """Mean over chains and draws, and its Monte Carlo standard error (NaN below four draws)."""
    flat = series.reshape(*series.shape[:2], -1).astype(float)
    mean = flat.mean(axis=(0, 1))
    error = np.full(flat.shape[2], np.nan)
    if flat.shape[1] >= 4:
        varies = np.ptp(flat, axis=(0, 1)) > 0
        error[~varies] = 0.0
        if varies.any():
            error[varies] = _statistics().mcse(flat[:, :, varies], chain_axis=0, draw_axis=1, method="mean")
    return mean.reshape(series.shape[2:]), error.reshape(series.shape[2:])


def within_chains(series: Float[np.ndarray, "chain draw K"]) -> tuple[np.ndarray, np.ndarray]:
    """R-hat of each chain's first half against its second, and the chains' separate ESS summed: what a chain says of
    itself, whether or not the chains agree. Shapes (chain, K) and (K,)."""
    varying = [np.ptp(chain, axis=0) > 0 for chain in series]
    drift = np.full((series.shape[0], series.shape[2]), np.nan)
    size = np.zeros(series.shape[2])
    for index, entries in enumerate(varying):
        if entries.any():
            alone = series[[index]][:, :, entries]
            drift[index, entries] = rhat(alone)
            size[entries] += ess(alone)
    return drift, size


@dataclass(frozen=True)
class Convergence:
    """How well the invariants have converged.

    Attributes:
        rhat: R-hat of each invariant entry over all chains, by variable.
        ess: bulk effective sample size of each entry over all chains, by variable.
        rhat_within: largest R-hat of a single chain's halves. Large `rhat` with small `rhat_within`: the chains are
            stationary, but in different places.
        ess_within: smallest sum over chains of a chain's own ESS.
    """

    rhat: dict[str, np.ndarray]
    ess: dict[str, np.ndarray]
    rhat_within: float
    ess_within: float

    @property
    def rhat_max(self) -> float:
        return _worst(self.rhat.values(), np.nanmax)

    @property
    def ess_min(self) -> float:
        return _worst(self.ess.values(), np.nanmin)

    @property
    def converged(self) -> bool:
        """Whether every invariant, over all chains, has an R-hat and an ESS within the limits; no where nothing is
        known of either."""
        return self.rhat_max <= RHAT_LIMIT and self.ess_min >= ESS_LIMIT

    @property
    def chains_differ(self) -> bool:
        """Whether chains are stationary but disagree with each other."""
        return self.rhat_max > 1.1 and self.rhat_within <= 1.1


def convergence(posterior: Mapping[str, np.ndarray]) -> Convergence:
    """R-hat and ESS of the invariants in the `posterior` group: name -> (chain, draw, ...)."""
    moved = {name: moving(np.asarray(posterior[name])) for name in INVARIANTS if name in posterior}
    series = {name: values for name, values in moved.items() if values.shape[2]}
    within = [within_chains(values) for values in series.values()]
    return Convergence(
        rhat={name: rhat(values) for name, values in series.items()},
        ess={name: ess(values) for name, values in series.items()},
        rhat_within=_worst([drift for drift, _ in within], np.nanmax),
        ess_within=_worst([size for _, size in within], np.nanmin),
    )


def _worst(values: Iterable[np.ndarray], reduce: Callable[[np.ndarray], Any]) -> float:
    together = np.concatenate([np.zeros(0), *(np.ravel(value) for value in values)])
    return float("nan") if np.isnan(together).all() else float(reduce(together))
