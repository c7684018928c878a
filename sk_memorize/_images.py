"""Images as rows: an estimator knows the shape of those that it was fitted to."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import issparse


def flatten_images(X: ArrayLike) -> tuple[Any, tuple[int, ...] | None]:
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
    if isinstance(X, (list, tuple)) and len(X) and np.ndim(X[0]) > 1:
        X = np.asarray(X)
    shape = tuple(getattr(X, "shape", ()))
    if len(shape) not in (3, 4) or issparse(X):
        return X, None
    return np.asarray(X).reshape(shape[0], -1), shape[1:]


def remember_shape(
    estimator: Any, shape: tuple[int, ...] | None, *, reset: bool
) -> None:
    """Set `image_shape_`, or compare it with the shape of other images.

    Parameters
    ----------
    estimator : estimator instance
        It has the attribute if it was fitted to images.
    shape : tuple of int or None
        The shape of an image, None for rows.
    reset : bool
        Whether the attribute is set, as in `fit`, or removed, where there are rows.

    Raises
    ------
    ValueError
        If the estimator was fitted to images of another shape.
    """
    known = getattr(estimator, "image_shape_", None)
    if reset:
        estimator.__dict__.pop("image_shape_", None)
        if shape is not None:
            estimator.image_shape_ = shape
    elif None not in (shape, known) and shape != known:
        raise ValueError(
            f"X has images of shape {shape}, but {type(estimator).__name__} is "
            f"expecting images of shape {known}, or rows."
        )
