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
from ._halves import Indices, Units, find_units
from ._keys import row_keys, value_keys

_FEWEST_ROWS = 4


@dataclass(frozen=True, eq=False)
class Data:
    """Rows and an order by their contents, so that the given order does not matter.

    Attributes
    ----------
    fits : Fits
        The rows, their labels and weights in that order, and the classifiers.
    units : Units
        What is held out together.
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
    units: Units
    order: Indices
    position: Indices
    labels: NDArray
    index: pd.Index
    n_equal_rows: int
    contents: dict[str, bytes]


def check_members(estimator: Any, owner: str) -> tuple[Any, ...]:
    """Return the classifiers of a committee, or the only one."""
    must = f"The 'estimator' parameter of {owner} must be"
    is_committee = isinstance(estimator, list | tuple)
    members = tuple(estimator) if is_committee else (estimator,)
    if not members:
        raise ValueError(f"{must} a classifier or a list of them. Got [] instead.")
    for member in members:
        check_classifier(member, owner)
        if not hasattr(member, "predict_proba"):
            raise ValueError(
                f"{must} a classifier with predict_proba; "
                "sklearn.calibration.CalibratedClassifierCV gives one to any. Got "
                f"{member!r} instead."
            )
    return members


def prepare_data(
    members: tuple[Any, ...],
    X: Any,
    y: ArrayLike,
    *,
    test: tuple[Any, Any] = (None, None),
    groups: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    owner: str,
) -> Data:
    """Check the data, and put the rows into the order of their contents.

    Parameters
    ----------
    members : tuple of estimator instances
        The classifiers.
    X : {array-like, sparse matrix, DataFrame} of shape (n_rows, ...)
        The rows.
    y : array-like of shape (n_rows,)
        Their labels.
    test : tuple of test rows and their labels, default=(None, None)
        Both or neither.
    groups : array-like of shape (n_rows,), default=None
        The group of each row.
    sample_weight : array-like of shape (n_rows,), default=None
        The weight of each row.
    owner : str
        The function that errors name.

    Returns
    -------
    data : Data
        The data.
    """
    labels = check_classes(y, owner)
    X = _check_rows(X, len(labels), owner)
    classes, codes = np.unique(labels, return_inverse=True)
    weight = None
    if sample_weight is not None:
        weight = _check_weight(sample_weight, members, len(codes), owner)
    parts = [row_keys(X), codes.astype(np.uint64)]
    if groups is not None:
        parts.append(value_keys(_check_groups(groups, len(codes), owner)))
    if weight is not None:
        parts.append(weight.view(np.uint64))
    keys = row_keys(np.column_stack(parts))
    order = np.argsort(keys, kind="stable")
    X_test, test_codes = _check_test(test, X, classes, owner)
    chosen = None if weight is None else weight[order]
    return Data(
        fits=Fits(
            members,
            X,
            order,
            classes,
            codes[order],
            chosen,
            X_test,
            test_codes,
        ),
        units=find_units(
            parts[0][order], None if groups is None else parts[2][order], codes[order]
        ),
        order=order,
        position=np.searchsorted(keys[order], keys),
        labels=labels,
        index=find_index(X, y, len(labels)),
        n_equal_rows=int(pd.Series(parts[0]).duplicated(keep=False).sum()),
        contents=_describe(keys[order], classes, X_test, test_codes),
    )


def _describe(
    keys: NDArray, classes: NDArray, X_test: Any, test_codes: NDArray
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


def _check_rows(X: Any, n_labels: int, owner: str) -> Any:
    """Return `X` as something that can be indexed, with a row for each label."""
    must = f"The 'X' parameter of {owner} must"
    try:
        n_rows = _num_samples(X)
    except TypeError as error:
        raise TypeError(
            f"{must} be an array-like of rows. Got {X!r} instead."
        ) from error
    if n_rows != n_labels:
        raise ValueError(
            f"{must} have one row for each of the {n_labels} labels of y. Got {n_rows} "
            "rows instead."
        )
    if n_rows < _FEWEST_ROWS:
        raise ValueError(
            f"{must} have at least {_FEWEST_ROWS} rows. Got {n_rows} instead."
        )
    return indexable(X)[0]


def _check_groups(groups: ArrayLike, n_rows: int, owner: str) -> NDArray:
    """Return the groups as a column of at least two different values."""
    column = check_column(groups, n_rows, "groups", owner)
    if encode(column, "groups", owner).max() == 0:
        raise ValueError(
            f"The 'groups' parameter of {owner} must have at least two groups, of "
            "which one can be held out. Got a single one instead."
        )
    return column


def _check_weight(
    sample_weight: ArrayLike, members: tuple[Any, ...], n_rows: int, owner: str
) -> NDArray[np.float64]:
    """Return the weights as numbers, which all members take."""
    must = f"The 'sample_weight' parameter of {owner} must"
    column = check_column(sample_weight, n_rows, "sample_weight", owner)
    try:
        weight = column.astype(np.float64) + 0.0
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{must} hold numbers. Got {describe(column)} instead."
        ) from error
    if not (np.isfinite(weight).all() and (weight >= 0).all() and weight.any()):
        raise ValueError(
            f"{must} be finite and not negative, and positive for some rows. Got "
            f"values from {weight.min()} to {weight.max()} instead."
        )
    for member in members:
        *step, name = weight_name(member).split("__")
        last = member.steps[-1][1] if step else member
        if not has_fit_parameter(last, name):
            raise ValueError(
                f"{must} be None for a classifier whose fit takes no weights. Got "
                f"{describe(column)} for {member!r} instead."
            )
    return weight


def _check_test(
    test: tuple[Any, Any], X: Any, classes: NDArray, owner: str
) -> tuple[Any, Indices]:
    """Return the test rows and the indices of their labels."""
    X_test, y_test = test
    if (X_test is None) != (y_test is None):
        raise ValueError(
            f"The 'X_test' and 'y_test' parameters of {owner} must be given together. "
            f"Got {'y_test' if X_test is None else 'X_test'} only instead."
        )
    if X_test is None:
        return None, np.zeros(0, np.intp)
    must = f"The 'X_test' parameter of {owner} must"
    X_test, labels = indexable(X_test)[0], np.asarray(y_test)
    given, expected = (getattr(rows, "shape", (0,))[1:] for rows in (X_test, X))
    if given != expected:
        raise ValueError(
            f"{must} have rows of the shape of X's, {expected}. Got {given} instead."
        )
    names = [list(getattr(rows, "columns", ())) for rows in (X_test, X)]
    if names[0] != names[1]:
        raise ValueError(
            f"{must} have the columns of X, {names[1]}. Got {names[0]} instead."
        )
    if labels.shape != (_num_samples(X_test),):
        raise ValueError(
            f"The 'y_test' parameter of {owner} must have one label for each of the "
            f"{_num_samples(X_test)} rows of X_test. Got {describe(labels)} instead."
        )
    unknown = [label for label in pd.unique(labels) if label not in classes]
    if unknown:
        raise ValueError(
            f"The 'y_test' parameter of {owner} must have labels that y has. Got "
            f"{unknown[0]!r} instead."
        )
    return X_test, np.searchsorted(classes, labels)


def find_index(X: Any, y: Any, n_rows: int) -> pd.Index:
    for container in (X, y):
        if isinstance(container, pd.DataFrame | pd.Series):
            return container.index
    return pd.RangeIndex(n_rows)
