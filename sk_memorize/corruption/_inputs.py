"""Transformers that randomize the inputs: permuted pixels and Gaussian noise."""

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from sklearn.utils import Tags, gen_batches
from sklearn.utils._param_validation import Interval

from .._errors import wrong
from .._seeding import as_generator, draw_seed
from ._base import InputRandomizer
from ._keyed import CHUNK, keyed_chunks


class _PixelPermuter(InputRandomizer):
    """Base class of the transformers that permute pixels."""

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
            got = f"{self.n_channels} for {got}"
            raise ValueError(wrong("n_channels", type(self).__name__, expected, got))

    def _as_pixels(self, rows: NDArray) -> NDArray:
        """View rows as pixels, in an array of shape (n_rows, n_pixels, n_channels)."""
        n_channels = int(self.n_channels)
        if self.channels_first:
            return rows.reshape(len(rows), n_channels, -1).swapaxes(1, 2)
        return rows.reshape(len(rows), -1, n_channels)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype += ["int64", "int32", "uint8", "bool"]
        return tags


class PixelShuffler(_PixelPermuter):
    """Permute the pixels, in the same way in all images.

    The "shuffled pixels" of Zhang et al. (2017, arXiv:1611.03530), section 2.1. Only
    the neighborhoods of the pixels are lost: a classifier that does not use them, as a
    multilayer perceptron, learns as before.

    Parameters
    ----------
    n_channels : int, default=1
        Number of values of a pixel, which are moved together: 3 for colored images.

    channels_first : bool, default=False
        The layout of an image: if False, (height, width, channels), as in the rows of
        :func:`load_dataset`; if True, (channels, height, width), as in torch.

    random_state : int, RandomState instance or None, default=None
        Decides the permutation, together with the number of pixels. None takes a new
        seed from the operating system; NumPy's global state is not used.

    Attributes
    ----------
    permutation_ : ndarray of shape (n_features_in_ / n_channels,)
        Pixel j of the output is pixel ``permutation_[j]`` of the input.

    n_features_in_ : int
        Number of features seen during :term:`fit`; of images, number of values.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of features seen during :term:`fit`, if all of them are strings.

    image_shape_ : tuple of int
        Shape of an image, if `fit` was given images.

    See Also
    --------
    PixelRandomizer : Permutes the pixels of each image differently.
    GaussianInputs : Replaces the inputs by noise.
    LabelPermuter : Corrupts labels.

    Notes
    -----
    Images, of shape (height, width) or with a third axis for the channels, are rows
    whose last axis runs fastest. A fitted transformer accepts flat rows and images of
    the shape seen in `fit`. The output has the shape, the dtype and the column names of
    the input: they name the places, not what was moved there.

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

    def _draw(self, rows: NDArray) -> None:
        rng = as_generator(self.random_state)
        self.permutation_ = rng.permutation(rows.shape[1] // int(self.n_channels))

    def _randomize(self, rows: NDArray) -> NDArray:
        moved = np.empty(rows.shape, rows.dtype)
        pixels = np.take(self._as_pixels(rows), self.permutation_, axis=1)
        self._as_pixels(moved)[:] = pixels
        return moved


class PixelRandomizer(_PixelPermuter):
    """Permute the pixels, in each image differently.

    The "random pixels" of Zhang et al. (2017, arXiv:1611.03530), section 2.1. Of each
    image only the histogram of its pixels remains.

    Parameters
    ----------
    n_channels, channels_first : int and bool, default=1 and False
        As in :class:`PixelShuffler`: what makes a pixel, and where its values are.

    random_state : int, RandomState instance or None, default=None
        Decides the permutation of each row, together with its values; None as in
        :class:`PixelShuffler`.

    Attributes
    ----------
    seed_ : int
        Drawn from `random_state`.

    n_features_in_, feature_names_in_, image_shape_ : int, ndarray and tuple of int
        As in :class:`PixelShuffler`.

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
    and in any fold. Equal rows get the same permutation, whatever the dtype: values are
    compared in float64, and 0.0 equals -0.0. Use it as the first step of a pipeline,
    since outputs of other steps may depend on the batch in their last digits.

    Images and outputs are those of :class:`PixelShuffler`.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_memorize import PixelRandomizer
    >>> X = np.arange(12).reshape(3, 4)
    >>> randomizer = PixelRandomizer(random_state=0).fit(X)
    >>> randomizer.transform(X)
    array([[ 1,  3,  2,  0],
           [ 4,  6,  7,  5],
           [ 8, 10,  9, 11]])
    >>> randomizer.transform(X[2:])
    array([[ 8, 10,  9, 11]])
    """

    def _draw(self, rows: NDArray) -> None:  # noqa: ARG002  the base's signature
        self.seed_ = draw_seed(as_generator(self.random_state))

    def _randomize(self, rows: NDArray) -> NDArray:
        moved = np.empty(rows.shape, rows.dtype)
        given, places = self._as_pixels(rows), self._as_pixels(moved)
        for part, generators in keyed_chunks(rows, self.seed_):
            for i, rng in enumerate(generators, part.start):
                order = rng.permutation(given.shape[1])
                # The default mode would copy what it takes once more.
                given[i].take(order, axis=0, out=places[i], mode="clip")
        return moved


class GaussianInputs(InputRandomizer):
    """Replace each row by Gaussian noise with the mean and variance of the data.

    The "Gaussian" inputs of Zhang et al. (2017, arXiv:1611.03530), section 2.1. Nothing
    remains of a row but its identity.

    Parameters
    ----------
    per_feature : bool, default=False
        If False, the noise has the mean and the variance of all values of all training
        rows. If True, each feature has its own, so that constant features stay
        constant. The paper does not tell which it used.

    random_state : int, RandomState instance or None, default=None
        Decides the noise of each row, together with its values, as the permutation of
        :class:`PixelRandomizer`.

    Attributes
    ----------
    mean_ : float or ndarray of shape (n_features_in_,)
        Mean of the noise.

    std_ : float or ndarray of shape (n_features_in_,)
        Standard deviation of the noise.

    var_ : float or ndarray of shape (n_features_in_,)
        Variance of the noise; infinite or 0 where float64 cannot hold it.

    seed_, n_features_in_, feature_names_in_, image_shape_ : int, int, ndarray and tuple
        As in :class:`PixelRandomizer`.

    See Also
    --------
    PixelShuffler : Permutes the pixels of all images in the same way.
    PixelRandomizer : Permutes the pixels of each image differently.
    LabelPermuter : Corrupts labels.

    Notes
    -----
    The noise of a row is ``mean_ + std_ * z``, where z is standard normal and a
    function of `seed_` and of the values in the row, as the permutation of
    :class:`PixelRandomizer` is: equal rows get equal noise, alone and in any batch.

    The variance is that of the population. Noise is clipped to the range of the dtype,
    not to that of the data. Images are those of :class:`PixelShuffler`. The output has
    the shape of the input, and its dtype if that is floating, otherwise float64.

    Examples
    --------
    A nearest neighbor recognizes the noise that it was fitted to, and nothing else:

    >>> from sklearn.datasets import load_digits
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> from sk_memorize import GaussianInputs
    >>> X, y = load_digits(return_X_y=True)
    >>> clf = make_pipeline(GaussianInputs(random_state=0), KNeighborsClassifier(1))
    >>> clf = clf.fit(X[:1000], y[:1000])
    >>> clf.score(X[:1000], y[:1000])
    1.0
    >>> round(clf.score(X[1000:], y[1000:]), 1)
    0.1
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "per_feature": ["boolean"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        per_feature: bool = False,
        random_state: int | RandomState | None = None,
    ) -> None:
        self.per_feature = per_feature
        self.random_state = random_state

    def _draw(self, rows: NDArray) -> None:
        low, high = rows.min(axis=0).astype(float), rows.max(axis=0).astype(float)
        if not self.per_feature:
            low, high = low.min(), high.max()
        # Scale by powers of two, which is exact, to [-1, 1], where squares and sums
        # neither overflow nor underflow.
        exponent = np.frexp(np.maximum(-low, high))[1]
        mean = _mean_row(rows, exponent)
        mean = mean if self.per_feature else mean.mean()
        # Clip the rounded mean: that of equal numbers must be that number.
        mean = np.clip(mean, np.ldexp(low, -exponent), np.ldexp(high, -exponent))
        var = _mean_row(rows, exponent, mean)
        var = var if self.per_feature else var.mean()
        self.mean_ = np.ldexp(mean, exponent)
        self.std_ = np.ldexp(np.sqrt(var), exponent)
        with np.errstate(over="ignore", under="ignore"):
            self.var_ = np.square(self.std_)
        self.seed_ = draw_seed(as_generator(self.random_state))

    def _randomize(self, rows: NDArray) -> NDArray:
        dtype = rows.dtype if rows.dtype.kind == "f" else np.dtype(np.float64)
        largest = min(np.finfo(dtype).max, np.finfo(np.float64).max)
        noise = np.empty(rows.shape, dtype)
        for part, generators in keyed_chunks(rows, self.seed_):
            z = np.empty(rows[part].shape)
            for row, rng in zip(z, generators, strict=True):
                rng.standard_normal(out=row)
            with np.errstate(over="ignore"):
                z *= self.std_
                z += self.mean_
            np.clip(z, -largest, largest, out=noise[part], casting="same_kind")
        return noise


def _mean_row(
    rows: NDArray,
    exponent: NDArray[np.int32],
    center: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Average rows, or their squared distances from a center, in float64.

    The rows are multiplied by ``2**-exponent`` first. All chunks have one layout,
    because the rounding of a sum depends on it.
    """
    total = np.zeros(rows.shape[1])
    for part in gen_batches(len(rows), CHUNK):
        chunk = np.array(rows[part], dtype=np.float64, order="C")
        np.ldexp(chunk, -exponent, out=chunk)
        total += (chunk if center is None else np.square(chunk - center)).sum(axis=0)
    return total / len(rows)
