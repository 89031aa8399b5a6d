"""Any population: codes, scheme and abstraction of a trained network or a recording. Nothing is sampled."""

import codingschemes.settings  # noqa: F401  (before anything of JAX)
from codingschemes.populations.abstraction import Abstraction
from codingschemes.populations.axes import Axes
from codingschemes.populations.description import Description, describe
from codingschemes.populations.distances import Distances, distances
from codingschemes.populations.files import read_population
from codingschemes.populations.groups import FunctionalGroups, functional_groups
from codingschemes.populations.networks import from_equinox, from_flax, from_sklearn, from_torch
from codingschemes.populations.nwb import from_nwb
from codingschemes.populations.population import Population
from codingschemes.populations.pseudo import pseudo_population
from codingschemes.populations.resampling import Measured, Null
from codingschemes.populations.states import RecurringStates, recurring_states
from codingschemes.populations.structure import Structure

__all__ = [
    "Abstraction",
    "Axes",
    "Description",
    "Distances",
    "FunctionalGroups",
    "Measured",
    "Null",
    "Population",
    "RecurringStates",
    "Structure",
    "describe",
    "distances",
    "from_equinox",
    "from_flax",
    "from_nwb",
    "from_sklearn",
    "from_torch",
    "functional_groups",
    "pseudo_population",
    "read_population",
    "recurring_states",
]
