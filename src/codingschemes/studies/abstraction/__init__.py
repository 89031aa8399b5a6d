"""Are representations abstract?"""

from codingschemes.studies.abstraction.study import AbstractionStudy

__all__ = ["AbstractionStudy"]
