"""Checks of tables and panels, before anything is drawn."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from .._errors import wrong
from .._labels import describe


def check_table(
    table: object, name: str, owner: str, columns: Sequence[str]
) -> pd.DataFrame:
    """Return a table that has rows, and numbers in some columns; refuse any other."""
    if not isinstance(table, pd.DataFrame):
        must, got = "be a DataFrame of pandas", describe(table)
    elif missing := [column for column in columns if column not in table]:
        must, got = f"have the columns {list(columns)}", f"a table without {missing}"
    elif table.empty:
        must, got = "have rows", "an empty table"
    elif words := [c for c in table.select_dtypes(exclude="number") if c in columns]:
        must = f"have numbers in the column {words[0]!r}"
        got = f"the dtype {table[words[0]].dtype}"
    else:
        return table
    raise ValueError(wrong(name, owner, must, got))


def check_result(result: object, kind: type, name: str, owner: str, maker: str) -> None:
    """Refuse anything but the result of a function."""
    if not isinstance(result, kind):
        must = f"be what {maker} returns"
        raise ValueError(wrong(name, owner, must, describe(result)))


def check_count(count: object, name: str, owner: str) -> None:
    """Refuse anything but a whole number of at least 1."""
    if not isinstance(count, int | np.integer) or count < 1:
        raise ValueError(wrong(name, owner, "be an int of at least 1", repr(count)))


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
