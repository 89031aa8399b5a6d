"""Sampled against predicted, one row a quantity, with Monte Carlo errors."""

import codingschemes.settings  # noqa: F401  (before anything of JAX)
from codingschemes.comparison.comparison import Comparison, Row, compare

__all__ = ["Comparison", "Row", "compare"]
