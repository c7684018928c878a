"""README's example and commands."""

import re
from pathlib import Path

import pytest

from sk_memorize import __version__
from sk_memorize.__main__ import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_example_prints_what_is_printed_there(capsys):
    (code,) = re.findall(r"```python\n(.*?)```", README, re.S)
    (printed,) = re.findall(r"```text\n(.*?)```", README, re.S)
    exec(code, {})
    assert capsys.readouterr().out == printed


def test_the_command_that_it_leads_with(capsys):
    assert "python -m sk_memorize" in README
    main(["--dataset", "digits"])
    table = capsys.readouterr().out.splitlines()[3:5]
    assert [row.split()[0] for row in table] == ["true", "permuted"]
    assert all("100.000%" in row for row in table)
    with pytest.raises(SystemExit):
        main(["--seed", "-1"])
    assert "random_state" in capsys.readouterr().err


def test_the_citation_is_of_this_version():
    citation = (ROOT / "CITATION.cff").read_text("utf-8")
    assert f"\nversion: {__version__}\n" in citation


def test_the_files_that_it_names_are_there():
    names = re.findall(r"benchmarks/\w+(?:/\w+)*\.(?:py|png)", README)
    names += re.findall(r"\]\(([^)]+)\)", README)
    assert len(set(names)) >= 8
    assert all((ROOT / name).exists() for name in names)
