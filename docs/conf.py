"""The documentation site, built by Sphinx from the repository's root: `make docs`.

Pages keep the relative links that they have in the repository; links to scripts become downloads.
"""

import re
from importlib import metadata

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml

project = "codingschemes"
author = "the authors of codingschemes"
release = version = metadata.version("codingschemes")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
root_doc = "docs/index"
include_patterns = [
    "docs/**.md",
    "results/*.md",
    "benchmarks/*.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "data/README.md",
]
html_theme = "furo"
html_title = "codingschemes"
html_show_copyright = False
html_math_renderer = "mathml"  # drawn by the browser itself: no script from elsewhere

myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # shapes and units are in the texts
napoleon_use_ivar = True
napoleon_attr_annotations = False

default_role = "code"
linkcheck_ignore = [r"https?://"]  # the site is built without a network


def _as_text(app, what, name, obj, options, lines):  # noqa: ARG001  (Sphinx calls it by position)
    """Docstrings are plain text with code in backticks: stars, bars and underscores outside of it and of examples mean
    themselves."""
    example = False
    for index, line in enumerate(lines):
        example = line.lstrip().startswith(">>>") or (example and line.strip() != "")
        if example:
            continue
        parts = re.split(r"(`[^`]*`|\*\*\w+\*\*)", line)
        lines[index] = "".join(
            part if part.startswith(("`", "**")) else re.sub(r"([*|_])", r"\\\1", part) for part in parts
        )


def _mathml(writer, node):
    writer.body.append(tex2mathml(node.astext(), as_block=isinstance(node, nodes.math_block)))
    raise nodes.SkipNode


def setup(app):
    app.connect("autodoc-process-docstring", _as_text, priority=400)  # before napoleon
    app.add_html_math_renderer("mathml", (_mathml, None), (_mathml, None))
