"""Scores against the true labels and against the labels that were fitted."""

from collections.abc import Callable
from typing import Any

from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.metrics import accuracy_score, get_scorer
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import Pipeline
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import check_is_fitted

from .._errors import wrong
from ._permuter import LabelPermuter
from ._target import CorruptedTargetClassifier

Scorer = Callable[[BaseEstimator, ArrayLike, ArrayLike], float]


def memorization_scoring() -> dict[str, Scorer]:
    """Make the scorers that tell memorizing from learning.

    Returns
    -------
    scoring : dict of {str: callable}
        Two scorers for the `scoring` parameter of
        :func:`~sklearn.model_selection.cross_validate` or of a search:

        - ``"accuracy"``: the accuracy against the given labels.
        - ``"fitted_accuracy"``: the accuracy against the labels that the training used
          for these rows. NaN if the labels of the training were corrupted and the rows
          are not the training rows, because then there are no such labels.

    See Also
    --------
    CorruptedTargetClassifier : Fits any classifier to corrupted labels.
    LabelPermuter : Corrupts labels.
    sklearn.model_selection.cross_validate : Takes the result as its `scoring`.

    Notes
    -----
    With ``return_train_score=True``, cross-validation yields ``train_fitted_accuracy``,
    how well the labels given to the training were memorized, ``train_accuracy``, the
    accuracy on the training rows against their true labels, and ``test_accuracy``.
    ``test_fitted_accuracy`` is NaN for corrupted labels; a search warns that this score
    is not finite, and must be told to ``refit`` by another.

    Labels may be corrupted by a :class:`CorruptedTargetClassifier` or by a
    :class:`LabelPermuter` in a pipeline of imbalanced-learn, also within pipelines and
    searches. In other meta-estimators they cannot be followed and the score is NaN. For
    an estimator that corrupts nothing, the fitted labels are the given ones.

    Training rows are recognized by their labels and by a digest of up to 512 of them,
    as they reached the corruption. Behind a pipeline step whose ``fit_transform``
    differs from its ``transform`` in the last digits, as
    :class:`~sklearn.decomposition.PCA` does with some solvers, no rows are recognized
    and the score is NaN. The way out is to let the corruption come first, as in
    ``CorruptedTargetClassifier(make_pipeline(PCA(), classifier))``.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.model_selection import cross_validate
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from sk_memorize import (
    ...     CorruptedTargetClassifier, LabelPermuter, memorization_scoring
    ... )
    >>> X, y = load_wine(return_X_y=True)
    >>> clf = CorruptedTargetClassifier(
    ...     DecisionTreeClassifier(random_state=0),
    ...     LabelPermuter("symmetric", fraction=0.25, random_state=0),
    ... )
    >>> scores = cross_validate(
    ...     clf, X, y, scoring=memorization_scoring(), return_train_score=True
    ... )
    >>> scores["train_fitted_accuracy"].mean()
    np.float64(1.0)
    >>> scores["train_accuracy"].mean().round(2)
    np.float64(0.75)
    """
    return {
        "fitted_accuracy": _FittedAccuracy(),
        "accuracy": get_scorer("accuracy"),
    }


class _FittedAccuracy:
    """Accuracy against the labels that the training used."""

    def __call__(self, estimator: BaseEstimator, X: ArrayLike, y: ArrayLike) -> float:
        # The score of unknown rows is NaN without a prediction that checks arguments.
        if isinstance(estimator, type) or not hasattr(estimator, "predict"):
            must = "be a fitted classifier"
            raise ValueError(wrong("estimator", repr(self), must, repr(estimator)))
        for name, value in (("X", X), ("y", y)):
            if value is None:
                raise ValueError(wrong(name, repr(self), "be array-like", "None"))
        check_consistent_length(X, y)
        fitted_labels = labels_of_training(estimator, X, y)
        if fitted_labels is None:
            return float("nan")
        return float(accuracy_score(fitted_labels, estimator.predict(X)))

    def __repr__(self) -> str:
        return "memorization_scoring()['fitted_accuracy']"


def labels_of_training(estimator: BaseEstimator, X: ArrayLike, y: ArrayLike) -> Any:
    """Find the labels that the training of `estimator` used for the rows of `X`.

    Each corruption on the way from `estimator` to the innermost classifier maps the
    labels it was given to the labels it passed on.

    Parameters
    ----------
    estimator : estimator instance
        A fitted classifier, pipeline or search.
    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        The rows.
    y : array-like of shape (n_samples,)
        Their true labels.

    Returns
    -------
    labels : array-like of shape (n_samples,) or None
        The labels, None if they are unknown: if the labels of the training were
        corrupted, and `X` and `y` are not the training rows and their labels.
    """
    if isinstance(estimator, CorruptedTargetClassifier):
        labels = _labels_behind(estimator, X, y)
        if labels is None:
            return None
        return labels_of_training(estimator.estimator_, X, labels)
    if isinstance(estimator, GridSearchCV | RandomizedSearchCV):
        check_is_fitted(estimator)
    if hasattr(estimator, "best_estimator_"):
        return labels_of_training(estimator.best_estimator_, X, y)
    if not _corrupts(estimator):
        return y
    if isinstance(estimator, Pipeline):
        return _labels_of_pipeline(estimator, X, y)
    return None


def _labels_of_pipeline(pipeline: Pipeline, X: ArrayLike, y: ArrayLike) -> Any:
    """Follow the rows and the labels through the steps of a pipeline."""
    *steps, (_, classifier) = pipeline.steps
    labels: Any = y
    for _, step in steps:
        if isinstance(step, LabelPermuter):
            labels = _labels_behind(step, X, labels)
            if labels is None:
                return None
        elif hasattr(step, "transform"):  # else a sampler, or no step at all
            X = step.transform(X)
    return labels_of_training(classifier, X, labels)


def _labels_behind(
    corruption: CorruptedTargetClassifier | LabelPermuter, X: ArrayLike, y: ArrayLike
) -> Any:
    """Return the corrupted labels if `X` and `y` are what was corrupted, else None."""
    check_is_fitted(corruption)
    return corruption.y_corrupted_ if corruption._training_rows.are(y, X) else None


def _corrupts(estimator: BaseEstimator) -> bool:
    """Whether a part of the estimator corrupts labels."""
    if not hasattr(estimator, "get_params"):
        return False
    parts = [estimator, *estimator.get_params().values()]
    return any(
        isinstance(part, CorruptedTargetClassifier | LabelPermuter) for part in parts
    )
