"""Weights of rows: those of samples and classes multiplied, rows of zero dropped."""

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_matrix
from sklearn.utils import compute_class_weight
from sklearn.utils.validation import _check_sample_weight

from ._errors import wrong

ClassWeight: TypeAlias = Mapping[Any, float] | str


def weigh_rows(
    X: np.ndarray | csr_matrix,
    y: np.ndarray,
    sample_weight: ArrayLike | None,
    class_weight: ClassWeight | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Multiply the weights of rows and classes, and drop rows without weight.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Inputs.
    y : ndarray of shape (n_samples,)
        Labels.
    sample_weight : array-like of shape (n_samples,) or None
        Weights of the rows.
    class_weight : dict, "balanced" or None
        Weights of the classes, as in `sklearn.utils.compute_class_weight`.

    Returns
    -------
    X : ndarray of shape (n_kept, n_features)
        Rows of positive weight.
    y : ndarray of shape (n_kept,)
        Their labels.
    weight : ndarray of shape (n_kept,), float64, or None
        Their weights, None if neither rows nor classes have any.

    Raises
    ------
    ValueError
        If a weight is negative or not finite, or if all are zero.
    """
    weight = None
    if sample_weight is not None:
        weight = _check_sample_weight(
            sample_weight, X, dtype=np.float64, ensure_non_negative=True
        )
        X, y, weight = _positive(X, y, weight, "sample_weight")
    if class_weight is None:
        return X, y, weight
    labels, indices = np.unique(y, return_inverse=True)
    factors = _factors(class_weight, labels, y, weight)[indices]
    product = factors if weight is None else weight * factors
    return _positive(X, y, product, "class_weight")


def _factors(
    class_weight: ClassWeight,
    labels: np.ndarray,
    y: np.ndarray,
    weight: np.ndarray | None,
) -> np.ndarray:
    """Find the weights of the classes that there are."""
    known = class_weight
    if not isinstance(known, str):
        # A fold or a piece may lack classes that the dict names.
        known = {k: known[k] for k in labels if k in known}
    try:
        factors = compute_class_weight(known, classes=labels, y=y, sample_weight=weight)
        is_valid = np.isfinite(factors).all() and (factors >= 0).all()
    except (TypeError, ValueError):
        is_valid = False
    if not is_valid:
        must, got = "have finite values of at least 0", repr(class_weight)
        raise ValueError(wrong("class_weight", "MemorizingMLP", must, got))
    return factors


def _positive(
    X: np.ndarray, y: np.ndarray, weight: np.ndarray, name: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Keep the rows of positive weight, and make the largest one about one."""
    # By a power of two, which rounds nothing: float32 holds the weights then.
    weight = np.ldexp(weight, -np.frexp(weight.max())[1])
    kept = weight > 0
    if not kept.any():
        must, got = "leave rows of positive weight", "weights that are all zero"
        raise ValueError(wrong(name, "MemorizingMLP", must, got))
    return (X, y, weight) if kept.all() else (X[kept], y[kept], weight[kept])
