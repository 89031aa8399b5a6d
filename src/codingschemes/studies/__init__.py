"""Questions answered by many runs at once: a grid of posteriors, numbers, figures and a table of claims."""

import codingschemes.settings  # noqa: F401  (before anything of JAX)
from codingschemes.registry import Registry
from codingschemes.studies.abstraction import AbstractionStudy
from codingschemes.studies.collapse import CollapseStudy
from codingschemes.studies.depth import DepthStudy
from codingschemes.studies.execution import Studied, study
from codingschemes.studies.generalisation import GeneralisationStudy
from codingschemes.studies.manifolds import ManifoldsStudy
from codingschemes.studies.phases import PhasesStudy
from codingschemes.studies.study import Claim, Drawing, Findings, Study

__all__ = [
    "STUDIES",
    "AbstractionStudy",
    "Claim",
    "CollapseStudy",
    "DepthStudy",
    "Drawing",
    "Findings",
    "GeneralisationStudy",
    "ManifoldsStudy",
    "PhasesStudy",
    "Studied",
    "Study",
    "study",
]

STUDIES: Registry[type[Study]] = Registry("study")
STUDIES.register("generalisation", GeneralisationStudy)
STUDIES.register("abstraction", AbstractionStudy)
STUDIES.register("phases", PhasesStudy)
STUDIES.register("depth", DepthStudy)
STUDIES.register("collapse", CollapseStudy)
STUDIES.register("manifolds", ManifoldsStudy)
