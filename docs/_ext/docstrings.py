"""Corrections of what numpydoc makes of a docstring."""

import re
from typing import Any

from numpydoc.docscrape_sphinx import SphinxDocString
from sphinx.application import Sphinx

_process_param = SphinxDocString._process_param


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the extension."""
    SphinxDocString._process_param = _as_written
    app.connect("autodoc-process-docstring", escape_types, priority=600)  # behind it
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _as_written(
    self: SphinxDocString,
    param: str,
    desc: list[str],
    fake_autosummary: bool,  # noqa: ARG001  numpydoc's signature
) -> tuple[str, list[str]]:
    """Show an attribute as its section describes it.

    Where it is a property, numpydoc would put a link to an entry of its own in its
    place, and the first line of the property's docstring.
    """
    return _process_param(self, param, desc, False)


def escape_types(
    app: Sphinx,  # noqa: ARG001  Sphinx's signature
    what: str,  # noqa: ARG001  Sphinx's signature
    name: str,  # noqa: ARG001  Sphinx's signature
    obj: Any,  # noqa: ARG001  Sphinx's signature
    options: Any,  # noqa: ARG001  Sphinx's signature
    lines: list[str],
) -> None:
    """Keep the names of fitted attributes in types from being taken for links.

    To reStructuredText ``n_features_in_`` in "of shape (n_features_in_,)" is one.
    """
    for number, line in enumerate(lines):
        head, colon, kind = line.partition("** : ")
        if colon and head.lstrip().startswith("**"):
            lines[number] = head + colon + re.sub(r"(?<=\w)_(?![\w`])", r"\\_", kind)
