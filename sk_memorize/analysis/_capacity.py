"""memorization_capacity: the largest number of random labels that are fitted."""

import math
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score
from sklearn.utils import indexable
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import _safe_split
from sklearn.utils.parallel import (
    Parallel,
    _threadpool_controller_decorator,
    delayed,
)
from sklearn.utils.validation import _num_samples

from .._errors import check_classifier, wrong
from .._seeding import draw_seed, seeded_clone, spawn_seeds
from .._typing import Classifier
from .._unwrap import layers
from ._capacity_result import MemorizationCapacity, Search, summarize
from ._validation import checks_arguments

_OWNER = "memorization_capacity"
_GAUSSIAN_MAX_SAMPLES = 2**14
_WEIGHTS = (("coef_", "intercept_"), ("coefs_", "intercepts_"))

Counter = Callable[[Any], float | None]


@checks_arguments(
    X=["array-like", "sparse matrix", None],
    n_features=[Interval(Integral, 1, None, closed="left"), None],
    n_classes=[Interval(Integral, 2, None, closed="left")],
    target_accuracy=[Interval(Real, 0, 1, closed="right")],
    n_repeats=[Interval(Integral, 1, None, closed="left")],
    min_samples=[Interval(Integral, 2, None, closed="left")],
    max_samples=[Interval(Integral, 2, None, closed="left"), None],
    rtol=[Interval(Real, 0, 1, closed="left")],
    confidence=[Interval(Real, 0, 1, closed="neither")],
    n_parameters=[StrOptions({"auto"}), callable],
)
def memorization_capacity(
    estimator: Classifier,
    X: ArrayLike | None = None,
    *,
    n_features: int | None = None,
    n_classes: int = 2,
    target_accuracy: float = 1.0,
    n_repeats: int = 6,
    min_samples: int = 16,
    max_samples: int | None = None,
    rtol: float = 0.02,
    confidence: float = 0.95,
    n_parameters: str | Counter = "auto",
    n_jobs: int | None = None,
    random_state: int | RandomState | None = None,
) -> MemorizationCapacity:
    """Measure how many random labels a classifier can fit.

    Each repeat draws rows in random order and, for each of them, a class at random. It
    then looks for the largest n such that the classifier fits the first n labels. The
    capacity is the median over the repeats.

    Parameters
    ----------
    estimator : estimator instance
        A classifier. Clones of it are fitted.

    X : {array-like, sparse matrix} of shape (n_samples, n_features), default=None
        Real inputs, of which each repeat takes rows without replacement. None means
        Gaussian inputs with `n_features` independent columns.

    n_features : int, default=None
        Number of columns of the Gaussian inputs; None if `X` is given.

    n_classes : int, default=2
        Number of classes; all are equally probable for each label.

    target_accuracy : float, default=1.0
        The part of the labels that must be predicted for a fit to be a success.

    n_repeats : int, default=6
        Number of sequences of rows and labels. Six are the fewest whose interval
        covers 95 %.

    min_samples : int, default=16
        The size tried first. It is doubled until a fit fails; if the first fails,
        the search goes below it.

    max_samples : int, default=None
        The largest size tried. None means all rows of `X`, or 16384 Gaussian ones.

    rtol : float, default=0.02
        The search ends when the capacity is known to this part of itself; 0 means to
        the label.

    confidence : float, default=0.95
        Coverage wanted of the interval.

    n_parameters : "auto" or callable, default="auto"
        How the parameters of a fitted classifier are counted. "auto" takes, in this
        order, its ``n_parameters_``, the sizes of ``coef_`` and ``intercept_`` or of
        ``coefs_`` and ``intercepts_``, its ``tree_.node_count``, or the sum over
        its ``estimators_``; within searches, meta-estimators and pipelines those of
        the classifier. If there is none of them, the number is None. A callable is
        given the fitted classifier and returns a number or None.

    n_jobs : int, default=None
        Number of processes that share the repeats; None means 1 unless in a
        :obj:`joblib.parallel_backend` context, -1 one per core.

    random_state : int, RandomState instance or None, default=None
        Decides rows, labels, and the seeds of `estimator` that are None. With an int
        the result is the same at each call, whatever `n_jobs` is. None takes a new
        seed from the operating system.

    Returns
    -------
    capacity : MemorizationCapacity
        In labels, in bits and per parameter, with an interval for the labels, and
        with all fits.

    See Also
    --------
    randomization_test : Whether there is signal in given labels.
    MemorizingMLP : A network made to fit random labels.

    Notes
    -----
    *Search.* A classifier that fits n labels whenever they can be fitted also fits
    the first n - 1 of them. Success is then monotone within a repeat, and doubling
    followed by bisection finds the largest n in about ``2 log2(n)`` fits. Training
    that is stochastic, or ends early, breaks this mildly: what is found is a size at
    which it succeeded and a larger one, by `rtol` at most, at which it failed.
    Warnings of missing convergence are not shown, as failing is a part of the search.
    A size below `min_samples` that the classifier refuses with a ValueError, as too
    small for its folds, counts as one at which it failed.

    Linear algebra runs in one thread, so that sums do not depend on `n_jobs`; for
    speed, let processes share the repeats.

    *Interval.* The repeats are independent, so that order statistics of their largest
    n give an interval for the median without any assumption on its distribution. Its
    upper end takes for each repeat the largest size that has not failed.

    *Linear classifiers.* The median is the n at which half of all labelings can be
    fitted. By Cover's theorem [1]_ that is 2d for two classes, rows in general
    position and d weights, the intercept among them. To measure it, let the classifier
    fit: ``LogisticRegression(C=np.inf, max_iter=1000)``, for instance, as the default
    `C` prefers small weights to right labels.

    *Bits.* n labels that are fitted exactly hold ``n log2(K)`` bits, for K classes
    [2]_. With a part e of them wrong, ``n (log2(K) - h(e) - e log2(K - 1))`` remain,
    where h is the entropy of a coin: the least that any code of labels with that many
    errors needs.

    References
    ----------
    .. [1] T. M. Cover, "Geometrical and statistical properties of systems of linear
       inequalities with applications in pattern recognition", IEEE Transactions on
       Electronic Computers EC-14(3), 1965.
    .. [2] D. J. C. MacKay, "Information theory, inference, and learning algorithms",
       2003, chapter 40.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sk_memorize import memorization_capacity
    >>> clf = LogisticRegression(C=np.inf, max_iter=1000)
    >>> memorization_capacity(clf, n_features=19, rtol=0, random_state=0)
    MemorizationCapacity
        capacity: 35.5 labels of 2 classes, fitted to 100 %
        interval: 32 to 46 (96.9 %, 6 repeats)
        bits: 35.5
        parameters: 20; 1.77 labels, 1.77 bits per parameter
    """
    if max_samples is None:
        max_samples = _GAUSSIAN_MAX_SAMPLES if X is None else _num_samples(X)
    # NumPy's narrow types overflow.
    n_classes, min_samples, max_samples = map(
        int, (n_classes, min_samples, max_samples)
    )
    target_accuracy, rtol = float(target_accuracy), float(rtol)
    _check(estimator, X, n_features, max_samples)
    _check_sizes(n_classes, target_accuracy, min_samples, max_samples)
    X = indexable(X)[0]
    sequences = [
        _Sequence(estimator, X, n_features, n_classes, *spawn_seeds(seed, 3))
        for seed in spawn_seeds(draw_seed(random_state), n_repeats)
    ]
    count = count_parameters if n_parameters == "auto" else n_parameters
    searches = Parallel(n_jobs=n_jobs)(
        delayed(_search)(
            sequence, target_accuracy, min_samples, max_samples, rtol, count
        )
        for sequence in sequences
    )
    return summarize(searches, n_classes, target_accuracy, confidence)


