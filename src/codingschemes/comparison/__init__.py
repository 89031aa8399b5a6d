"""Sampled against predicted, one row a quantity, with Monte Carlo errors."""

from codingschemes.comparison.comparison import Comparison, Row, compare

__all__ = ["Comparison", "Row", "compare"]
