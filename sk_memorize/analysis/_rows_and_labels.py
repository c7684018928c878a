"""Rows and labels as given by the caller, checked before any work."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from sk_memorize._labels import check_labels, describe

# Squares of larger and smaller numbers, and sums of them, leave the range of float64.
_LARGEST, _SMALLEST = 1e100, 1e-100


def refuse_dates(values: Any, name: str, owner: str) -> None:
    """Refuse dates and durations, which NumPy takes for numbers, NaT among them.

    Parameters
    ----------
    values : object
        What was given.
    name, owner : str
        The parameter and the class or function that the error names.
    """
    for dtype in np.ravel(getattr(values, "dtypes", getattr(values, "dtype", ""))):
        if str(dtype).lower().startswith(("date", "time", "duration", "period")):
            raise ValueError(
                f"The {name!r} parameter of {owner} must hold numbers. Got values of "
                f"type {dtype} instead; make numbers of them, such as days."
            )


def check_rows(X: Any, owner: str) -> NDArray:
    """Return `X` as a finite 2d array of float32 or float64.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        What was given.
    owner : str
        The function that the error names.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        Its numbers.
    """
    must = f"The 'X' parameter of {owner} must"
    if issparse(X):
        raise TypeError(
            f"{must} be a dense 2d array-like of numbers. Got a sparse matrix of shape "
            f"{X.shape} instead; X.toarray() is dense."
        )
    refuse_dates(X, "X", owner)
    try:
        rows = check_array(
            X, dtype=[np.float64, np.float32], ensure_all_finite=False, ensure_2d=False
        )
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{must} be a 2d array-like of numbers with at least one row and one "
            f"column. Got {describe(X)} instead."
        ) from error
    if rows.ndim != 2:
        raise ValueError(
            f"{must} be a 2d array-like of numbers. Got {describe(X)} instead."
        )
    largest = max(float(rows.max()), -float(rows.min()))
    if not np.isfinite(largest):
        row, column = np.argwhere(~np.isfinite(rows))[0]
        raise ValueError(
            f"{must} be finite. Got {rows[row, column]} in row {row}, column {column} "
            "instead."
        )
    if largest and not _SMALLEST <= largest <= _LARGEST:
        raise ValueError(
            f"{must} have its largest magnitude in [{_SMALLEST:g}, {_LARGEST:g}]. Got "
            f"{largest:g} instead; multiply X by a constant."
        )
    return rows


def check_rows_and_labels(X: Any, y: ArrayLike, owner: str) -> tuple[NDArray, NDArray]:
    """Return `X` and `y` as arrays of the same length.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        The rows.
    y : array-like of shape (n_samples,)
        The labels.
    owner : str
        The function that the error names.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        The rows.
    y : ndarray of shape (n_samples,)
        The labels.
    """
    labels = check_labels(y, owner)
    rows = check_rows(X, owner)
    if len(rows) != len(labels):
        raise ValueError(
            f"The 'y' parameter of {owner} must have one label for each of the "
            f"{len(rows)} rows of X. Got {len(labels)} labels instead."
        )
    return rows, labels


def validate_rows_and_labels(estimator: Any, X: Any, y: Any) -> tuple[NDArray, NDArray]:
    """Validate what a classifier is fitted to, as scikit-learn's classifiers do.

    Parameters
    ----------
    estimator : estimator instance
        The classifier, on which the number and the names of the columns are set.
    X : array-like of shape (n_samples, n_features)
        The rows.
    y : array-like of shape (n_samples,)
        The labels.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        The rows, in float32 or float64.
    y : ndarray of shape (n_samples,)
        The labels.
    """
    owner = type(estimator).__name__
    if y is not None:  # scikit-learn's error is clear, and its checks expect it
        y = check_labels(y, owner)
    refuse_dates(X, "X", owner)
    X, y = validate_data(estimator, X, y, dtype=[np.float64, np.float32])
    return X, y
