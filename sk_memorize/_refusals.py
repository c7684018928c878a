"""Errors that tell what in the data is wrong, and what to put before the network."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import issparse

_DATES = ("date", "time", "period", "duration")
_NO_DATES = (
    "The column {} of X holds dates or times, and MemorizingMLP takes numbers. Put a "
    "sklearn.preprocessing.FunctionTransformer before it that makes numbers of them, "
    "such as days."
)
_NO_GAPS = (
    "Input X contains NaN in the column {}, and MemorizingMLP does not accept missing "
    "values. Put a sklearn.impute.SimpleImputer before it, in a pipeline."
)
_NO_TEXT = (
    "The column {} of X holds text, such as {!r}, and MemorizingMLP takes numbers. Put "
    "a sklearn.preprocessing.OneHotEncoder before it, in a pipeline."
)


def check_dates(X: object) -> None:
    """Refuse columns of dates, which NumPy would take for numbers."""
    for name, dtype in _types(X):
        if str(dtype).lower().startswith(_DATES):
            raise ValueError(_NO_DATES.format(repr(name)))


def explain(X: object) -> str | None:
    """Find the first column of refused inputs that does not hold numbers.

    Returns
    -------
    message : str or None
        What it holds, and what to put before the network; None if all is well.
    """
    for name, column in _columns(X):
        values = pd.Series(column)
        if values.isna().any():
            return _NO_GAPS.format(repr(name))
        if values.dtype.kind == "O" or isinstance(values.dtype, pd.StringDtype):
            words = [value for value in values if isinstance(value, str)]
            if words and pd.to_numeric(values, errors="coerce").isna().any():
                return _NO_TEXT.format(repr(name), words[0])
    return None


def _types(X: object) -> Iterator[tuple[Any, Any]]:
    if hasattr(X, "columns") and hasattr(X, "dtypes"):
        yield from zip(X.columns, X.dtypes, strict=True)
    elif hasattr(X, "dtype"):
        yield 0, X.dtype


def _columns(X: Any) -> Iterator[tuple[Any, Any]]:
    if hasattr(X, "iloc"):
        yield from ((name, np.asarray(column)) for name, column in X.items())
    elif hasattr(X, "columns"):
        yield from ((name, np.asarray(X[name])) for name in X.columns)
    elif not issparse(X) and (rows := np.asarray(X)).ndim == 2:
        yield from enumerate(rows.T)
