"""Which coding scheme does a neural network learn? Sample its posterior, look at single neurons, ask theory."""

import contextlib
import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

import jax

# Posteriors at low temperature are ill-conditioned: everything is computed in double precision.
jax.config.update("jax_enable_x64", True)
jax.config.update("jax_default_matmul_precision", "highest")
# Every core is a device of its own, so that chains run side by side, unless JAX_NUM_CPU_DEVICES says otherwise. Where
# jax is already running, it stays as it is.
if jax.config.jax_num_cpu_devices < 0:
    with contextlib.suppress(RuntimeError):
        jax.config.update("jax_num_cpu_devices", len(os.sched_getaffinity(0)))

from codingschemes.compiled import keep_compiled  # noqa: E402

keep_compiled()

from codingschemes import tasks  # noqa: E402
from codingschemes.errors import InvalidInput  # noqa: E402
from codingschemes.networks import Network, register_activation  # noqa: E402
from codingschemes.posterior import Posterior  # noqa: E402
from codingschemes.runs import Run, sample  # noqa: E402
from codingschemes.tasks import Task  # noqa: E402
from codingschemes.tempering import Evidence, evidence  # noqa: E402
from codingschemes.theory import Prediction, predict  # noqa: E402

if TYPE_CHECKING:
    from codingschemes import manifolds, representation
    from codingschemes.coding import Summary, summarize
    from codingschemes.comparison import Comparison, compare
    from codingschemes.reports import report

__all__ = [
    "Comparison",
    "Evidence",
    "InvalidInput",
    "Network",
    "Posterior",
    "Prediction",
    "Run",
    "Summary",
    "Task",
    "compare",
    "evidence",
    "manifolds",
    "predict",
    "register_activation",
    "report",
    "representation",
    "sample",
    "summarize",
    "tasks",
]


def __getattr__(name: str) -> Any:
    # Sampling needs neither arviz, matplotlib nor manifolds: they are imported with the first use.
    if name in ("summarize", "Summary"):
        from codingschemes import coding

        return getattr(coding, name)
    if name in ("compare", "Comparison"):
        from codingschemes import comparison

        return getattr(comparison, name)
    if name in ("manifolds", "representation"):
        return import_module(f"codingschemes.{name}")
    if name == "report":
        from codingschemes.reports import report

        return report
    raise AttributeError(f"module 'codingschemes' has no attribute {name!r}")
