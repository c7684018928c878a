"""Columns in which a combination of rows vanishes if, and only if, it does in all."""

import math
from fractions import Fraction

import numpy as np
from scipy import linalg
from scipy.linalg import lapack

from sk_memorize.analysis._linear._constraints import Floats
from sk_memorize.analysis._linear._coordinates import scale_columns, triangle, varying
from sk_memorize.analysis._linear._exact import min_exponent, to_integers

# Below this share of the largest column, what remains of one is made of roundings.
_DEPENDENT = 1e-11
# A coefficient that is so close to a fraction with a small denominator is taken for it.
_CLOSE = 1e-8
_MAX_DENOMINATOR = 1000

_CHUNK = 1024  # rows


def design(rows: Floats, *, fit_intercept: bool) -> Floats:
    """Center and scale the columns of some rows, and replace those that depend.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_features)
        The rows.
    fit_intercept : bool
        Whether a column of ones is appended.

    Returns
    -------
    columns : ndarray of shape (n_rows, n_columns)
        Columns that span what those of `rows`, and of ones, do, but for a relative
        rounding error in each entry.

    Notes
    -----
    Constant columns are dropped. A column that is a linear combination of others up
    to rounding errors, as a total beside its parts, would make the matrix singular
    numerically. It is replaced by what remains of it, computed without rounding, when
    the combination is subtracted; or dropped, if that is zero.
    """
    varies = varying(rows, fit_intercept=fit_intercept)
    center = rows.mean(axis=0) if fit_intercept else np.zeros(rows.shape[1])
    columns, factors = scale_columns(rows, center, varies)
    if len(rows) > columns.shape[1] > 0:
        R = triangle(columns - columns.mean(axis=0) if fit_intercept else columns)
        if lapack.dtrcon(R)[0] < _DEPENDENT:
            columns = _replace_dependent(
                rows[:, varies], columns, factors, R, fit_intercept=fit_intercept
            )
    return np.column_stack([columns, np.ones(len(rows))]) if fit_intercept else columns


def _replace_dependent(
    rows: Floats, columns: Floats, factors: Floats, R: Floats, *, fit_intercept: bool
) -> Floats:
    _, R, order = linalg.qr(R, mode="economic", pivoting=True, check_finite=False)
    rank = int((np.abs(np.diag(R)) > _DEPENDENT * abs(R[0, 0])).sum())
    independent, dependent = order[:rank], order[rank:]
    solution = linalg.solve_triangular(R[:rank, :rank], R[:rank, rank:])
    kept = [columns[:, np.sort(independent)]]
    for j, coefficients in zip(dependent, solution.T, strict=True):
        coefficients = coefficients * factors[independent] / factors[j]
        used = np.abs(coefficients) > _CLOSE * np.abs(coefficients).max(initial=0)
        remainder = _subtract(
            rows[:, j],
            rows[:, independent[used]],
            [_to_fraction(value) for value in coefficients[used]],
            fit_intercept=fit_intercept,
        )
        if remainder.any():
            kept.append(
                scale_columns(remainder[:, None], np.zeros(1), np.ones(1, bool))[0]
            )
    return np.column_stack(kept)


def _to_fraction(value: float) -> Fraction:
    simple = Fraction(value).limit_denominator(_MAX_DENOMINATOR)
    return simple if abs(simple - value) <= _CLOSE * abs(value) else Fraction(value)


def _subtract(
    column: Floats, others: Floats, coefficients: list[Fraction], *, fit_intercept: bool
) -> Floats:
    """Subtract a combination of columns, exactly; the result is rounded once."""
    denominator = math.lcm(*(c.denominator for c in coefficients))
    numerators = np.array([int(c * denominator) for c in coefficients], object)
    exponent = min_exponent(column, others)
    remainder = np.concatenate(
        [
            to_integers(column[start : start + _CHUNK], exponent) * denominator
            - to_integers(others[start : start + _CHUNK], exponent) @ numerators
            for start in range(0, len(column), _CHUNK)
        ]
    )
    if fit_intercept:
        remainder = remainder - sum(remainder.tolist()) // len(remainder)
    # Integers of any size, brought near one before they are rounded.
    shift = max(int(value).bit_length() for value in remainder) - 64
    if shift > 0:
        return np.array([float(Fraction(value, 1 << shift)) for value in remainder])
    return remainder.astype(np.float64)
