"""Check of a matrix of class transitions."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from .._errors import wrong
from .._labels import as_numbers, describe
from ._labels import Matrix


def check_transitions(
    transition_matrix: ArrayLike | None, classes: NDArray, owner: str
) -> Matrix | None:
    """Return the matrix as a row-stochastic array of shape (n_classes, n_classes)."""
    if transition_matrix is None:
        return None
    shape = (len(classes), len(classes))
    matrix = as_numbers(transition_matrix)
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
    raise ValueError(wrong("transition_matrix", owner, expected, got))


def _names_out_of_order(matrix: ArrayLike, classes: NDArray) -> list[Any] | None:
    """Find an axis of a DataFrame that has the names of all classes, but shuffled."""
    expected = classes.tolist()
    for axis in matrix.axes if isinstance(matrix, pd.DataFrame) else ():
        names = axis.tolist()
        if names != expected and set(names) == set(expected):
            return names
    return None
