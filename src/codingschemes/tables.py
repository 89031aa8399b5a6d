"""Facts about an object as a small HTML table, as notebooks show it."""

from collections.abc import Mapping
from html import escape

_ROW = '<tr><th style="text-align: left">{}</th><td style="text-align: left">{}</td></tr>'


def html_table(title: str, facts: Mapping[str, object]) -> str:
    """A title and one row a fact: its name and its value as text."""
    rows = "".join(_ROW.format(escape(name), escape(str(value))) for name, value in facts.items())
    return f"<p>{escape(title)}</p><table>{rows}</table>"
