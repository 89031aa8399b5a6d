"""Requests to stop that nothing would come of: raised where Python or a library lets no exception through."""

import contextlib
import gc
import os
import signal
import sys
import time

import pytest

from codingschemes import interruption
from codingschemes.errors import Stopped
from codingschemes.interruption import Interruption, stoppable


def plainly(asked_by: int) -> None:
    os.kill(os.getpid(), asked_by)


def in_the_middle_of_collecting(asked_by: int) -> None:
    def ask(phase: str, _: dict) -> None:
        if phase == "start":
            gc.callbacks.remove(ask)
            os.kill(os.getpid(), asked_by)

    gc.callbacks.append(ask)
    gc.collect()


def in_a_library_that_wants_silence(asked_by: int) -> None:
    with contextlib.suppress(BaseException):
        os.kill(os.getpid(), asked_by)


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(interruption, "_HEARD", 0.05)


def work(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def stop(ask, asked_by: int) -> None:
    with stoppable():
        ask(asked_by)
        work(20)


@pytest.mark.parametrize("asked_by", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("lost", [in_the_middle_of_collecting, in_a_library_that_wants_silence])
def test_a_request_that_was_lost_is_repeated_without_a_word(lost, asked_by, capfd):
    hook, handler = sys.unraisablehook, signal.getsignal(asked_by)
    with pytest.raises(Stopped, match="before anything was written"):
        stop(lost, asked_by)
    assert capfd.readouterr() == ("", "")
    assert (sys.unraisablehook, signal.getsignal(asked_by)) == (hook, handler)


def test_a_request_that_was_lost_is_not_repeated_where_it_is_looked_at():
    with stoppable() as asked:
        in_a_library_that_wants_silence(signal.SIGTERM)
        with asked.after_the_chunk():
            work(0.3)
            assert asked


def test_nothing_is_repeated_once_all_has_stopped():
    with pytest.raises(Stopped):
        stop(plainly, signal.SIGTERM)
    work(0.3)
    with stoppable() as asked:
        work(0.3)
        assert not asked


def test_nothing_is_left_of_the_first_of_two_requests():
    def impatiently(asked_by: int) -> None:
        in_a_library_that_wants_silence(asked_by)
        plainly(asked_by)

    heard = []
    before = signal.signal(signal.SIGTERM, lambda *_: heard.append("the caller's own handler"))
    try:
        with pytest.raises(Stopped):
            stop(impatiently, signal.SIGINT)
        work(0.3)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == []


def test_a_request_while_modules_are_imported_is_granted_afterwards():
    imported = []

    def import_them(asked: Interruption) -> None:
        with asked.put_off():
            plainly(signal.SIGINT)
            imported.append("all")

    with pytest.raises(Stopped, match="before anything was written"), stoppable() as asked:
        import_them(asked)
    assert imported == ["all"]


def test_a_request_that_was_granted_does_not_stop_what_is_imported_later():
    with stoppable() as asked:
        with asked.after_the_chunk():
            plainly(signal.SIGTERM)
        with asked.put_off():
            pass
        assert asked
