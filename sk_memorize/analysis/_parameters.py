"""How many numbers a fitted classifier has learned."""

from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline

_WEIGHTS = (("coef_", "intercept_"), ("coefs_", "intercepts_"))


def count_parameters(estimator: Any) -> int | None:
    """Count the parameters of a fitted classifier.

    Parameters
    ----------
    estimator : estimator instance
        A fitted classifier.

    Returns
    -------
    n_parameters : int or None
        By the first of these rules that applies:

        - ``n_parameters_``, where the classifier tells it;
        - the sizes of ``coef_`` and ``intercept_``, or of all ``coefs_`` and
          ``intercepts_``; intercepts that are fixed at 0 do not count;
        - ``tree_.node_count``;
        - the sum over ``estimators_``;
        - the count of ``best_estimator_``, of ``estimator_``, or of the last step of a
          pipeline.

        None if no rule applies.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sk_memorize.analysis._parameters import count_parameters
    >>> X, y = load_iris(return_X_y=True)
    >>> count_parameters(LogisticRegression(max_iter=1000).fit(X, y))
    15
    """
    if hasattr(estimator, "n_parameters_"):
        return int(estimator.n_parameters_)
    for weights, offsets in _WEIGHTS:
        if hasattr(estimator, weights):
            has_offsets = getattr(estimator, "fit_intercept", True)
            return _size(getattr(estimator, weights)) + (
                _size(getattr(estimator, offsets, [])) if has_offsets else 0
            )
    if hasattr(estimator, "tree_"):
        return int(estimator.tree_.node_count)
    if hasattr(estimator, "estimators_"):
        return _sum_over(estimator.estimators_)
    for name in ("best_estimator_", "estimator_"):
        if hasattr(estimator, name):
            return count_parameters(getattr(estimator, name))
    if isinstance(estimator, Pipeline):
        return count_parameters(estimator[-1])
    return None


def _size(weights: Any) -> int:
    """Count the numbers of an array, dense or sparse, or of a list of arrays."""
    if isinstance(weights, list):
        return sum(map(_size, weights))
    return int(np.prod(np.shape(weights)))


def _sum_over(estimators: Any) -> int | None:
    # Boosting has an array of them. NumPy would take a list of forests apart.
    parts = estimators.ravel() if isinstance(estimators, np.ndarray) else estimators
    total = 0
    for part in parts:
        count = count_parameters(part)
        if count is None:
            return None
        total += count
    return total
