"""JAX for this package. Every room that uses JAX imports this first.

Precision is not set (`precision`). Devices and the disk cache are, as chains would otherwise share one core and be
compiled anew in every process: where JAX has not been started when the package is first used, nor told otherwise.
"""

import os

import jax

from codingschemes.compiled import keep_compiled
from codingschemes.precision import DOUBLE


def set_up_jax() -> None:
    """From here on, JAX in this process is as on the command line: double precision with products of full precision for
    all that is computed, yours included, and compiled programs kept on disk unless JAX was told where.

    For scripts and notebooks with loops of their own around a density or a kernel. Public functions need no such call.

    Example:
        >>> cs.set_up_jax()  # at the top of a script
    """
    for name, value in DOUBLE.items():
        jax.config.update(name, value)
    keep_compiled()


def _cores() -> int:
    """Cores that this process may use, where the system says so (Linux), else all."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _is_running() -> bool:
    """Whether JAX has been started: it then refuses another number of CPU devices."""
    count = jax.config.jax_num_cpu_devices
    try:
        jax.config.update("jax_num_cpu_devices", count + 1)
    except RuntimeError:
        return True
    jax.config.update("jax_num_cpu_devices", count)
    return False


def _cores_are_counted() -> bool:
    """Whether somebody has said how many devices this machine is."""
    return jax.config.jax_num_cpu_devices >= 0 or "host_platform_device_count" in os.environ.get("XLA_FLAGS", "")


if not _is_running():
    if not _cores_are_counted():
        jax.config.update("jax_num_cpu_devices", _cores())
    keep_compiled()
