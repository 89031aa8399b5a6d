"""Sampled against predicted, one row a quantity, with Monte Carlo errors; trained against predicted."""

import codingschemes.settings  # noqa: F401  (before anything of JAX)
from codingschemes.comparison.comparison import Comparison, Row, compare
from codingschemes.comparison.populations import Geometry, PopulationComparison, Stationarity, compare_population

__all__ = ["Comparison", "Geometry", "PopulationComparison", "Row", "Stationarity", "compare", "compare_population"]
