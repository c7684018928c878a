"""Pipelines, searches and meta-estimators, and the estimator inside them."""

from collections.abc import Iterator
from typing import Any

from sklearn.pipeline import Pipeline


def layers(estimator: object) -> Iterator[Any]:
    """Iterate over an estimator and the one it delegates to, from the outermost in.

    Parameters
    ----------
    estimator : estimator instance
        Fitted or not. What is fitted goes before what was given: ``best_estimator_``,
        ``estimator_``, then ``estimator``; of a pipeline, the last step. Ensembles,
        which have several ``estimators_``, delegate to none of them.

    Yields
    ------
    estimator : estimator instance
        The next one.

    Examples
    --------
    >>> from sklearn.linear_model import Perceptron
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn.pipeline import make_pipeline
    >>> list(layers(GridSearchCV(make_pipeline(Perceptron()), {})))[2]
    Perceptron()
    """
    while hasattr(estimator, "fit") and not isinstance(estimator, type):
        yield estimator
        if hasattr(estimator, "estimators_"):
            return
        if isinstance(estimator, Pipeline):
            estimator = estimator.steps[-1][1]
            continue
        for name in ("best_estimator_", "estimator_", "estimator"):
            if (inner := getattr(estimator, name, None)) is not None:
                break
        estimator = inner
