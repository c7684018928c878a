"""What the tests of wrong arguments share: a row of their tables, and how it is tried.

A row tells what is called, what is wrong, and the words that the error must say: by
custom three fragments, which name the parameter, what was expected and what was given.
"""

import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch


@dataclass(frozen=True)
class Case:
    """A call that must be refused.

    Attributes
    ----------
    of : str
        The public name, with a method if it is a class: "LabelPermuter.fit".
    name : str
        What is wrong, in a word or two.
    params : dict
        Arguments of the constructor.
    data : dict
        Arguments of the function or method.
    words : tuple of str
        Parts of the message, in their order.
    error : type
        Class of the error.
    """

    of: str
    name: str
    params: dict[str, Any]
    data: dict[str, Any]
    words: tuple[str, ...]
    error: type[Exception]

    def __str__(self) -> str:
        return f"{self.of}-{self.name}"


def wrong_parameters(of, *rows, error=ValueError):
    """Make cases of rows ``(name, params, *words)``."""
    return [Case(of, name, p, {}, tuple(words), error) for name, p, *words in rows]


def wrong_data(of, *rows, error=ValueError, **params):
    """Make cases of rows ``(name, data, *words)``, all with the same parameters."""
    return [
        Case(of, name, params, data, tuple(words), error) for name, data, *words in rows
    ]


def each(cases):
    """Parametrize a test function over cases."""
    return pytest.mark.parametrize("case", cases, ids=str)


@contextmanager
def refused(case: Case) -> Iterator[None]:
    """Expect the error of a case, and that no global generator was used before it."""
    # Any characters, line feeds among them, may stand between the parts.
    pattern = "(?s)" + ".*".join(map(re.escape, case.words))
    before = _global_generators()
    with pytest.raises(case.error, match=pattern):
        yield
    assert _global_generators() == before


def never(*args, **kwargs):
    """Take the place of the work that must not begin."""
    raise AssertionError("the work began")


def _global_generators():
    name, keys, *rest = np.random.get_state()
    state = torch.get_rng_state().numpy().tobytes()
    return random.getstate(), name, keys.tobytes(), rest, state
