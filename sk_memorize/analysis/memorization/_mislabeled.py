"""find_mislabeled: which labels are probably wrong."""

from collections.abc import Sequence
from numbers import Integral

import numpy as np
import pandas as pd
from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray
from sklearn.utils._param_validation import Interval, validate_params

from ..._typing import Classifier
from .._validation import N_JOBS
from ._committee import encode_rows, make_committee
from ._data import check_members, find_index, prepare_data
from ._given_probabilities import check_probabilities
from ._measure import Run, measure
from ._noise_model import fit_noise_model
from ._sums import HELD_OUT

_OWNER = "find_mislabeled"
# Fits to most of the rows resemble one to all of them more than fits to halves do.
_TRAIN_SIZE = 0.8


@validate_params(
    {
        "n_fits": [Interval(Integral, 5, None, closed="left")],
        "groups": ["array-like", None],
        "sample_weight": ["array-like", None],
        "random_state": ["random_state"],
        "n_jobs": N_JOBS,
        "verbose": ["verbose"],
    },
    # The estimator validates its own parameters.
    prefer_skip_nested_validation=False,
)
def find_mislabeled(
    X: ArrayLike | None,
    y: ArrayLike,
    *,
    estimator: Classifier | Sequence[Classifier] | None = None,
    pred_probs: ArrayLike | None = None,
    n_fits: int = 20,
    groups: ArrayLike | None = None,
    sample_weight: ArrayLike | None = None,
    random_state: int | RandomState | None = None,
    n_jobs: int | None = None,
    verbose: bool | int = False,
) -> pd.DataFrame:
    """Find the rows whose labels are probably wrong.

    Classifiers are fitted to parts of the rows, and asked about the others. From what
    they say, and from how the labels differ from it, follows for each row the
    probability that its label is wrong.

    Parameters
    ----------
    X : {array-like, sparse matrix, DataFrame} of shape (n_rows, ...)
        The rows: numbers, images, or a frame of pandas or polars with columns of
        numbers, categories, dates and missing values. With `estimator`, what that
        takes. With `pred_probs` only its index is used, and it may be None.

    y : array-like of shape (n_rows,)
        Their labels, whole numbers, strings or booleans.

    estimator : estimator instance or list of estimator instances, default=None
        A classifier with `predict_proba`, or several, whose probabilities are
        averaged. None means a committee of a short, regularized
        :class:`~sk_memorize.MemorizingMLP` and of two
        :class:`~sklearn.ensemble.ExtraTreesClassifier`, before which categories and
        missing values are encoded.

    pred_probs : array-like of shape (n_rows, n_classes), default=None
        Probabilities of the classes, in their sorted order, by a classifier that was
        not trained on the row: of a cross-validation, say. Nothing is fitted then.

    n_fits : int, default=20
        Number of fits, each to four fifths of the rows.

    groups, sample_weight : array-like of shape (n_rows,), default=None
        The group of each row, a patient or a video, which is held out as a whole; and
        the weight of the row in a fit. These and the next three are as in
        :func:`~sk_memorize.memorization_scores`.

    random_state : int, RandomState instance or None, default=None
        Decides which rows are held out, and the seeds that are None.

    n_jobs : int, default=None
        Number of fits at a time.

    verbose : bool or int, default=False
        Whether to show a progress bar.

    Returns
    -------
    frame : pandas.DataFrame of shape (n_rows, 4)
        All rows, the worst first, under the index of `X`, or of `y`, or under their
        numbers:

        - ``given_label``;
        - ``suggested_label``: the given one if it is right with a probability of at
          least one half, or else the most probable of the others;
        - ``score``: larger is worse;
        - ``probability_wrong``: the probability that the label is wrong.

        ``frame.attrs["n_wrong"]`` is the estimated number of wrong labels, the sum of
        the probabilities.

    Raises
    ------
    ValueError
        If an argument is not as described, before any fit; a TypeError for types.

    See Also
    --------
    MislabeledRows : Drops or relabels such rows in a pipeline.
    memorization_scores : More about each row, and influences.

    Notes
    -----
    *Probability.* The true label of a row is distributed as the mean held out
    probabilities, raised to some power; the given label follows from the true one by a
    matrix of class transitions [1]_. Power and matrix are those of the greatest
    likelihood. So a confusion that is frequent in all of the table is suspected more,
    and classifiers that are too cautious, as those that were trained on wrong labels
    are, get corrected. Confident learning [2]_ estimates such a matrix by counting.

    *Score.* The margin by which another class is more probable than the given one,
    from -1 to 1, and half of `probability_wrong`. Of the rules that were tried it is
    among the best for wrong labels of each kind: any other class, the most similar
    class, rows near the boundary between classes.

    *What it cannot know.* Where classes overlap, a row on the wrong side is no wrong
    label, but looks like one. The probability is high for both. Errors that follow
    from the rows, such as all near a boundary, are learned from the other rows: they
    come first, but their number is estimated too low.

    *Rare classes.* A class with a single row is unknown to the fits that hold it out,
    so it is suspected.

    References
    ----------
    .. [1] A. P. Dawid and A. M. Skene, "Maximum likelihood estimation of observer
       error-rates using the EM algorithm", Applied Statistics 28, 1979.
    .. [2] C. G. Northcutt, L. Jiang and I. L. Chuang, "Confident learning: estimating
       uncertainty in dataset labels", JAIR 70, 2021, arXiv:1911.00068.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sk_memorize import find_mislabeled
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> y[10] = 2  # a wrong label
    >>> frame = find_mislabeled(X, y, random_state=0)
    >>> frame.head(1)[["given_label", "suggested_label"]]
        given_label  suggested_label
    10            2                0
    """
    if pred_probs is not None:
        others = {
            "estimator": estimator,
            "groups": groups,
            "sample_weight": sample_weight,
        }
        given = check_probabilities(pred_probs, X, y, others, _OWNER)
        return _rank(*given, np.arange(len(given[1])), find_index(X, y, len(given[1])))
    rows = encode_rows(X, _OWNER) if estimator is None else X
    members = make_committee() if estimator is None else estimator
    data = prepare_data(
        check_members(members, _OWNER),
        rows,
        y,
        groups=groups,
        sample_weight=sample_weight,
        owner=_OWNER,
    )
    run = Run(_OWNER, n_jobs, verbose)
    sums, _ = measure(data, n_fits, _TRAIN_SIZE, random_state, run)
    probabilities = sums.probabilities.mean(axis=0) / sums.n_fits[HELD_OUT][:, None]
    index = find_index(X, y, len(data.labels))
    return _rank(probabilities, data.labels, data.position, index)


