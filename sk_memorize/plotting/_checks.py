"""Checks of tables and panels, before anything is drawn."""

from collections.abc import Sequence

import pandas as pd

from .._errors import wrong
from .._labels import describe


def check_table(
    table: object, name: str, owner: str, columns: Sequence[str]
) -> pd.DataFrame:
    """Check that a table has rows, and numbers in some columns, and return it.

    Parameters
    ----------
    table : object
        What was given.
    name, owner : str
        The parameter, and the class or function that it belongs to.
    columns : sequence of str
        The columns of numbers that are needed.

    Returns
    -------
    table : pandas.DataFrame
        What was given.
    """
    if not isinstance(table, pd.DataFrame):
        must, got = "be a DataFrame of pandas", describe(table)
    elif missing := [column for column in columns if column not in table]:
        must, got = f"have the columns {list(columns)}", f"a table without {missing}"
    elif table.empty:
        must, got = "have rows", "an empty table"
    elif words := list(table[list(columns)].select_dtypes(exclude="number")):
        must = f"have numbers in the column {words[0]!r}"
        got = f"the dtype {table[words[0]].dtype}"
    else:
        return table
    raise ValueError(wrong(name, owner, must, got))


def check_panels(panels: object, known: Sequence[str], owner: str) -> list[str]:
    """Make a list of one or several panels, each among the known ones."""
    chosen = [panels] if isinstance(panels, str) else panels
    if (
        not isinstance(chosen, Sequence)
        or not chosen
        or any(panel not in known for panel in chosen)
    ):
        must = f"be one or some of {list(known)}"
        raise ValueError(wrong("panels", owner, must, repr(panels)))
    return list(chosen)
