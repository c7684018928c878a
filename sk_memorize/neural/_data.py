"""What comes in beside plain rows: images, and weights."""

from typing import Any

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import compute_class_weight
from sklearn.utils.validation import _check_sample_weight


def flatten_images(X: Any) -> tuple[Any, tuple[int, ...] | None]:
    """Make each image a row.

    Parameters
    ----------
    X : array-like
        Images of shape (n_samples, height, width) or (n_samples, channels, height,
        width), or anything else, which is left as it is.

    Returns
    -------
    X : array-like
        Rows.
    image_shape : tuple of int or None
        The shape of an image, None if there are no images.
    """
    shape = tuple(getattr(X, "shape", ()))
    if len(shape) not in (3, 4) or issparse(X):
        return X, None
    return X.reshape(shape[0], -1), shape[1:]


def weigh_rows(
    X: np.ndarray, y: np.ndarray, sample_weight: Any, class_weight: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """Weigh rows and classes, and leave out what has no weight.

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
        If a weight is negative or not finite.
    """
    weight = None
    if sample_weight is not None:
        weight = _check_sample_weight(
            sample_weight, X, dtype=np.float64, ensure_non_negative=True
        )
        X, y, weight = _positive(X, y, weight)
    if class_weight is None:
        return X, y, weight
    labels, indices = np.unique(y, return_inverse=True)
    factors = compute_class_weight(
        class_weight, classes=labels, y=y, sample_weight=weight
    )
    if not (np.isfinite(factors).all() and (factors >= 0).all()):
        raise ValueError(
            "The 'class_weight' parameter of MemorizingMLP must have finite values of "
            f"at least 0. Got {class_weight!r} instead."
        )
    factors = factors[indices]
    return _positive(X, y, factors if weight is None else weight * factors)


def _positive(
    X: np.ndarray, y: np.ndarray, weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Keep the rows of positive weight."""
    kept = weight > 0
    return (X, y, weight) if kept.all() else (X[kept], y[kept], weight[kept])
