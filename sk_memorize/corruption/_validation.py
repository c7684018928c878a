"""What goes in and out of a corruption: labels and transition matrices."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import assert_all_finite, check_array, column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from sk_memorize.corruption._labels import Matrix


def check_labels(y: ArrayLike, owner: str) -> NDArray:
    """Return `y` as a nonempty 1d array of labels without missing values."""
    labels: NDArray = column_or_1d(y, warn=True)
    if not len(labels):
        raise ValueError(
            f"The 'y' parameter of {owner} must have at least one label. "
            "Got an empty array instead."
        )
    if (missing := np.flatnonzero(pd.isna(labels))).size:
        raise ValueError(
            f"The 'y' parameter of {owner} must be free of missing values. "
            f"Got {show_value(labels, missing[0])} at position {missing[0]} instead."
        )
    assert_all_finite(labels, estimator_name=owner, input_name="y")
    try:
        check_classification_targets(labels)
    except TypeError as error:  # scikit-learn could not sort them
        types = sorted({type(label).__name__ for label in labels})
        raise TypeError(
            f"The 'y' parameter of {owner} must be uniformly strings or numbers. "
            f"Got the types {', '.join(types)} instead."
        ) from error
    return labels


def check_transitions(
    transition_matrix: ArrayLike | None, n_classes: int, owner: str
) -> Matrix | None:
    """Return the matrix as a row-stochastic array of shape (n_classes, n_classes)."""
    if transition_matrix is None:
        return None
    matrix: Matrix = check_array(
        transition_matrix,
        dtype=np.float64,
        estimator=owner,
        input_name="transition_matrix",
    )
    sums = matrix.sum(axis=1, keepdims=True)
    if matrix.shape != (n_classes, n_classes):
        expected = (
            f"have the shape ({n_classes}, {n_classes}), in the order of the classes"
        )
        got = f"an array of shape {matrix.shape}"
    elif (matrix < 0).any():
        expected, got = "be nonnegative", f"the minimum {matrix.min()}"
    elif not np.allclose(sums, 1):
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
    return repr(column[row : row + 1].tolist()[0])
