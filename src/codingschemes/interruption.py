"""How a run is stopped, by a person or by a batch system, with nothing lost and one sentence said.

Ctrl-C, SIGTERM and SIGUSR1, which batch systems send before the time limit, are one request: while chains are sampled
it is granted after the current chunk, and at any other time at once.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from codingschemes.errors import InvalidInput, SamplingFailed, Stopped

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGUSR1") if hasattr(signal, name))


class Interruption:
    """Becomes true at the first signal; a second Ctrl-C stops at once.

    Attributes:
        sentence: what there is to say if everything stops at this moment.
        kept: whether there is a run to go on with.
    """

    def __init__(self) -> None:
        self.sentence, self.kept = "stopped before anything was written", False
        self._asked = self._waits = False

    def __bool__(self) -> bool:
        return self._asked

    def left_as_it_was(self) -> None:
        """A run that is to go on has not gone on yet."""
        self.sentence, self.kept = "stopped at the start: the run is as it was, go on with `resume=True`", True

    def ask(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002
        again, self._asked = self._asked, True
        # Batch systems repeat themselves; a person who does is in a hurry.
        if (again and signum == signal.SIGINT) or not (again or self._waits):
            raise KeyboardInterrupt

    @contextmanager
    def after_the_chunk(self) -> Iterator[None]:
        """While inside, who looks at it decides when to stop."""
        self._waits = True
        try:
            yield
        finally:
            self._waits = False


_ACTIVE: list[Interruption] = []


@contextmanager
def stoppable() -> Iterator[Interruption]:
    """While inside, signals stop the work. Inside another one it is that one.

    Raises:
        Stopped: in place of whatever an interruption made of the work.
    """
    if _ACTIVE and threading.current_thread() is threading.main_thread():
        yield _ACTIVE[-1]
        return
    interruption = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield interruption
        return
    _ACTIVE.append(interruption)
    previous = {each: signal.signal(each, interruption.ask) for each in _SIGNALS}
    try:
        yield interruption
    except (InvalidInput, SamplingFailed):
        raise
    except (KeyboardInterrupt, Exception) as error:
        # What is interrupted in the middle may fail with anything.
        if interruption or isinstance(error, KeyboardInterrupt):
            raise Stopped(interruption.sentence, kept=interruption.kept) from None
        raise
    finally:
        for each, handler in previous.items():
            with suppress(TypeError):  # a handler that Python did not install
                signal.signal(each, handler)
        _ACTIVE.remove(interruption)
