"""Sequential Monte Carlo from the prior to the posterior: log evidence, and particles to start chains from."""

import codingschemes.settings  # noqa: F401  (before anything of JAX)
from codingschemes.tempering.evidence import Evidence, evidence
from codingschemes.tempering.options import Tempering
from codingschemes.tempering.sweeps import FROZEN, Sweep, sweep

__all__ = ["FROZEN", "Evidence", "Sweep", "Tempering", "evidence", "sweep"]
