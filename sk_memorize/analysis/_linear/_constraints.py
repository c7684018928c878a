"""Separability as a system of linear inequalities, one for each row and rival class."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Mask = NDArray[np.bool_]

CHUNK = 4096  # rows


class Entries(NamedTuple):
    """Some of the inequalities, with weights.

    Attributes
    ----------
    rows : ndarray of shape (n_entries,)
        Row of the data.
    rivals : ndarray of shape (n_entries,)
        Code of a class other than the row's.
    weights : ndarray of shape (n_entries,)
        Positive weights.
    """

    rows: Codes
    rivals: Codes
    weights: Floats

    def take(self, index: Codes | Mask) -> "Entries":
        """Keep some of the entries."""
        return Entries(self.rows[index], self.rivals[index], self.weights[index])


@dataclass(frozen=True, eq=False)
class Constraints:
    """Kesler's construction: the score of a row's class exceeds all other scores.

    Parameters
    ----------
    features : ndarray of shape (n_rows, n_features)
        The rows; a column of ones stands for the intercept.
    codes : ndarray of shape (n_rows,)
        Their classes, from 0.
    n_classes : int
        Number of classes, at least two.

    Notes
    -----
    Weights W have the shape (n_classes - 1, n_features): the scores of class 0 are 0,
    for only differences of scores count. With two classes, W is the hyperplane whose
    positive side is class 1. An inequality says that the score of row i for its own
    class is larger than that for another one, k. Arrays of shape (n_rows, n_classes)
    hold a number for each inequality, and something of no consequence where k is the
    class of the row itself.
    """

    features: Floats
    codes: Codes
    n_classes: int

    def take(self, rows: Codes) -> "Constraints":
        """Keep the inequalities of some of the rows."""
        return Constraints(self.features[rows], self.codes[rows], self.n_classes)

    @property
    def is_own(self) -> Mask:
        """Where the rival would be the row's own class."""
        return self.codes[:, None] == np.arange(self.n_classes)

    def margins(self, W: Floats) -> Floats:
        """Compute the differences of scores, infinite for a row's own class."""
        return self.differences(W, np.inf)

    def differences(self, W: Floats, own: float) -> Floats:
        """Compute the differences of scores, and put `own` for a row's own class."""
        scores = np.zeros((len(self.codes), self.n_classes))
        scores[:, 1:] = self.features @ W.T
        differences = np.take_along_axis(scores, self.codes[:, None], axis=1) - scores
        differences[self.is_own] = own
        return differences

    def combine(self, weights: Floats) -> Floats:
        """Sum the gradients of the differences with weights, in the shape of W."""
        return balance(weights, self.codes)[:, 1:].T @ self.features

    def gram(self, active: Mask) -> Floats:
        """Sum the outer squares of the gradients of the active inequalities."""
        d, n_blocks = self.features.shape[1], self.n_classes - 1
        own = self.is_own[:, 1:]
        rivals = active[:, 1:]
        n_active = active.sum(axis=1, keepdims=True)
        gram = np.zeros((n_blocks, d, n_blocks, d))
        for k in range(n_blocks):
            counts = np.where(own[:, k], n_active[:, 0], rivals[:, k])
            gram[k, :, k] = self._weighted_gram(counts)
            for other in range(k):
                counts = own[:, k] & rivals[:, other] | own[:, other] & rivals[:, k]
                gram[k, :, other] = -self._weighted_gram(counts)
                gram[other, :, k] = gram[k, :, other].T
        return gram.reshape(n_blocks * d, n_blocks * d)

    def _weighted_gram(self, counts: NDArray) -> Floats:
        index = np.flatnonzero(counts)
        gram = np.zeros((self.features.shape[1],) * 2)
        for start in range(0, len(index), CHUNK):
            some = index[start : start + CHUNK]
            part = self.features[some]
            part *= np.sqrt(counts[some])[:, None]
            gram += part.T @ part
        return gram


def balance(weights: Floats, codes: Codes) -> Floats:
    """Turn weights of inequalities into the factors of the rows in each class's sum.

    Parameters
    ----------
    weights : ndarray of shape (n_rows, n_classes)
        Weights, 0 for a row's own class.
    codes : ndarray of shape (n_rows,)
        The classes of the rows.

    Returns
    -------
    factors : ndarray of shape (n_rows, n_classes)
        Each row sums to 0.
    """
    factors = -weights
    factors[np.arange(len(codes)), codes] = weights.sum(axis=1)
    return factors
