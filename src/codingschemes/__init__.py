"""Which coding scheme does a neural network learn? Sample its posterior, look at single neurons, ask theory.

Public names are imported with their first use: `codingschemes --help` and wrong options need neither JAX nor arviz.
The precision of a process stays as it is (`codingschemes.precision`).
"""

import os
from typing import TYPE_CHECKING

import lazy_loader

# XLA's alarms about slow compilation are for its developers. Read when JAX is loaded, which nothing has done yet; what
# goes wrong is raised as before.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

if TYPE_CHECKING:
    from codingschemes import (
        baselines,
        coding,
        manifolds,
        plot,
        populations,
        representation,
        samplers,
        studies,
        sweeps,
        tasks,
    )
    from codingschemes.coding import Summary, summarize
    from codingschemes.comparison import Comparison, PopulationComparison, compare, compare_population
    from codingschemes.errors import InvalidInput, SamplingFailed, Stopped, TimeLimitReached
    from codingschemes.networks import Network, register_activation
    from codingschemes.populations import Description, Population, describe
    from codingschemes.posterior import Posterior
    from codingschemes.precision import double_precision
    from codingschemes.reports import report
    from codingschemes.runs import Cost, Run, cost, sample
    from codingschemes.samplers import register_sampler
    from codingschemes.settings import set_up_jax
    from codingschemes.tasks import Task
    from codingschemes.tempering.evidence import Evidence, evidence
    from codingschemes.theory import Prediction, predict

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "baselines",
        "coding",
        "manifolds",
        "plot",
        "populations",
        "representation",
        "samplers",
        "studies",
        "sweeps",
        "tasks",
    ],
    submod_attrs={
        "coding": ["Summary", "summarize"],
        "comparison": ["Comparison", "PopulationComparison", "compare", "compare_population"],
        "errors": ["InvalidInput", "SamplingFailed", "Stopped", "TimeLimitReached"],
        "networks": ["Network", "register_activation"],
        "populations": ["Description", "Population", "describe"],
        "posterior": ["Posterior"],
        "precision": ["double_precision"],
        "reports": ["report"],
        "runs": ["Cost", "Run", "cost", "sample"],
        "samplers": ["register_sampler"],
        "settings": ["set_up_jax"],
        "tasks": ["Task"],
        "tempering": ["Evidence", "evidence"],
        "theory": ["Prediction", "predict"],
    },
)
