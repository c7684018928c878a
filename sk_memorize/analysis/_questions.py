"""From labels to problems, one for each pair, each class, or all of them."""

from collections.abc import Sequence
from decimal import Decimal, localcontext
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sk_memorize.analysis._cover import DIGITS, log10_arrangements, log10_cover_count
from sk_memorize.analysis._linear import Codes, Problem

Strategy = Literal["pairs", "one-vs-rest", "joint"]


def pose(
    X: NDArray,
    labels: NDArray,
    classes: Sequence[Any],
    *,
    strategy: Strategy,
    fit_intercept: bool,
) -> tuple[Problem, Codes]:
    """Pose one question of separability.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        All rows.
    labels : ndarray of shape (n_samples,)
        All labels.
    classes : sequence
        One class, to be told from the rest, for ``strategy="one-vs-rest"``; two for
        ``"pairs"``; or all of them.
    strategy : {"pairs", "one-vs-rest", "joint"}
        The kind of question.
    fit_intercept : bool
        Whether hyperplanes have an intercept.

    Returns
    -------
    problem : Problem
        The rows in float64, and codes in the order of `classes`; against the rest,
        code 1 is the class.
    rows : ndarray of shape (n_rows,)
        Indices of the rows.
    """
    # As Python's numbers, which are equal only if no digit differs.
    values, places = np.unique(labels, return_inverse=True)
    numbers = {label: number for number, label in enumerate(classes)}
    codes = np.array([numbers.get(v, -1) for v in values.tolist()])[places]
    if strategy == "one-vs-rest":
        rows, codes, n_classes = np.arange(len(labels)), codes + 1, 2
    else:
        rows = np.flatnonzero(codes >= 0)
        codes, n_classes = codes[rows], len(classes)
    # Zeros lose their sign, so that equal rows have equal bytes.
    chosen = X[rows].astype(np.float64) + 0.0
    return Problem(chosen, codes.astype(np.intp), n_classes, fit_intercept), rows


def log10_chances(problem: Problem, rank: int, n_distinct: int) -> tuple[float, float]:
    """Bound the chances of separable labels for random and for permuted labels.

    Parameters
    ----------
    problem : Problem
        The rows and their classes.
    rank : int
        Rank of the rows, with a column of ones if there is an intercept.
    n_distinct : int
        Number of distinct rows.

    Returns
    -------
    random, permuted : float
        Decimal logarithms.

    Notes
    -----
    For every pair of classes, a row is on one side of the hyperplane where the two
    scores are equal. All hyperplanes together make an arrangement in the space of the
    differences of scores, and the classes of all rows are the same within a cell of
    it. Cover's count bounds the number of cells whether or not the points have general
    position, and equal rows add nothing. For two classes and points in general
    position, all distinct, the bound is the number.
    """
    k, n_rows = problem.n_classes, len(problem.codes)
    cells = log10_cover_count(n_distinct * k * (k - 1) // 2, (k - 1) * rank)
    counts = np.bincount(problem.codes, minlength=k).tolist()
    with localcontext(prec=DIGITS):
        random = cells - n_rows * Decimal(k).log10()
        permuted = cells - log10_arrangements(counts)
    return float(min(random, Decimal(0))), float(min(permuted, Decimal(0)))
