"""The Gaussian kernel, computed as one product of matrices."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from sk_memorize.analysis._distinct import Floats

_ROWS = 2048
_MAX_BYTES = 2**27  # of a block of kernel values

# Half squared norms whose rounding error, in the exponent, is still below 1e-7.
_MAX_HALF_NORM = 1e8


class Centers(NamedTuple):
    """Rows made ready for the kernel ``exp(-gamma * squared distance)``.

    The exponent of two rows is the inner product of ``[scaled x, -q, 1]`` and
    ``[scaled x', 1, -q']``, where q is half the squared norm of the scaled row. Where q
    is so large that its rounding would count, it is half the squared length of the
    difference of the scaled rows, which takes longer.

    Attributes
    ----------
    rows : ndarray of shape (n_centers, n_features + 2)
        The second kind of vectors.
    mean : ndarray of shape (n_features,)
        Was subtracted from the rows, so that small distances far from the origin do
        not drown in rounding.
    gamma : float
        The kernel's parameter.
    """

    rows: Floats
    mean: Floats
    gamma: float


def make_centers(X: NDArray, gamma: float) -> Centers:
    """Prepare the rows of a training set.

    Parameters
    ----------
    X : ndarray of shape (n_centers, n_features)
        The rows.
    gamma : float
        The kernel's parameter.

    Returns
    -------
    centers : Centers
        The prepared rows.
    """
    mean = X.mean(axis=0, dtype=np.float64)
    scaled, half_norms = _scale(X, mean, gamma)
    return Centers(
        np.hstack([scaled, np.ones_like(half_norms), -half_norms]), mean, gamma
    )


def _scale(X: NDArray, mean: Floats, gamma: float) -> tuple[Floats, Floats]:
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = np.sqrt(2 * gamma) * (X - mean)
        half_norms = np.einsum("ij,ij->i", scaled, scaled)[:, None] / 2
    if not np.isfinite(half_norms).all():
        raise ValueError(
            "Input X must hold values whose squared distances, times 'gamma', are "
            "finite in float64. Got a row, number "
            f"{int(np.argmin(np.isfinite(half_norms)))}, for which they overflow "
            f"instead, with gamma = {gamma:g}."
        )
    return scaled, half_norms


def _evaluate(left: Floats, right: Floats) -> Floats:
    if -min(left[:, -2].min(), right[:, -1].min()) > _MAX_HALF_NORM:
        kernel = cdist(left[:, :-2], right[:, :-2], "sqeuclidean")
        kernel /= -2
    else:
        kernel = left @ right.T
        np.minimum(kernel, 0, out=kernel)  # a distance that was rounded below zero
    return np.exp(kernel, out=kernel)


def fill_upper(K: NDArray, centers: Centers) -> None:
    """Write the kernel of the centers with each other on and above the diagonal.

    Parameters
    ----------
    K : ndarray of shape (n_centers, n_centers), float32 or float64
        Is written to, also somewhat below the diagonal.
    centers : Centers
        The rows.
    """
    for start in range(0, len(K), _ROWS):
        rows = centers.rows[start : start + _ROWS]
        left = np.hstack([rows[:, :-2], rows[:, -1:], rows[:, -2:-1]])
        for column in range(start, len(K), _ROWS):
            right = centers.rows[column : column + _ROWS]
            K[start : start + _ROWS, column : column + _ROWS] = _evaluate(left, right)


def combine(X: NDArray, centers: Centers, coef: Floats) -> Floats:
    """Evaluate a sum of kernels.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Where to.
    centers : Centers
        The centers of the kernels.
    coef : ndarray of shape (n_centers, n_outputs)
        Their coefficients.

    Returns
    -------
    outputs : ndarray of shape (n_samples, n_outputs)
        The sums.
    """
    scaled, half_norms = _scale(X, centers.mean, centers.gamma)
    left = np.hstack([scaled, -half_norms, np.ones_like(half_norms)])
    outputs = np.empty((len(X), coef.shape[1]))
    size = max(1, _MAX_BYTES // (8 * len(coef)))
    for start in range(0, len(X), size):
        part = slice(start, start + size)
        outputs[part] = _evaluate(left[part], centers.rows) @ coef
    return outputs
