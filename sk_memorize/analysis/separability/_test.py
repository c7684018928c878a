"""separability_test: whether classes are linearly separable, and by chance."""

from itertools import combinations
from numbers import Integral
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import ArrayLike, NDArray
from sklearn.utils._param_validation import Interval, StrOptions, validate_params
from sklearn.utils.parallel import _threadpool_controller_decorator

from .._validation import N_JOBS, check_rows_and_labels, find_classes
from ._coordinates import whiten
from ._cover import log10_chances
from ._decide import contradicted, decide, disprove_by_a_pair
from ._problem import Strategy, count_distinct, pose
from ._result import SeparabilityResult, Verdict, make_result

_OWNER = "separability_test"


@validate_params(
    {
        "X": "no_validation",
        "y": "no_validation",
        "strategy": [StrOptions({"pairs", "one-vs-rest", "joint"})],
        "fit_intercept": ["boolean"],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": N_JOBS,
    },
    prefer_skip_nested_validation=True,
)
def separability_test(
    X: ArrayLike,
    y: ArrayLike,
    *,
    strategy: Strategy = "pairs",
    fit_intercept: bool = True,
    max_iter: int = 300,
    n_jobs: int | None = None,
) -> SeparabilityResult:
    r"""Test whether classes are perfectly linearly separable, and prove the answer.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        The rows. Their values in float64 are what the answer is about.

    y : array-like of shape (n_samples,)
        Their labels, of at least two classes.

    strategy : {"pairs", "one-vs-rest", "joint"}, default="pairs"
        What is asked of more than two classes:

        - ``"pairs"``: is each pair of classes separable by a hyperplane?
        - ``"one-vs-rest"``: is each class separable from all others together?
        - ``"joint"``: are there linear scores, one for each class, the largest of
          which is always that of the row's class?

        One-vs-rest separable classes are jointly separable, and these are separable
        in pairs. For two classes the three are the same.

    fit_intercept : bool, default=True
        Whether hyperplanes have an intercept. Without, they go through the origin.

    max_iter : int, default=300
        Largest number of steps of Newton's method. If they are not enough, the
        question stays undecided.

    n_jobs : int, default=None
        Number of threads that share the pairs or classes. None means 1 unless in a
        :obj:`joblib.parallel_config` context, -1 one for each processor. The result
        does not depend on it.

    Returns
    -------
    result : SeparabilityResult
        The verdict, "separable", "not separable" or "undecided", and

        - a hyperplane with its smallest margin, and a proven bound of all margins;
        - or weights for the rows that prove that there is no hyperplane;
        - the chance that random labels are as separable, as a decimal logarithm;
        - `check`, which checks the proof, `summary`, and `to_frame`.

    See Also
    --------
    cover_log10_probability : Cover's theorem by itself.
    LabelPermuter : Makes the labels that tell chance from structure.

    Notes
    -----
    A hyperplane that puts all rows on the sides of their classes exists unless
    nonnegative weights, not all zero, make the sum of the rows vanish, when those of
    one class count negative: Gordan's alternative [1]_. Geometrically, the convex
    hulls of the classes then have a point in common; if it is only one, or if equal
    rows have different labels, the classes are not separable either. For scores of
    several classes the same is said of Kesler's vectors [2]_.

    Both sides of the alternative come from one convex problem, the least sum of
    squares of the hinge losses [3]_, solved by Newton's method in whitened
    coordinates. If its minimum is zero, there is a hyperplane, whose margin is then
    widened as by a support vector machine with hard margin; otherwise the losses
    themselves are the weights. They cancel up to rounding errors. That a small change
    of them cancels exactly is then proved from a singular value, or, where the hulls
    only touch and nothing may be changed, by a solution in rational arithmetic for up
    to 120 rows. Where no proof is found, as for hulls as close as rounding errors, the
    question is undecided, with the reason, and with the bound of all margins.

    By Cover's theorem [4]_, of the labelings of n distinct rows of rank d at most
    `cover_count(n, d)` are separable, and exactly so many in general position.
    `log10_p` compares this with all labelings, and `log10_p_permutation` with those
    that have each label as often as it was given, which counts if the classes are
    unbalanced. Both are upper bounds of the probability that assume nothing of the
    rows except their rank. It is numerical: the number of singular values of the
    centered and scaled columns above the largest one times the larger side of `X`
    times the machine epsilon, plus 1 for the intercept.

    References
    ----------
    .. [1] P. Gordan, "Ueber die Auflösung linearer Gleichungen mit reellen
       Coefficienten", Mathematische Annalen 6, 1873.
    .. [2] R. O. Duda, P. E. Hart and D. G. Stork, "Pattern classification", 2nd
       edition, Wiley, 2001, section 5.12.
    .. [3] O. L. Mangasarian, "A finite Newton method for classification",
       Optimization Methods and Software 17(5), 2002.
    .. [4] T. M. Cover, "Geometrical and statistical properties of systems of linear
       inequalities with applications in pattern recognition", IEEE Transactions on
       Electronic Computers EC-14(3), 1965.

    Examples
    --------
    >>> import numpy as np
    >>> from sk_memorize import load_dataset, separability_test
    >>> digits = load_dataset("digits")
    >>> zeros_and_ones = digits.y_train < 2
    >>> X, y = digits.X_train[zeros_and_ones], digits.y_train[zeros_and_ones]
    >>> result = separability_test(X, y)
    >>> result.verdict, result.check(X, y)
    ('separable', True)
    >>> bool(np.all((X @ result.coef + result.intercept > 0) == (y == 1)))
    True
    >>> permuted = np.random.RandomState(0).permutation(y)
    >>> separability_test(X, permuted)
    SeparabilityResult('not separable', classes=(0, 1), ...)
    """
    rows, labels = check_rows_and_labels(X, y, _OWNER)
    classes = tuple(find_classes(labels, _OWNER)[0].tolist())
    settings = {"fit_intercept": fit_intercept, "max_iter": int(max_iter)}
    return _answer_all(rows, labels, classes, strategy, n_jobs, settings)


