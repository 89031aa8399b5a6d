"""Do layers collapse, and do codes explain it?"""

from codingschemes.studies.collapse.study import CollapseStudy

__all__ = ["CollapseStudy"]
