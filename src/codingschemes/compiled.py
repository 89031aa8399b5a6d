"""Compiled programs are kept between processes, in JAX's persistent cache.

Sampling the same shapes again then compiles nothing: the folder `compiled` in the user's cache folder holds one program
a file. JAX_COMPILATION_CACHE_DIR names another folder, JAX_ENABLE_COMPILATION_CACHE=false keeps nothing. Where the
folder cannot be written, everything works without it.
"""

import hashlib
import platform
from pathlib import Path

import jax
from platformdirs import user_cache_path

#: Programs that compile faster than this, in seconds, are not worth a file.
_WORTH_KEEPING = 0.5


def keep_compiled() -> None:
    """Turn the cache on, unless JAX has been told where to keep it already."""
    if jax.config.jax_compilation_cache_dir is not None:
        return
    folder = user_cache_path("codingschemes") / "compiled" / _processor()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", _WORTH_KEEPING)


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
