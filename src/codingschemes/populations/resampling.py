"""Error bars and p-values: neurons and trials drawn anew, and populations in which the effect is broken."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import t as student

from codingschemes.progress import tracked


@dataclass(frozen=True)
class Null:
    """A score where the effect is broken.

    Attributes:
        broken: what was broken, in words.
        mean: over shuffles.
        interval: of 95 % of the shuffles.
        p: (1 + shuffles with a score at least as large as the one found) / (1 + shuffles), without noise correction,
            which both sides lack alike.
        shuffles: their number.

    Example:
        >>> 0 < description.abstraction.ccgp.nulls[0].p <= 1
        True
    """

    broken: str
    mean: float
    interval: tuple[float, float]
    p: float
    shuffles: int


@dataclass(frozen=True)
class Measured:
    """A score with its error and what it is without the effect.

    Attributes:
        value: the score, corrected for noise where that can be; None where it is undefined.
        plain: the score of the data as they are.
        interval: 95 %, from the standard error over draws of neurons and trials, within the score's range; None without
            draws.
        nulls: the one that asks the score's own question first.
        corrected: whether the value is corrected.
        reason: why there is no value.

    Example:
        >>> low, high = description.abstraction.parallelism.interval
        >>> low < high
        True
    """

    value: float | None
    plain: float | None
    interval: tuple[float, float] | None = None
    nulls: tuple[Null, ...] = ()
    corrected: bool = False
    reason: str | None = None

    def to_json(self) -> dict[str, Any]:
        """`value`, `interval`, `null` (mean of the first null) and `p`, and beside them all there is."""
        first = self.nulls[0] if self.nulls else None
        return {
            "value": self.value,
            "interval": None if self.interval is None else list(self.interval),
            "null": None if first is None else first.mean,
            "p": None if first is None else first.p,
            "shuffles": 0 if first is None else first.shuffles,
            "plain": self.plain,
            "corrected": self.corrected,
            "nulls": [asdict(null) | {"interval": list(null.interval)} for null in self.nulls],
            "reason": self.reason,
        }

    def __str__(self) -> str:
        if self.value is None:
            return f"not defined: {self.reason}" if self.reason else "not defined"
        said = f"{self.value:.3f}"
        if self.interval is not None:
            said += f" [{self.interval[0]:.3f}, {self.interval[1]:.3f}]"
        if self.corrected:
            said += f" (uncorrected {self.plain:.3f})"
        if self.nulls:
            said += "; " + ", ".join(f"null {null.mean:.3f}, p = {null.p:.2g}" for null in self.nulls[:1])
        return said


STEP = 0.5
"""How far weights of smooth scores go from one towards those of a bootstrap draw."""


class Resample(NamedTuple):
    """How many times each sample and each neuron was drawn, or the weight of each.

    Attributes:
        samples: (sample,); they sum to the size of each class.
        neurons: (neuron,).
    """

    samples: Float[np.ndarray, " P"]
    neurons: Float[np.ndarray, " N"]


def draws(
    labels: Int[np.ndarray, " P"], neurons: int, count: int, rng: np.random.Generator, step: float | None = None
) -> list[tuple[Resample, Resample, Resample]]:
    """Bootstrap draws, each with only neurons, only samples, and both drawn anew.

    Of few trials a bootstrap draw holds even fewer different ones: it shows their variance too small by a part of 1/n,
    and a score from which noise is taken off as too variable. With a `step` weights go only this far from one towards
    those of the draw, times sqrt(n / (n - 1)): a score that is smooth in the weights varies by `step` times its error.

    Args:
        labels: 0..G-1, ascending: samples are drawn within classes.
        step: between 0 and .7; left out, samples and neurons are drawn as they are, a whole number of times.
    """
    sizes = np.bincount(labels)
    found = []
    for _ in range(count):
        drawn = np.concatenate([_weights(int(size), rng, step) for size in sizes])
        chosen = _weights(neurons, rng, step)
        every, each = np.ones(len(labels)), np.ones(neurons)
        found.append((Resample(every, chosen), Resample(drawn, each), Resample(drawn, chosen)))
    return found


def _weights(size: int, rng: np.random.Generator, step: float | None) -> Float[np.ndarray, " size"]:
    drawn = rng.multinomial(size, np.full(size, 1 / size)).astype(float)
    return drawn if step is None else 1 + step * np.sqrt(size / max(size - 1, 1)) * (drawn - 1)


def standard_error(scores: Float[np.ndarray, "B 3"], step: float = 1.0) -> float:
    """The standard error of a score for which neurons and samples were both drawn.

    The variance has a part from neurons, one from samples, and one from what each neuron does by chance in each
    sample. Drawing neurons shows the first and the third, drawing samples the second and the third; drawing both shows
    the third thrice (Owen, Annals of Applied Statistics 1, 386, 2007). So the third, which is what two draws together
    do beyond the sum of each, is taken off the sum once.

    Args:
        scores: with neurons, with samples, and with both drawn anew.
        step: of the draws.
    """
    known = scores[np.isfinite(scores).all(1)]
    if len(known) < 2:
        return float("nan")
    neurons, samples, _ = known.var(axis=0, ddof=1) / step**2
    together = float(np.var(known[:, 2] - known[:, 0] - known[:, 1], ddof=1)) / step**4
    return float(np.sqrt(max(neurons + samples - together, neurons, samples)))


class Scale(NamedTuple):
    """On which errors of a score are the same everywhere, so that intervals are symmetric.

    Attributes:
        to, back: from scores and to them.
    """

    to: Callable[..., Any]
    back: Callable[..., Any]


def _unchanged(score: Any) -> Any:
    return score


PLAIN = Scale(_unchanged, _unchanged)
SHARE = Scale(
    lambda share: np.arcsin(np.sqrt(np.clip(share, 0, 1))),
    lambda angle: np.sin(np.clip(angle, 0, np.pi / 2)) ** 2,
)
"""Of shares of tested samples, whose errors shrink towards 0 and 1 (Anscombe, Biometrika 35, 246, 1948)."""


def interval(
    value: float,
    error: float,
    bootstraps: int,
    low: float,
    high: float,
    *,
    cosine: bool = False,
    scale: Scale = PLAIN,
) -> tuple[float, float] | None:
    """95 % about a value, within the range of the score: Student's quantile, as the error is one of few draws.

    Args:
        error: of the value on the `scale`.
        cosine: the value is one, or a mean of them, whose error shrinks towards 1 and -1: symmetric intervals miss the
            truth on one side only. On Fisher's scale, artanh (Metron 1, 3, 1921), errors are the same everywhere; a
            value nearer to its bound than its error is taken to be an error away.
        scale: on which the interval is symmetric.
    """
    if bootstraps < 2 or not np.isfinite([value, error]).all():
        return None
    width = float(student.ppf(0.975, bootstraps - 1)) * error
    if cosine and 0 < error < 1:
        inside = float(np.clip(value, error - 1, 1 - error))
        width /= 1 - inside**2
        ends = np.tanh(np.arctanh(inside) + np.array([-width, width]))
        return min(float(ends[0]), value), max(float(ends[1]), value)
    middle = float(scale.to(value))
    return max(low, float(scale.back(middle - width))), min(high, float(scale.back(middle + width)))


def null_of(found: float, without: Sequence[float], broken: str, *, lower: bool = False) -> Null | None:
    """What a score that was found has beside those without the effect; None where there is nothing to compare.

    Args:
        lower: count scores at most as large.
    """
    values = np.array([value for value in without if np.isfinite(value)])
    if not len(values) or not np.isfinite(found):
        return None
    low, high = np.quantile(values, [0.025, 0.975])
    rounding = 1e-12
    beyond = int(np.sum(values <= found + rounding if lower else values >= found - rounding))
    return Null(broken, float(values.mean()), (float(low), float(high)), (1 + beyond) / (1 + len(values)), len(values))


def scores_of_shuffles(
    count: int, scored: Callable[[], Float[np.ndarray, " S"]], doing: str, scores: int
) -> Float[np.ndarray, "count S"]:
    """Scores of shuffled populations, one row a shuffle."""
    found = [scored() for _ in tracked(range(count), doing)]
    return np.array(found).reshape(count, scores)
