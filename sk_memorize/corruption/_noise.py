"""The transformer that replaces the inputs by noise."""

from collections.abc import Callable
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
        a variance per feature, features that are constant stay so, but for
        rounding.

    random_state : int, RandomState instance or None, default=None
        Decides the noise of each row, together with its content. None takes a new
        seed from the operating system; unlike in scikit-learn, the global state of
        NumPy is not used.

    Attributes
    ----------
    mean_ : float or ndarray of shape (n_features_in_,)
        Mean of the noise.

    var_ : float or ndarray of shape (n_features_in_,)
        Variance of the noise.

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
    The noise of a row is ``mean_ + sqrt(var_) * z``, where z is standard normal and a
    function of `seed_` and of the values in the row. It depends neither on the other
    rows nor on its place among them, so that a training row is seen again as it was
    when the classifier was fitted, alone, in any batch and in any fold. Equal rows
    get equal noise. Values are compared as float32, where 0.0 and -0.0 are equal.
    A preceding step whose outputs depend on the batch in their last digits would be
    noticed, so this one should be the first of a pipeline.

    The variance is that of the data as a population, divided by their number. Noise
    is not clipped to the range of the data. Images, of two or three axes, are rows
    whose last axis runs fastest. At predict time flat rows and images of the shape
    seen in `fit` are both accepted. The output has the shape of the input and its
    dtype if that is one of floating-point numbers, otherwise float64.

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
        mean = _mean_row(rows)
        if not self.per_feature:
            mean = mean.mean()
        var = _mean_row(rows, lambda chunk: np.square(chunk - mean))
        self.mean_ = mean if self.per_feature else float(mean)
        self.var_ = var if self.per_feature else float(var.mean())
        self.seed_ = draw_seed(rng)

    def _randomize(self, rows: NDArray) -> NDArray:
        deviation = np.sqrt(self.var_)
        return map_rows(
            lambda chunk, keys: self.mean_ + deviation * normals(keys, chunk.shape[1]),
            rows,
            self.seed_,
            rows.dtype if rows.dtype.kind == "f" else np.float64,
        )


def _mean_row(
    rows: NDArray, function: Callable[[NDArray], NDArray] = lambda chunk: chunk
) -> NDArray[np.float64]:
    """Average a function of rows, in float64.

    Chunk by chunk, because a copy of all rows may not fit into the memory; and in one
    layout, because sums are rounded differently in another.
    """
    chunks = (
        np.array(rows[chunk], dtype=np.float64, order="C")
        for chunk in gen_batches(len(rows), _CHUNK)
    )
    total = np.zeros(rows.shape[1])
    for chunk in chunks:
        total += function(chunk).sum(axis=0)
    return total / len(rows)
