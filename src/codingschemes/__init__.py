"""Which coding scheme does a neural network learn? Sample its posterior, look at single neurons, ask theory."""

import contextlib
import os

import jax

# Posteriors at low temperature are ill-conditioned: everything is computed in double precision.
jax.config.update("jax_enable_x64", True)
jax.config.update("jax_default_matmul_precision", "highest")

# Every core is a device of its own, so that chains run side by side. Where jax is already running, as it is.
with contextlib.suppress(RuntimeError):
    jax.config.update("jax_num_cpu_devices", len(os.sched_getaffinity(0)))

from codingschemes import tasks  # noqa: E402
from codingschemes.errors import InvalidInput  # noqa: E402
from codingschemes.networks import Network  # noqa: E402
from codingschemes.posterior import Posterior  # noqa: E402
from codingschemes.runs import Run, sample  # noqa: E402
from codingschemes.tasks import Task  # noqa: E402

__all__ = ["InvalidInput", "Network", "Posterior", "Run", "Task", "sample", "tasks"]
