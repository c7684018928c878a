"""Lists that the tests and the lowest versions are taken from are up to date."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_lowest_versions_are_those_of_the_project():
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    tried = (ROOT / ".ci" / "lowest.txt").read_text("utf-8")
    named = dict(re.findall(r'"([a-z-]+)(?:\[\w+\])?>=([\d.]+)"', project))
    del named["hatchling"]  # builds the package, and is not installed with it
    assert dict(re.findall(r"^([a-z-]+)==(.+)\.\*$", tried, re.M)) == named


def test_the_slow_tests_are_there():
    _, *entries = (ROOT / "tests" / "slow.txt").read_text("utf-8").splitlines()
    for name, _, test in (entry.partition("::") for entry in entries):
        assert f"def {test}" in (ROOT / "tests" / name).read_text("utf-8"), test
