"""How the pages become a site: `sphinx-build -W docs site`. Tutorials are run while it is built."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version as version_of
from pathlib import Path

# Tutorials run the cellgan of this environment, on the example data.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
os.environ["CELLGAN_EXAMPLES"] = str(Path(__file__).parents[1] / "example_data")

project = "cellgan"
author = "The cellgan developers"
copyright = author  # noqa: A001 - Sphinx's name for it
version = release = version_of("cellgan")

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinxcontrib.bibtex",
]
exclude_patterns = ["_build"]
html_theme = "sphinx_book_theme"
html_title = "cellgan"
html_theme_options = {"use_download_button": False}

myst_heading_anchors = 3
suppress_warnings = ["myst.xref_missing"]  # pages outside of docs/; a test of ours follows every link
bibtex_bibfiles = ["references.bib"]

nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True

napoleon_google_docstring = False
napoleon_use_rtype = False
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
