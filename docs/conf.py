"""Settings of Sphinx: ``sphinx-build -W docs build/html``; runs the gallery as well."""

import sys
from pathlib import Path

DOCS = Path(__file__).parent
# The package need not be installed, and the extensions are here.
sys.path[:0] = [str(DOCS.parent), str(DOCS / "_ext")]

import public_names  # noqa: E402  found by the line above
from gallery import sphinx_gallery_conf  # noqa: E402, F401  Sphinx reads it

import sk_memorize  # noqa: E402  the path is set first

project = "sk_memorize"
author = "The sk_memorize developers"
project_copyright = author
version = release = sk_memorize.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
    "docstrings",
    "outside_links",
    "public_names",
]
templates_path = ["_templates"]
# The listing is part of api.rst.
exclude_patterns = ["_build", public_names.LISTING]
nitpicky = True
default_role = "literal"  # as in the docstrings: `X` is code
smartquotes = False  # "auto" is code, too

# Types are in the docstrings, with the shapes of arrays.
autodoc_typehints = "none"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 80
autosummary_generate = [public_names.LISTING]
autosummary_context = {"class_members": public_names.find_members()}
# The templates list the members: each appears once.
numpydoc_show_class_members = False
toc_object_entries_show_parents = "hide"

html_theme = "furo"
html_title = f"sk_memorize {release}"
html_copy_source = False
html_show_sphinx = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
