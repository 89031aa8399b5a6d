"""Where long work stands, said on standard error while it goes on, and its time limit.

Solvers wrap their outer loops in `tracked` and know nothing of who watches. Inside `watched` these loops are shown
(bars on a terminal, a line now and then elsewhere) and stop at its time limit; outside they are plain loops, in
silence.
"""

import math
import time
from collections.abc import Iterable, Iterator, Sized
from contextlib import contextmanager
from contextvars import ContextVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from codingschemes.errors import InvalidInput, TimeLimitReached

#: Seconds between two lines where standard error is no terminal.
_BETWEEN_LINES = 10.0
#: Work that takes less than this, in seconds, is not announced.
_WORTH_SAYING = 5.0

_WATCH: ContextVar["_Watch | None"] = ContextVar("watch", default=None)


class _Rate(ProgressColumn):
    """Iterations a second."""

    def render(self, task) -> Text:  # type: ignore[no-untyped-def]
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.1f}/s")


def progress_bar(*, shown: bool) -> Progress:
    """A bar on standard error with the rate and the time left."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not shown,
    )


@contextmanager
def watched(*, shown: bool = False, time_limit: float | None = None) -> Iterator[None]:
    """While inside, `tracked` loops are shown and `announce` speaks, and work past the time limit is stopped.

    Inside another one, what that one shows stays shown, and the earlier of both limits holds.

    Args:
        shown: on standard error.
        time_limit: in seconds from now; None sets none.

    Raises:
        InvalidInput: a time limit that is not above 0.
        TimeLimitReached: by the work inside, between two of its steps.
    """
    if time_limit is not None and not time_limit > 0:
        raise InvalidInput(f"`time_limit` is {time_limit:g}: give a number of seconds above 0")
    outer = _WATCH.get()
    display = outer.display if outer is not None else None
    mine = _Display() if shown and display is None else None
    limits = [] if outer is None or outer.limit is None else [outer.limit]
    limits += [] if time_limit is None else [_Limit(time.monotonic() + time_limit, time_limit)]
    token = _WATCH.set(_Watch(display or mine, min(limits, key=lambda limit: limit.ends, default=None)))
    try:
        yield
    finally:
        _WATCH.reset(token)
        if mine is not None:
            mine.close()


def tracked[T](items: Iterable[T], doing: str, total: int | None = None) -> Iterator[T]:
    """The items of a loop whose steps take long.

    Args:
        items: what is looped over.
        doing: in words, as in "cooling particles".
        total: how many there are, at most; their length if left out.

    Raises:
        TimeLimitReached: before a step, where `watched` has set a limit and it is over.
    """
    watch = _WATCH.get()
    if watch is None:
        yield from items
        return
    if total is None and isinstance(items, Sized):
        total = len(items)
    with watch.stage(doing, total) as stage:
        for item in items:
            watch.check(doing)
            yield item
            stage.advance()


def check_time(doing: str) -> None:
    """Stop here if the time limit is over: for the inner steps of work that is shown already.

    Raises:
        TimeLimitReached: it is.
    """
    watch = _WATCH.get()
    if watch is not None:
        watch.check(doing)


def time_left() -> float | None:
    """Seconds until the time limit, 0 where it is over; None where there is none."""
    watch = _WATCH.get()
    return None if watch is None or watch.limit is None else max(0.0, watch.limit.ends - time.monotonic())


def announce(doing: str, seconds: float | None = None) -> None:
    """Say what begins now and about how long it takes, if anyone watches and it is worth saying.

    Args:
        doing: in words.
        seconds: None where nothing is known about it.
    """
    watch = _WATCH.get()
    if watch is not None and watch.display is not None and (seconds is None or seconds >= _WORTH_SAYING):
        watch.display.say(doing if seconds is None else f"{doing}: about {duration(seconds)}")


def duration(seconds: float) -> str:
    """About so long, in words: "40 seconds", "9 minutes", "2.5 hours"."""
    if seconds < 90:
        digits = 0 if seconds < 20 else -1
        return f"{max(1, round(seconds, digits)):.0f} second{'s' if seconds >= 1.5 else ''}"
    if seconds < 90 * 60:
        return f"{math.ceil(seconds / 60)} minutes"
    return f"{seconds / 3600:.2g} hours"


class _Limit:
    def __init__(self, ends: float, seconds: float):
        self.ends, self.seconds = ends, seconds


class _Stage:
    """One loop that is shown: how far it is, and where its line or bar is."""

    def __init__(self, display: "_Display | None", doing: str, total: int | None):
        self.display, self.doing, self.total, self.done = display, doing, total, 0
        self.bar: TaskID | None = None

    def advance(self) -> None:
        self.done += 1
        if self.display is not None:
            self.display.advanced(self)

    @property
    def words(self) -> str:
        return f"{self.doing} ({self.done}" + (")" if self.total is None else f" of {self.total})")


class _Watch:
    """What holds for the work inside one `watched`."""

    def __init__(self, display: "_Display | None", limit: _Limit | None):
        self.display, self.limit = display, limit

    def check(self, doing: str) -> None:
        if self.limit is not None and time.monotonic() >= self.limit.ends:
            raise TimeLimitReached(
                f"the time limit of {self.limit.seconds:g} s was reached while {doing}, and nothing is written: raise "
                "`time_limit` or leave it out, or take `theory='lazy'`, which is quick"
            )

    @contextmanager
    def stage(self, doing: str, total: int | None) -> Iterator[_Stage]:
        stage = _Stage(self.display, doing, total)
        if self.display is not None:
            self.display.begin(stage)
        try:
            yield stage
        finally:
            if self.display is not None:
                self.display.end(stage)


class _Display:
    """Standard error: bars that vanish when their loops end on a terminal, lines elsewhere."""

    def __init__(self) -> None:
        self.console = Console(stderr=True, markup=False, emoji=False)  # names of folders are not markup
        self.stages: list[_Stage] = []
        self.bars: Progress | None = None
        self.last_line = 0.0

    def say(self, line: str) -> None:
        self.console.print(line, highlight=False, soft_wrap=True)
        self.last_line = time.monotonic()

    def begin(self, stage: _Stage) -> None:
        self.stages.append(stage)
        if not self.console.is_terminal:
            if len(self.stages) == 1:
                self.say(stage.doing)
            return
        if self.bars is None:
            self.bars = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                console=self.console,
                transient=True,
                speed_estimate_period=math.inf,  # steps may be minutes apart, as the runs of a sweep are
            )
            self.bars.start()
        stage.bar = self.bars.add_task(stage.doing, total=stage.total)

    def advanced(self, stage: _Stage) -> None:
        if self.bars is not None and stage.bar is not None:
            self.bars.update(stage.bar, completed=stage.done)
        elif self.bars is None and time.monotonic() - self.last_line >= _BETWEEN_LINES:
            self.say(", ".join(each.words for each in self.stages))

    def end(self, stage: _Stage) -> None:
        if stage in self.stages:
            self.stages.remove(stage)
        if self.bars is not None and stage.bar is not None:
            self.bars.remove_task(stage.bar)
        if not self.stages:
            self.close()

    def close(self) -> None:
        if self.bars is not None:
            self.bars.stop()
        self.bars, self.stages = None, []
