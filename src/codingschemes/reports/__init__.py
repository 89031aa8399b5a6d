"""One self-contained page that says what a run found, and whether to trust it."""

from codingschemes.reports.page import report

__all__ = ["report"]
