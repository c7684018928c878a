"""Labels: which are accepted, and the errors for the others.

Labels are whole numbers (integers, or floats without a fraction), booleans or strings,
all of one of these types: in lists, in arrays of NumPy or what converts to them, and in
columns of pandas that are plain, nullable or categorical, or of polars. Missing values
are no labels. Dates, durations, bytes, complex numbers, records, StringDType and other
objects are refused; converted to strings they are accepted.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from ._errors import wrong

_TAKEN = "hold whole numbers, booleans or strings, all of one type"


def check_labels(y: ArrayLike, owner: str) -> NDArray:
    """Return `y` as a nonempty 1d array of labels without missing values.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        What was given.
    owner : str
        The class or function that the error names.

    Returns
    -------
    labels : ndarray of shape (n_samples,)
        Booleans, integers, floats or strings, in the byte order of the machine.

    Raises
    ------
    TypeError
        If the labels are of another type, or of several.
    ValueError
        If `y` is not 1d or is empty, if a label is missing, infinite or too large, or
        if numbers have a fraction.

    Examples
    --------
    >>> import numpy as np
    >>> check_labels(np.array([1, 0], dtype=">i4"), "fit").dtype.isnative
    True
    >>> check_labels([1, "a"], "fit")
    Traceback (most recent call last):
    ...
    TypeError: Unknown label type. The 'y' parameter of fit must hold whole numbers, \
booleans or strings, all of one type. Got values of type int, str instead.
    """
    labels = as_labels(y, owner)
    if not len(labels):
        raise ValueError(wrong("y", owner, "have at least one label", "an empty array"))
    if labels.dtype.kind in "fOmM":
        _refuse_where(pd.isna(labels), labels, "be free of missing values", owner)
    if (types := _types_not_taken(y, labels)) is not None:
        raise TypeError(
            # scikit-learn's estimator checks expect these first words.
            "Unknown label type. "
            + wrong("y", owner, _TAKEN, f"values of type {types}")
        )
    if labels.dtype.kind == "f":
        # scikit-learn converts them to integers of 64 bits.
        is_large = np.abs(labels, dtype=np.float64) >= 2**63
        _refuse_where(is_large, labels, "be finite and less than 2**63", owner)
    try:
        check_classification_targets(labels)
    except ValueError as error:
        # scikit-learn's estimator checks expect the first sentence of the error.
        fractional = labels[labels % 1 != 0]
        raise ValueError(
            f"{str(error).partition('.')[0]}. "
            + wrong("y", owner, _TAKEN, show_value(fractional, 0))
        ) from error
    return labels


def as_labels(y: ArrayLike, owner: str) -> NDArray:
    """Return `y` as a 1d array in the byte order of the machine."""
    if np.ma.is_masked(y):
        raise ValueError(
            wrong("y", owner, "be free of missing values", "a masked array")
        )
    try:
        labels: NDArray = column_or_1d(_without_nullable(y), warn=True)
    except ValueError as error:
        # scikit-learn's estimator checks expect these words.
        words = "Complex data not supported"
        reason = f"{words}. " if str(error).startswith(words) else ""
        must = "be a 1d array-like of labels"
        raise ValueError(reason + wrong("y", owner, must, describe(y))) from error
    return as_native(labels)


def take_labels(y: ArrayLike, labels: NDArray, rows: NDArray[np.intp]) -> Any:
    """Take the labels of `rows`; a Series keeps its dtype, index and name."""
    if isinstance(y, pd.Series):
        swapped = isinstance(y.dtype, np.dtype) and not y.dtype.isnative
        column = y.astype(y.dtype.newbyteorder("=")) if swapped else y
        return column.take(rows.tolist()).set_axis(y.index)
    return labels[rows]


def as_native(values: NDArray) -> NDArray:
    """Return `values` in the byte order of the machine."""
    if values.dtype.isnative:
        return values
    return values.astype(values.dtype.newbyteorder("="))


def as_numbers(values: ArrayLike) -> NDArray[np.float64] | None:
    """Convert to float64 whatever the shape, or return None if that cannot be done."""
    try:
        numbers: NDArray[np.float64] = check_array(
            values,
            dtype=np.float64,
            ensure_all_finite=False,
            ensure_2d=False,
            allow_nd=True,
            ensure_min_samples=0,
            ensure_min_features=0,
        )
    except (TypeError, ValueError):
        return None
    return numbers


def show_value(column: NDArray, row: int) -> str:
    """Represent a value of an array as the Python object it stands for."""
    if column.dtype.kind in "mM":  # nanoseconds would become a bare integer
        return str(column[row])
    return repr(column[row : row + 1].tolist()[0])


def describe(values: object) -> str:
    """Tell what was given where an array was expected, in a few words."""
    try:
        array = np.asarray(values)
    except ValueError:
        return "a sequence whose items differ in length"
    if array.ndim == 0:
        return repr(values)
    return f"an array of shape {array.shape} and dtype {array.dtype}"


def type_names(values: Iterable[object]) -> str:
    """List the names of the types of some values."""
    return ", ".join(sorted({type(value).__name__ for value in values}))


def _types_not_taken(y: ArrayLike, labels: NDArray) -> str | None:
    """Name the types of labels that are not taken, None if all are."""
    if labels.dtype.kind == "O":
        uniform = all(isinstance(label, str) for label in labels)
        return None if uniform else f"object ({type_names(labels)})"
    if labels.dtype.kind not in "biufU":
        return str(labels.dtype)
    # NumPy converts a number next to a string to a string, NaN into "nan", and integers
    # that need 65 bits into floats that some of them share.
    if isinstance(y, list | tuple) and np.ndim(y) == 1 and labels.tolist() != list(y):
        return type_names(y)
    return None


def _without_nullable(y: ArrayLike) -> ArrayLike:
    """Turn a nullable column without missing values into one of its NumPy type."""
    # scikit-learn converts nullable integers to floats, which merges large ones.
    dtype = getattr(getattr(y, "dtype", None), "numpy_dtype", None)
    if dtype is None or np.dtype(dtype).kind not in "biuf" or pd.isna(y).any():
        return y
    return pd.Series(y).to_numpy(dtype)


def _refuse_where(mask: NDArray, labels: NDArray, expected: str, owner: str) -> None:
    if (rows := np.flatnonzero(mask)).size:
        got = f"{show_value(labels, rows[0])} at position {rows[0]}"
        raise ValueError(wrong("y", owner, expected, got))
