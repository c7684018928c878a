"""README's example and commands."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_example_does_what_its_comments_say(capsys):
    _, code = re.findall(r"```python\n(.*?)```", README, re.S)
    namespace = {}
    exec(code, namespace)
    scores = namespace["scores"]
    assert scores["train_fitted_accuracy"].tolist() == [1.0] * 5
    assert scores["train_accuracy"] == pytest.approx(0.8, abs=1e-3)
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_the_files_that_it_names_are_there():
    names = re.findall(r"benchmarks/\w+(?:/\w+)*\.(?:py|png)", README)
    assert len(set(names)) >= 4
    assert all((ROOT / name).is_file() for name in names)
