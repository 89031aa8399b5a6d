"""Questions answered by many runs at once: a grid of posteriors, numbers, figures and a table of claims."""

import codingschemes.settings  # noqa: F401  (before anything of JAX)
from codingschemes.registry import Registry
from codingschemes.studies.abstraction import Abstraction
from codingschemes.studies.depth import Depth
from codingschemes.studies.execution import Studied, study
from codingschemes.studies.generalisation import Generalisation
from codingschemes.studies.phases import Phases
from codingschemes.studies.study import Claim, Drawing, Findings, Study

__all__ = [
    "STUDIES",
    "Abstraction",
    "Claim",
    "Drawing",
    "Findings",
    "Generalisation",
    "Phases",
    "Studied",
    "Study",
    "study",
]

STUDIES: Registry[type[Study]] = Registry("study")
STUDIES.register("generalisation", Generalisation)
STUDIES.register("abstraction", Abstraction)
STUDIES.register("phases", Phases)
STUDIES.register("depth", Depth)
