"""Checks of arguments, rows and labels; groups of equal rows."""

from collections.abc import Callable
from numbers import Integral
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.utils import check_array
from sklearn.utils._param_validation import Interval, validate_params

from .._equal_rows import elect_labels, first_positions, group_equal_rows
from .._errors import wrong
from .._labels import check_labels, describe
from .._torch_state import own_torch_state

Indices = NDArray[np.intp]
F = TypeVar("F", bound=Callable)

N_JOBS = [
    Interval(Integral, 1, None, closed="left"),
    Interval(Integral, None, -1, closed="right"),
    None,
]

# Squares of larger or smaller numbers, and their sums, leave the range of float64.
_LARGEST, _SMALLEST = 1e100, 1e-100


def checks_arguments(**constraints: object) -> Callable[[F], F]:
    """Make a decorator that checks the arguments of an experiment with a classifier.

    Parameters
    ----------
    **constraints : list of constraints
        Those of the arguments other than the ones that all experiments have. The
        classifier is checked in the experiment, and itself checks its parameters.

    Returns
    -------
    decorator : callable
        scikit-learn's.
    """
    shared = {
        "estimator": "no_validation",
        "n_jobs": N_JOBS,
        "random_state": ["random_state"],
    }
    return validate_params(shared | constraints, prefer_skip_nested_validation=False)


def refuse_dates(values: object, name: str, owner: str) -> None:
    """Refuse dates and durations, which NumPy converts to numbers, even NaT.

    Parameters
    ----------
    values : object
        The argument.
    name, owner : str
        The parameter and the class or function that the error names.
    """
    for dtype in np.ravel(getattr(values, "dtypes", getattr(values, "dtype", ""))):
        if str(dtype).lower().startswith(("date", "time", "duration", "period")):
            got, hint = f"values of type {dtype}", "make numbers of them, such as days"
            raise ValueError(wrong(name, owner, "hold numbers", got, hint))


def _check_rows(X: ArrayLike, owner: str) -> NDArray:
    """Return `X` as a finite 2d array of float32 or float64."""
    must = "be a 2d array-like of numbers"
    if issparse(X):
        got = f"a sparse matrix of shape {np.shape(X)}"
        dense = "be a dense 2d array-like of numbers"
        raise TypeError(wrong("X", owner, dense, got, "X.toarray() is dense"))
    refuse_dates(X, "X", owner)
    try:
        rows = check_array(
            X, dtype=[np.float64, np.float32], ensure_all_finite=False, ensure_2d=False
        )
    except (TypeError, ValueError) as error:
        must += " with at least one row and one column"
        raise ValueError(wrong("X", owner, must, describe(X))) from error
    if rows.ndim != 2:
        raise ValueError(wrong("X", owner, must, describe(X)))
    largest = max(float(rows.max()), -float(rows.min()))
    if not np.isfinite(largest):
        row, column = np.argwhere(~np.isfinite(rows))[0]
        got = f"{rows[row, column]} in row {row}, column {column}"
        raise ValueError(wrong("X", owner, "be finite", got))
    if largest and not _SMALLEST <= largest <= _LARGEST:
        must = f"have its largest magnitude in [{_SMALLEST:g}, {_LARGEST:g}]"
        got, hint = f"{largest:g}", "multiply X by a constant"
        raise ValueError(wrong("X", owner, must, got, hint))
    return rows


def check_rows_and_labels(
    X: ArrayLike, y: ArrayLike, owner: str
) -> tuple[NDArray, NDArray]:
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
    rows = _check_rows(X, owner)
    if len(rows) != len(labels):
        must = f"have one label for each of the {len(rows)} rows of X"
        raise ValueError(wrong("y", owner, must, f"{len(labels)} labels"))
    return rows, labels


def find_classes(labels: NDArray, owner: str) -> tuple[NDArray, Indices]:
    """Find the classes, at least two, and the index of each label's class."""
    classes, codes = np.unique(labels, return_inverse=True)
    if len(classes) < 2:
        # scikit-learn's estimator checks expect the words "one class".
        got = f"one class, {classes.tolist()[0]!r},"
        raise ValueError(wrong("y", owner, "have at least two classes", got))
    return classes, codes


def find_equal_rows(X: NDArray) -> tuple[Indices, Indices]:
    """Group equal rows.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float32 or float64
        The rows.

    Returns
    -------
    groups : ndarray of shape (n_samples,)
        The number of each row's group, from 0.
    first : ndarray of shape (n_groups,)
        The index of each group's first row.
    """
    with own_torch_state():
        # torch views neither read-only arrays nor negative strides: copy those.
        rows = torch.from_numpy(np.require(X, requirements=["C", "W"]))
        groups, _ = group_equal_rows(rows)
        first = first_positions(groups, int(groups.max()) + 1)
    return groups.numpy(), first.numpy()


def elect(groups: Indices, codes: Indices) -> tuple[Indices, float]:
    """Find each group's most frequent class, and the accuracy that this attains."""
    with own_torch_state():
        elected, accuracy = elect_labels(
            torch.from_numpy(groups), torch.from_numpy(codes)
        )
    return elected.numpy(), accuracy
