"""Coordinates of the rows in which the system is well conditioned."""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from scipy import linalg
from scipy.linalg import lapack

from ._exact import subtract
from ._problem import CHUNK, Floats, Mask

# Above this reciprocal condition number no singular value is near zero.
_WELL_CONDITIONED = 1e-8

# A remainder below this fraction of the largest column consists of rounding errors.
_DEPENDENT = 1e-11
# A coefficient this close to a fraction with a small denominator is rounded to it.
_CLOSE = 1e-8
_MAX_DENOMINATOR = 1000


@dataclass(frozen=True, eq=False)
class Coordinates:
    """Rows in new coordinates, and the way back.

    Attributes
    ----------
    features : ndarray of shape (n_rows, n_dimensions) or (n_rows, n_dimensions + 1)
        ``(X - center) @ basis - offset``, and a column of ones if there is an
        intercept.
    center : ndarray of shape (n_features,)
        The mean, zero if there is no intercept.
    basis : ndarray of shape (n_features, n_dimensions)
        A linear map.
    offset : ndarray of shape (n_dimensions,) or float
        Mean that remains because the center is rounded.
    """

    features: Floats
    center: Floats
    basis: Floats
    offset: Floats | float = 0.0

    def to_hyperplanes(self, W: Floats) -> tuple[Floats, Floats]:
        """Compute coefficients and intercepts in the original columns.

        The scores of the first class, which are zero, are added.
        """
        n_dimensions = self.basis.shape[1]
        coef = W[:, :n_dimensions] @ self.basis.T
        intercept = np.zeros(len(W))
        if W.shape[1] > n_dimensions:
            offset = (W[:, :n_dimensions] * self.offset).sum(axis=1)
            intercept = W[:, -1] - offset - coef @ self.center
        return np.insert(coef, 0, 0.0, axis=0), np.insert(intercept, 0, 0.0)


def power_of_two(values: NDArray) -> NDArray[np.int32]:
    """Find exponents e with values in [2**(e - 1), 2**e), 0 for a zero."""
    # Factors of smaller numbers would overflow.
    return np.maximum(np.frexp(values)[1], -500)


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
    center, varies = _center(X, fit_intercept)
    A, factors = _scale_columns(X, center, varies)
    offset = A.mean(axis=0) if fit_intercept else np.zeros(A.shape[1])
    A -= offset
    directions = _whitening(A)
    basis = np.zeros((X.shape[1], directions.shape[1]))
    basis[varies] = factors[:, None] * directions
    features = _append_ones(A @ directions, fit_intercept)
    return Coordinates(features, center, basis, offset @ directions), features.shape[1]


def rotate(X: Floats, *, fit_intercept: bool) -> Coordinates:
    """Find coordinates that keep distances up to a unit, at most as many as rows."""
    center, varies = _center(X, fit_intercept)
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


def independent_columns(rows: Floats, *, fit_intercept: bool) -> Floats:
    """Center and scale the columns of some rows, and replace dependent ones.

    The columns returned span what those of the rows do, and ones with an intercept, up
    to a relative rounding error in each entry.

    Constant columns are dropped. A column that is a linear combination of others up
    to rounding errors, like a total next to its parts, would make the matrix
    numerically singular. It is replaced by the remainder after the combination is
    subtracted, computed without rounding, or dropped if the remainder is zero.
    """
    center, varies = _center(rows, fit_intercept)
    columns, factors = _scale_columns(rows, center, varies)
    if len(rows) > columns.shape[1] > 0:
        R = triangle(columns - columns.mean(axis=0) if fit_intercept else columns)
        if lapack.dtrcon(R)[0] < _DEPENDENT:
            columns = _replace_dependent(
                rows[:, varies], columns, factors, R, fit_intercept=fit_intercept
            )
    return _append_ones(columns, fit_intercept)


def triangle(A: Floats) -> Floats:
    """Compute the triangular factor of a QR decomposition, a chunk of rows at a time.

    It is square, with zeros below if there are fewer rows than columns.
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


def _center(X: Floats, fit_intercept: bool) -> tuple[Floats, Mask]:
    """Compute the means, and mask the columns that vary around them.

    Without intercept the center is zero.
    """
    center = X.mean(axis=0) if fit_intercept else np.zeros(X.shape[1])
    varies: Mask = np.any((X[0] if fit_intercept else 0) != X, axis=0)
    return center, varies


def _scale_columns(X: Floats, center: Floats, varies: Mask) -> tuple[Floats, Floats]:
    """Center the varying columns and scale them by powers of two to a similar size."""
    centered = X[:, varies] - center[varies]
    factors = np.ldexp(1.0, -power_of_two(np.abs(centered).max(axis=0, initial=0)))
    centered *= factors  # now the squares can neither overflow nor vanish
    exponents = power_of_two(np.sqrt(np.square(centered).mean(axis=0)))
    centered *= np.ldexp(1.0, -exponents)
    return centered, factors * np.ldexp(1.0, -exponents)


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


def _append_ones(features: Floats, fit_intercept: bool) -> Floats:
    if not fit_intercept:
        return features
    return np.column_stack([features, np.ones(len(features))])


def _replace_dependent(
    rows: Floats, columns: Floats, factors: Floats, R: Floats, *, fit_intercept: bool
) -> Floats:
    """Replace the columns that depend on others, by pivoted QR, with remainders."""
    _, R, order = linalg.qr(R, mode="economic", pivoting=True, check_finite=False)
    rank = int((np.abs(np.diag(R)) > _DEPENDENT * abs(R[0, 0])).sum())
    independent, dependent = order[:rank], order[rank:]
    solution = linalg.solve_triangular(R[:rank, :rank], R[:rank, rank:])
    kept = [columns[:, np.sort(independent)]]
    for j, coefficients in zip(dependent, solution.T, strict=True):
        coefficients = coefficients * factors[independent] / factors[j]
        used = np.abs(coefficients) > _CLOSE * np.abs(coefficients).max(initial=0)
        remainder = subtract(
            rows[:, j],
            rows[:, independent[used]],
            [_to_fraction(value) for value in coefficients[used]],
            fit_intercept=fit_intercept,
        )
        if remainder.any():
            kept.append(
                _scale_columns(remainder[:, None], np.zeros(1), np.ones(1, bool))[0]
            )
    return np.column_stack(kept)


def _to_fraction(value: float) -> Fraction:
    """Convert a coefficient to a fraction, a simple one if it is close."""
    simple = Fraction(value).limit_denominator(_MAX_DENOMINATOR)
    return simple if abs(simple - value) <= _CLOSE * abs(value) else Fraction(value)
