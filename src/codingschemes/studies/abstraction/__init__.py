"""Are representations abstract?"""

from codingschemes.studies.abstraction.study import Abstraction

__all__ = ["Abstraction"]
