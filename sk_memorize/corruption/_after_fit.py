"""A method of the permuter that there is only once it has been fitted to labels."""

import sys
from collections.abc import Callable
from types import MethodType
from typing import Any

from sklearn.utils.validation import check_is_fitted

WAY_OUT = (
    "Labels are corrupted for a classifier, also within a pipeline, by "
    "CorruptedTargetClassifier(classifier, LabelPermuter())."
)
# Where steps are searched for `transform`, and what is said without it helps nobody.
_FOR_TRANSFORMERS = "sklearn.pipeline", "sklearn.compose._column_transformer"


class AfterFit:
    """A method that there is after ``fit(y)`` only."""

    # imbalanced-learn's Pipeline takes a step with `transform` for a transformer of X
    # and refuses one that has `fit_resample` besides. A permuter in a pipeline is
    # either unfitted or was fitted by `fit_resample`: it must not show `transform`.
    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __get__(self, permuter: Any, owner: Any = None) -> Any:
        if permuter is None:
            return self.function
        if sys._getframe(1).f_globals.get("__name__") in _FOR_TRANSFORMERS:
            raise TypeError(
                "LabelPermuter corrupts labels and is no step that transforms X. "
                + WAY_OUT
            )
        name = self.function.__name__
        # The error is an AttributeError as well: for hasattr there is no such method.
        check_is_fitted(
            permuter,
            msg="This %(name)s instance is not fitted yet. Call 'fit(y)' first: "
            f"{name!r} repeats the corruption drawn by it.",
        )
        if permuter._training_rows.digest is not None:
            raise AttributeError(
                f"{name!r} is available after 'fit(y)', and this LabelPermuter was "
                "fitted by 'fit_resample', which returned the corrupted labels; they "
                "are also in 'y_corrupted_'."
            )
        return MethodType(self.function, permuter)
