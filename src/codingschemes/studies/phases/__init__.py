"""Which coding scheme where?"""

from codingschemes.studies.phases.study import Phases

__all__ = ["Phases"]
