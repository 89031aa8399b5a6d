"""Many runs from one file, each set beside a theory, and how deviations from it shrink with width."""

import codingschemes.settings  # noqa: F401  (before anything of JAX)
from codingschemes.sweeps.execution import sweep
from codingschemes.sweeps.jobs import Job, Outcome, Outcomes, Result, carry_out
from codingschemes.sweeps.plan import Plan, PlannedRun, read_plan
from codingschemes.sweeps.trend import Trend, power_law, trends

__all__ = [
    "Job",
    "Outcome",
    "Outcomes",
    "Plan",
    "PlannedRun",
    "Result",
    "Trend",
    "carry_out",
    "power_law",
    "read_plan",
    "sweep",
    "trends",
]
