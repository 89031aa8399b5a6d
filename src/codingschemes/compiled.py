"""Compiled programs are kept between processes, in JAX's persistent cache.

Sampling the same shapes again then compiles nothing: the folder `compiled` in the user's cache folder holds one program
a file. JAX_COMPILATION_CACHE_DIR names another folder, JAX_ENABLE_COMPILATION_CACHE=false keeps nothing. Where the
folder cannot be written, or is not this user's own, everything works without it.
"""

import ctypes
import hashlib
import json
import platform
import re
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import Any

import jax
from platformdirs import user_cache_path

from codingschemes.progress import announce

#: Programs that compile faster than this, in seconds, are not worth a file.
_WORTH_KEEPING = 0.05
#: Options of `jax.jit` for large programs: a quarter of compilation less than level 3, and draws as fast
#: (benchmarks/compile.md).
QUICKLY = {} if jax.config.read("jax_disable_most_optimizations") else {"xla_backend_optimization_level": 2}
#: Share of the pieces of memory that Linux gives a process which compiled programs may take.
_CROWDED = 0.5
#: What JAX says where it cannot read a program, by name.
_UNREADABLE = "Error reading persistent compilation cache entry for '([^']+)'"
#: Programs that nobody has read for so long are deleted.
_KEPT = timedelta(days=90)
#: What has been compiled, and how long it took: a file beside the programs.
_LEDGER = "seconds.json"


def keep_compiled() -> None:
    """Turn the cache on, unless JAX has been told where to keep it already."""
    if jax.config.jax_compilation_cache_dir is not None:
        return
    private = user_cache_path("codingschemes") / "compiled"
    folder = private / _processor()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        private.chmod(0o700)  # what is read from it is run: nobody else may write there
    except OSError:
        return
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", _WORTH_KEEPING)


@contextmanager
def compiling(name: str, typical: float, **makes_it: Any) -> Iterator[None]:
    """Programs are compiled inside: say about how long that takes, to who watches, and keep how long it took.

    Args:
        name: of the sampler, whose programs take about as long at any size.
        typical: seconds that they take, about; used until this machine has compiled one.
        **makes_it: all that another program is made by if it differs, as JSON values: shapes, settings.
    """
    described = json.dumps([name, makes_it, metadata.version("jax"), metadata.version("codingschemes")], default=str)
    key = hashlib.sha256(described.encode()).hexdigest()[:16]
    ledger = _read_ledger()
    if key in ledger["programs"]:
        announce("reading programs that were compiled before for this size: a few seconds")
    else:
        announce(f"compiling {name}, once for this size", usual_seconds(name, typical))
    started = time.monotonic()
    with _unreadable_replaced():
        yield
    give_back()
    if key not in ledger["programs"]:
        _write_ledger(key, name, time.monotonic() - started)


def give_back() -> None:
    """Hand memory that compiling has freed back to the system, where the C library keeps it for itself (glibc)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


@contextmanager
def _unreadable_replaced() -> Iterator[None]:
    """JAX leaves a program that was cut off where it is, as by a full disk, and warns of it in every process from then
    on: make room for the one that it is about to compile, without a word."""

    def look(message: Warning | str, *where: Any, **more: Any) -> None:
        found, path = re.match(_UNREADABLE, str(message)), _ledger_path()
        if found is None or path is None:
            show(message, *where, **more)
            return
        for file in path.parent.glob(f"{found[1]}-*-cache"):
            file.unlink(missing_ok=True)

    with warnings.catch_warnings():
        warnings.filterwarnings("always", _UNREADABLE)
        show, warnings.showwarning = warnings.showwarning, look
        yield


def _delete_unused(folder: Path) -> None:
    latest = (datetime.now() - _KEPT).timestamp()
    for file in folder.glob("*-cache"):
        with suppress(OSError):  # somebody else deleted it
            if max(file.stat().st_atime, file.stat().st_mtime) < latest:
                file.unlink()


def make_room() -> None:
    """Forget all compiled programs where they take half of the pieces of memory that Linux gives a process.

    Each kernel is one, the sampler `codes` three thousand, and a process that asks for more than `vm.max_map_count`
    (65,530 on most machines) is aborted. What is still used is compiled again, or read from the disk.
    """
    with suppress(OSError, ValueError):
        allowed = int(Path("/proc/sys/vm/max_map_count").read_text())
        with Path("/proc/self/maps").open() as pieces:
            taken = sum(1 for _ in pieces)
        if taken > _CROWDED * allowed:
            jax.clear_caches()


def usual_seconds(name: str, typical: float) -> float:
    """About how long the programs of a sampler take to compile: what they took last on this machine, else `typical`."""
    return _read_ledger()["samplers"].get(name, typical)


def _ledger_path() -> Path | None:
    """Where programs are kept in a folder of this machine; None elsewhere."""
    folder = jax.config.jax_compilation_cache_dir
    if folder is None or "://" in folder or not jax.config.jax_enable_compilation_cache:
        return None
    return Path(folder) / _LEDGER


def _read_ledger() -> dict[str, dict[str, float]]:
    """Seconds by program and, the last ones, by sampler. What cannot be read is as if it had not been written."""
    path = _ledger_path()
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        if path is not None:
            kept = json.loads(path.read_text())
            return {part: {str(k): float(v) for k, v in kept[part].items()} for part in ("programs", "samplers")}
    return {"programs": {}, "samplers": {}}


def _write_ledger(key: str, name: str, seconds: float) -> None:
    path = _ledger_path()
    if path is None:
        return
    _delete_unused(path.parent)
    ledger = _read_ledger()
    ledger["programs"][key] = ledger["samplers"][name] = round(seconds, 1)
    with suppress(OSError):  # an estimate is not worth a failed run
        partial = path.with_suffix(f".{key}.partial")
        partial.write_text(json.dumps(ledger))
        partial.replace(path)


def _processor() -> str:
    """A name for what this machine's processor can do: programs compiled for another may not run on it, and home
    folders are shared between machines."""
    described = platform.machine() + platform.processor()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        abilities = (
            line for line in cpuinfo.read_text().splitlines() if line.lower().startswith(("flags", "features"))
        )
        described += next(abilities, "")
    return hashlib.sha256(described.encode()).hexdigest()[:16]
