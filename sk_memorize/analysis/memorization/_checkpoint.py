"""A file of the sums, from which a call that was killed goes on."""

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
import torch

from ..._atomic import open_file, replacing
from ..._errors import wrong
from ..._fingerprint import digest
from ._sums import Sums

_UNREADABLE = (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile)


class Checkpoint:
    """The sums of the fits that are finished, and what they are of.

    Parameters
    ----------
    path : str or path-like
        The file.
    header : dict of {str: str or int or None}
        What decides the sums, but for the seed.
    owner : str
        The function that errors name.
    """

    def __init__(
        self, path: str | os.PathLike[str], header: dict[str, Any], owner: str
    ) -> None:
        self.path = Path(path)
        self.header = header
        self.owner = owner
        if self.path.is_dir() or not self.path.parent.is_dir():
            raise self._refusal("be a file in a folder that exists")

    def load(self) -> tuple[Sums, int] | None:
        """Read the sums and the seed, if there is a file."""
        if not self.path.exists():
            return None
        try:
            with open_file(self.path) as file, np.load(file) as contents:
                arrays = dict(contents)
            header = json.loads(str(arrays.pop("header")))
            seed = int(arrays.pop("seed"))
            sums = Sums(**arrays)
        except (*_UNREADABLE, TypeError) as error:
            must = "be a file that this function wrote, or a new one"
            raise self._refusal(must, "it cannot be read") from error
        differing = [
            name for name in self.header if header.get(name) != self.header[name]
        ]
        if differing:
            why = f"it is of a call with another {', '.join(differing)}"
            raise self._refusal("be a file of the same call, or a new one", why)
        return sums, seed

    def save(self, sums: Sums, seed: int) -> None:
        """Write the sums and the seed; the file before is replaced."""
        with replacing(self.path) as temporary, temporary.open("wb") as file:
            header = json.dumps(self.header)
            np.savez(file, header=header, seed=seed, **vars(sums))

    def _refusal(self, must: str, why: str = "") -> ValueError:
        got = repr(str(self.path))
        return ValueError(wrong("checkpoint", self.owner, must, got, why))


def hash_estimator(estimator: object, owner: str) -> str:
    """Hash a classifier with its parameters."""
    try:
        return digest(estimator)
    except TypeError as error:
        must = f"be None where the estimator cannot be pickled: {error}"
        raise ValueError(wrong("checkpoint", owner, must, "a file")) from error


def versions() -> str:
    """Name the versions of the libraries that compute."""
    modules = np, sklearn, torch
    return ", ".join(f"{module.__name__} {module.__version__}" for module in modules)
