"""Samplers of other libraries that adapt in a loop of their own, many chains at once: run by the bench alone."""

import codingschemes.settings  # noqa: F401  (before anything of JAX)
from codingschemes.benchmark.rivals import chees, laps, low_rank_nuts  # noqa: F401  (each registers itself)
from codingschemes.benchmark.rivals.rival import RIVALS, Rival, Tuned
from codingschemes.benchmark.rivals.sampling import sample_rival

__all__ = ["RIVALS", "Rival", "Tuned", "sample_rival"]
