"""From single neurons to codes and the coding scheme.

Arrays in, numbers out: a `Population` holds the neurons of one draw or of many, `find_codes`, `find_outliers` and
`classify` read it.
"""

from codingschemes.coding.codes import Codes, Drift, drift, find_codes, occupancies
from codingschemes.coding.outliers import Outliers, find_outliers
from codingschemes.coding.population import Population, population
from codingschemes.coding.scheme import Evidence, Scheme, classify

__all__ = [
    "Codes",
    "Drift",
    "Evidence",
    "Outliers",
    "Population",
    "Scheme",
    "classify",
    "drift",
    "find_codes",
    "find_outliers",
    "occupancies",
    "population",
]
