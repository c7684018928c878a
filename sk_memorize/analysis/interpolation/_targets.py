"""Labels as outputs to interpolate, and the classifier that such outputs make."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context

from ..._errors import wrong
from .._validation import elect, find_equal_rows, validate_rows_and_labels

Indices = NDArray[np.intp]
Floats = NDArray[np.float64]

CHUNK = 256  # rows of some hundred columns, which stay in the cache


class InterpolatingClassifier(ClassifierMixin, BaseEstimator):
    """A classifier whose outputs interpolate the targets of `encode_targets`."""

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any) -> Self:
        """Fit all labels.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The rows.

        y : array-like of shape (n_samples,)
            The labels, of at least two classes: whole numbers, booleans or strings.

        Returns
        -------
        self : object
            The fitted classifier.
        """
        X, y = validate_rows_and_labels(self, X, y)
        self.classes_, codes = encode_classes(y, type(self).__name__)
        groups, first = find_equal_rows(X)
        elected, self.attainable_accuracy_ = elect(groups, codes)
        targets = encode_targets(elected, len(self.classes_))
        self._interpolate(X, first, targets)
        self._measure(X, first, targets, codes)
        return self

    def _interpolate(self, X: NDArray, first: Indices, targets: Floats) -> None:
        """Interpolate the targets of the distinct rows, given by their indices."""
        raise NotImplementedError

    def _measure(
        self, X: NDArray, first: Indices, targets: Floats, codes: Indices
    ) -> None:
        """Measure the fit, where it may be inexact."""

    def _compute_outputs(self, X: Any) -> Floats:
        """Compute the outputs, in one or more columns."""
        raise NotImplementedError

    def decision_function(self, X: Any) -> NDArray:
        """Compute the outputs.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        outputs : ndarray of shape (n_samples,) or (n_samples, n_classes)
            One output for two classes, positive for the second; else one for each
            class.
        """
        outputs = self._compute_outputs(X)
        return outputs[:, 0] if outputs.shape[1] == 1 else outputs

    def predict(self, X: Any) -> NDArray:
        """Predict the class of the largest output.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            The classes.
        """
        indices = decode_outputs(self._compute_outputs(X))
        return self.classes_[indices]


def encode_classes(y: NDArray, owner: str) -> tuple[NDArray, Indices]:
    """Find the classes, at least two, and the index of each label's class."""
    classes, codes = np.unique(y, return_inverse=True)
    if len(classes) < 2:
        got = f"one class, {classes.tolist()[0]!r},"
        raise ValueError(wrong("y", owner, "have labels of at least 2 classes", got))
    return classes, codes


def encode_targets(codes: Indices, n_classes: int) -> Floats:
    """Encode class indices as outputs: -1 and 1 for two classes, else unit vectors."""
    if n_classes == 2:
        return np.where(codes == 1, 1.0, -1.0)[:, None]
    targets = np.zeros((len(codes), n_classes))
    targets[np.arange(len(codes)), codes] = 1.0
    return targets


def decode_outputs(outputs: Floats) -> Indices:
    """Decode outputs to class indices; ties go to the first class."""
    if outputs.shape[1] == 1:
        return (outputs.ravel() > 0).astype(np.intp)
    return outputs.argmax(axis=1)


def project(X: NDArray, direction: Floats) -> Floats:
    """Compute ``X @ direction`` in float64, each row independently of the others.

    Matrix products sum a row in an order that depends on its place among the others,
    so that equal rows can get different last bits. Here they get the same bits,
    wherever they stand and whether they are in float32 or float64.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        The rows.
    direction : ndarray of shape (n_features,)
        The direction to project on.

    Returns
    -------
    projections : ndarray of shape (n_samples,)
        The inner products.

    Raises
    ------
    ValueError
        If one of them overflows.
    """
    projections = np.empty(len(X))
    for start in range(0, len(X), CHUNK):
        chunk = np.ascontiguousarray(X[start : start + CHUNK], dtype=np.float64)
        np.einsum("ij,j->i", chunk, direction, out=projections[start : start + CHUNK])
    if not np.isfinite(projections).all():
        row = int(np.argmin(np.isfinite(projections)))
        raise ValueError(
            "Input X must hold values whose weighted sum is finite in float64. "
            f"Got a row, number {row}, for which it overflows instead."
        )
    return projections
