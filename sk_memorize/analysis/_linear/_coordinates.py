"""Coordinates in which a system of inequalities is solved well."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg
from scipy.linalg import lapack

from sk_memorize.analysis._linear._constraints import CHUNK, Floats, Mask

# Above this reciprocal condition number no singular value is near zero.
_WELL_CONDITIONED = 1e-8


@dataclass(frozen=True, eq=False)
class Coordinates:
    """Rows in new coordinates, and the way back.

    Attributes
    ----------
    features : ndarray of shape (n_rows, n_dimensions) or (n_rows, n_dimensions + 1)
        ``(X - center) @ basis - offset``, and a column of ones if there is an
        intercept.
    center : ndarray of shape (n_features,)
        A point, zero if there is no intercept.
    basis : ndarray of shape (n_features, n_dimensions)
        A linear map.
    offset : ndarray of shape (n_dimensions,) or float
        What rounding of the center has left of the mean.
    """

    features: Floats
    center: Floats
    basis: Floats
    offset: Floats | float = 0.0

    def to_hyperplanes(self, W: Floats) -> tuple[Floats, Floats]:
        """Compute coefficients and intercepts in the original columns."""
        n_dimensions = self.basis.shape[1]
        coef = W[:, :n_dimensions] @ self.basis.T
        if W.shape[1] == n_dimensions:
            return coef, np.zeros(len(W))
        offset = (W[:, :n_dimensions] * self.offset).sum(axis=1)
        return coef, W[:, -1] - offset - coef @ self.center


def power_of_two(values: NDArray) -> NDArray[np.int32]:
    """Find exponents e with values in [2**(e - 1), 2**e), 0 for a zero."""
    # Factors of smaller numbers would overflow.
    return np.maximum(np.frexp(values)[1], -500)


def scale_columns(X: Floats, center: Floats, varies: Mask) -> tuple[Floats, Floats]:
    """Center the columns that vary and scale them to about the same size.

    Returns
    -------
    scaled : ndarray of shape (n_rows, n_varying)
        ``(X - center) * factors`` in the varying columns, each entry rounded once.
    factors : ndarray of shape (n_varying,)
        Powers of two.
    """
    centered = X[:, varies] - center[varies]
    factors = np.ldexp(1.0, -power_of_two(np.abs(centered).max(axis=0, initial=0)))
    centered *= factors  # now the squares can neither overflow nor vanish
    exponents = power_of_two(np.sqrt(np.square(centered).mean(axis=0)))
    centered *= np.ldexp(1.0, -exponents)
    return centered, factors * np.ldexp(1.0, -exponents)


def varying(X: Floats, *, fit_intercept: bool) -> Mask:
    """Find the columns that are not constant, or without intercept not zero."""
    first = X[0] if fit_intercept else np.zeros(X.shape[1])
    varies: Mask = np.any(np.not_equal(X, first), axis=0)
    return varies


def whiten(X: Floats, *, fit_intercept: bool) -> tuple[Coordinates, int]:
    """Find coordinates in which the columns are orthogonal and of unit variance.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        The rows.
    fit_intercept : bool
        Whether a column of ones is appended.

    Returns
    -------
    coordinates : Coordinates
        Of as many dimensions as the rows span numerically.
    rank : int
        Numerical rank of X, with a column of ones if there is an intercept: the number
        of singular values above the largest one times the larger side of X times the
        machine epsilon, after centering (with an intercept only) and scaling of the
        columns.
    """
    varies = varying(X, fit_intercept=fit_intercept)
    center = X.mean(axis=0) if fit_intercept else np.zeros(X.shape[1])
    A, factors = scale_columns(X, center, varies)
    offset = A.mean(axis=0) if fit_intercept else np.zeros(A.shape[1])
    A -= offset
    directions = _whitening(A)
    features = A @ directions
    basis = np.zeros((X.shape[1], directions.shape[1]))
    basis[varies] = factors[:, None] * directions
    features = _append_ones(features, fit_intercept)
    return Coordinates(features, center, basis, offset @ directions), features.shape[1]


def _whitening(A: Floats) -> Floats:
    """Find a matrix T such that ``A @ T`` has orthogonal columns of unit variance."""
    n_rows, n_columns = A.shape
    if not A.size:
        return np.zeros((n_columns, 0))
    if n_rows >= n_columns:
        R, Q = triangle(A), None
        if lapack.dtrcon(R)[0] > _WELL_CONDITIONED:
            return lapack.dtrtri(R)[0] * np.sqrt(n_rows)
    else:
        Q, L = linalg.qr(A.T, mode="economic", check_finite=False)
        R = L.T
    _, values, directions = linalg.svd(R, full_matrices=False, check_finite=False)
    tolerance = values[0] * max(A.shape) * np.finfo(np.float64).eps
    rank = int((values > tolerance).sum())
    T = directions[:rank].T / values[:rank] * np.sqrt(n_rows)
    return T if Q is None else Q @ T


def triangle(A: Floats) -> Floats:
    """Compute the triangular factor of a QR decomposition, a chunk of rows at a time.

    Parameters
    ----------
    A : ndarray of shape (n_rows, n_columns)
        The matrix. It is not changed.

    Returns
    -------
    R : ndarray of shape (n_columns, n_columns)
        Upper triangular, with zeros below if there are few rows.
    """
    n_columns = A.shape[1]
    R = np.zeros((0, n_columns))
    for start in range(0, len(A), max(CHUNK, 2 * n_columns)):
        chunk = A[start : start + max(CHUNK, 2 * n_columns)]
        (R,) = linalg.qr(
            np.vstack([R, chunk]), mode="r", overwrite_a=True, check_finite=False
        )
        R = R[:n_columns]
    return np.vstack([R, np.zeros((n_columns - len(R), n_columns))])


def rotate(X: Floats, *, fit_intercept: bool) -> Coordinates:
    """Find coordinates that keep distances but for a unit, not more than rows."""
    varies = varying(X, fit_intercept=fit_intercept)
    center = X.mean(axis=0) if fit_intercept else np.zeros(X.shape[1])
    centered = X[:, varies] - center[varies]
    exponent = int(power_of_two(np.abs(centered).max(initial=0)))
    centered *= np.ldexp(1.0, -exponent)
    basis = np.zeros((X.shape[1], centered.shape[1]))
    basis[varies] = np.eye(centered.shape[1])
    if centered.shape[0] < centered.shape[1]:
        Q, L = linalg.qr(centered.T, mode="economic", check_finite=False)
        basis = basis @ Q
        centered = np.ascontiguousarray(L.T)
    features = _append_ones(centered, fit_intercept)
    return Coordinates(features, center, basis * np.ldexp(1.0, -exponent))


def _append_ones(features: Floats, fit_intercept: bool) -> Floats:
    if not fit_intercept:
        return features
    return np.column_stack([features, np.ones(len(features))])
