"""The transformer that replaces the inputs by noise."""

from typing import Any, ClassVar

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray
from sklearn.utils import gen_batches

from sk_memorize.corruption._inputs import InputRandomizer, draw_seed
from sk_memorize.corruption._keyed import map_rows, normals

_CHUNK = 1024  # rows


class GaussianInputs(InputRandomizer):
    """Replace each row by Gaussian noise with the mean and variance of the data.

    The "Gaussian" inputs of [1]_. Nothing remains of a row but its identity.

    Parameters
    ----------
    per_feature : bool, default=False
        If False, one mean and one variance, those of all values of all training rows,
        are those of the noise. If True, each feature has its own. The paper, which
        speaks of the mean and the variance of the data set, does not tell which; with
        a variance per feature, features that are constant stay so.

    random_state : int, RandomState instance or None, default=None
        Decides the noise of each row, together with its content. None takes a new
        seed from the operating system; unlike in scikit-learn, the global state of
        NumPy is not used.

    Attributes
    ----------
    mean_ : float or ndarray of shape (n_features_in_,)
        Mean of the noise.

    std_ : float or ndarray of shape (n_features_in_,)
        Standard deviation of the noise.

    var_ : float or ndarray of shape (n_features_in_,)
        Variance of the noise; infinite or 0 where float64 cannot hold it.

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
    PixelRandomizer : Permutes the pixels of each image differently.
    LabelPermuter : Corrupts labels.

    Notes
    -----
    The noise of a row is ``mean_ + std_ * z``, where z is standard normal and a
    function of `seed_` and of the values in the row. It depends neither on the other
    rows nor on its place among them, so that a training row is seen again as it was
    when the classifier was fitted, alone, in any batch and in any fold. Equal rows
    get equal noise, in whatever type they hold the same numbers, compared in float64;
    0.0 and -0.0 are equal. A preceding step whose outputs depend on the batch in their
    last digits would be noticed, so this one should be the first of a pipeline.

    The variance is that of the data as a population, divided by their number. Noise
    is clipped to the range of the dtype, but not to that of the data. Images, of two
    or three axes, are rows whose last axis runs fastest. At predict time flat rows and
    images of the shape seen in `fit` are both accepted. The output has the shape of
    the input and its dtype if that is one of floating-point numbers, otherwise
    float64.

    References
    ----------
    .. [1] C. Zhang, S. Bengio, M. Hardt, B. Recht and O. Vinyals, "Understanding deep
       learning requires rethinking generalization", ICLR 2017, section 2.1.
       https://arxiv.org/abs/1611.03530

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

    def _draw(self, rows: NDArray, rng: RandomState) -> None:
        low, high = rows.min(axis=0).astype(float), rows.max(axis=0).astype(float)
        if not self.per_feature:
            low, high = low.min(), high.max()
        # By powers of two all numbers come between -1 and 1, where squares and sums
        # neither overflow nor vanish; nothing is rounded for it.
        exponent = np.frexp(np.maximum(-low, high))[1]
        mean = _mean_row(rows, exponent)
        mean = mean if self.per_feature else mean.mean()
        # The sum is rounded, and of equal numbers the mean is that number.
        mean = np.clip(mean, np.ldexp(low, -exponent), np.ldexp(high, -exponent))
        var = _mean_row(rows, exponent, mean)
        var = var if self.per_feature else var.mean()
        self.mean_ = np.ldexp(mean, exponent)
        self.std_ = np.ldexp(np.sqrt(var), exponent)
        with np.errstate(over="ignore", under="ignore"):
            self.var_ = np.square(self.std_)
        self.seed_ = draw_seed(rng)

    def _randomize(self, rows: NDArray) -> NDArray:
        dtype = rows.dtype if rows.dtype.kind == "f" else np.dtype(np.float64)
        largest = min(np.finfo(dtype).max, np.finfo(np.float64).max)

        def draw(chunk: NDArray, keys: NDArray[np.uint64]) -> NDArray:
            with np.errstate(over="ignore"):
                noise = self.mean_ + self.std_ * normals(keys, chunk.shape[1])
            return np.clip(noise, -largest, largest, out=noise)

        return map_rows(draw, rows, self.seed_, dtype)


def _mean_row(
    rows: NDArray, exponent: NDArray[np.int32], center: Any = None
) -> NDArray[np.float64]:
    """Average rows, or their squared distances from a center, in float64.

    The rows are multiplied by ``2**-exponent`` first. Chunk by chunk, because a copy of
    all rows may not fit into the memory; and in one layout, because sums are rounded
    differently in another.
    """
    total = np.zeros(rows.shape[1])
    for part in gen_batches(len(rows), _CHUNK):
        chunk = np.array(rows[part], dtype=np.float64, order="C")
        np.ldexp(chunk, -exponent, out=chunk)
        total += (chunk if center is None else np.square(chunk - center)).sum(axis=0)
    return total / len(rows)
