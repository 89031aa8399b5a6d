"""What an abstraction measure returns: a number, or the reason why there is none."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Score:
    """A score, the parts it sums up, and why it is missing where it is.

    Attributes:
        value: the mean or the largest of `parts`, or None where the score is undefined.
        parts: one number a factor or dichotomy, None where that part is undefined.
        reason: a sentence that says why `value` is None; None where it is not.
        used: how many dichotomies or splits of the data the score was computed from.
        available: how many there are; more than `used` where a random subset was taken.

    Example:
        >>> score = cs.representation.ccgp(activity, labels, factors)
        >>> score.value, len(score.parts)
        (1.0, 2)
    """

    value: float | None
    parts: tuple[float | None, ...] = ()
    reason: str | None = None
    used: int = 0
    available: int = 0

    @classmethod
    def undefined(cls, reason: str, count: int = 0) -> "Score":
        """A missing score with `count` missing parts.

        Args:
            reason: why, a sentence.
            count: how many parts are missing.
        """
        return cls(None, (None,) * count, reason)

    @classmethod
    def mean(cls, parts: Sequence[float | None], reason: str | None, used: int, available: int) -> "Score":
        """The mean of the parts; None, with the reason, where one of them is missing.

        Args:
            parts: one number a factor or dichotomy.
            reason: why one would be missing.
            used, available: as in `Score`.
        """
        present = [part for part in parts if part is not None]
        if len(present) < len(parts) or not parts:
            return cls(None, tuple(parts), reason, used, available)
        return cls(sum(present) / len(present), tuple(parts), None, used, available)

    @classmethod
    def largest(cls, parts: Sequence[float | None], reason: str | None, used: int, available: int) -> "Score":
        """The largest of the parts that are not missing; None, with the reason, where all of them are.

        Args:
            parts: one number a factor or dichotomy.
            reason: why one would be missing.
            used, available: as in `Score`.
        """
        present = [part for part in parts if part is not None]
        value = max(present, default=None)
        return cls(value, tuple(parts), reason if value is None else None, used, available)
