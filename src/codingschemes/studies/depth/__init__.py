"""What do hidden layers do, one above the other?"""

from codingschemes.studies.depth.study import DepthStudy

__all__ = ["DepthStudy"]
