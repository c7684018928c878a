"""Any classifier, fitted to corrupted targets."""

from typing import Any, ClassVar, Self, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    MetaEstimatorMixin,
    _fit_context,
    clone,
)
from sklearn.utils import (
    Bunch,
    Tags,
    get_tags,
    indexable,
)
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    _routing_enabled,
    process_routing,
)
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _estimator_has, _num_samples, check_is_fitted

from .._errors import check_classifier
from .._groups import check_column
from .._labels import as_labels, take_labels
from ._fingerprints import TrainingRows
from ._labels import Kind
from ._permuter import LabelPermuter
from ._weights import rows_with_weight


class CorruptedTargetClassifier(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Fit a classifier to corrupted labels, as Zhang et al. (2017, arXiv:1611.03530).

    Labels are corrupted in :meth:`fit` only. Cross-validation therefore corrupts the
    labels of the training folds, and scores on the true labels of the test fold.

    Parameters
    ----------
    estimator : estimator instance
        The classifier; a clone of it is fitted.

    corruption : LabelPermuter or {"permutation", "uniform", "symmetric", \
            "asymmetric"}, default="permutation"
        What is done to the labels; a clone of the permuter is fitted. A string is the
        kind of one that corrupts all labels: "permutation" is ``LabelPermuter()``.

    Attributes
    ----------
    estimator_ : estimator instance
        The classifier fitted to the corrupted labels.

    corruption_ : LabelPermuter
        The fitted corruption.

    y_corrupted_ : ndarray or Series of shape (n_samples,)
        The labels that `estimator_` was fitted to.

    corrupted_mask_ : ndarray of shape (n_samples,), dtype=bool
        The rows whose label differs from the given one.

    realized_rate_ : float
        The fraction of the rows whose label differs from the given one.

    classes_ : ndarray of shape (n_classes,)
        The classes of `estimator_`. A class of `y` is missing if the corruption took
        its last row; permutations never do.

    n_features_in_ : int
        Number of features seen during :term:`fit`. Only defined if `estimator_`
        exposes such an attribute.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of features seen during :term:`fit`. Only defined if `estimator_` exposes
        such an attribute.

    See Also
    --------
    LabelPermuter : The kinds of corruption.
    memorization_scoring : Scores against the true and against the fitted labels.
    sklearn.compose.TransformedTargetRegressor : Fits a regressor to transformed
        targets.

    Notes
    -----
    The corruption is drawn anew for each fit if its `random_state` is None. With an
    int each fit draws the same, and so it does with an instance, which is cloned.

    `groups` and `strata` may be passed to :meth:`fit`, for the corruption. With
    metadata routing enabled, what is passed goes to the objects that requested it, for
    example by ``LabelPermuter().set_fit_request(groups=True)``.

    Rows whose `sample_weight` is zero take no part in the corruption: a weight of zero
    is the same as leaving the row out. `corruption_` is then fitted to the others, and
    `realized_rate_` is their rate. In a pipeline, and in what holds one, it is the
    weight that reaches the last step, by ``step__sample_weight`` or by routing.

    Examples
    --------
    A nearest neighbor memorizes any labels, and then knows little about new rows:

    >>> from sklearn.datasets import load_iris
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from sk_memorize import CorruptedTargetClassifier, LabelPermuter
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = CorruptedTargetClassifier(
    ...     KNeighborsClassifier(n_neighbors=1),
    ...     LabelPermuter("symmetric", fraction=0.4, random_state=0),
    ... ).fit(X, y)
    >>> clf.realized_rate_
    0.4
    >>> clf.score(X, y)
    0.6...
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "estimator": "no_validation",
        "corruption": [
            LabelPermuter,
            StrOptions({"permutation", "uniform", "symmetric", "asymmetric"}),
        ],
    }

    def __init__(
        self, estimator: BaseEstimator, corruption: LabelPermuter | str = "permutation"
    ) -> None:
        self.estimator = estimator
        self.corruption = corruption

    @_fit_context(
        # The estimator and the corruption validate their own parameters.
        prefer_skip_nested_validation=False
    )
    def fit(self, X: ArrayLike, y: ArrayLike, **fit_params: object) -> Self:
        """Corrupt `y`, and fit the classifier to the result.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training data, as `estimator` accepts it.

        y : array-like of shape (n_samples,)
            The true labels.

        **fit_params : dict
            - If `enable_metadata_routing=False` (default): `groups` and `strata` are
              passed to the `fit` method of the corruption, all others to the `fit`
              method of the classifier.

            - If `enable_metadata_routing=True`: passed to the `fit` method of the
              objects that requested them.

        Returns
        -------
        self : CorruptedTargetClassifier
            The fitted classifier.
        """
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but "
                "the target y is None."
            )
        check_classifier(self.estimator, type(self).__name__)
        X, y = indexable(X, y)
        routed_params = self._route(fit_params)
        corruption = clone(self._get_corruption())
        present = rows_with_weight(
            self.estimator, routed_params.estimator.fit, _num_samples(y)
        )
        y_corrupted, mask = _corrupt_rows(
            corruption, y, present, routed_params.corruption.fit
        )
        estimator = clone(self.estimator)
        try:
            estimator.fit(X, y_corrupted, **routed_params.estimator.fit)
        except KeyboardInterrupt:
            # An interrupted classifier may be fitted, as MemorizingMLP is.
            is_interrupted = True
        else:
            is_interrupted = False
        self.corruption_ = corruption
        self.y_corrupted_ = y_corrupted
        self.corrupted_mask_ = mask
        self.realized_rate_ = corruption.realized_rate_
        self.estimator_ = estimator
        self._training_rows = TrainingRows.of(y, X)
        if is_interrupted:
            raise KeyboardInterrupt
        return self

    def predict(self, X: ArrayLike) -> NDArray:
        """Predict the labels of `X`.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            The samples, as `estimator` accepts them.

        Returns
        -------
        y_pred : ndarray of shape (n_samples,)
            The predicted labels.
        """
        return self._get_fitted().predict(X)

    @available_if(_estimator_has("predict_proba"))
    def predict_proba(self, X: ArrayLike) -> NDArray:
        """Predict the probabilities of the classes for an `X` as in :meth:`predict`.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            The probabilities, in the order of `classes_`.
        """
        return self._get_fitted().predict_proba(X)

    @available_if(_estimator_has("predict_log_proba"))
    def predict_log_proba(self, X: ArrayLike) -> NDArray:
        """Predict the logarithms of the probabilities, as :meth:`predict_proba`.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
        """
        return self._get_fitted().predict_log_proba(X)

    @available_if(_estimator_has("decision_function"))
    def decision_function(self, X: ArrayLike) -> NDArray:
        """Compute the decision function for an `X` as in :meth:`predict`.

        Returns
        -------
        decisions : ndarray of shape (n_samples,) or (n_samples, n_classes)
        """
        return self._get_fitted().decision_function(X)

    @property
    def classes_(self) -> NDArray:
        """Classes of the fitted classifier."""
        return self._get_fitted().classes_

    @property
    def n_features_in_(self) -> int:
        """Number of features seen during :term:`fit`."""
        return self._get_fitted().n_features_in_

    @property
    def feature_names_in_(self) -> NDArray:
        """Names of features seen during :term:`fit`."""
        return self._get_fitted().feature_names_in_

    def get_metadata_routing(self) -> MetadataRouter:
        """Get metadata routing of this object.

        Please check :ref:`User Guide <metadata_routing>` on how the routing mechanism
        works.

        Returns
        -------
        routing : MetadataRouter
            A :class:`~sklearn.utils.metadata_routing.MetadataRouter` encapsulating
            routing information.
        """
        fit_to_fit = MethodMapping().add(caller="fit", callee="fit")
        # The self request routes `sample_weight` to `score`.
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(estimator=self.estimator, method_mapping=fit_to_fit)
            .add(corruption=self._get_corruption(), method_mapping=fit_to_fit)
        )

    def _route(self, fit_params: dict[str, object]) -> Bunch:
        """Divide `fit_params` between the estimator and the corruption."""
        if _routing_enabled():
            return process_routing(self, "fit", **fit_params)
        corruption_params = {
            name: fit_params.pop(name)
            for name in ("groups", "strata")
            if name in fit_params
        }
        return Bunch(
            estimator=Bunch(fit=fit_params), corruption=Bunch(fit=corruption_params)
        )

    def _get_fitted(self) -> BaseEstimator:
        check_is_fitted(self)
        return self.estimator_

    def _get_corruption(self) -> LabelPermuter:
        if isinstance(self.corruption, str):
            return LabelPermuter(cast(Kind, self.corruption))
        return self.corruption

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        estimator_tags = get_tags(self.estimator)
        tags.input_tags = estimator_tags.input_tags
        if estimator_tags.classifier_tags is not None:
            multi_class = estimator_tags.classifier_tags.multi_class
            tags.classifier_tags.multi_class = multi_class
        # Corrupted labels: the score against the true ones is low.
        tags.classifier_tags.poor_score = True
        tags.non_deterministic = estimator_tags.non_deterministic
        return tags


def _corrupt_rows(
    corruption: LabelPermuter,
    y: ArrayLike,
    present: NDArray[np.intp] | None,
    params: dict[str, Any],
) -> tuple[Any, NDArray[np.bool_]]:
    """Fit the corruption to some rows, or to all, and return the labels of all."""
    if present is None:
        corruption.fit(y, **params)
        return corruption.y_corrupted_, corruption.corrupted_mask_
    owner = type(corruption).__name__
    labels = as_labels(y, owner)
    params = {
        name: None
        if values is None
        else check_column(values, len(labels), name, owner)[present]
        for name, values in params.items()
    }
    corruption.fit(labels[present], **params)
    mask = np.zeros(len(labels), dtype=bool)
    mask[present] = corruption.corrupted_mask_
    sources = np.arange(len(labels))
    sources[present] = present[corruption._source_rows]
    return take_labels(y, labels, sources), mask
