"""Arguments of the scores: checked, and put into an order of their own."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import indexable
from sklearn.utils.validation import _num_samples, has_fit_parameter

from ..._errors import check_classifier, wrong
from ..._groups import check_column, encode
from ..._labels import check_labels, describe
from ._fits import Fits, weight_name
from ._halves import Indices, find_units
from ._keys import row_keys, value_keys

_FEWEST_ROWS = 4


@dataclass(frozen=True, eq=False)
class Data:
    """Rows and an order by their contents, so that the given order does not matter.

    Attributes
    ----------
    fits : Fits
        The rows, their labels and weights in that order, and the classifiers.
    unit : ndarray of shape (n_rows,)
        Of each row, in that order: rows of a unit are held out together.
    order : ndarray of shape (n_rows,)
        The given row at each position.
    position : ndarray of shape (n_rows,)
        The position of each given row; that of the first, if several are the same
        in everything.
    labels : ndarray of shape (n_rows,)
        The labels, as given.
    index : pandas.Index
        Names of the given rows.
    n_equal_rows : int
        Number of rows that equal another one.
    contents : dict of {str: bytes}
        The data, reduced to what decides the fits.
    """

    fits: Fits
    unit: Indices
    order: Indices
    position: Indices
    labels: NDArray
    index: pd.Index
    n_equal_rows: int
    contents: dict[str, bytes]


def check_members(estimator: Any, owner: str) -> tuple[Any, ...]:
    """Return the classifiers of a committee, or the only one."""
    is_committee = isinstance(estimator, list | tuple)
    members = tuple(estimator) if is_committee else (estimator,)
    if not members:
        must = "be a classifier or a list of them"
        raise ValueError(wrong("estimator", owner, must, "[]"))
    for member in members:
        check_classifier(member, owner)
        if not hasattr(member, "predict_proba"):
            must = "be a classifier with predict_proba"
            hint = "sklearn.calibration.CalibratedClassifierCV gives one to any"
            raise ValueError(wrong("estimator", owner, must, repr(member), hint))
    return members


def prepare_data(
    members: tuple[Any, ...],
    X: object,
    y: ArrayLike,
    *,
    test: tuple[object, object] = (None, None),
    groups: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    owner: str,
) -> Data:
    """Check the data, and put the rows into the order of their contents.

    The arguments are those of `owner`, the function that errors name; `test` is
    its test rows and their labels, both or neither.
    """
    labels = check_classes(y, owner)
    rows = _check_rows(X, len(labels), owner)
    classes, codes = np.unique(labels, return_inverse=True)
    weight = None
    if sample_weight is not None:
        weight = _check_weight(sample_weight, members, len(codes), owner)
    parts = [row_keys(rows), codes.astype(np.uint64)]
    if groups is not None:
        parts.append(value_keys(_check_groups(groups, len(codes), owner)))
    if weight is not None:
        parts.append(weight.view(np.uint64))
    keys = row_keys(np.column_stack(parts))
    order = np.argsort(keys, kind="stable")
    X_test, test_codes = _check_test(test, rows, classes, owner)
    chosen = None if weight is None else weight[order]
    fits = Fits(
        members, rows, order, classes, codes[order], chosen, X_test, test_codes, owner
    )
    return Data(
        fits=fits,
        unit=find_units(parts[0][order], None if groups is None else parts[2][order]),
        order=order,
        position=np.searchsorted(keys[order], keys),
        labels=labels,
        index=find_index(X, y, len(labels)),
        n_equal_rows=int(pd.Series(parts[0]).duplicated(keep=False).sum()),
        contents=_describe(keys[order], classes, X_test, test_codes),
    )


def _describe(
    keys: NDArray, classes: NDArray, X_test: ArrayLike | None, test_codes: NDArray
) -> dict[str, bytes]:
    """Map what a checkpoint depends on, by its name in an error, to its contents."""
    return {
        "X, y, groups or sample_weight": keys.tobytes(),
        "classes": repr(classes.tolist()).encode(),
        "X_test": b"" if X_test is None else row_keys(X_test).tobytes(),
        "y_test": test_codes.tobytes(),
    }


def check_classes(y: ArrayLike, owner: str) -> NDArray:
    """Return labels of at least two classes."""
    labels = check_labels(y, owner)
    classes = np.unique(labels).tolist()
    if len(classes) == 1:
        got = f"the single class {classes[0]!r}"
        raise ValueError(wrong("y", owner, "have at least two classes", got))
    return labels


def check_length(X: object, n_labels: int, owner: str) -> None:
    """Refuse what has not one row for each label."""
    n_rows = _count_rows(X, "X", owner)
    if n_rows != n_labels:
        must = f"have one row for each of the {n_labels} labels of y"
        raise ValueError(wrong("X", owner, must, f"{n_rows} rows"))


def _count_rows(X: object, name: str, owner: str) -> int:
    try:
        return int(_num_samples(X))
    except TypeError as error:
        must = "be an array-like of rows"
        raise TypeError(wrong(name, owner, must, repr(X))) from error


def _check_rows(X: object, n_labels: int, owner: str) -> Any:
    """Return `X` as something that can be indexed, with a row for each label."""
    check_length(X, n_labels, owner)
    if n_labels < _FEWEST_ROWS:
        must = f"have at least {_FEWEST_ROWS} rows"
        raise ValueError(wrong("X", owner, must, n_labels))
    return indexable(X)[0]


def _check_groups(groups: ArrayLike, n_rows: int, owner: str) -> NDArray:
    """Return the groups as a column of at least two different values."""
    column = check_column(groups, n_rows, "groups", owner)
    if encode(column, "groups", owner).max() == 0:
        must = "have at least two groups, of which one can be held out"
        raise ValueError(wrong("groups", owner, must, "a single one"))
    return column


def _check_weight(
    sample_weight: ArrayLike, members: tuple[Any, ...], n_rows: int, owner: str
) -> NDArray[np.float64]:
    """Return the weights as numbers, which all members take."""
    column = check_column(sample_weight, n_rows, "sample_weight", owner)
    try:
        weight = column.astype(np.float64) + 0.0
    except (TypeError, ValueError) as error:
        got = describe(column)
        raise ValueError(wrong("sample_weight", owner, "hold numbers", got)) from error
    if not (np.isfinite(weight).all() and (weight >= 0).all() and weight.any()):
        must = "be finite and not negative, and positive for some rows"
        got = f"values from {weight.min()} to {weight.max()}"
        raise ValueError(wrong("sample_weight", owner, must, got))
    for member in members:
        *step, name = weight_name(member).split("__")
        last = member.steps[-1][1] if step else member
        if not has_fit_parameter(last, name):
            must = "be None for a classifier whose fit takes no weights"
            got = f"{describe(column)} for {member!r}"
            raise ValueError(wrong("sample_weight", owner, must, got))
    return weight


def _check_test(
    test: tuple[Any, Any], X: Any, classes: NDArray, owner: str
) -> tuple[Any, Indices]:
    """Return the test rows and the indices of their labels."""
    X_test, y_test = test
    if (X_test is None) != (y_test is None):
        names = ["X_test", "y_test"] if X_test is None else ["y_test", "X_test"]
        must = f"be given together with {names[1]!r}"
        raise ValueError(wrong(names[0], owner, must, None))
    if X_test is None:
        return None, np.zeros(0, np.intp)
    n_rows = _count_rows(X_test, "X_test", owner)
    if not n_rows:
        raise ValueError(wrong("X_test", owner, "have at least one row", "none"))
    labels = check_column(y_test, n_rows, "y_test", owner)
    given, expected = (np.shape(rows)[1:] for rows in (X_test, X))
    if given != expected:
        must = f"have rows of the shape of X's, {expected}"
        raise ValueError(wrong("X_test", owner, must, given))
    given, expected = (list(getattr(rows, "columns", ())) for rows in (X_test, X))
    if given != expected:
        must = f"have the columns of X, {expected}"
        raise ValueError(wrong("X_test", owner, must, given))
    known = set(classes.tolist())
    unknown = [label for label in pd.unique(labels).tolist() if label not in known]
    if unknown:
        must = "have labels that y has"
        raise ValueError(wrong("y_test", owner, must, repr(unknown[0])))
    return indexable(X_test)[0], np.searchsorted(classes, labels)


def find_index(X: object, y: object, n_rows: int) -> pd.Index:
    for container in (X, y):
        if isinstance(container, pd.DataFrame | pd.Series):
            return container.index
    return pd.RangeIndex(n_rows)
