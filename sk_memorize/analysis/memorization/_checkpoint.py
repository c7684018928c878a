"""A file of the sums, from which a call that was killed goes on."""

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import sklearn

from ..._atomic import open_file, replacing
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
        self.must = f"The 'checkpoint' parameter of {owner} must"
        if self.path.is_dir() or not self.path.parent.is_dir():
            raise ValueError(
                f"{self.must} be a file in a folder that exists. Got "
                f"{str(self.path)!r} instead."
            )

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
            raise ValueError(
                f"{self.must} be a file that this function wrote, or a new one. Got "
                f"{str(self.path)!r} instead, which cannot be read."
            ) from error
        differing = [
            name for name in self.header if header.get(name) != self.header[name]
        ]
        if differing:
            raise ValueError(
                f"{self.must} be a file of the same call, or a new one. Got "
                f"{str(self.path)!r} instead, of a call with another "
                f"{', '.join(differing)}."
            )
        return sums, seed

    def save(self, sums: Sums, seed: int) -> None:
        """Write the sums and the seed, in place of the file before."""
        with replacing(self.path) as temporary, temporary.open("wb") as file:
            header = json.dumps(self.header)
            np.savez(file, header=header, seed=seed, **sums.to_arrays())  # type: ignore[arg-type]


def hash_estimator(estimator: Any, owner: str) -> str:
    """Hash a classifier with its parameters."""
    try:
        return digest(estimator)
    except TypeError as error:
        raise ValueError(
            f"The 'checkpoint' parameter of {owner} must be None where the estimator "
            f"cannot be pickled: {error}. Got a file instead."
        ) from error


def versions() -> str:
    """Name the versions of the libraries that compute."""
    return f"numpy {np.__version__}, scikit-learn {sklearn.__version__}"
