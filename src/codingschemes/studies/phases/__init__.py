"""Which coding scheme where?"""

from codingschemes.studies.phases.study import PhasesStudy

__all__ = ["PhasesStudy"]
