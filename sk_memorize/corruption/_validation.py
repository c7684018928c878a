"""What goes in and out of a corruption: labels and transition matrices."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_array, column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from sk_memorize.corruption._labels import Matrix


def as_labels(y: ArrayLike, owner: str) -> NDArray:
    """Return `y` as a 1d array."""
    try:
        return column_or_1d(y, warn=True)
    except ValueError as error:
        # These words are expected by scikit-learn's own checks.
        words = "Complex data not supported"
        reason = f"{words}. " if str(error).startswith(words) else ""
        raise ValueError(
            f"{reason}The 'y' parameter of {owner} must be a 1d array-like of labels. "
            f"Got {describe(y)} instead."
        ) from error


def check_labels(y: ArrayLike, owner: str) -> NDArray:
    """Return `y` as a nonempty 1d array of labels without missing values."""
    labels = as_labels(y, owner)
    if not len(labels):
        raise ValueError(
            f"The 'y' parameter of {owner} must have at least one label. "
            "Got an empty array instead."
        )
    _refuse_where(pd.isna(labels), labels, "be free of missing values", owner)
    if labels.dtype.kind == "f":
        _refuse_where(np.isinf(labels), labels, "be finite", owner)
    try:
        check_classification_targets(labels)
    except TypeError as error:  # scikit-learn could not sort them
        types = ", ".join(type_names(labels))
        raise TypeError(
            f"The 'y' parameter of {owner} must be uniformly strings or numbers. "
            f"Got the types {types} instead."
        ) from error
    except ValueError as error:
        # The first sentence, which scikit-learn's own checks expect, names the type.
        raise ValueError(
            f"{str(error).partition('.')[0]}. The 'y' parameter of {owner} must hold "
            "classes: whole numbers, booleans or strings, in an array of that type. "
            f"Got {_show_misfit(labels)} in an array of dtype {labels.dtype} instead."
        ) from error
    return labels


def check_transitions(
    transition_matrix: ArrayLike | None, classes: NDArray, owner: str
) -> Matrix | None:
    """Return the matrix as a row-stochastic array of shape (n_classes, n_classes)."""
    if transition_matrix is None:
        return None
    shape = (len(classes), len(classes))
    matrix = _as_numbers(transition_matrix)
    in_order = f"in the order of the classes, {classes.tolist()}"
    if matrix is None:
        expected, got = "be a 2d array-like of numbers", describe(transition_matrix)
    elif matrix.shape != shape:
        expected, got = f"have the shape {shape}, {in_order}", describe(matrix)
    elif (names := _names_out_of_order(transition_matrix, classes)) is not None:
        expected, got = f"have its rows and columns {in_order}", f"the order {names}"
    elif not np.isfinite(matrix).all():
        expected, got = "be finite", f"{matrix[~np.isfinite(matrix)][0]}"
    elif (matrix < 0).any():
        expected, got = "be nonnegative", f"the minimum {matrix.min()}"
    elif not np.allclose(sums := matrix.sum(axis=1, keepdims=True), 1):
        row = int(np.argmax(abs(sums - 1)))
        expected, got = (
            "have rows that sum to 1",
            f"the sum {sums[row, 0]} in row {row}",
        )
    else:
        normalized: Matrix = matrix / sums
        return normalized
    raise ValueError(
        f"The 'transition_matrix' parameter of {owner} must {expected}. "
        f"Got {got} instead."
    )


def take_labels(y: ArrayLike, labels: NDArray, rows: NDArray[np.intp]) -> Any:
    """Take the labels of `rows`; a Series keeps its dtype, index and name."""
    if isinstance(y, pd.Series):
        return y.take(rows.tolist()).set_axis(y.index)
    return labels[rows]


def show_value(column: NDArray, row: int) -> str:
    """Represent a value of an array as the Python object it stands for."""
    if column.dtype.kind in "mM":  # nanoseconds would become a bare integer
        return str(column[row])
    return repr(column[row : row + 1].tolist()[0])


def describe(values: Any) -> str:
    """Tell what was given where an array was expected, in a few words."""
    try:
        array = np.asarray(values)
    except ValueError:
        return "a sequence whose items differ in length"
    if array.ndim == 0:
        return repr(values)
    return f"an array of shape {array.shape} and dtype {array.dtype}"


def type_names(values: NDArray) -> list[str]:
    """List the names of the types of an array's items."""
    return sorted({type(value).__name__ for value in values})


def _refuse_where(wrong: NDArray, labels: NDArray, expected: str, owner: str) -> None:
    if (rows := np.flatnonzero(wrong)).size:
        raise ValueError(
            f"The 'y' parameter of {owner} must {expected}. "
            f"Got {show_value(labels, rows[0])} at position {rows[0]} instead."
        )


def _show_misfit(labels: NDArray) -> str:
    """Show the first label that is no whole number, or else the first of all."""
    fractional = labels % 1 != 0 if labels.dtype.kind == "f" else np.zeros(len(labels))
    return show_value(labels, int(np.argmax(fractional)))


def _as_numbers(values: ArrayLike) -> Matrix | None:
    """Convert to float64 whatever the shape, or return None if that cannot be done."""
    try:
        numbers: Matrix = check_array(
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


def _names_out_of_order(matrix: ArrayLike, classes: NDArray) -> list[Any] | None:
    """Find an axis of a DataFrame that has the names of all classes, but shuffled."""
    expected = classes.tolist()
    for axis in matrix.axes if isinstance(matrix, pd.DataFrame) else ():
        names = axis.tolist()
        if names != expected and set(names) == set(expected):
            return names
    return None
