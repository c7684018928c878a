"""What is corrupted together: rows, or groups of rows, within strata."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from sk_memorize._labels import as_native, describe, show_value, type_names

Indices = NDArray[np.intp]


class Units(NamedTuple):
    """The units of a corruption; each is a row or a whole group of rows.

    Attributes
    ----------
    of_row : ndarray of shape (n_rows,)
        The unit of each row.
    first_row : ndarray of shape (n_units,)
        A row of each unit, the first.
    strata : ndarray of shape (n_units,)
        The stratum of each unit.
    """

    of_row: Indices
    first_row: Indices
    strata: Indices


def make_units(
    labels: NDArray, groups: ArrayLike | None, strata: ArrayLike | None, owner: str
) -> Units:
    """Turn the rows of `labels` into units.

    Parameters
    ----------
    labels : ndarray of shape (n_rows,)
        The labels; a group must have a single one.
    groups : array-like of shape (n_rows,) or None
        The group of each row; None makes each row a unit.
    strata : array-like of shape (n_rows,) or None
        The stratum of each row; None means a single stratum.
    owner : str
        The name that error messages give to the estimator.

    Returns
    -------
    units : Units
        The units.

    Raises
    ------
    ValueError
        If lengths differ, if a value is missing, or if the rows of a group differ in
        label or stratum.
    TypeError
        If a group or a stratum is named by a list or another object without a hash.
    """
    n_rows = len(labels)
    group_values = check_column(
        np.arange(n_rows) if groups is None else groups, n_rows, "groups", owner
    )
    stratum_values = check_column(
        np.zeros(n_rows) if strata is None else strata, n_rows, "strata", owner
    )
    of_row = _indices(group_values, "groups", owner)
    row_strata = _indices(stratum_values, "strata", owner)
    first_row = np.unique(of_row, return_index=True)[1]
    if pair := _disagreeing_rows(labels, of_row, first_row):
        first, other = (show_value(labels, row) for row in pair)
        raise ValueError(
            f"The 'groups' parameter of {owner} must give each group a single label, "
            "because a group is corrupted as a whole. "
            f"Got group {show_value(group_values, pair[0])} with the labels "
            f"{first} and {other} instead."
        )
    if pair := _disagreeing_rows(row_strata, of_row, first_row):
        first, other = (show_value(stratum_values, row) for row in pair)
        raise ValueError(
            f"The 'strata' parameter of {owner} must place each group in a single "
            "stratum, because a group is corrupted as a whole. "
            f"Got group {show_value(group_values, pair[0])} in the strata "
            f"{first} and {other} instead."
        )
    return Units(of_row, first_row, row_strata[first_row])


def check_column(values: Any, n_rows: int, name: str, owner: str) -> NDArray:
    """Return `values` as a 1d array of one value a row.

    Parameters
    ----------
    values : array-like of shape (n_rows,)
        What was given.
    n_rows : int
        Number of rows.
    name, owner : str
        The parameter and the estimator that the error names.

    Returns
    -------
    column : ndarray of shape (n_rows,)
        In the byte order of the machine.
    """
    try:
        # The list has None where NumPy would show what is under a mask.
        masked = np.ma.is_masked(values)
        column = np.asarray(values.tolist(), object) if masked else np.asarray(values)
    except ValueError:
        column = None
    if column is None or column.shape != (n_rows,):
        raise ValueError(
            f"The {name!r} parameter of {owner} must be a 1d array-like with one value "
            f"for each of the {n_rows} labels. Got {describe(values)} instead."
        )
    return as_native(column)


def _indices(column: NDArray, name: str, owner: str) -> Indices:
    """Replace each value by an index, in the order of first appearance."""
    try:
        indices, _ = pd.factorize(column)
    except TypeError as error:  # unhashable
        raise TypeError(
            f"The {name!r} parameter of {owner} must hold strings or numbers. "
            f"Got the types {type_names(column)} instead."
        ) from error
    if (missing := np.flatnonzero(indices < 0)).size:
        raise ValueError(
            f"The {name!r} parameter of {owner} must be free of missing values. "
            f"Got {show_value(column, missing[0])} at position {missing[0]} instead."
        )
    return indices


def _disagreeing_rows(
    values: NDArray, of_row: Indices, first_row: Indices
) -> tuple[int, int] | None:
    """Find two rows of one unit whose values differ."""
    differs = values != values[first_row[of_row]]
    if not differs.any():
        return None
    row = int(np.argmax(differs))
    return int(first_row[of_row[row]]), row
