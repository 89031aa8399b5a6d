"""How many cases are tried and what is kept of them: about 200 in all tests, by `make fuzz` over 2,000, in a table.

A case is wrong where anything but a refusal in one sentence comes of it: another exception, a warning, an end that does
not come, a file that is changed all the same. What was found so is an `@example` of its test.
"""

import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sound_files
from hypothesis import HealthCheck, settings
from typed import Place, leave_computing_out

_COMMON = {
    "deadline": None,  # processors are shared: a case that hangs is stopped by `ending`
    "database": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
}
settings.register_profile("suite", max_examples=4, derandomize=True, **_COMMON)
settings.register_profile("fuzz", max_examples=70, print_blob=True, **_COMMON)
settings.load_profile("suite")

TABLE = Path(__file__).parents[2] / "benchmarks" / "fuzz.md"
#: Seconds after which a case hangs; most take hundredths of one.
_PATIENCE = 60

_counts: dict[str, Counter[str]] = {}
_seconds: Counter[str] = Counter()


@contextmanager
def _ending() -> Iterator[None]:
    """Whatever is done inside comes to its end."""

    def hangs(*_: object) -> None:
        raise AssertionError(f"no end after {_PATIENCE} seconds")

    previous = signal.signal(signal.SIGALRM, hangs)
    signal.alarm(_PATIENCE)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)


@pytest.fixture
def computing(monkeypatch: pytest.MonkeyPatch) -> None:
    leave_computing_out(monkeypatch)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one sound file of each kind, and a run."""
    path = tmp_path_factory.mktemp("template")
    sound_files.place(path)
    return path


@pytest.fixture
def place(template: Path, tmp_path: Path) -> Place:
    return Place(template, tmp_path)


@pytest.fixture
def tried(request: pytest.FixtureRequest) -> Callable[[Callable[[], bool]], None]:
    """Try a case, which says whether it was refused."""
    name = request.node.originalname.removeprefix("test_").replace("_", " ")
    subject = f"{name}: {request.node.callspec.id}" if hasattr(request.node, "callspec") else name
    counts = _counts.setdefault(subject, Counter())

    def case(act: Callable[[], bool]) -> None:
        started = time.process_time()
        with _ending():
            counts["refused" if act() else "fine"] += 1
        _seconds[subject] += time.process_time() - started

    return case


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if session.config.getoption("hypothesis_profile", None) != "fuzz" or exitstatus or not _counts:
        return
    rows = [(name, counts["refused"], counts["fine"], _seconds[name]) for name, counts in _counts.items()]
    rows.append(("all", *(sum(column) for column in list(zip(*rows, strict=True))[1:])))
    lines = [
        f"| {name} | {refused + fine} | {refused} | {fine} | {seconds:.1f} |" for name, refused, fine, seconds in rows
    ]
    TABLE.write_text(_PAGE + "\n".join(lines) + "\n")


_PAGE = """# Cases that nobody thought of

`make fuzz` makes command lines and files at random, wrong in one place or in many. Each must be refused in one sentence
or be fine: no traceback, no warning, no case without an end, no file changed by what is refused, no altered run taken
for the one that was sampled. All cases of the last run, and their processor time:

| what is read | cases | refused in one sentence | fine | seconds |
| --- | --- | --- | --- | --- |
"""
