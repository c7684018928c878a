"""Tensors of arrays and sparse matrices, whose rows are made dense a few at a time."""

import warnings
from collections.abc import Iterator
from typing import Self

import numpy as np
import torch
from scipy.sparse import csr_matrix, issparse
from torch import Tensor


class SparseRows:
    """What the training asks of a tensor of inputs, for a sparse matrix.

    Parameters
    ----------
    matrix : scipy.sparse matrix or array of shape (n_rows, n_features), CSR
        The rows. They are not copied.
    """

    def __init__(self, matrix: csr_matrix) -> None:
        self._matrix = matrix
        self.shape = matrix.shape
        self.dtype = torch.from_numpy(np.empty(0, matrix.dtype)).dtype
        self.device = torch.device("cpu")

    def __len__(self) -> int:
        return int(self.shape[0])

    def __getitem__(self, index: Tensor) -> Tensor:
        return torch.from_numpy(self._matrix[index.numpy()].toarray())

    def split(self, n_rows: int) -> Iterator[Tensor]:
        """Yield all rows, so many at a time."""
        for start in range(0, len(self), n_rows):
            part = self._matrix[start : start + n_rows]
            yield torch.from_numpy(part.toarray())

    def amin(self, dim: int) -> Tensor:
        """Find the smallest value of each column."""
        return torch.from_numpy(self._matrix.min(axis=dim).toarray().ravel())

    def amax(self, dim: int) -> Tensor:
        """Find the largest value of each column."""
        return torch.from_numpy(self._matrix.max(axis=dim).toarray().ravel())

    def take(self, index: Tensor) -> Self:
        """Copy some rows, which stay sparse."""
        return type(self)(self._matrix[index.numpy()])


def as_tensor(X: np.ndarray | csr_matrix) -> Tensor | SparseRows:
    """View an array as a tensor that must not be written to, sparse rows as such."""
    if issparse(X):
        return SparseRows(X)
    if min(X.strides, default=0) < 0:
        X = X.copy()
    # torch warns about read-only arrays: it has no read-only tensors.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return torch.from_numpy(X)
