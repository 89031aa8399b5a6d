"""Sampling a posterior into a run: chunks, storage, checkpoints, configuration."""

import codingschemes.settings  # noqa: F401  (before anything of JAX)
from codingschemes.errors import SamplingFailed
from codingschemes.runs.configuration import Sampling
from codingschemes.runs.driver import sample
from codingschemes.runs.estimate import Cost, cost
from codingschemes.runs.run import Run

__all__ = ["Cost", "Run", "Sampling", "SamplingFailed", "cost", "sample"]
