"""The question: rows and their classes. The answer: a decision with its proof."""

from dataclasses import dataclass
from fractions import Fraction
from hashlib import blake2b
from typing import Literal

import numpy as np

from sk_memorize.analysis._linear._constraints import Codes, Entries, Floats

ProofKind = Literal["margins", "exact weights", "correctable weights"]


@dataclass(frozen=True, eq=False)
class Problem:
    """The question whether linear scores are largest for the class of each row.

    Attributes
    ----------
    X : ndarray of shape (n_rows, n_features)
        The rows.
    codes : ndarray of shape (n_rows,)
        Their classes, from 0.
    n_classes : int
        Number of classes, at least two.
    fit_intercept : bool
        Whether the scores have an intercept.
    """

    X: Floats
    codes: Codes
    n_classes: int
    fit_intercept: bool


@dataclass(frozen=True, eq=False)
class Decision:
    """What was found out about a problem.

    Attributes
    ----------
    proof : {"margins", "exact weights", "correctable weights"} or None
        How the verdict is proved, None if there is none. Margins prove that the
        classes are separable, weights that they are not.
    coef : ndarray of shape (n_classes, n_features) or None
        Coefficients of the scores; zero in the first row if there are two classes.
    intercept : ndarray of shape (n_classes,) or None
        Intercepts.
    margin : float
        The smallest difference of scores, for coefficients of norm one.
    entries : Entries or None
        Weights whose combination bounds the margin.
    exact_weights : tuple of Fraction or None
        The weights without rounding.
    residual : float
        Length of the combination.
    margin_bound : float
        What no margin exceeds.
    reason : str
        Why there is no proof.
    """

    proof: ProofKind | None
    coef: Floats | None = None
    intercept: Floats | None = None
    margin: float = np.nan
    entries: Entries | None = None
    exact_weights: tuple[Fraction, ...] | None = None
    residual: float = np.nan
    margin_bound: float = np.inf
    reason: str = ""


def count_distinct(problem: Problem) -> tuple[int, Entries | None]:
    """Count the distinct rows, and find a contradiction among them.

    Parameters
    ----------
    problem : Problem
        The rows and their classes.

    Returns
    -------
    n_distinct : int
        Number of distinct rows.
    entries : Entries or None
        Weights that cancel exactly, if there are equal rows of different classes, or
        if a row is zero and there is no intercept.
    """
    X, codes = problem.X, problem.codes
    first: dict[bytes, int] = {}
    pair = None
    for i, row in enumerate(X):
        j = first.setdefault(blake2b(row.tobytes(), digest_size=16).digest(), i)
        if pair is None and codes[i] != codes[j]:
            pair = [j, i]
    if pair is not None:
        rows = np.array(pair)
        return len(first), Entries(rows, codes[rows[::-1]], np.array([0.5, 0.5]))
    if not problem.fit_intercept:
        zeros = np.flatnonzero(~X.any(axis=1))[:1]
        if zeros.size:
            rivals = (codes[zeros] == 0).astype(np.intp)
            return len(first), Entries(zeros, rivals, np.ones(1))
    return len(first), None
