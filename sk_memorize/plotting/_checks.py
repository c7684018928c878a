"""Checks of what displays are given, before anything is drawn."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd


def wrong(name: str, owner: str, expected: str, got: str) -> ValueError:
    """Make the error for a parameter that is not as expected."""
    return ValueError(
        f"The {name!r} parameter of {owner} must {expected}. Got {got} instead."
    )


def check_table(table: Any, name: str, owner: str, columns: Sequence[str]) -> Any:
    """Check that a table has rows, and numbers in some columns, and return it.

    Parameters
    ----------
    table : object
        What was given.
    name : str
        The parameter.
    owner : str
        Whose parameter it is.
    columns : sequence of str
        The columns of numbers that are needed.

    Returns
    -------
    table : pandas.DataFrame
        What was given.
    """
    if not isinstance(table, pd.DataFrame):
        raise wrong(name, owner, "be a DataFrame of pandas", short(table))
    if missing := [column for column in columns if column not in table]:
        raise wrong(
            name,
            owner,
            f"have the columns {list(columns)}",
            f"a table without {missing}",
        )
    if table.empty:
        raise wrong(name, owner, "have rows", "an empty table")
    for column, dtype in table[list(columns)].dtypes.items():
        if not pd.api.types.is_numeric_dtype(dtype):
            expected = f"have numbers in the column {column!r}"
            raise wrong(name, owner, expected, f"the dtype {dtype}")
    return table


def check_panels(panels: Any, known: Sequence[str], owner: str) -> list[str]:
    """Make a list of a panel or some, each among those that are known."""
    chosen = [panels] if isinstance(panels, str) else panels
    if (
        not isinstance(chosen, Sequence)
        or not chosen
        or any(panel not in known for panel in chosen)
    ):
        raise wrong("panels", owner, f"be one or some of {list(known)}", short(panels))
    return list(chosen)


def check_number(value: Any, name: str, owner: str) -> None:
    """Check that a value is a finite number or None."""
    if value is None:
        return
    is_number = isinstance(value, int | float | np.number)
    if not is_number or isinstance(value, bool) or not np.isfinite(value):
        raise wrong(name, owner, "be a finite number or None", short(value))


def check_mapping(value: Any, name: str, owner: str, of: str) -> None:
    """Check that a value is a mapping of names that is not empty."""
    if not isinstance(value, Mapping) or not value:
        raise wrong(name, owner, f"be a dict of names and {of}", short(value))


def short(value: Any) -> str:
    """Show a value in a message, not a whole table."""
    if isinstance(value, pd.DataFrame):
        return f"a table of shape {value.shape}"
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}…"
