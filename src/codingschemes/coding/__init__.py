"""From single-neuron posteriors to codes, and from codes to the coding scheme."""

import codingschemes.settings  # noqa: F401  (before anything of JAX)
from codingschemes.coding.codes import Codes, Drift, drift, find_codes, occupancies
from codingschemes.coding.outliers import Outliers, find_outliers
from codingschemes.coding.population import ClassMeans, population
from codingschemes.coding.scheme import Scheme, SchemeEvidence, classify
from codingschemes.coding.summary import Summary, summarize

__all__ = [
    "ClassMeans",
    "Codes",
    "Drift",
    "Outliers",
    "Scheme",
    "SchemeEvidence",
    "Summary",
    "classify",
    "drift",
    "find_codes",
    "find_outliers",
    "occupancies",
    "population",
    "summarize",
]
