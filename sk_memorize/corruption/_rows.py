"""Recognizing the rows of a training set."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from joblib import hash as joblib_hash
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_samples

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
    def of(cls, y: ArrayLike, X: Any = None) -> Self:
        """Remember `y`, in a copy, and `X`, in a digest."""
        return cls(np.array(y), None if X is None else digest_rows(X))

    def have_labels(self, y: ArrayLike) -> bool:
        """Whether `y` holds the labels of these rows."""
        return np.array_equal(self.labels, np.asarray(y))

    def are(self, y: ArrayLike, X: Any) -> bool:
        """Whether `X` and `y` are these rows."""
        return self.have_labels(y) and self.digest == digest_rows(X)


def digest_rows(X: Any) -> str:
    """Hash the content of at most 512 evenly spaced rows, and the number of rows.

    Parameters
    ----------
    X : {array-like, sparse matrix, DataFrame} of shape (n_rows, ...)
        The rows.

    Returns
    -------
    digest : str
        Equal for equal rows, whatever their layout in memory.
    """
    n_rows = _num_samples(X)
    spaced = np.linspace(0, n_rows - 1, num=min(n_rows, _MAX_HASHED_ROWS))
    rows = _safe_indexing(X.tocsr() if issparse(X) else X, spaced.astype(np.intp))
    digest: str = joblib_hash((n_rows, _content(rows)), coerce_mmap=True)
    return digest


def _content(rows: Any) -> Any:
    """Reduce a container to its values: joblib would also hash its layout."""
    if issparse(rows):
        rows.sum_duplicates()  # sorts the indices, too
        return rows.shape, rows.data, rows.indices, rows.indptr
    if isinstance(rows, pd.DataFrame):
        return pd.util.hash_pandas_object(rows, index=False).to_numpy()
    return rows if isinstance(rows, list) else np.ascontiguousarray(rows)
