"""Probabilities that were computed elsewhere, checked."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..._errors import wrong
from ..._labels import as_numbers, describe
from ._data import check_classes, check_length

# Of a sum in float16, or of numbers that were rounded to three digits.
_TOLERANCE = 0.01


def check_probabilities(
    pred_probs: ArrayLike, X: object, y: ArrayLike, others: dict[str, Any], owner: str
) -> tuple[NDArray[np.float64], NDArray]:
    """Return the probabilities, and the labels.

    Parameters
    ----------
    pred_probs : array-like of shape (n_rows, n_classes)
        The probabilities.
    X : {array-like, sparse matrix, DataFrame} of shape (n_rows, ...) or None
        The rows.
    y : array-like of shape (n_rows,)
        The labels.
    others : dict
        Arguments by name that nothing can be done with.
    owner : str
        The function that errors name.

    Returns
    -------
    probabilities : ndarray of shape (n_rows, n_classes)
        They sum to one for each row.
    labels : ndarray of shape (n_rows,)
        The labels.
    """
    for name, value in others.items():
        if value is not None:
            must = "be None where 'pred_probs' is given, as nothing is fitted"
            raise ValueError(wrong(name, owner, must, describe(value)))
    labels = check_classes(y, owner)
    classes = np.unique(labels)
    if X is not None:
        check_length(X, len(labels), owner)
    matrix = as_numbers(pred_probs)
    shape = (len(labels), len(classes))
    if matrix is None or matrix.shape != shape:
        expected = f"be numbers of shape {shape}, a row for each label and a column for"
        expected += f" each of the classes {_shorten(classes)}"
        got = describe(pred_probs)
    elif (names := _columns_out_of_order(pred_probs, classes)) is not None:
        expected = f"have its columns in the order of the classes, {_shorten(classes)}"
        got = f"the order {names}"
    elif not np.isfinite(matrix).all():
        row, column = np.argwhere(~np.isfinite(matrix))[0]
        expected, got = "be finite", f"{matrix[row, column]} in row {row}"
    elif (matrix < 0).any():
        expected, got = "be nonnegative", f"the minimum {matrix.min()}"
    elif (off := np.abs(matrix.sum(axis=1) - 1)).max() > _TOLERANCE:
        row = int(off.argmax())
        expected = "have rows that sum to 1"
        got = f"the sum {matrix[row].sum():g} in row {row}"
    else:
        return matrix / matrix.sum(axis=1, keepdims=True), labels
    raise ValueError(wrong("pred_probs", owner, expected, got))


def _columns_out_of_order(pred_probs: object, classes: NDArray) -> list[Any] | None:
    """Return the names of columns that are all classes, but shuffled."""
    names, expected = list(getattr(pred_probs, "columns", ())), classes.tolist()
    is_shuffled = names != expected and set(names) == set(expected)
    return names if is_shuffled else None


def _shorten(classes: NDArray) -> str:
    shown = ", ".join(map(repr, classes[:6].tolist()))
    return f"[{shown}, ...]" if len(classes) > 6 else f"[{shown}]"
