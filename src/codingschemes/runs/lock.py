"""One writer a run folder: a file that says who writes, made by an exclusive link, which holds on NFS as well.

Whoever reads looks at nothing of this. A writer that died leaves its file behind. On the same machine it is recognised
by its process, which is gone or has started at another time; from elsewhere by its silence: a writer touches its file
once a minute. Whoever has been taken for dead all the same (a machine that slept) finds somebody else's name in the
file before its next append, and stops.
"""

import json
import os
import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from codingschemes.errors import InvalidInput
from codingschemes.progress import announce

LOCK = "lock.json"
#: Seconds between two signs of life, and after which a writer on another machine that gave none is taken for dead.
_SIGN, _SILENCE = 60.0, 900.0


class Writer:
    """The right to write to a run folder."""

    def __init__(self, path: Path, name: dict[str, Any]):
        self._file, self._name = path / LOCK, name
        self._over = threading.Event()
        self._signs = threading.Thread(target=self._give_signs, daemon=True)
        self._signs.start()

    def check(self) -> None:
        """Stop where somebody else writes by now.

        Raises:
            InvalidInput: naming who does.
        """
        if (found := _read_sign(self._file)) != self._name:
            who = "removed" if found is None else f"taken over by {_words(found)}"
            raise InvalidInput(
                f"this process no longer writes to {self._file.parent}: its {LOCK} was {who}; its draws up to the last "
                "checkpoint are kept"
            )

    def release(self) -> None:
        """Let others write."""
        self._over.set()
        self._signs.join()
        with suppress(OSError):  # a disk that may no longer be written: others see that this process is gone
            if _read_sign(self._file) == self._name:
                self._file.unlink(missing_ok=True)

    def _give_signs(self) -> None:
        while not self._over.wait(_SIGN):
            with suppress(OSError):  # a folder that is away for a moment; `check` says so if it stays away
                os.utime(self._file)


@contextmanager
def writing(path: Path, *, begun: bool = False) -> Iterator[Writer]:
    """While inside, this process is the one that writes to a run folder.

    Args:
        begun: the folder was made with this process's file in it (see `sign`).

    Raises:
        InvalidInput: somebody else is, or the folder cannot be written.
    """
    name = me()
    if not begun:
        _acquire(path, name)
    writer = Writer(path, name)
    try:
        yield writer
    finally:
        writer.release()


def sign(folder: Path) -> None:
    """Put this process's file into a folder that nobody else knows of yet."""
    (folder / LOCK).write_text(json.dumps(me()))


def writer_of(path: Path) -> dict[str, Any] | None:
    """Who writes to a run folder at this moment: `host`, `pid`, `since`; None where nobody does."""
    found = _read_sign(path / LOCK)
    return None if found is None or _dead(path / LOCK, found) else found


def me() -> dict[str, Any]:
    """This process: machine, process, and when that started."""
    return {"host": _host(), "pid": os.getpid(), "started": _start_time(os.getpid()), "since": _SINCE}


_SINCE = datetime.now(UTC).isoformat(timespec="seconds")


def _acquire(path: Path, name: dict[str, Any]) -> None:
    file = path / LOCK
    for _ in range(2):
        if _link(file, name):
            return
        found = _read_sign(file)
        if found is not None and not _dead(file, found):
            raise InvalidInput(
                f"{path} is being written by {_words(found)}: wait for it, or stop it first; `codingschemes status` "
                "with the run says how far it is"
            )
        if found is not None:
            announce(f"{path}: {_words(found)} was cut off; taking over")
        # Whoever comes first takes it away; the other one finds the winner's.
        with suppress(FileNotFoundError):
            moved = file.rename(_beside(file))
            if _read_sign(moved) == found:
                moved.unlink()
            else:
                moved.rename(file)
    raise InvalidInput(f"another process began to write to {path} at this moment: wait for it")


def _link(file: Path, name: dict[str, Any]) -> bool:
    """Make the file, whole, unless it is there."""
    mine = _beside(file)
    try:
        mine.write_text(json.dumps(name))
        with suppress(FileExistsError):
            os.link(mine, file)
        # An answer that got lost on the way is no failure: what counts is whether the file has two names.
        return mine.stat().st_nlink == 2
    except OSError as error:
        raise InvalidInput(f"{file.parent} cannot be written ({error.strerror}): choose another place") from error
    finally:
        with suppress(OSError):
            mine.unlink(missing_ok=True)


def _beside(file: Path) -> Path:
    """A name next to the file that nobody else has."""
    return file.with_name(f".{file.name}-{uuid.uuid4().hex}")


def _read_sign(file: Path) -> dict[str, Any] | None:
    """What a writer's file says; None where there is none."""
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _dead(file: Path, found: dict[str, Any]) -> bool:
    if found.get("host") == _host():
        return found.get("started") != _start_time(found.get("pid"))
    now = _beside(file)
    try:
        now.touch()  # Both times are the disk's: clocks of machines differ.
        return now.stat().st_mtime - file.stat().st_mtime > _SILENCE
    except OSError:  # who cannot write cannot take over
        return False
    finally:
        with suppress(OSError):
            now.unlink(missing_ok=True)


def _words(found: dict[str, Any]) -> str:
    if "pid" not in found:
        return "a process that does not say its name"
    host, _, _ = str(found.get("host", "another machine")).partition(" ")
    return f"process {found['pid']} on {host} (since {found.get('since', '?')})"


def _host() -> str:
    """Where a process number means something: machine, its boot, and the space of numbers (containers have their
    own)."""
    parts = [socket.gethostname()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return " ".join(parts)


def _start_time(pid: Any) -> str | None:
    """When a process of this machine started; None where there is none. Where the system does not tell, only whether
    it is there."""
    if not isinstance(pid, int) or isinstance(pid, bool) or pid <= 0:
        return None
    if Path("/proc/self/stat").exists():
        with suppress(OSError):
            state, *numbers = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            return None if state in "ZX" else numbers[18]
        return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return "running"
