"""One fit of each classifier to the rows that are not held out, and what it says."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import joblib
import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.pipeline import Pipeline
from sklearn.utils import _safe_indexing

from ..._errors import wrong
from ..._seeding import seeded_clone, spawn_seeds
from ..._threads import single_thread, single_thread_of_native_code
from ..._typing import Estimator
from ._halves import Indices, Mask
from ._row_losses import RowLosses, watch_losses

Floats = NDArray[np.float32]

_CHUNK = 8192  # rows that are predicted at a time


class FitResult(NamedTuple):
    """What the classifiers of one fit say.

    Attributes
    ----------
    probabilities : ndarray of shape (n_members, n_rows, n_classes), float32
        Of all rows and classes.
    test_probability : ndarray of shape (n_test_rows,), float32
        Of the labels of the test rows, mean over the members.
    losses : ndarray of shape (n_members, n_rows), float32
        Loss of each row summed over the training; 0 for held out rows, NaN where
        it is not known.
    """

    probabilities: Floats
    test_probability: Floats
    losses: Floats


@dataclass(frozen=True, eq=False)
class Fits:
    """What all fits have in common.

    Attributes
    ----------
    members : tuple of estimator instances
        The classifiers.
    X : {array-like, sparse matrix, DataFrame} of shape (n_rows, ...)
        The rows, as given.
    order : ndarray of shape (n_rows,)
        The order in which they are used, here as everywhere: that of their contents.
    classes : ndarray of shape (n_classes,)
        The labels that there are.
    codes : ndarray of shape (n_rows,)
        Index of the label of each row.
    weight : ndarray of shape (n_rows,) or None
        Weights of the rows.
    X_test : {array-like, sparse matrix, DataFrame} or None
        The test rows.
    test_codes : ndarray of shape (n_test_rows,)
        Indices of their labels.
    owner : str
        The function that errors name.
    """

    members: tuple[Any, ...]
    X: Any
    order: Indices
    classes: NDArray
    codes: Indices
    weight: NDArray | None
    X_test: Any
    test_codes: Indices
    owner: str

    @property
    def has_weight(self) -> Mask:
        """Tell which rows a classifier that heeds weights is trained on."""
        return (
            np.ones(len(self.codes), bool) if self.weight is None else self.weight > 0
        )

    def run(self, is_out: Mask, seed: int) -> FitResult:
        """Fit clones of the members to the rows that are not held out.

        Parameters
        ----------
        is_out : ndarray of shape (n_rows,), bool
            Which rows are held out.
        seed : int
            Decides the seeds of the members that have none.

        Returns
        -------
        result : FitResult
            What they say.
        """
        rows = np.flatnonzero(~is_out)
        X = _safe_indexing(self.X, self.order[rows])
        shape = (len(self.members), len(is_out))
        probabilities = np.empty((*shape, len(self.classes)), np.float32)
        test = np.zeros(len(self.test_codes))
        losses = np.zeros(shape, np.float32)
        seeds = spawn_seeds(seed, len(self.members))
        for number, member in enumerate(self.members):
            classifier = seeded_clone(member, seeds[number])
            watched = watch_losses(classifier)
            with _one_thread():
                self._fit(classifier, X, rows)
                probabilities[number] = self._predict(classifier, self.X, self.order)
                if len(test):
                    tests = np.arange(len(test))
                    predicted = self._predict(classifier, self.X_test, tests)
                    test += predicted[tests, self.test_codes]
            losses[number, rows] = self._losses(watched, rows)
        return FitResult(probabilities, (test / shape[0]).astype(np.float32), losses)

    def _fit(self, classifier: Any, X: ArrayLike, rows: Indices) -> None:
        weight = {}
        if self.weight is not None:
            weight = {weight_name(classifier): self.weight[rows]}
        classifier.fit(X, self.classes[self.codes[rows]], **weight)

    def _predict(self, classifier: Any, X: ArrayLike, order: Indices) -> Floats:
        """Predict probabilities of all classes: 0 for one that was not trained on."""
        columns = np.searchsorted(self.classes, classifier.classes_)
        probabilities = np.zeros((len(order), len(self.classes)), np.float32)
        # No copy of all rows is made for the sake of their order.
        for start in range(0, len(order), _CHUNK):
            chunk = slice(start, start + _CHUNK)
            rows = _safe_indexing(X, order[chunk])
            probabilities[chunk, columns] = classifier.predict_proba(rows)
        if not np.isfinite(probabilities).all():
            must, got = "predict finite probabilities", f"NaN from {classifier!r}"
            raise ValueError(wrong("estimator", self.owner, must, got))
        return probabilities

    def _losses(self, watched: RowLosses | None, rows: Indices) -> NDArray | float:
        """Map the losses of a network to the rows: those without weight have none."""
        has_weight = self.has_weight[rows]
        labels = self.codes[rows][has_weight]
        losses = None if watched is None else watched.of_given_rows(labels)
        if losses is None:
            return np.nan
        all_losses = np.zeros(len(rows))
        all_losses[has_weight] = losses
        return all_losses


def weight_name(classifier: Estimator) -> str:
    """Name the argument of `fit` that takes the weights of the rows."""
    if isinstance(classifier, Pipeline):
        return f"{classifier.steps[-1][0]}__sample_weight"
    return "sample_weight"


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Compute with one thread, so that sums do not depend on how many are free."""
    with (
        single_thread(),
        single_thread_of_native_code(),
        joblib.parallel_config(backend="sequential"),
    ):
        yield
