"""Which structural invariant manifolds matter in practice?"""

from codingschemes.studies.manifolds.study import ManifoldsStudy

__all__ = ["ManifoldsStudy"]
