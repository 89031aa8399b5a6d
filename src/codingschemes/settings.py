"""JAX as this package needs it: set before anything of JAX is used. Every room that uses JAX imports this first."""

import contextlib
import os

import jax

from codingschemes.compiled import keep_compiled
from codingschemes.precision import settings_are_kept


def _cores() -> int:
    """Cores that this process may use, where the system says so (Linux), else all."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


if not settings_are_kept():
    # Posteriors at low temperature are ill-conditioned: everything is computed in double precision.
    jax.config.update("jax_enable_x64", True)
    jax.config.update("jax_default_matmul_precision", "highest")
    # Every core is a device of its own, so that chains run side by side, unless JAX_NUM_CPU_DEVICES says otherwise.
    # Where jax is already running, it stays as it is.
    if jax.config.jax_num_cpu_devices < 0:
        with contextlib.suppress(RuntimeError):
            jax.config.update("jax_num_cpu_devices", _cores())
    keep_compiled()
