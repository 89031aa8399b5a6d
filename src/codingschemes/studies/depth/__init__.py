"""What do hidden layers do, one above the other?"""

from codingschemes.studies.depth.study import Depth

__all__ = ["Depth"]
