"""Long computations tell how far they are, and stop between two steps where a time limit is over.

A solver writes `for temperature in steps("cooling", temperatures)`. Nobody need watch: then nothing is told and nothing
stops it. `watched` is how the command line, or a script, does:

    with codingschemes.watching.watched(print, time_limit=60):
        prediction = cs.predict(posterior)
"""

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from codingschemes.errors import TimeLimitReached

#: (what is done, steps done, steps in all).
type Tell = Callable[[str, int, int], None]


@dataclass(frozen=True)
class _Watch:
    tell: Tell
    limit: float | None
    started: float


_WATCH: ContextVar[_Watch | None] = ContextVar("watch", default=None)


@contextmanager
def watched(tell: Tell, time_limit: float | None = None) -> Iterator[None]:
    """While inside, computations tell how far they are.

    Args:
        tell: is called before every step.
        time_limit: seconds after which no further step begins; None for as long as it takes.

    Raises:
        TimeLimitReached: inside, when a step would begin after the limit.
    """
    token = _WATCH.set(_Watch(tell, time_limit, time.monotonic()))
    try:
        yield
    finally:
        _WATCH.reset(token)


def step(what: str, done: int, total: int) -> None:
    """Tell whoever watches that a step begins.

    Raises:
        TimeLimitReached: the time is over.
    """
    watch = _WATCH.get()
    if watch is None:
        return
    if watch.limit is not None and time.monotonic() - watch.started > watch.limit:
        raise TimeLimitReached(
            f"the time limit of {watch.limit:g} s was reached while {what} ({done} of {total} steps): raise "
            "`time_limit`, or choose another theory"
        )
    watch.tell(what, done, total)


def steps[T](what: str, items: Collection[T]) -> Iterator[T]:
    """The items one by one, each of them a step."""
    for done, item in enumerate(items):
        step(what, done, len(items))
        yield item
