"""Outputs to interpolate, and the estimators that such outputs make."""

from abc import ABC, abstractmethod
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.utils.validation import check_is_fitted, validate_data

from ..._errors import wrong
from ..._labels import check_labels
from .._validation import Indices, elect, find_classes, find_equal_rows, refuse_dates

Floats = NDArray[np.float64]

CHUNK = 256  # rows of some hundred columns, which stay in the cache
_DTYPES = [np.float64, np.float32]


class Interpolator(BaseEstimator, ABC):
    """An estimator whose outputs interpolate a target for each distinct row."""

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Fit all labels, or all numbers.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The rows.

        y : array-like of shape (n_samples,)
            For a classifier labels of at least two classes: whole numbers, booleans or
            strings. For a regressor numbers.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        owner = type(self).__name__
        # None is left to scikit-learn, whose checks expect its error.
        checked = None if y is None else self._check(y, owner)
        refuse_dates(X, "X", owner)
        rows, values = validate_data(self, X, checked, dtype=_DTYPES)
        groups, first = find_equal_rows(rows)
        targets = self._choose_targets(values, groups, first)
        self._interpolate(rows, first, targets)
        self._measure(rows, first, targets, values)
        return self

    def predict(self, X: ArrayLike) -> NDArray:
        """Predict the class of the largest output, or for a regressor the output.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            The classes, or the numbers.
        """
        return self._decode(self._compute_outputs(X))

    def _compute_outputs(self, X: ArrayLike) -> Floats:
        """Validate rows, and compute the outputs, in one or more columns."""
        check_is_fitted(self)
        refuse_dates(X, "X", type(self).__name__)
        return self._evaluate(validate_data(self, X, dtype=_DTYPES, reset=False))

    def _measure(self, X: NDArray, first: Indices, targets: Floats, y: NDArray) -> None:
        """Measure the fit, where it may be inexact."""

    @abstractmethod
    def _check(self, y: ArrayLike, owner: str) -> ArrayLike:
        """Refuse what cannot be fitted."""

    @abstractmethod
    def _choose_targets(self, y: NDArray, groups: Indices, first: Indices) -> Floats:
        """Choose the target of each group of equal rows, given with its first row."""

    @abstractmethod
    def _interpolate(self, X: NDArray, first: Indices, targets: Floats) -> None:
        """Interpolate the targets of the distinct rows, given by their indices."""

    @abstractmethod
    def _evaluate(self, X: NDArray) -> Floats:
        """Compute the outputs of valid rows."""

    @abstractmethod
    def _decode(self, outputs: Floats) -> NDArray:
        """Convert outputs to predictions."""


class InterpolatingClassifier(ClassifierMixin, Interpolator):
    """A classifier whose outputs interpolate the targets of `encode_targets`."""

    def _check(self, y: ArrayLike, owner: str) -> ArrayLike:
        return check_labels(y, owner)

    def _choose_targets(self, y: NDArray, groups: Indices, first: Indices) -> Floats:  # noqa: ARG002  the base's signature
        self.classes_, codes = find_classes(y, type(self).__name__)
        elected, self.attainable_accuracy_ = elect(groups, codes)
        return encode_targets(elected, len(self.classes_))

    def _decode(self, outputs: Floats) -> NDArray:
        return self.classes_[decode_outputs(outputs)]

    def decision_function(self, X: ArrayLike) -> NDArray:
        """Compute the outputs.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            As in :meth:`predict`.

        Returns
        -------
        outputs : ndarray of shape (n_samples,) or (n_samples, n_classes)
            One output for two classes, positive for the second; else one for each
            class.
        """
        outputs = self._compute_outputs(X)
        return outputs[:, 0] if outputs.shape[1] == 1 else outputs


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


def project(X: NDArray, direction: Floats, owner: str) -> Floats:
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
    owner : str
        The class that the error names.

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
        must = "hold values whose weighted sum is finite in float64"
        got = f"a row, number {row}, for which it overflows"
        raise ValueError(wrong("X", owner, must, got))
    return projections
