"""Types of what users hand over: estimators."""

from typing import Any, Protocol, Self

from numpy.typing import ArrayLike


class Estimator(Protocol):
    """Anything with scikit-learn's parameters that can be fitted."""

    def fit(self, X: ArrayLike, y: ArrayLike) -> object:
        """Fit rows and labels."""

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name."""

    def set_params(self, **params: object) -> Self:
        """Set parameters by name."""


class Classifier(Estimator, Protocol):
    """An estimator that predicts labels."""

    def predict(self, X: ArrayLike) -> Any:
        """Predict a label for each row."""
