"""How deviations from a theory of infinite width shrink with the width.

A deviation d is a root mean square of sampled less predicted, whose Monte Carlo errors add their own mean square e^2:
E[d^2] = delta^2 + e^2. So delta^2 is estimated by d^2 - e^2, and, as e bounds the error of d in any direction,

    log delta = log(d^2 - e^2) / 2  with the error  d e / (d^2 - e^2),

where d > 2 e: a smaller deviation is not resolved and left out. log delta = const - x log N is then a weighted straight
line. x = 1 is expected of corrections that begin at the order 1/N.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from codingschemes.sweeps.jobs import Outcome

#: A deviation counts where it is this many Monte Carlo errors.
_RESOLVED = 2.0


class PowerLaw(NamedTuple):
    """deviation = const N^-exponent, and the exponent's standard error; NaN where fewer than two widths are used."""

    exponent: float
    error: float
    used: int


@dataclass(frozen=True)
class Trend:
    """How the deviation of one kind of quantity shrinks over runs that differ in width alone, N T held fixed.

    Attributes:
        kind: of quantity; see `Comparison.deviation`.
        options: what else varies over the sweep, with the values that these runs share.
        widths: of the runs.
        law: the fit.

    Example:
        >>> law = cs.sweeps.power_law(np.array([10, 20, 40]), np.array([0.1, 0.05, 0.025]), np.array([1e-3] * 3))
        >>> cs.sweeps.Trend("outputs", {}, (10, 20, 40), law).sentence
        'shrinks like N^-1.00 ± 0.02'
    """

    kind: str
    options: dict[str, Any]
    widths: tuple[int, ...]
    law: PowerLaw

    @property
    def sentence(self) -> str:
        """The trend in words."""
        if self.law.used < 2:
            return f"{self.law.used} of {len(self.widths)} widths resolved: raise draws"
        return f"shrinks like N^-{self.law.exponent:.2f} ± {self.law.error:.2f}".replace("--", "+")

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; NaN where a number does not exist."""
        return {
            "kind": self.kind,
            "options": self.options,
            "widths": list(self.widths),
            "exponent": self.law.exponent,
            "error": self.law.error,
            "used": self.law.used,
        }


def power_law(
    widths: Int[np.ndarray, " K"], deviations: Float[np.ndarray, " K"], errors: Float[np.ndarray, " K"]
) -> PowerLaw:
    """The weighted fit of log deviation against log width.

    Args:
        widths: N.
        deviations: d > 0, not corrected for Monte Carlo error.
        errors: e, the root mean square of the Monte Carlo errors; NaN counts as unresolved.

    Example:
        >>> law = cs.sweeps.power_law(np.array([10, 20, 40]), np.array([0.1, 0.05, 0.025]), np.array([1e-3] * 3))
        >>> round(law.exponent, 2)
        1.0
    """
    used = deviations > _RESOLVED * errors
    width, deviation, error = widths[used], deviations[used], errors[used]
    if len(np.unique(width)) < 2:
        return PowerLaw(np.nan, np.nan, int(used.sum()))
    size = deviation**2 - error**2
    spread = np.maximum(deviation * error / size, np.finfo(float).eps)  # without any error, all count alike
    weight = spread**-2
    logs = np.log(width) - np.average(np.log(width), weights=weight)
    lever = np.sum(weight * logs**2)
    slope = np.sum(weight * logs * np.log(size) / 2) / lever
    return PowerLaw(float(-slope), float(lever**-0.5), int(used.sum()))


def trends(outcomes: Iterable[Outcome]) -> list[Trend]:
    """One trend for every kind of quantity and every group of complete runs that differ in width alone, at one N T.

    Args:
        outcomes: of a sweep; those without a result are passed over.

    Example:
        >>> cs.sweeps.trends([])
        []
    """
    groups: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.result is not None:
            groups.setdefault(repr(_others(outcome)), []).append(outcome)
    found = []
    for members in groups.values():
        posteriors = [member.job.posterior for member in members]
        widths = [posterior.network.width for posterior in posteriors]
        heat = [posterior.network.width * posterior.prior.temperature for posterior in posteriors]
        if len(set(widths)) < 2 or len(set(widths)) < len(widths) or not np.allclose(heat, heat[0], rtol=1e-6):
            continue
        results = [member.result for member in members if member.result is not None]
        for kind in results[0].deviations:
            pairs = np.array([result.deviations.get(kind, (np.nan, np.nan)) for result in results])
            law = power_law(np.array(widths), *pairs.T)
            found.append(Trend(kind, _others(members[0]), tuple(widths), law))
    return found


def _others(outcome: Outcome) -> dict[str, Any]:
    return {name: value for name, value in outcome.job.varied.items() if name not in ("width", "temperature")}
