"""memorization_scores: what fits with and without a row say about it."""

import os
from collections.abc import Sequence
from numbers import Integral, Real

from numpy.random import RandomState
from numpy.typing import ArrayLike
from sklearn.utils._param_validation import Interval, validate_params

from ..._errors import wrong
from ..._typing import Classifier
from .._validation import N_JOBS
from ._data import check_members, prepare_data
from ._measure import Run, measure
from ._scores_result import MemorizationScores

_OWNER = "memorization_scores"


@validate_params(
    {
        "groups": ["array-like", None],
        "n_fits": [Interval(Integral, 2, None, closed="left")],
        "train_size": [Interval(Real, 0, 1, closed="neither")],
        "sample_weight": ["array-like", None],
        "n_influences": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
        "n_jobs": N_JOBS,
        "verbose": ["verbose"],
        "checkpoint": [str, os.PathLike, None],
    },
    # The estimator validates its own parameters.
    prefer_skip_nested_validation=False,
)
def memorization_scores(
    estimator: Classifier | Sequence[Classifier],
    X: ArrayLike,
    y: ArrayLike,
    *,
    X_test: ArrayLike | None = None,
    y_test: ArrayLike | None = None,
    n_fits: int = 32,
    train_size: float = 0.5,
    groups: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    n_influences: int = 10,
    random_state: int | RandomState | None = None,
    n_jobs: int | None = None,
    verbose: bool | int = False,
    checkpoint: str | os.PathLike[str] | None = None,
) -> MemorizationScores:
    """Find out which labels are only memorized.

    The classifier is fitted many times, each time to a part of the rows. Fits that
    were trained on a row tell how well its label can be learned; fits that were not,
    whether it follows from the other rows. The difference is how far the label is
    memorized [1]_. Wrong labels, and rows unlike all others, stand out.

    Parameters
    ----------
    estimator : estimator instance, or list of estimator instances
        A classifier with `predict_proba`, such as a
        :class:`~sk_memorize.MemorizingMLP`, a forest or a pipeline; or several, each
        of which is fitted to every part, and over which the scores are means. Clones
        are fitted.

    X : {array-like, sparse matrix, DataFrame} of shape (n_rows, ...)
        The rows: arrays, images, frames of pandas or polars, lists of texts; what the
        classifier takes.

    y : array-like of shape (n_rows,)
        Their labels, whole numbers, strings or booleans.

    X_test : {array-like, sparse matrix, DataFrame} of shape (n_test_rows, ...), \
            default=None
        Rows on which the influence of each row is measured.

    y_test : array-like of shape (n_test_rows,), default=None
        Their labels.

    n_fits : int, default=32
        Number of fits. With halves it is even.

    train_size : float, default=0.5
        Part of the rows that a fit is trained on. With halves, each row is held out
        of exactly half of the fits; with others, of as many as any other row, or one
        more.

    groups : array-like of shape (n_rows,), default=None
        The group of each row. Rows of a group are held out together, as equal rows
        always are.

    sample_weight : array-like of shape (n_rows,), default=None
        Weights, with which the rows are fitted.

    n_influences : int, default=10
        Number of rows that are kept for each test row, those to which it owes most.

    random_state : int, RandomState instance or None, default=None
        Decides which rows are held out, and the seeds of the estimators that are
        None. With an int the result is the same at each call, whatever `n_jobs` and
        the order of the rows are. None takes a new seed from the operating system.

    n_jobs : int, default=None
        Number of fits at a time; None means 1 unless in a
        :obj:`joblib.parallel_config` context, which may name threads or a Dask
        cluster, -1 one per core.

    verbose : bool or int, default=False
        Whether to show a progress bar with the time left, on stderr.

    checkpoint : str or path-like, default=None
        A file to which the sums are written after each fit. A call that was broken
        off, and is made again, goes on from there, to the result that it would have
        had; so does one with more fits, or another `n_jobs`. The file is kept at the
        end; that of a call with other arguments is refused.

    Returns
    -------
    scores : MemorizationScores
        The scores of all rows.

    Raises
    ------
    ValueError
        If an argument is not as described, before any fit.
    TypeError
        If labels or groups are of mixed types, or if `X` is no array-like.

    See Also
    --------
    MemorizationScores : The result.
    MemorizationDisplay, InfluenceDisplay : Draw it.

    Notes
    -----
    *Halves.* The fits come in pairs: the second is trained on what the first one holds
    out. So a row is held out as often as not, with the least variance for a given
    number of fits. Classes are divided evenly. A class may be so rare that there are
    fewer than two rows of it in a half; the summary says so, and a fit that saw none
    gives it the probability 0.

    *Probabilities, not hits.* The mean probability of the given label takes half as
    many fits as the part of the fits that are right, for scores as reliable.

    *Influence.* How much a row helps a test row is measured with the same fits: the
    probability of the test row's label with the row minus that without it [2]_. Its
    standard error is about that of `memorization`, while most influences are much
    smaller, so only large ones mean something, or those of many fits.

    *Cost.* Beside the rows, in an order of their own, and a part of them for each fit
    that is running, there are only sums in memory, and, for influence, a bit for each
    row and a number for each test row of a fit.

    *Same result.* Each fit computes with one thread, and the sums are added in the
    order of the fits. Rows are arranged by a hash of their contents first, and are
    handed to the classifier in that order. Give seeds as ints or None.

    References
    ----------
    .. [1] V. Feldman, "Does learning require memorization? A short tale about a long
       tail", STOC 2020, arXiv:1906.05271.
    .. [2] V. Feldman and C. Zhang, "What neural networks memorize and why: discovering
       the long tail via influence estimation", NeurIPS 2020, arXiv:2008.03703.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sk_memorize import MemorizingMLP, memorization_scores
    >>> X, y = load_iris(return_X_y=True)
    >>> y[10] = 2  # a wrong label
    >>> network = MemorizingMLP(width=16, max_epochs=20, target_accuracy=None)
    >>> scores = memorization_scores(network, X, y, n_fits=16, random_state=0)
    >>> scores.top(1, by="heldout_probability")[["given_label", "suggested_label"]]
        given_label  suggested_label
    10            2                0
    """
    members = check_members(estimator, _OWNER)
    data = prepare_data(
        members,
        X,
        y,
        test=(X_test, y_test),
        groups=groups,
        sample_weight=sample_weight,
        owner=_OWNER,
    )
    if n_influences > len(data.labels) and X_test is not None:
        must = f"be at most the number of rows, {len(data.labels)}"
        raise ValueError(wrong("n_influences", _OWNER, must, n_influences))
    run = Run(_OWNER, n_jobs, verbose, checkpoint)
    sums, design = measure(data, n_fits, train_size, random_state, run)
    return MemorizationScores._of(data, sums, design, n_influences)