# The last digits of products depend on the number of threads.
@_threadpool_controller_decorator(limits=1, user_api=None)
def _answer_all(
    rows: NDArray,
    labels: NDArray,
    classes: tuple[Any, ...],
    strategy: Strategy,
    n_jobs: int | None,
    settings: dict[str, Any],
) -> SeparabilityResult:
    """Answer for all classes, or for each pair or class of more than two."""
    if len(classes) == 2:
        return _answer(rows, labels, classes, "pairs", **settings)
    if strategy == "joint":
        return _answer(rows, labels, classes, "joint", **settings)
    groups: list[tuple[Any, ...]] = (
        list(combinations(classes, 2))
        if strategy == "pairs"
        else [(label,) for label in classes]
    )
    parts = Parallel(n_jobs=n_jobs, require="sharedmem")(
        delayed(_answer)(rows, labels, group, strategy, **settings) for group in groups
    )
    return _join(tuple(parts), classes, strategy)


def _answer(
    X: NDArray,
    labels: NDArray,
    classes: tuple[Any, ...],
    strategy: Strategy,
    *,
    fit_intercept: bool,
    max_iter: int,
) -> SeparabilityResult:
    """Answer one question: of a pair, of a class against the rest, or of all."""
    problem, rows = pose(
        X, labels, classes, strategy=strategy, fit_intercept=fit_intercept
    )
    n_distinct, contradiction = count_distinct(problem)
    coordinates, rank = whiten(problem.X, fit_intercept=fit_intercept)
    decision = None
    if contradiction is not None:
        decision = contradicted(problem, contradiction)
    elif problem.n_classes > 2:
        decision = disprove_by_a_pair(problem, max_iter)
    if decision is None:
        decision = decide(problem, coordinates, max_iter=max_iter)
    log10_p, log10_p_permutation = log10_chances(problem, rank, n_distinct)
    return make_result(
        decision,
        rows,
        strategy=strategy,
        classes=classes,
        shape=X.shape,
        fit_intercept=fit_intercept,
        n_samples=len(rows),
        n_distinct=n_distinct,
        rank=rank,
        log10_p=log10_p,
        log10_p_permutation=log10_p_permutation,
    )


def _join(
    parts: tuple[SeparabilityResult, ...],
    classes: tuple[Any, ...],
    strategy: Strategy,
) -> SeparabilityResult:
    """Combine the results of the parts."""
    verdicts = {part.verdict for part in parts}
    verdict: Verdict = "undecided"
    if "not separable" in verdicts:
        verdict = "not separable"
    elif verdicts == {"separable"}:
        verdict = "separable"
    return SeparabilityResult(
        verdict,
        strategy,
        classes,
        shape=parts[0].shape,
        fit_intercept=parts[0].fit_intercept,
        n_samples=parts[0].shape[0],
        # NaN, where a part has no hyperplane, stays NaN.
        margin=float(np.min([part.margin for part in parts])),
        margin_bound=min(part.margin_bound for part in parts),
        log10_p=min(part.log10_p for part in parts),
        log10_p_permutation=min(part.log10_p_permutation for part in parts),
        parts=parts,
    )
