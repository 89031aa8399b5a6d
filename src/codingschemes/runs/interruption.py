"""How a person stops a run, with nothing lost."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interruption:
    """Becomes true at the first Ctrl-C; the second one stops at once."""

    def __init__(self) -> None:
        self._asked = False

    def __bool__(self) -> bool:
        return self._asked

    def ask(self, signum: int, frame: FrameType | None) -> None:
        if self._asked:
            signal.default_int_handler(signum, frame)
        self._asked = True


@contextmanager
def finish_chunk_on_interrupt() -> Iterator[Interruption]:
    """While inside, Ctrl-C asks for a stop after the current chunk instead of raising, so that nothing is lost."""
    interruption = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield interruption
        return
    previous = signal.signal(signal.SIGINT, interruption.ask)
    try:
        yield interruption
    finally:
        signal.signal(signal.SIGINT, previous)
