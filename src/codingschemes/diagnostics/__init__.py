"""Can a run be trusted? arviz on invariants, and two exact identities."""

import codingschemes.settings  # noqa: F401  (before anything of JAX)
from codingschemes.convergence import Convergence, ess, mean_and_error, rhat
from codingschemes.diagnostics.chains import Faults
from codingschemes.diagnostics.diagnostics import Diagnostics, diagnose
from codingschemes.diagnostics.identities import Identities

__all__ = ["Convergence", "Diagnostics", "Faults", "Identities", "diagnose", "ess", "mean_and_error", "rhat"]
