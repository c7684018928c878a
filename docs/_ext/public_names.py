"""Pages of the reference, one for each name in ``sk_memorize.__all__``.

Before a build a listing with a section for each subpackage is written, from which
autosummary makes a page for each name. After it the build fails if a name is missing.
"""

import importlib
import inspect
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from numpydoc.docscrape import ClassDoc
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError

import sk_memorize

# In the folder of api.rst, which includes it: its paths are relative to that folder.
LISTING = "_listing.rst"
PAGES = "generated"

NAMES = [name for name in sk_memorize.__all__ if not name.startswith("__")]

# Other subpackages follow by name.
FIRST = ("neural", "corruption", "analysis", "plotting")


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect the extension."""
    # Autosummary makes its pages when the builder is there, which is later.
    app.connect("config-inited", lambda app, _: write_listing(Path(app.srcdir)))
    app.connect("env-check-consistency", check_complete)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def write_listing(source: Path) -> None:
    """Write the listing, and remove the pages of names that are no more."""
    for page in (source / PAGES).glob("sk_memorize.*.rst"):
        if page.stem.removeprefix("sk_memorize.") not in NAMES:
            page.unlink()
    text = "\n\n".join(_sections()) + "\n"
    listing = source / LISTING
    # A file that stays as it is keeps its time, and api.rst is not built again.
    if not listing.exists() or listing.read_text(encoding="utf-8") != text:
        listing.write_text(text, encoding="utf-8")


def check_complete(app: Sphinx, env: BuildEnvironment) -> None:  # noqa: ARG001  Sphinx's signature
    """End the build if a public name has no entry."""
    documented = env.domains["py"].objects
    missing = [name for name in NAMES if f"sk_memorize.{name}" not in documented]
    if missing:
        raise ExtensionError(f"The reference lacks the public names {missing}.")


def find_members() -> dict[str, dict[str, list[str]]]:
    """Find what the page of each class shows below its docstring.

    Returns
    -------
    members : dict
        For each public class, `methods` of this package in the order of the code,
        `properties` that the attributes of the docstring do not tell, and `inherited`
        methods, which scikit-learn provides, as references to them.
    """
    return {
        name: {
            "methods": _methods(public),
            "properties": _other_properties(public),
            "inherited": _methods_of_sklearn(public),
        }
        for name in NAMES
        if inspect.isclass(public := getattr(sk_memorize, name))
    }


def find_base(owner: type, member: str) -> str | None:
    """Find the public class of scikit-learn that gives a class its method."""
    for base in owner.__mro__:
        path = f"{base.__module__}.{base.__qualname__}"
        if path.startswith("sklearn.") and "._" not in path and hasattr(base, member):
            return path
    return None


def _methods(owner: type) -> list[str]:
    return [
        name
        for name, member in _own_members(owner).items()
        if not isinstance(member, property)
    ]


def _other_properties(owner: type) -> list[str]:
    told = {attribute.name for attribute in ClassDoc(owner)["Attributes"]}
    return [
        name
        for name, member in _own_members(owner).items()
        if isinstance(member, property) and name not in told
    ]


def _methods_of_sklearn(owner: type) -> list[str]:
    own = _own_members(owner)
    names = [
        name
        for name, member in inspect.getmembers(owner, callable)
        if not name.startswith("_") and name not in own and _module(member) == "sklearn"
    ]
    bases = {name: find_base(owner, name) for name in names}
    return [
        f":meth:`{name} <{base}.{name}>`" if base else f"``{name}``"
        for name, base in bases.items()
    ]


def _own_members(owner: type) -> dict[str, Any]:
    """Find methods and properties in the classes of this package, bases last."""
    members: dict[str, Any] = {}
    for base in owner.__mro__:
        if _module(base) != "sk_memorize":
            continue
        for name, member in vars(base).items():
            is_method = inspect.isroutine(value := getattr(base, name))
            is_own = is_method and _module(value) == "sk_memorize"
            if not name.startswith("_") and (is_own or isinstance(member, property)):
                members.setdefault(name, member)
    return members


def _module(item: Any) -> str:
    """Tell the top-level package of a class or a function."""
    return (getattr(item, "__module__", None) or "").partition(".")[0]


def _sections() -> Iterator[str]:
    groups = defaultdict(list)
    for name in NAMES:
        module = getattr(getattr(sk_memorize, name), "__module__", None) or ""
        package, _, rest = module.partition(".")
        group = rest.partition(".")[0] if package == "sk_memorize" else ""
        groups[group or "other"].append(name)
    yield ".. currentmodule:: sk_memorize"
    for group in sorted(groups, key=_position):
        about = "What belongs to no module."
        if group != "other":
            about = inspect.getdoc(importlib.import_module(f"sk_memorize.{group}"))
        title = group.strip("_").capitalize()
        names = "\n".join(f"   {name}" for name in groups[group])
        yield f"{title}\n{'-' * len(title)}\n\n{about}"
        yield f".. autosummary::\n   :toctree: {PAGES}\n   :nosignatures:\n\n{names}"


def _position(group: str) -> tuple[int, str]:
    return (FIRST.index(group) if group in FIRST else len(FIRST), group)
