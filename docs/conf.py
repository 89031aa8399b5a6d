"""The documentation site, built by Sphinx from the repository's root: `make docs`.

Pages keep the relative links that they have in the repository; links to scripts become downloads.
"""

import re
from importlib import metadata

project = "codingschemes"
author = "the authors of codingschemes"
release = version = metadata.version("codingschemes")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.mathjax", "sphinx_copybutton"]
root_doc = "docs/index"
include_patterns = ["docs/**.md", "benchmarks/*.md", "CONTRIBUTING.md", "CHANGELOG.md"]
html_theme = "furo"
html_title = "codingschemes"

myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # shapes and units are in the texts
napoleon_use_ivar = True
napoleon_attr_annotations = False

default_role = "code"
linkcheck_ignore = [r"https?://"]  # the site is built without a network


def _as_text(app, what, name, obj, options, lines):  # noqa: ARG001  (Sphinx calls it by position)
    """Docstrings are plain text with code in backticks: stars, bars and underscores outside of it mean themselves."""
    for index, line in enumerate(lines):
        parts = re.split(r"(`[^`]*`)", line)
        lines[index] = "".join(part if part.startswith("`") else re.sub(r"([*|_])", r"\\\1", part) for part in parts)


def setup(app):
    app.connect("autodoc-process-docstring", _as_text, priority=400)  # before napoleon