def _check(
    estimator: object, X: ArrayLike | None, n_features: int | None, max_samples: int
) -> None:
    """Refuse arguments of the wrong kind for one another."""
    check_classifier(estimator, _OWNER)
    if X is None and n_features is None:
        must = "be an int where X is None, for Gaussian inputs"
        raise ValueError(wrong("n_features", _OWNER, must, "None for both"))
    if X is not None and n_features is not None:
        must = "be None where X is given"
        raise ValueError(wrong("n_features", _OWNER, must, n_features))
    if X is not None and max_samples > _num_samples(X):
        must = f"be at most the number of rows of X, {_num_samples(X)}"
        raise ValueError(wrong("max_samples", _OWNER, must, max_samples))


def _check_sizes(
    n_classes: int, target_accuracy: float, min_samples: int, max_samples: int
) -> None:
    """Refuse numbers that contradict each other."""
    if target_accuracy <= 1 / n_classes:
        chance = f"1 / n_classes = {1 / n_classes:g}"
        must = f"be above the accuracy of guessing, {chance}"
        raise ValueError(wrong("target_accuracy", _OWNER, must, target_accuracy))
    if min_samples > max_samples:
        must = f"be at most max_samples, which is {max_samples}"
        raise ValueError(wrong("min_samples", _OWNER, must, min_samples))


