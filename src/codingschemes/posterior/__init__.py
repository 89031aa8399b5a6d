"""The posterior over weights: priors, the samplable forms, and exact conditional draws."""

import codingschemes.settings  # noqa: F401  (before anything of JAX)
from codingschemes.posterior.collapsed import Scalar
from codingschemes.posterior.density import Density, Position, ReducedDensity, WeightsDensity
from codingschemes.posterior.function import FunctionDensity
from codingschemes.posterior.posterior import Posterior, Space
from codingschemes.posterior.priors import Prior, resolve_prior

__all__ = [
    "Density",
    "FunctionDensity",
    "Position",
    "Posterior",
    "Prior",
    "ReducedDensity",
    "Scalar",
    "Space",
    "WeightsDensity",
    "resolve_prior",
]
