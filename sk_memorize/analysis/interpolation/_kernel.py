"""KernelInterpolator: any labels, by the Gaussian-kernel interpolant of least norm."""

import os
import re
import warnings
from numbers import Real
from pathlib import Path
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval, StrOptions

from ..._errors import wrong
from .._validation import Indices
from ._symmetric import solve_in_place
from ._targets import Floats, InterpolatingClassifier, project

_OWNER = "KernelInterpolator"

# The kernel matrix of more distinct rows is stored in float32.
_MAX_FLOAT64_ROWS = 10_000

_GIB = 2**30

_ROWS = 2048  # and columns of a block of the kernel matrix
_MAX_BYTES = 2**27  # of a block of kernel values

# Half squared norms whose rounding error, in the exponent, is still below 1e-7.
_MAX_HALF_NORM = 1e8


class KernelInterpolator(InterpolatingClassifier):
    """Fit any labels exactly with the Gaussian-kernel interpolant of least norm.

    Zero training error on true labels and on random ones, without regularization, and
    yet the true labels of new rows are predicted well: the experiment of section 5 of
    [1]_, without its regularized variants. The system of equations for all training
    rows is solved directly, in the memory of one kernel matrix: in float32 that is
    13.4 GiB for the 60,000 rows of MNIST.

    Parameters
    ----------
    gamma : {"scale"} or float, default="scale"
        The kernel is ``exp(-gamma * squared distance)``. "scale" uses
        ``1 / (n_features * X.var())``, as :class:`~sklearn.svm.SVC` does.

    max_memory : float, default=None
        GiB that the fit may take. A larger kernel matrix is refused before any work.
        None allows the available memory, on systems that report it.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes, sorted.

    gamma_ : float
        The gamma that was used.

    dual_coef_ : ndarray of shape (n_distinct, n_outputs)
        The coefficient of each distinct row's kernel. Two classes take one output, more
        take one for each class.

    train_accuracy_ : float
        The fraction of the training labels that `predict` returns for their rows.

    attainable_accuracy_ : float
        The highest training accuracy that any function of `X` can have: 1.0, unless
        there are equal rows with different labels. Those are fitted to the most
        frequent one, of equally frequent ones the first in `classes_`.

    max_residual_ : float
        The largest difference of an output and its target, -1 or 1 for two classes,
        0 or 1 for more, on the training rows, as `decision_function` computes it.

    jitter_ : float
        Added to the diagonal of the kernel matrix before its factorization.
        The solution is refined towards that of the unchanged matrix.

    n_parameters_ : int
        Number of values kept to predict: the coefficients and the distinct rows.

    n_features_in_ : int
        Number of features of `X`.

    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features of `X`, if they are all strings.

    Warns
    -----
    ConvergenceWarning
        If fewer labels than attainable are fitted, because rows are so much alike for
        the kernel that its matrix is singular in floating point.

    See Also
    --------
    TwoLayerInterpolator : Fits all labels exactly, too, and learns nothing.
    MemorizingMLP : Fits all labels by training.
    sklearn.kernel_ridge.KernelRidge : Regression with regularization.

    Notes
    -----
    With the kernel matrix K of the distinct rows and the targets Y, which are -1 and 1
    for two classes and unit vectors for more, the coefficients solve K A = Y. Of all
    functions in the kernel's space that have these outputs, the one that is found has
    the least norm. K is positive definite for distinct rows and any gamma, so any
    labels can be fitted, in exact arithmetic.

    The kernel matrix is factorized by Cholesky in place, panel by panel. That takes
    n**3 / 3 operations, nearly all of them in products of matrices. For the 60,000 rows
    of MNIST it took 9 minutes on two cores, and 15.2 GiB; then the rows are predicted,
    to measure the fit. The factor overwrites one triangle; the other one keeps K, for
    which the solution is refined by conjugate gradients in float64, with the factor as
    the preconditioner, until no residual exceeds 1e-4. K is stored in float64 for up to
    10,000 distinct rows, and in float32 for more; everything else is in float64.
    Coefficients so large that rounding would decide what they predict are not used,
    though they might fit more labels. The last digits of the coefficients depend on the
    number of threads, as those of other solutions by LAPACK do.

    References
    ----------
    .. [1] The paper that :class:`TwoLayerInterpolator` cites, section 5.

    Examples
    --------
    >>> from sk_memorize import KernelInterpolator, load_dataset
    >>> digits = load_dataset("digits")
    >>> clf = KernelInterpolator().fit(digits.X_train, digits.y_train)
    >>> clf.score(digits.X_train, digits.y_train)
    1.0
    >>> clf.score(digits.X_test, digits.y_test) > 0.98
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "gamma": [StrOptions({"scale"}), Interval(Real, 0, None, closed="neither")],
        "max_memory": [Interval(Real, 0, None, closed="neither"), None],
    }

    def __init__(
        self,
        gamma: Literal["scale"] | float = "scale",
        *,
        max_memory: float | None = None,
    ) -> None:
        self.gamma = gamma
        self.max_memory = max_memory

    def _interpolate(self, X: NDArray, first: Indices, targets: Floats) -> None:
        dtype = np.dtype("f8" if len(first) <= _MAX_FLOAT64_ROWS else "f4")
        self._check_memory(len(first), X.shape[1], dtype)
        self.gamma_ = self._choose_gamma(X)
        order = _sort(X[first])
        self._centers = _make_centers(X[first[order]], self.gamma_)
        K = np.empty((len(first), len(first)), dtype)
        _fill_upper(K, self._centers)
        solution = solve_in_place(K, targets[order])
        self.dual_coef_ = solution.A
        self.jitter_ = solution.jitter
        self.n_parameters_ = self.dual_coef_.size + len(first) * X.shape[1]

    def _measure(self, X: NDArray, first: Indices, targets: Floats, y: NDArray) -> None:
        # Predict, as users do: the solver's own residual is not what they get.
        outputs = self._evaluate(X)
        self.max_residual_ = float(np.abs(targets - outputs[first]).max())
        self.train_accuracy_ = float(np.mean(self._decode(outputs) == y))
        if self.train_accuracy_ < self.attainable_accuracy_:
            dtype = "float64" if len(first) <= _MAX_FLOAT64_ROWS else "float32"
            warnings.warn(
                f"{_OWNER} fitted the fraction {self.train_accuracy_:.5f} "
                f"of the labels, while {self.attainable_accuracy_:.5f} is attainable: "
                f"the kernel matrix is singular in {dtype}. Rows are less alike with a "
                f"'gamma' larger than {self.gamma_:.3g}, or with standardized columns.",
                ConvergenceWarning,
                stacklevel=4,  # past scikit-learn's wrapper of fit
            )

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "train_accuracy_")

    def _choose_gamma(self, X: NDArray) -> float:
        if not isinstance(self.gamma, str):
            return float(self.gamma)
        if X.min() == X.max():
            return 1.0
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            variance = X.var(dtype=np.float64)
            gamma = float(1 / (X.shape[1] * variance))
        if not 0 < gamma < np.inf:
            must = (
                "have a variance whose reciprocal is finite and positive in float64 "
                "for gamma='scale'"
            )
            got, hint = f"a variance of {variance:g}", "multiply X by a constant"
            raise ValueError(wrong("X", _OWNER, must, got, hint))
        return gamma

    def _check_memory(self, n_rows: int, n_features: int, dtype: np.dtype) -> None:
        """Refuse a kernel matrix, with a few copies of the rows, that does not fit."""
        needed = n_rows * (dtype.itemsize * n_rows + 4 * 8 * n_features) / _GIB
        available = _available_memory()
        if self.max_memory is not None:
            limit, got = self.max_memory, f"{self.max_memory}"
        elif available is not None:
            limit, got = available, f"None, and {available:.3g} GiB are available,"
        else:
            return
        if needed > limit:
            must = (
                f"be at least {needed:.3g} (GiB) for the kernel matrix of {n_rows} "
                f"distinct rows in {dtype}"
            )
            raise ValueError(wrong("max_memory", _OWNER, must, got, "fit fewer rows"))

    def _evaluate(self, X: NDArray) -> Floats:
        return _combine(X, self._centers, self.dual_coef_)


def _sort(X: NDArray) -> Indices:
    """Sort distinct rows on a fixed direction, whatever their order and place."""
    direction = np.random.RandomState(0).standard_normal((X.shape[1],))
    return np.argsort(project(X, direction, _OWNER), kind="stable")


def _available_memory() -> float | None:
    """Ask the system for the available GiB, or else for the total."""
    meminfo = Path("/proc/meminfo")
    text = meminfo.read_text() if meminfo.exists() else ""
    if found := re.search(r"MemAvailable: +(\d+) kB", text):
        return int(found[1]) / 2**20
    if hasattr(os, "sysconf"):  # not in Windows
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / _GIB
    return None


class _Centers(NamedTuple):
    """Rows prepared for the kernel ``exp(-gamma * squared distance)``.

    The exponent of two rows is the inner product of ``[scaled x, -q, 1]`` and
    ``[scaled x', 1, -q']``, where q is half the squared norm of the scaled row. Where q
    is so large that its rounding would count, it is half the squared length of the
    difference of the scaled rows, which is slower.

    Attributes
    ----------
    rows : ndarray of shape (n_centers, n_features + 2)
        The second kind of vectors.
    mean : ndarray of shape (n_features,)
        Subtracted from the rows, so that small distances far from the origin do not
        drown in rounding.
    gamma : float
        The kernel's parameter.
    """

    rows: Floats
    mean: Floats
    gamma: float


def _make_centers(X: NDArray, gamma: float) -> _Centers:
    """Prepare the rows of a training set."""
    mean = X.mean(axis=0, dtype=np.float64)
    scaled, half_norms = _scale(X, mean, gamma)
    return _Centers(
        np.hstack([scaled, np.ones_like(half_norms), -half_norms]), mean, gamma
    )


def _scale(X: NDArray, mean: Floats, gamma: float) -> tuple[Floats, Floats]:
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = np.sqrt(2 * gamma) * (X - mean)
        half_norms = np.einsum("ij,ij->i", scaled, scaled)[:, None] / 2
    if not np.isfinite(half_norms).all():
        row = int(np.argmin(np.isfinite(half_norms)))
        must = "hold rows whose squared distances, times gamma, are finite in float64"
        got = f"a row, number {row}, for which they overflow with gamma = {gamma:g},"
        raise ValueError(wrong("X", _OWNER, must, got))
    return scaled, half_norms


def _evaluate(left: Floats, right: Floats) -> Floats:
    if -min(left[:, -2].min(), right[:, -1].min()) > _MAX_HALF_NORM:
        kernel = cdist(left[:, :-2], right[:, :-2], "sqeuclidean")
        kernel /= -2
    else:
        kernel = left @ right.T
        np.minimum(kernel, 0, out=kernel)  # squared distances rounded below zero
    return np.exp(kernel, out=kernel)


def _fill_upper(K: NDArray, centers: _Centers) -> None:
    """Write the kernel of the centers on, above and in part below the diagonal."""
    for start in range(0, len(K), _ROWS):
        rows = centers.rows[start : start + _ROWS]
        left = np.hstack([rows[:, :-2], rows[:, -1:], rows[:, -2:-1]])
        for column in range(start, len(K), _ROWS):
            right = centers.rows[column : column + _ROWS]
            K[start : start + _ROWS, column : column + _ROWS] = _evaluate(left, right)


def _combine(X: NDArray, centers: _Centers, coef: Floats) -> Floats:
    """Evaluate the sums of kernels with the coefficients, one for each output."""
    scaled, half_norms = _scale(X, centers.mean, centers.gamma)
    left = np.hstack([scaled, -half_norms, np.ones_like(half_norms)])
    outputs = np.empty((len(X), coef.shape[1]))
    size = max(1, _MAX_BYTES // (8 * len(coef)))
    for start in range(0, len(X), size):
        part = slice(start, start + size)
        outputs[part] = _evaluate(left[part], centers.rows) @ coef
    return outputs