@dataclass(frozen=True, eq=False)
class _Sequence:
    """A random sequence of rows and labels; its beginnings are nested samples."""

    estimator: Any
    X: Any
    n_features: int | None
    n_classes: int
    row_seed: int
    label_seed: int
    estimator_seed: int

    def take(self, n_samples: int) -> tuple[Any, NDArray[np.integer[Any]]]:
        """Take the first rows and their labels."""
        # Draw labels first: then the first ones are the same for any n_samples.
        labels = RandomState(self.label_seed).randint(self.n_classes, size=n_samples)
        rng = RandomState(self.row_seed)
        if self.X is None:
            shape = (n_samples, self.n_features or 0)
            return rng.standard_normal(shape), labels
        rows = rng.permutation(_num_samples(self.X))[:n_samples]
        # Of a precomputed kernel it takes the columns, too.
        return _safe_split(self.estimator, self.X, None, rows)[0], labels


# Last digits of sums depend on the number of threads, and that on n_jobs.
@_threadpool_controller_decorator(limits=1, user_api="blas")
def _search(
    sequence: _Sequence,
    target_accuracy: float,
    min_samples: int,
    max_samples: int,
    rtol: float,
    count: Counter,
) -> Search:
    """Find the largest number of labels that are fitted."""
    fits = []

    def succeeds(n_samples: int) -> bool:
        fit = _fit(sequence, n_samples, count, may_refuse=n_samples < min_samples)
        fit["success"] = fit["fitted_accuracy"] >= target_accuracy
        fits.append(fit)
        return bool(fit["success"])

    fitted, failed, size = 1, None, min_samples  # a single label is always fitted
    while failed is None and fitted < max_samples:
        if succeeds(size):
            fitted, size = size, min(2 * size, max_samples)
        else:
            failed = size
    while failed is not None and failed - 1 - fitted > rtol * fitted:
        size = (fitted + failed) // 2
        if succeeds(size):
            fitted = size
        else:
            failed = size
    return Search(fits, fitted, failed)


def _fit(
    sequence: _Sequence, n_samples: int, count: Counter, *, may_refuse: bool
) -> dict[str, Any]:
    """Fit the first labels of a sequence, unless they are all the same."""
    X, y = sequence.take(n_samples)
    fit = {"n_samples": n_samples, "seconds": 0.0, "n_parameters": None}
    if (y == y[0]).all():
        # Many classifiers refuse a single class.
        return {**fit, "fitted_accuracy": 1.0}
    estimator = seeded_clone(sequence.estimator, sequence.estimator_seed)
    with warnings.catch_warnings():
        # Fits of too many labels cannot converge.
        warnings.simplefilter("ignore", ConvergenceWarning)
        start = time.perf_counter()
        try:
            estimator.fit(X, y)
        except ValueError:  # too few rows for folds, or for a covariance
            if may_refuse:
                return {**fit, "fitted_accuracy": math.nan}
            raise
        fit["seconds"] = time.perf_counter() - start
    fit["fitted_accuracy"] = float(accuracy_score(y, estimator.predict(X)))
    return {**fit, "n_parameters": count(estimator)}


def count_parameters(estimator: object) -> int | None:
    """Count the parameters of a fitted classifier, None if no rule applies.

    The first of the estimators inside one another that has any of these decides:
    ``n_parameters_``; the sizes of ``coef_`` and ``intercept_``, or of all ``coefs_``
    and ``intercepts_``, without intercepts that are fixed at 0; ``tree_.node_count``;
    the sum over ``estimators_``.
    """
    for layer in layers(estimator):
        if hasattr(layer, "n_parameters_"):
            return int(layer.n_parameters_)
        for weights, offsets in _WEIGHTS:
            if hasattr(layer, weights):
                has_offsets = getattr(layer, "fit_intercept", True)
                return _size(getattr(layer, weights)) + (
                    _size(getattr(layer, offsets, [])) if has_offsets else 0
                )
        if hasattr(layer, "tree_"):
            return int(layer.tree_.node_count)
        if hasattr(layer, "estimators_"):
            return _sum_over(layer.estimators_)
    return None


def _size(weights: ArrayLike) -> int:
    """Count the numbers of an array, dense or sparse, or of a list of arrays."""
    if isinstance(weights, list):
        return sum(map(_size, weights))
    return int(np.prod(np.shape(weights)))


def _sum_over(estimators: NDArray | Iterable[object]) -> int | None:
    # An array in boosting; np.ravel would take a list of forests apart.
    parts = estimators.ravel() if isinstance(estimators, np.ndarray) else estimators
    counts = [count_parameters(part) for part in parts]
    return None if None in counts else sum(filter(None, counts))
