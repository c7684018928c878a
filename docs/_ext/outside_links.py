"""Links to the pages of other libraries, made without their inventories.

Intersphinx would have to reach each library's site in every build. Their addresses
follow from the names, and whether a name is right is seen from the library itself:
a reference to something that is not there fails a nitpicky build, as it should.
"""

import inspect
import pkgutil
from typing import Any

import public_names
from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

import sk_memorize

# Where classes and functions are described; the first that fits counts.
SITES = {
    "distributed": "https://distributed.dask.org/en/stable/api.html#{}",
    "imblearn": "https://imbalanced-learn.org/stable/references/generated/{}.html",
    "joblib": "https://joblib.readthedocs.io/en/stable/generated/{}.html",
    "matplotlib": "https://matplotlib.org/stable/api/_as_gen/{}.html",
    "numpy": "https://numpy.org/doc/stable/reference/generated/{}.html",
    "pandas": "https://pandas.pydata.org/docs/reference/api/{}.html",
    "scipy": "https://docs.scipy.org/doc/scipy/reference/generated/{}.html",
    "sklearn": "https://scikit-learn.org/stable/modules/generated/{}.html",
    "skorch.callbacks": "https://skorch.readthedocs.io/en/stable/callbacks.html#{}",
    "skorch": "https://skorch.readthedocs.io/en/stable/classifier.html",
    "torch.Tensor": "https://docs.pytorch.org/docs/stable/tensors.html",
    "torch": "https://docs.pytorch.org/docs/stable/generated/{}.html",
}
# Of scikit-learn's documentation, whose docstrings are inherited here and there.
TERM = "https://scikit-learn.org/stable/glossary.html#term-{}"
SECTIONS = {"metadata_routing": "https://scikit-learn.org/stable/metadata_routing.html"}


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the extension."""
    app.connect("missing-reference", resolve)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def resolve(
    app: Sphinx,  # noqa: ARG001  Sphinx's signature
    env: BuildEnvironment,  # noqa: ARG001  Sphinx's signature
    node: pending_xref,
    contnode: nodes.TextElement,
) -> nodes.reference | None:
    """Make a link of a reference that Sphinx could not resolve, if that can be done."""
    match node["reftype"], node["reftarget"]:
        case "term", target:
            address: str | None = TERM.format(target)
        case "ref", target:
            address = SECTIONS.get(target)
        case "meth", target if "." not in target:
            address = find_inherited(node.get("py:class"), target)
        case _, target:
            address = find_page(target)
    if address is None:
        return None
    return nodes.reference("", "", contnode, internal=False, refuri=address)


def find_inherited(owner: str | None, method: str) -> str | None:
    """Find the page of a method that a public class has from scikit-learn."""
    base = public_names.find_base(getattr(sk_memorize, owner or "", object), method)
    return None if base is None else find_page(f"{base}.{method}")


def find_page(target: str) -> str | None:
    """Find the page of another library's class, function or method."""
    owner, _, _ = target.rpartition(".")
    if not callable(_find(target)):
        return None
    page, anchor = target, ""
    if inspect.isclass(_find(owner)):  # methods stand on the page of their class
        page, anchor = owner, f"#{target}"
    for library, pattern in SITES.items():
        if f"{page}.".startswith(f"{library}."):
            return pattern.format(page) + anchor
    return None


def _find(path: str) -> Any:
    """Import what a path names; None if that cannot be done."""
    try:
        return pkgutil.resolve_name(path)
    except (AttributeError, ImportError, ValueError):
        return None
