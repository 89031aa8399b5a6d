"""How fast and how right the samplers are: named posteriors, one row for each of them and each sampler."""

import codingschemes.settings  # noqa: F401  (before anything of JAX)
from codingschemes.benchmark.measure import Measurement, measure
from codingschemes.benchmark.table import Bench, bench
from codingschemes.benchmark.targets import SUITES, TARGETS, Target

__all__ = ["SUITES", "TARGETS", "Bench", "Measurement", "Target", "bench", "measure"]
