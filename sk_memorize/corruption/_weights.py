"""The rows that take part in a fit: those whose weight is not zero."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import check_array
from sklearn.utils.metadata_routing import _routing_enabled, process_routing


def rows_with_weight(
    estimator: BaseEstimator, fit_params: Mapping[str, Any], n_rows: int
) -> NDArray[np.intp] | None:
    """Find the rows whose weight is not zero, if there are others.

    Parameters
    ----------
    estimator : estimator instance
        A classifier, pipeline or meta-estimator.
    fit_params : mapping
        What is given to its `fit` method.
    n_rows : int
        Number of rows.

    Returns
    -------
    present : ndarray of shape (n_present,) or None
        The rows; None for all.
    """
    weight = _weight(estimator, fit_params)
    try:
        values = check_array(
            weight, dtype=np.float64, ensure_2d=False, ensure_all_finite=False
        )
    except (TypeError, ValueError):
        values = None
    # Leave wrong weights to the classifier, which refuses them itself.
    if values is None or values.shape != (n_rows,):
        return None
    present = np.flatnonzero(values)
    return present if 0 < len(present) < n_rows else None


def _weight(estimator: BaseEstimator, params: Mapping[str, Any]) -> Any:
    """Find the weights that reach the innermost classifier, None if there are none."""
    if not params or "sample_weight" in params:
        return params.get("sample_weight")
    name, inner = "estimator", getattr(estimator, "estimator", None)
    if isinstance(estimator, Pipeline):
        name, inner = estimator.steps[-1]
    if inner is None:
        return None
    if _routing_enabled():
        routed = process_routing(estimator, "fit", **params)
        return _weight(inner, routed.get(name, {}).get("fit", {}))
    if isinstance(estimator, Pipeline):
        start = f"{name}__"
        params = {
            key.removeprefix(start): value
            for key, value in params.items()
            if key.startswith(start)
        }
    return _weight(inner, params)
