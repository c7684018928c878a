"""Digests of objects by their contents, the same in any process.

Neither identity nor addresses count, and neither the order of a set or a dict nor the
layout of an array. Pickles, and what is hashed of them, depend on all of these.
"""

import copyreg
import inspect
import pickle
from collections.abc import Sequence
from hashlib import blake2b
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import issparse, spmatrix
from sklearn.utils import check_random_state

_UNORDERED = "dict", "set", "frozenset"
_SIMPLE = (type(None), bool, int, float, complex, str, bytes)


def digest(value: object) -> str:
    """Hash the contents of an object.

    Parameters
    ----------
    value : object
        Numbers, strings, arrays, tables, containers, estimators, functions, and what
        can be pickled. Of an estimator the parameters count, of a function its code,
        defaults and closure, of a class its name.

    Returns
    -------
    digest : str
        Equal for equal contents.

    Raises
    ------
    TypeError
        If the object cannot be pickled.

    Examples
    --------
    >>> import numpy as np
    >>> digest({"a": np.eye(3), "b": [2]}) == digest({"b": [2], "a": np.eye(3).T})
    True
    """
    return _digest(value, ()).hex()


def show(value: object) -> str:
    """Represent an object by its class and its parameters, without addresses.

    Parameters
    ----------
    value : object
        An estimator or a splitter, or one of its parameters.

    Returns
    -------
    text : str
        Parameters that have their defaults are left out; of what has no simple
        representation, the class and the first letters of the digest are shown.

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
        params = value.get_params(deep=False)
    elif hasattr(value, "split") and hasattr(value, "__dict__"):
        params = vars(value)
    else:
        return f"{name} {digest(value)[:8]}"
    defaults = {
        key: digest(parameter.default)
        for key, parameter in inspect.signature(type(value)).parameters.items()
        if parameter.default is not parameter.empty
    }
    shown = (
        f"{key}={show(params[key])}"
        for key in sorted(params)
        if defaults.get(key) != digest(params[key])
    )
    return f"{name}({', '.join(shown)})"


def _digest(value: object, above: tuple[int, ...]) -> bytes:
    """Hash an object that is within others, whose addresses tell a cycle."""
    kind, parts = (
        _take_apart(value)
        if id(value) not in above
        else ("cycle", str(above[::-1].index(id(value))).encode())
    )
    state = blake2b(kind.encode() + b"\0", digest_size=16)
    if isinstance(parts, bytes | memoryview):
        state.update(parts)
    else:
        above = (*above, id(value))
        digests = [_digest(part, above) for part in parts]
        state.update(b"".join(sorted(digests) if kind in _UNORDERED else digests))
    return state.digest()


def _take_apart(value: object) -> tuple[str, Any]:
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
        columns = [value.iloc[:, place] for place in range(value.shape[1])]
        return "DataFrame", [value.columns, *columns]
    if isinstance(value, pd.Series | pd.Index | pd.api.extensions.ExtensionArray):
        return f"column of {value.dtype}", [np.asarray(value)]
    if isinstance(value, np.ndarray):
        return _take_array_apart(value)
    if hasattr(value, "get_params"):
        return "estimator", [cls, value.get_params(deep=False)]
    if value is check_random_state(None):  # the distributions of SciPy hold it
        return "global generator", b""
    if hasattr(value, "__array__"):  # polars, torch
        array = np.asarray(value.detach() if hasattr(value, "detach") else value)
        return "array of", [cls, array]
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
    if array.dtype.hasobject or array.dtype.kind in "UST":
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
