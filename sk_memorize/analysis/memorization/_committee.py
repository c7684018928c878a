"""The classifiers that find wrong labels by default, and the numbers that they take."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from ..._errors import wrong
from ..._labels import describe
from ...neural import MemorizingMLP

# Categories of a column that get a column of their own; the rarer ones share one.
_MAX_CATEGORIES = 32
# Columns of Python's objects that are numbers or dates.
_OBJECTS = {"date": "datetime64[s]", "period": "datetime64[s]", "decimal": "float64"}
# Beyond it float32 overflows in sums of squares.
_LARGEST = np.float64(1e15)


def make_committee() -> list[Any]:
    """Make the default committee.

    Returns
    -------
    members : list of estimator instances
        A network that is trained too shortly, and with too much dropout, to memorize,
        and extremely randomized trees that are not grown to single rows: what fits
        wrong labels is not surprised by them. There are two forests, as the trees are
        the better judges more often.
    """
    network = MemorizingMLP(
        hidden_layer_sizes=(128,),
        negative_slope=0.0,
        dropout=0.5,
        label_smoothing=0.1,
        whitening_shrinkage=None,
        target_accuracy=None,
        max_epochs=15,
        precision="float32",
        device="cpu",
    )
    trees = ExtraTreesClassifier(min_samples_leaf=3)
    return [make_pipeline(StandardScaler(), network), trees, trees]


def encode_rows(X: object, owner: str) -> NDArray:
    """Turn rows of numbers, categories and missing values into numbers.

    No label is looked at, so all rows can be encoded together.

    Parameters
    ----------
    X : {array-like, sparse matrix, DataFrame} of shape (n_rows, ...)
        The rows, or images.
    owner : str
        The function that errors name.

    Returns
    -------
    X : ndarray of shape (n_rows, n_columns)
        Medians replace missing numbers, with a column that tells where; and a
        column for each frequent category.
    """
    frame = _to_frame(X, owner)
    is_number = [pd.api.types.is_numeric_dtype(dtype) for dtype in frame.dtypes]
    numbers = _to_numbers(frame.loc[:, is_number])
    _refuse_too_large(numbers, owner)
    words = frame.loc[:, np.logical_not(is_number)].astype(object)
    if words.empty and not np.isnan(numbers).any():
        return numbers
    imputer = SimpleImputer(
        strategy="median", add_indicator=True, keep_empty_features=True
    )
    encoder = OneHotEncoder(max_categories=_MAX_CATEGORIES, sparse_output=False)
    parts = []
    if numbers.size:
        parts.append(imputer.fit_transform(numbers))
    if words.size:
        names = words.where(words.notna(), None).map(str)
        parts.append(encoder.fit_transform(names))
    return np.hstack(parts)


def _to_frame(X: Any, owner: str) -> pd.DataFrame:
    """Bring rows into columns, each of numbers or of anything else."""
    if issparse(X):
        frame = pd.DataFrame(X.toarray())
    elif isinstance(X, pd.DataFrame):
        frame = X.copy(deep=False)
    elif hasattr(X, "columns"):  # polars'
        frame = pd.DataFrame(X.to_dict(as_series=False))
    else:
        rows = np.asanyarray(X)  # with the mask, which pandas turns into NaN
        is_matrix = rows.ndim > 1 and rows.size > 0
        frame = pd.DataFrame(rows.reshape(len(rows), -1) if is_matrix else None)
    frame = frame.set_axis(range(frame.shape[1]), axis=1).infer_objects()
    if not frame.size:
        must = "be rows of at least one column"
        raise ValueError(wrong("X", owner, must, describe(X)))
    for name, dtype in frame.dtypes.items():
        # Only Python's objects are looked at one by one.
        kind = pd.api.types.infer_dtype(frame[name]) if dtype.kind == "O" else ""
        if kind in _OBJECTS:
            frame[name] = frame[name].astype(_OBJECTS[kind])
    for name in frame.select_dtypes(["datetime", "datetimetz", "timedelta"]):
        since_first = frame[name] - frame[name].min()
        frame[name] = since_first.dt.total_seconds() / 86_400
    return frame


def _to_numbers(frame: pd.DataFrame) -> NDArray:
    """Return a matrix, in the number format of the columns if they share one."""
    formats = set(frame.dtypes)
    if len(formats) == 1 and isinstance(frame.dtypes.iloc[0], np.dtype):
        return frame.to_numpy()
    return frame.to_numpy(np.float64, na_value=np.nan)


def _refuse_too_large(numbers: NDArray, owner: str) -> None:
    is_too_large = (numbers > _LARGEST) | (numbers < -_LARGEST)
    if (found := np.argwhere(is_too_large)).size:
        row, column = found[0]
        must = f"be of magnitudes up to {_LARGEST:g}"
        got = f"{numbers[row, column]} in row {row}"
        raise ValueError(wrong("X", owner, must, got))
