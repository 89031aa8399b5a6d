"""Any population: codes, scheme and abstraction of a trained network or a recording. Nothing is sampled."""

import codingschemes.settings  # noqa: F401  (before anything of JAX)
from codingschemes.populations.abstraction import Abstraction
from codingschemes.populations.description import Description, describe
from codingschemes.populations.population import Population
from codingschemes.populations.resampling import Measured, Null

__all__ = [
    "Abstraction",
    "Description",
    "Measured",
    "Null",
    "Population",
    "describe",
]
