"""How a run is stopped, by a person or by a batch system, with nothing lost and one sentence said.

Ctrl-C, SIGTERM and SIGUSR1, which batch systems send before the time limit, are one request: while chains are sampled
it is granted after the current chunk, and at any other time at once.
"""

import _thread
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from codingschemes.errors import InvalidInput, SamplingFailed, Stopped

#: Seconds after which a request that nothing came of is repeated.
_HEARD = 1.0
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGUSR1") if hasattr(signal, name))


class Interruption:
    """Becomes true at the first signal; a second Ctrl-C stops at once.

    Attributes:
        sentence: what there is to say if everything stops at this moment.
        kept: whether there is a run to go on with.
    """

    def __init__(self) -> None:
        self.sentence, self.kept = "stopped before anything was written", False
        self._asked = self._waits = self._unheard = False
        self._repeating: threading.Timer | None = None

    def __bool__(self) -> bool:
        return self._asked

    def left_as_it_was(self) -> None:
        """A run that is to go on has not gone on yet."""
        self.sentence, self.kept = "stopped at the start: the run is as it was, go on with `resume=True`", True

    def ask(self, signum: int, frame: FrameType | None) -> None:  # noqa: ARG002
        again, self._asked = self._asked, True
        # Batch systems repeat themselves; a person who does is in a hurry.
        if (again and signum == signal.SIGINT) or not (self._waits or (again and not self._unheard)):
            self._unheard = False
            self.end()  # an earlier request is this one
            self._repeating = threading.Timer(_HEARD, self._repeat)
            self._repeating.daemon = True
            self._repeating.start()
            raise KeyboardInterrupt

    def _repeat(self) -> None:
        """What is raised while a library collects garbage, or has asked for silence, goes no further."""
        if not self._waits:
            self._unheard = True
            _thread.interrupt_main(signal.SIGTERM)

    def end(self) -> None:
        """Repeat nothing from here on."""
        if self._repeating is not None:
            self._repeating.cancel()

    @contextmanager
    def after_the_chunk(self) -> Iterator[None]:
        """While inside, who looks at it decides when to stop."""
        self._waits = True
        try:
            yield
        finally:
            self._waits = False

    @contextmanager
    def put_off(self) -> Iterator[None]:
        """Around imports: a request is granted when they are done. Libraries that are interrupted in the middle of
        theirs print a traceback of their own."""
        granted = self._asked
        with self.after_the_chunk():
            yield
        if self._asked and not granted:
            raise KeyboardInterrupt


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
    unraisable = sys.unraisablehook

    def raised_in_vain(lost: Any) -> None:
        if not (interruption and lost.exc_type is KeyboardInterrupt):
            unraisable(lost)

    previous = {each: signal.signal(each, interruption.ask) for each in _SIGNALS}
    sys.unraisablehook = raised_in_vain
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
        interruption.end()
        sys.unraisablehook = unraisable
        for each, handler in previous.items():
            with suppress(TypeError):  # a handler that Python did not install
                signal.signal(each, handler)
        _ACTIVE.remove(interruption)
