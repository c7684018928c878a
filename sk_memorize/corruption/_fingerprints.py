"""Fingerprints, by which the rows of a training set are recognized."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.utils import _safe_indexing, column_or_1d, indexable
from sklearn.utils.validation import _num_samples

from .._fingerprint import digest

_MAX_HASHED_ROWS = 512


@dataclass(frozen=True, eq=False)
class TrainingRows:
    """The labels and the digest of the rows an estimator was fitted to.

    Labels alone do not identify rows: two folds of a stratified split of sorted labels
    have the same ones.

    Attributes
    ----------
    labels : ndarray of shape (n_rows,)
        The labels, before any corruption.
    digest : str or None
        Digest of the rows of `X`, None if there was no `X`.
    """

    labels: NDArray
    digest: str | None = None

    @classmethod
    def of(cls, y: ArrayLike, X: ArrayLike | None = None) -> Self:
        """Remember `y`, in a copy, and `X`, in a digest."""
        return cls(np.array(column_or_1d(y)), None if X is None else digest_rows(X))

    def have_labels(self, y: ArrayLike) -> bool:
        """Whether `y` holds the labels of these rows."""
        return np.array_equal(self.labels, column_or_1d(y))

    def are(self, y: ArrayLike, X: ArrayLike) -> bool:
        """Whether `X` and `y` are these rows."""
        return self.have_labels(y) and self.digest == digest_rows(X)


def digest_rows(X: ArrayLike) -> str:
    """Hash the content of at most 512 evenly spaced rows, and the number of rows.

    Parameters
    ----------
    X : {array-like, sparse matrix, DataFrame} of shape (n_rows, ...)
        The rows.

    Returns
    -------
    digest : str
        Equal for equal rows, whatever holds them, and in any process.
    """
    n_rows = _num_samples(X)
    spaced = np.linspace(0, n_rows - 1, num=min(n_rows, _MAX_HASHED_ROWS))
    rows = _safe_indexing(indexable(X)[0], spaced.astype(np.intp))
    return digest((n_rows, _content(rows)))


def _content(rows: Any) -> Any:
    """Reduce a container to its values: numbers to float64, whatever holds them."""
    if issparse(rows):
        return rows.astype(np.float64)
    try:
        array = np.asarray(rows)
    except (TypeError, ValueError, RuntimeError):  # lists of different lengths
        return rows
    if array.dtype.kind not in "biuf":
        return array
    numbers = array.astype(np.float64) + 0.0  # which makes negative zeros positive
    numbers[np.isnan(numbers)] = np.nan
    return numbers
