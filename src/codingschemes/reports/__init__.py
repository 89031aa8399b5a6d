"""One self-contained page that says what a run found, and whether to trust it."""

import codingschemes.settings  # noqa: F401  (before anything of JAX)
from codingschemes.reports.page import report

__all__ = ["report"]
