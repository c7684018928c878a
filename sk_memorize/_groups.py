"""Groups of rows that are corrupted as a whole, within strata."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ._errors import wrong
from ._labels import as_native, describe, show_value, type_names

Indices = NDArray[np.intp]


class Units(NamedTuple):
    """The units of a corruption: single rows, or whole groups of rows."""

    of_row: Indices  # the unit of each row
    first_row: Indices  # the first row of each unit
    strata: Indices  # the stratum of each unit


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
    of_row = encode(group_values, "groups", owner)
    row_strata = encode(stratum_values, "strata", owner)
    first_row = np.unique(of_row, return_index=True)[1]
    for values, name, must, kind in (
        (labels, "groups", "give each group a single label", "the labels"),
        (row_strata, "strata", "place each group in a single stratum", "the strata"),
    ):
        if pair := _disagreeing_rows(values, of_row, first_row):
            shown = labels if name == "groups" else stratum_values
            first, other = (show_value(shown, row) for row in pair)
            group = show_value(group_values, pair[0])
            raise ValueError(
                wrong(
                    name,
                    owner,
                    f"{must}, because a group is corrupted as a whole",
                    f"group {group} with {kind} {first} and {other}",
                )
            )
    return Units(of_row, first_row, row_strata[first_row])


def check_column(values: ArrayLike, n_rows: int, name: str, owner: str) -> NDArray:
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
        # Masked values become None in a list; asarray would expose their data.
        if np.ma.is_masked(values):
            values = np.ma.asarray(values).tolist()
            column = np.asarray(values, dtype=np.object_)
        else:
            column = np.asarray(values)
    except ValueError:
        column = None
    if column is None or column.shape != (n_rows,):
        must = f"be a 1d array-like with one value for each of the {n_rows} rows"
        raise ValueError(wrong(name, owner, must, describe(values)))
    if isinstance(values, list | tuple) and column.tolist() != list(values):
        # NumPy makes strings of NaN and of numbers that are next to strings.
        column = np.asarray(values, dtype=np.object_)
    return as_native(column)


def encode(column: NDArray, name: str, owner: str) -> Indices:
    """Replace each value by an index, in the order of first appearance."""
    try:
        indices, _ = pd.factorize(column)
    except TypeError as error:  # unhashable
        got = f"the types {type_names(column)}"
        raise TypeError(wrong(name, owner, "hold strings or numbers", got)) from error
    if (missing := np.flatnonzero(indices < 0)).size:
        got = f"{show_value(column, missing[0])} at position {missing[0]}"
        raise ValueError(wrong(name, owner, "be free of missing values", got))
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
