"""Digests of objects by their contents, the same in any process.

Neither identity nor addresses count, and neither the order of a set or a dict nor the
layout of an array. Pickles, and what is hashed of them, depend on all of these.
"""

import copyreg
import pickle
from collections.abc import Sequence
from hashlib import blake2b
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import issparse, spmatrix
from sklearn.frozen import FrozenEstimator
from sklearn.utils import check_random_state
from sklearn.utils._pprint import _changed_params

_UNORDERED = "dict", "set", "frozenset"
_SIMPLE = (type(None), bool, int, float, complex, str, bytes)


def digest(value: object) -> str:
    """Hash the contents of an object.

    Parameters
    ----------
    value : object
        Numbers, strings, arrays, tables, containers, estimators, functions, and what
        can be pickled. Of an estimator the parameters count, of a frozen one what it
        has learned, too; of a function its code, defaults and closure; of a class its
        name.

    Returns
    -------
    digest : str
        Equal for equal contents.

    Raises
    ------
    TypeError
        If the object, or one inside it, cannot be pickled.

    Examples
    --------
    >>> import numpy as np
    >>> digest({"a": np.eye(3), "b": [2]}) == digest({"b": [2], "a": np.eye(3).T})
    True
    """
    try:
        return _digest(value, (), is_fitted=False).hex()
    except (AttributeError, ValueError, pickle.PicklingError) as error:
        raise TypeError(str(error)) from error


def show(value: object) -> str:
    """Represent an object by its class and its parameters, without addresses.

    Parameters
    ----------
    value : object
        An estimator or a splitter, or one of its parameters.

    Returns
    -------
    text : str
        An estimator's parameters that have their defaults are left out; of what has
        no simple representation, the class and the first letters of the digest are
        shown.

    Examples
    --------
    >>> from sklearn.svm import SVC
    >>> show(SVC(C=2.0))
    'SVC(C=2.0)'
    """
    name = type(value).__name__
    if isinstance(value, _SIMPLE):
        return repr(value)
    if isinstance(value, list | tuple) and len(value) < 10:
        return f"{name}({', '.join(map(show, value))})"
    if isinstance(value, type):
        return f"{value.__module__}.{value.__qualname__}"
    if hasattr(value, "get_params"):
        params = _changed_params(value)
    elif hasattr(value, "split") and hasattr(value, "__dict__"):
        params = vars(value)
    else:
        return f"{name} {digest(value)[:8]}"
    shown = (f"{key}={show(param)}" for key, param in sorted(params.items()))
    return f"{name}({', '.join(shown)})"


def _digest(value: object, above: tuple[int, ...], is_fitted: bool) -> bytes:
    """Hash an object that is within others, whose addresses tell a cycle.

    What estimators have learned counts inside of one that is frozen.
    """
    is_fitted = is_fitted or isinstance(value, FrozenEstimator)
    kind, parts = (
        _take_apart(value, is_fitted)
        if id(value) not in above
        else ("cycle", str(above[::-1].index(id(value))).encode())
    )
    state = blake2b(kind.encode() + b"\0", digest_size=16)
    if isinstance(parts, bytes | memoryview):
        state.update(parts)
    else:
        above = (*above, id(value))
        digests = [_digest(part, above, is_fitted) for part in parts]
        state.update(b"".join(sorted(digests) if kind in _UNORDERED else digests))
    return state.digest()


def _take_apart(value: object, is_fitted: bool) -> tuple[str, Any]:
    """Split an object into the name of its kind, and bytes or a list of parts."""
    cls = type(value)
    if isinstance(value, np.generic) and value.dtype.kind in "biufcUS":
        value = value.item()
        cls = type(value)
    if cls in _SIMPLE:
        text = str(value) if cls is str else repr(value)
        return cls.__name__, text.encode(errors="surrogatepass")
    if cls in (list, tuple):
        return "sequence", value
    if cls in (dict, set, frozenset):
        return cls.__name__, value.items() if isinstance(value, dict) else value
    if isinstance(value, type | ModuleType | FunctionType | CodeType):
        return _take_code_apart(value)
    if issparse(value):
        return "sparse", _canonical(value)
    if isinstance(value, pd.DataFrame):
        columns = [value.iloc[:, place].array for place in range(value.shape[1])]
        return "DataFrame", [value.index, value.columns, *columns]
    if isinstance(value, pd.Series):
        return "Series", [value.index, value.array]
    if isinstance(value, pd.Index | pd.api.extensions.ExtensionArray):
        order = [getattr(value.dtype, name, None) for name in ("categories", "ordered")]
        return f"column of {value.dtype}", [np.asarray(value), *order]
    if isinstance(value, np.ndarray):
        return _take_array_apart(value)
    if hasattr(value, "get_params") and not is_fitted:
        return "estimator", [cls, value.get_params(deep=False)]
    if value is check_random_state(None):  # the distributions of SciPy hold it
        return "global generator", b""
    if hasattr(value, "__array__"):  # polars, torch
        array = np.asarray(value.detach() if hasattr(value, "detach") else value)
        return "array of", [cls, str(getattr(value, "schema", "")), array]
    reduce = copyreg.dispatch_table.get(cls)
    reduced = value.__reduce_ex__(2) if reduce is None else reduce(value)
    if isinstance(reduced, str):
        return "name", [getattr(value, "__module__", None), reduced]
    # The fourth and fifth parts are iterators.
    return "object", [list(p) if i > 2 and p else p for i, p in enumerate(reduced[:5])]


def _take_code_apart(
    value: type | ModuleType | FunctionType | CodeType,
) -> tuple[str, Sequence[Any]]:
    """Split a class or a module into its name, a function into its code."""
    if isinstance(value, ModuleType):
        return "module", [value.__name__]
    if isinstance(value, type):
        if "<locals>" in value.__qualname__:
            raise pickle.PicklingError(f"{value.__qualname__} is a local class")
        return "class", [value.__module__, value.__qualname__]
    if isinstance(value, FunctionType):
        cells = [cell.cell_contents for cell in value.__closure__ or ()]
        defaults = value.__defaults__, value.__kwdefaults__
        return "function", [value.__qualname__, value.__code__, *defaults, cells]
    names = value.co_names, value.co_varnames, value.co_freevars
    return "code", [value.co_code, value.co_consts, names, value.co_flags]


def _take_array_apart(array: NDArray) -> tuple[str, Any]:
    # In a list, masked values are None.
    if array.dtype.hasobject or array.dtype.kind in "UST" or np.ma.is_masked(array):
        return "array", [array.shape, array.ravel().tolist()]
    native = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))
    kind = f"array {native.dtype.descr} {array.shape}"
    return kind, native.reshape(-1).view(np.uint8).data


def _canonical(matrix: spmatrix) -> list[Any]:
    """Split a sparse matrix into arrays that do not depend on how it was made."""
    rows = matrix.tocsr(copy=True)
    rows.sum_duplicates()  # sorts the indices, too
    rows.eliminate_zeros()
    return [
        rows.shape,
        rows.data,
        *(a.astype("i8") for a in (rows.indices, rows.indptr)),
    ]
