"""The floors of the package: what may import what."""

import ast
from pathlib import Path

import sk_memorize

PACKAGE = Path(sk_memorize.__file__).parent
# The wings whose public names each wing may import. Scripts may import those of all.
WINGS = {
    "ground floor": set(),
    "datasets": set(),
    "corruption": set(),
    "preprocessing": set(),
    "neural": {"preprocessing"},
    "analysis": {"datasets", "corruption", "neural"},
    "plotting": {"analysis"},
}


def imported(path):
    """Yield the absolute dotted names that a file imports."""
    here = ["sk_memorize", *path.parent.parts[len(PACKAGE.parts) :]]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level + 1] if node.level else []
            module = ".".join([*base, *filter(None, [node.module])])
            yield from (f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_no_import_runs_up_or_into_a_private_file_of_another_wing():
    files = dict.fromkeys((PACKAGE.parent / "benchmarks").rglob("*.py"), "scripts")
    files |= dict.fromkeys((PACKAGE.parent / "examples").glob("*.py"), "scripts")
    files |= dict.fromkeys(PACKAGE.glob("_[a-z]*.py"), "ground floor")
    for wing in WINGS:
        files |= dict.fromkeys((PACKAGE / wing).rglob("*.py"), wing)
    assert len(set(files.values())) == len(WINGS) + 1
    for path, own in files.items():
        for name in imported(path):
            package, wing, *inner = [*name.split("."), "", ""][:3]
            if package == "sk_memorize" and wing in WINGS and wing != own:
                assert wing in WINGS.get(own, WINGS), (path, name)
                assert not inner[0].startswith("_"), (path, name)
