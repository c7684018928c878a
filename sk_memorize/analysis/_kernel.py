"""Any labels, fitted by the interpolant of least norm with a Gaussian kernel."""

import os
import warnings
from numbers import Real
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from sk_memorize.analysis._distinct import (
    Floats,
    decode_outputs,
    elect,
    encode_classes,
    encode_targets,
    find_distinct_rows,
)
from sk_memorize.analysis._gaussian import combine, fill_upper, make_centers
from sk_memorize.analysis._rows_and_labels import refuse_dates, validate_rows_and_labels
from sk_memorize.analysis._symmetric import solve_in_place

# The kernel matrix of more distinct rows is stored in float32.
_MAX_FLOAT64_ROWS = 10_000

_GIB = 2**30


class KernelInterpolator(ClassifierMixin, BaseEstimator):
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
        None allows what the system has available, where it tells that.

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
        The share of the training labels that `predict` returns for their rows.

    attainable_accuracy_ : float
        The highest training accuracy that any function of `X` can have: 1.0, unless
        there are equal rows with different labels. Those are fitted to the most
        frequent one, of equally frequent ones the first in `classes_`.

    max_residual_ : float
        The largest difference of an output and its target, -1 or 1 for two classes,
        0 or 1 for more, on the training rows, as `decision_function` computes it.

    jitter_ : float
        What was added to the diagonal of the kernel matrix before its factorization.
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

    The kernel matrix is computed, and factorized by Cholesky in its own place, a panel
    of columns after the other. That takes n**3 / 3 operations, nearly all of them in
    products of matrices. For the 60,000 rows of MNIST it took 9 minutes on two cores,
    and 15.2 GiB; then the rows are predicted, to measure the fit. The factor overwrites
    one triangle; the other one keeps K, for which the solution is refined by conjugate
    gradients in float64, with the factor as the preconditioner, until no residual
    exceeds 1e-4. K is stored in float64 for up to 10,000 distinct rows, and in float32
    for more; everything else is in float64. Coefficients so large that rounding would
    decide what they predict are not used, though they might fit more labels. The last
    digits of the coefficients depend on the number of threads, as those of other
    solutions by LAPACK do.

    References
    ----------
    .. [1] C. Zhang, S. Bengio, M. Hardt, B. Recht and O. Vinyals, "Understanding deep
       learning requires rethinking generalization", ICLR 2017, section 5.
       https://arxiv.org/abs/1611.03530

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.model_selection import train_test_split
    >>> from sk_memorize import KernelInterpolator
    >>> X, y = load_digits(return_X_y=True)
    >>> X, X_test, y, y_test = train_test_split(X, y, stratify=y, random_state=0)
    >>> clf = KernelInterpolator().fit(X, y)
    >>> clf.score(X, y)
    1.0
    >>> clf.score(X_test, y_test) > 0.98
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

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any) -> Self:
        """Solve for the coefficients.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The rows.

        y : array-like of shape (n_samples,)
            The labels, of at least two classes: whole numbers, booleans or strings.

        Returns
        -------
        self : KernelInterpolator
            The fitted classifier.
        """
        X, y = validate_rows_and_labels(self, X, y)
        classes, codes = encode_classes(y, type(self).__name__)
        # Which direction does not matter: the same one makes the result independent of
        # the order of the rows.
        direction = np.random.RandomState(0).standard_normal(X.shape[1])
        distinct = find_distinct_rows(X, direction)
        n_distinct = len(distinct.first)
        dtype = np.dtype("f8" if n_distinct <= _MAX_FLOAT64_ROWS else "f4")
        self._check_memory(n_distinct, X.shape[1], dtype)
        gamma = self._choose_gamma(X)
        self._centers = make_centers(X[distinct.first], gamma)
        elected, self.attainable_accuracy_ = elect(distinct.groups, codes)
        self.classes_, self.gamma_ = classes, gamma
        targets = encode_targets(elected, len(classes))
        self._solve(targets, dtype)
        # What is told of the fit is what those will find who predict the rows.
        outputs = combine(X, self._centers, self.dual_coef_)
        residual = targets - outputs[distinct.first]
        self.max_residual_ = float(np.abs(residual).max())
        self.train_accuracy_ = float(np.mean(decode_outputs(outputs) == codes))
        self._warn_if_not_fitted(dtype)
        return self

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
            raise ValueError(
                "Input X must have a variance whose reciprocal is finite and positive "
                f"in float64 for gamma='scale'. Got a variance of {variance:g} "
                "instead; multiply X by a constant."
            )
        return gamma

    def _check_memory(self, n_rows: int, n_features: int, dtype: np.dtype) -> None:
        """Refuse what does not fit: the kernel matrix and a few copies of the rows."""
        needed = n_rows * (dtype.itemsize * n_rows + 4 * 8 * n_features) / _GIB
        available = _available_memory()
        if self.max_memory is not None:
            limit, got = self.max_memory, f"{self.max_memory}"
        elif available is not None:
            limit, got = available, f"None, and {available:.3g} GiB are available,"
        else:
            return
        if needed > limit:
            raise ValueError(
                f"The 'max_memory' parameter of {type(self).__name__} must be at least "
                f"{needed:.3g} (GiB) for the kernel matrix of {n_rows} distinct rows "
                f"in {dtype}. Got {got} instead; fit fewer rows."
            )

    def _solve(self, targets: Floats, dtype: np.dtype) -> None:
        """Set the coefficients."""
        n_rows = len(targets)
        K = np.empty((n_rows, n_rows), dtype)
        fill_upper(K, self._centers)
        solution = solve_in_place(K, targets)
        self.dual_coef_ = solution.A
        self.jitter_ = solution.jitter
        self.n_parameters_ = self.dual_coef_.size + n_rows * self.n_features_in_

    def _warn_if_not_fitted(self, dtype: np.dtype) -> None:
        if self.train_accuracy_ < self.attainable_accuracy_:
            warnings.warn(
                f"{type(self).__name__} fitted the share {self.train_accuracy_:.5f} of "
                f"the labels, while {self.attainable_accuracy_:.5f} is attainable: the "
                f"kernel matrix is singular in {dtype}. With a "
                f"'gamma' larger than {self.gamma_:.3g}, or with standardized columns, "
                "rows are less alike.",
                ConvergenceWarning,
                stacklevel=3,
            )

    def decision_function(self, X: Any) -> NDArray:
        """Compute the outputs of the interpolant.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        outputs : ndarray of shape (n_samples,) or (n_samples, n_classes)
            One output for two classes, positive for the second; else one for each
            class.
        """
        check_is_fitted(self)
        refuse_dates(X, "X", type(self).__name__)
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        outputs = combine(X, self._centers, self.dual_coef_)
        return outputs[:, 0] if outputs.shape[1] == 1 else outputs

    def predict(self, X: Any) -> NDArray:
        """Predict the class of the largest output.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The rows.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            The classes.
        """
        indices = decode_outputs(self.decision_function(X))
        return self.classes_[indices]


def _available_memory() -> float | None:
    """Ask the system for the GiB that are available, or at least for all there are."""
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        for line in meminfo.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) / 2**20
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / _GIB
    return None
