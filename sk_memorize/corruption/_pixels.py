"""Transformers that permute the pixels of images."""

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from sklearn.utils import Tags
from sklearn.utils._param_validation import Interval

from sk_memorize.corruption._inputs import FLOATS, InputRandomizer, draw_seed
from sk_memorize.corruption._keyed import map_rows, permutations


class _PixelPermuter(InputRandomizer):
    """What the transformers that move pixels share."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_channels": [Interval(Integral, 1, None, closed="left")],
        "channels_first": ["boolean"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        n_channels: int = 1,
        channels_first: bool = False,
        random_state: int | RandomState | None = None,
    ) -> None:
        self.n_channels = n_channels
        self.channels_first = channels_first
        self.random_state = random_state

    def _check_shape(self, shape: tuple[int, ...]) -> None:
        if len(shape) == 1:
            fits = shape[0] % int(self.n_channels) == 0
            expected, got = "divide the number of features", f"{shape[0]} features"
        else:
            in_image = shape[0 if self.channels_first else -1] if len(shape) > 2 else 1
            fits = self.n_channels == in_image
            expected = (
                f"be {in_image}, the number of channels of the images for "
                f"channels_first={self.channels_first}"
            )
            got = f"images of shape {shape}"
        if not fits:
            raise ValueError(
                f"The 'n_channels' parameter of {type(self).__name__} must {expected}. "
                f"Got {self.n_channels} for {got} instead."
            )

    def _value_order(self, pixel_order: NDArray[np.integer]) -> NDArray[np.integer]:
        """Turn orders of pixels, along the last axis, into orders of their values."""
        channels = np.arange(int(self.n_channels))
        if self.channels_first:
            planes = channels[:, None] * pixel_order.shape[-1]
            order = pixel_order[..., None, :] + planes
        else:
            order = pixel_order[..., None] * len(channels) + channels
        return order.reshape(*pixel_order.shape[:-1], -1)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        integers = ["int64", "int32", "uint8", "bool"]
        tags.transformer_tags.preserves_dtype = FLOATS + integers
        return tags


class PixelShuffler(_PixelPermuter):
    """Permute the pixels, in the same way in all images.

    The "shuffled pixels" of [1]_. The pixels keep all their information, but their
    places in the image no longer tell which of them are neighbors. A classifier that
    knows of no neighborhood, as a multilayer perceptron, learns as well as before.

    Parameters
    ----------
    n_channels : int, default=1
        Number of values that make a pixel and are moved together: 3 for the rows of
        colored images.

    channels_first : bool, default=False
        How the values of an image are ordered. If False, the values of a pixel stand
        side by side, (height, width, channels), as in the rows of
        :func:`load_dataset`. If True, the channels follow each other as whole planes,
        (channels, height, width), as in torch. Without effect for one channel in a
        row.

    random_state : int, RandomState instance or None, default=None
        Decides the permutation, together with the number of pixels. None takes a new
        seed from the operating system; unlike in scikit-learn, the global state of
        NumPy is not used.

    Attributes
    ----------
    permutation_ : ndarray of shape (n_features_in_ / n_channels,)
        Pixel j of the output is pixel ``permutation_[j]`` of the input.

    n_features_in_ : int
        Number of features seen during :term:`fit`; of images, number of values.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of features seen during :term:`fit`. Only defined if all of them are
        strings.

    image_shape_ : tuple of int
        Shape of an image. Only defined if `fit` was given images.

    See Also
    --------
    PixelRandomizer : Permutes the pixels of each image differently.
    GaussianInputs : Replaces the inputs by noise.
    LabelPermuter : Corrupts labels.

    Notes
    -----
    Images, of shape (height, width) or with a third axis for the channels, are rows
    whose last axis runs fastest. At predict time flat rows and images of the shape
    seen in `fit` are both accepted. The output has the shape and the dtype of the
    input, and its columns the same names: they name the places, not what was moved
    there.

    References
    ----------
    .. [1] C. Zhang, S. Bengio, M. Hardt, B. Recht and O. Vinyals, "Understanding deep
       learning requires rethinking generalization", ICLR 2017, section 2.1.
       https://arxiv.org/abs/1611.03530

    Examples
    --------
    >>> import numpy as np
    >>> from sk_memorize import PixelShuffler
    >>> X = np.arange(8).reshape(2, 4)
    >>> shuffler = PixelShuffler(random_state=0).fit(X)
    >>> shuffler.permutation_
    array([2, 3, 1, 0])
    >>> shuffler.transform(X)
    array([[2, 3, 1, 0],
           [6, 7, 5, 4]])

    Two pixels of two channels each:

    >>> PixelShuffler(n_channels=2, random_state=0).fit_transform(X)
    array([[2, 3, 0, 1],
           [6, 7, 4, 5]])
    """

    def _draw(self, rows: NDArray, rng: RandomState) -> None:
        self.permutation_ = rng.permutation(rows.shape[1] // int(self.n_channels))

    def _randomize(self, rows: NDArray) -> NDArray:
        # Indexing would give an array in the order of Fortran, several times slower.
        return np.take(rows, self._value_order(self.permutation_), axis=1)


class PixelRandomizer(_PixelPermuter):
    """Permute the pixels, in each image differently.

    The "random pixels" of [1]_. Of each image only the histogram of its pixels
    remains.

    Parameters
    ----------
    n_channels : int, default=1
        Number of values that make a pixel and are moved together: 3 for the rows of
        colored images.

    channels_first : bool, default=False
        How the values of an image are ordered. If False, the values of a pixel stand
        side by side, (height, width, channels), as in the rows of
        :func:`load_dataset`. If True, the channels follow each other as whole planes,
        (channels, height, width), as in torch. Without effect for one channel in a
        row.

    random_state : int, RandomState instance or None, default=None
        Decides the permutation of each row, together with its content. None takes a
        new seed from the operating system; unlike in scikit-learn, the global state
        of NumPy is not used.

    Attributes
    ----------
    seed_ : int
        Of 64 bits, drawn from `random_state`.

    n_features_in_ : int
        Number of features seen during :term:`fit`; of images, number of values.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of features seen during :term:`fit`. Only defined if all of them are
        strings.

    image_shape_ : tuple of int
        Shape of an image. Only defined if `fit` was given images.

    See Also
    --------
    PixelShuffler : Permutes the pixels of all images in the same way.
    GaussianInputs : Replaces the inputs by noise.
    LabelPermuter : Corrupts labels.

    Notes
    -----
    The permutation of a row is a function of `seed_` and of the values in the row. It
    depends neither on the other rows nor on its place among them, so that a training
    row is seen again as it was when the classifier was fitted, alone, in any batch
    and in any fold. Equal rows get the same permutation, in whatever type they hold
    the same numbers, compared in float64; 0.0 and -0.0 are equal. A preceding step
    whose outputs depend on the batch in their last digits would be noticed, so this
    one should be the first of a pipeline.

    Images, of shape (height, width) or with a third axis for the channels, are rows
    whose last axis runs fastest. At predict time flat rows and images of the shape
    seen in `fit` are both accepted. The output has the shape and the dtype of the
    input, and its columns the same names: they name the places.

    References
    ----------
    .. [1] C. Zhang, S. Bengio, M. Hardt, B. Recht and O. Vinyals, "Understanding deep
       learning requires rethinking generalization", ICLR 2017, section 2.1.
       https://arxiv.org/abs/1611.03530

    Examples
    --------
    >>> import numpy as np
    >>> from sk_memorize import PixelRandomizer
    >>> X = np.arange(12).reshape(3, 4)
    >>> randomizer = PixelRandomizer(random_state=0).fit(X)
    >>> randomizer.transform(X)
    array([[ 0,  2,  1,  3],
           [ 6,  4,  7,  5],
           [ 8,  9, 11, 10]])
    >>> randomizer.transform(X[2:])
    array([[ 8,  9, 11, 10]])
    """

    def _draw(self, rows: NDArray, rng: RandomState) -> None:  # noqa: ARG002
        self.seed_ = draw_seed(rng)

    def _randomize(self, rows: NDArray) -> NDArray:
        n_pixels = rows.shape[1] // int(self.n_channels)
        return map_rows(
            lambda chunk, keys: np.take_along_axis(
                chunk, self._value_order(permutations(keys, n_pixels)), axis=1
            ),
            rows,
            self.seed_,
            rows.dtype,
        )
