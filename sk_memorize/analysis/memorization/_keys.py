"""Keys of rows: hashes of their contents, whatever the container and the order."""

from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array, issparse
from sklearn.utils import _safe_indexing

Keys = NDArray[np.uint64]

_CHUNK = 2**20  # numbers that are converted at a time


def row_keys(X: ArrayLike) -> Keys:
    """Hash the content of each row.

    Parameters
    ----------
    X : {array-like, sparse matrix, DataFrame} of shape (n_rows, ...)
        The rows: numbers, strings, anything with a value to compare.

    Returns
    -------
    keys : ndarray of shape (n_rows,), uint64
        Equal for equal rows; for others different, unless 64 bits collide.
    """
    digests = b"".join(blake2b(row, digest_size=8).digest() for row in _rows(X))
    return np.frombuffer(digests, np.uint64)


def value_keys(values: ArrayLike) -> Keys:
    """Hash each value of a column: numbers, strings, missing values."""
    column = np.asarray(values)
    if column.dtype.kind in "fc":
        column = column + 0.0  # negative zeros are zeros
    elif column.dtype.kind not in "biuMm":
        column = column.astype(object)
    keys: Keys = pd.util.hash_array(column, categorize=False)
    return keys


def _rows(X: Any) -> Iterator[bytes]:
    """Turn each row into bytes, the same in an array, a frame and a sparse matrix."""
    if not issparse(X):
        if hasattr(X, "columns") and np.asarray(X).dtype.kind not in "fiub":
            columns = (_safe_indexing(X, i, axis=1) for i in range(X.shape[1]))
            X = np.column_stack([value_keys(column) for column in columns])
        X = np.asarray(X)
        X = X.reshape(len(X), -1)
        if X.dtype.kind not in "fiub":
            X = np.column_stack([value_keys(column) for column in X.T])
    # SciPy takes neither other orders of the bytes nor numbers of two bytes.
    native = X.dtype.newbyteorder("=")
    dtype = np.float32 if native == np.float16 else native
    n_rows = X.shape[0] if issparse(X) else max(1, _CHUNK // max(1, X.shape[1]))
    for start in range(0, X.shape[0], n_rows):
        # Rows are their nonzero elements, so wide sparse ones are never made dense.
        part = X if issparse(X) else X[start : start + n_rows]
        chunk = csr_array(part.astype(dtype))
        chunk.sum_duplicates()  # sorts the indices, too
        chunk.eliminate_zeros()
        columns, ends = chunk.indices.astype(np.int64), chunk.indptr[1:]
        for begin, end in zip(chunk.indptr[:-1], ends, strict=True):
            yield columns[begin:end].tobytes() + chunk.data[begin:end].tobytes()
