"""What no tool checks: imports go down only, and the lowest versions are tried."""

import ast
import re
from importlib.util import resolve_name
from pathlib import Path

import pytest

import sk_memorize

PACKAGE = Path(sk_memorize.__file__).parent
GROUND = {path.stem for path in PACKAGE.glob("_[!_]*.py")}
BELOW = {
    "": GROUND,  # the files beside __init__.py
    **dict.fromkeys(("corruption", "datasets", "neural"), GROUND),
    "analysis": GROUND | {"corruption"},
    "plotting": GROUND | {"analysis"},
}


def find_imports(path):
    """Find the files and wings of the package that a file imports from."""
    package = ".".join(path.relative_to(PACKAGE.parent).parent.parts)
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            module = resolve_name("." * node.level + (node.module or ""), package)
            for alias in node.names:
                top, part, *_ = f"{module}.{alias.name}".split(".")
                yield from [part] if top == PACKAGE.name else []


@pytest.mark.parametrize("wing", BELOW)
def test_imports_go_down(wing):
    for path in (PACKAGE / wing).glob("**/*.py" if wing else "_[!_]*.py"):
        assert set(find_imports(path)) <= BELOW[wing] | {wing}, path


def test_every_wing_has_its_place():
    assert BELOW.keys() == {""} | {p.parent.name for p in PACKAGE.glob("*/__init__.py")}


def test_the_lowest_versions_are_those_of_the_project():
    root = Path(__file__).parents[1]
    project = (root / "pyproject.toml").read_text("utf-8")
    tried = (root / ".ci" / "lowest.txt").read_text("utf-8")
    named = dict(re.findall(r'"([a-z-]+)(?:\[\w+\])?>=([\d.]+)"', project))
    del named["hatchling"]  # builds the package, and is not installed with it
    assert dict(re.findall(r"^([a-z-]+)==(.+)\.\*$", tried, re.M)) == named
