"""Base class of the transformers that randomize inputs."""

from abc import ABCMeta, abstractmethod
from typing import Any, Self

from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray
from sklearn.base import (
    BaseEstimator,
    OneToOneFeatureMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.utils import Tags, check_array
from sklearn.utils._set_output import _get_output_config
from sklearn.utils.validation import check_is_fitted, validate_data

from .._errors import wrong
from .._images import remember_shape


class InputRandomizer(
    OneToOneFeatureMixin, TransformerMixin, BaseEstimator, metaclass=ABCMeta
):
    """Base class: validates rows or images, draws in `fit`, transforms each row."""

    random_state: int | RandomState | None

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: None = None) -> Self:  # noqa: ARG002  scikit-learn's signature
        """Draw what decides the transformation.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or images of shape \
                (n_samples, height, width) or of four axes
            The inputs.

        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted transformer.
        """
        images = self._check(X)
        self._check_shape(images.shape[1:])
        rows = images.reshape(len(images), -1)
        # Column names come from the given container, not from the array.
        validate_data(self, X if images.ndim == 2 else rows, skip_check_array=True)
        self._draw(rows)
        remember_shape(self, _shape_of_image(images), reset=True)
        return self

    def transform(self, X: ArrayLike) -> Any:
        """Transform each row, always in the same way.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), or images of shape \
                (n_samples, height, width) or of four axes
            The inputs.

        Returns
        -------
        X_new : ndarray or DataFrame of the shape of `X`
            The transformed inputs, a DataFrame if :meth:`set_output` asked for it.
        """
        check_is_fitted(self)
        images = self._check(X)
        rows = images.reshape(len(images), -1)
        self._check_images(_shape_of_image(images))
        named = X if images.ndim == 2 else rows
        validate_data(self, named, skip_check_array=True, reset=False)
        self._check_shape(images.shape[1:])
        return self._randomize(rows).reshape(images.shape)

    def _check(self, X: ArrayLike) -> NDArray:
        """Return the numbers in `X`, in an array of two to four axes."""
        array: NDArray = check_array(X, allow_nd=True, input_name="X", estimator=self)
        if array.dtype.kind not in "biuf":
            expected, got = "hold real numbers", f"the dtype {array.dtype}"
        elif array.ndim > 4 or array.size == 0:
            expected = "be rows, or images of two or three axes that are not empty"
            got = f"an array of shape {array.shape}"
        else:
            return array
        raise ValueError(wrong("X", type(self).__name__, expected, got))

    def _check_images(self, shape: tuple[int, ...] | None) -> None:
        """Compare the shape of images with those seen in `fit`."""
        remember_shape(self, shape, reset=False)
        container = _get_output_config("transform", self)["dense"]
        if shape is not None and container != "default":
            must = "be 'default' for images, which are not the rows of a table"
            raise ValueError(wrong("transform", "set_output", must, repr(container)))

    def _check_shape(self, shape: tuple[int, ...]) -> None:
        """Check that the parameters fit the shape of a row or of an image."""

    @abstractmethod
    def _draw(self, rows: NDArray) -> None:
        """Set the fitted attributes."""

    @abstractmethod
    def _randomize(self, rows: NDArray) -> NDArray:
        """Transform rows into a new array."""

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True  # images
        tags.transformer_tags.preserves_dtype = ["float64", "float32", "float16"]
        return tags


def _shape_of_image(images: NDArray) -> tuple[int, ...] | None:
    return images.shape[1:] if images.ndim > 2 else None