def _rank(
    probabilities: NDArray, labels: NDArray, position: NDArray, index: pd.Index
) -> pd.DataFrame:
    """Make the table.

    Parameters
    ----------
    probabilities : ndarray of shape (n_rows, n_classes)
        Held out probabilities, in the order of the contents of the rows.
    labels : ndarray of shape (n_rows,)
        The labels, as given.
    position : ndarray of shape (n_rows,)
        Where each row is in that order.
    index : pandas.Index
        Names of the rows.
    """
    classes, codes = np.unique(labels, return_inverse=True)
    probabilities = probabilities[position]
    wrong, other = fit_noise_model(probabilities, codes)
    suggested = np.where(wrong > 0.5, classes[other], labels)
    score = _margin_of_others(probabilities, codes) + wrong / 2
    frame = pd.DataFrame(
        {
            "given_label": labels,
            "suggested_label": suggested,
            "score": score,
            "probability_wrong": wrong,
        },
        index=index,
    )
    frame = frame.iloc[np.lexsort((position, -score))]
    # The sum of all does not depend on the order of the rows.
    frame.attrs["n_wrong"] = float(np.sort(wrong).sum())
    return frame


def _margin_of_others(probabilities: NDArray, codes: NDArray) -> NDArray:
    """Compute how much more probable the best other class is than the given one."""
    others, rows = probabilities.copy(), np.arange(len(codes))
    others[rows, codes] = -np.inf
    margin: NDArray = others.max(axis=1) - probabilities[rows, codes]
    return margin
