"""Rows and class codes of one separability problem, and what is decided about it."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._validation import find_equal_rows

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Mask = NDArray[np.bool_]

ProofKind = Literal["margins", "exact weights", "correctable weights"]
Strategy = Literal["pairs", "one-vs-rest", "joint"]

CHUNK = 4096  # rows


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


class Entries(NamedTuple):
    """Inequalities with weights: the score of a row's class exceeds a rival's score.

    Attributes
    ----------
    rows : ndarray of shape (n_entries,)
        Row of the data.
    rivals : ndarray of shape (n_entries,)
        Code of a class other than the row's.
    weights : ndarray of shape (n_entries,)
        Positive weights.
    """

    rows: Codes
    rivals: Codes
    weights: Floats

    def take(self, index: Codes | Mask) -> "Entries":
        """Keep some of the entries."""
        return Entries(self.rows[index], self.rivals[index], self.weights[index])


@dataclass(frozen=True, eq=False)
class Decision:
    """A verdict on a problem, with its proof.

    Attributes
    ----------
    proof : {"margins", "exact weights", "correctable weights"} or None
        Kind of the proof; None if the problem is undecided. Margins prove that the
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
        Upper bound of the margin of any hyperplane.
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


def pose(
    X: NDArray,
    labels: NDArray,
    classes: Sequence[Any],
    *,
    strategy: Strategy,
    fit_intercept: bool,
) -> tuple[Problem, Codes]:
    """Select the rows of some classes and encode their labels.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        All rows.
    labels : ndarray of shape (n_samples,)
        All labels.
    classes : sequence
        One class, against the rest, for ``strategy="one-vs-rest"``; two for
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
    # Python numbers: unlike NumPy's, they are equal only if every digit is.
    values, places = np.unique(labels, return_inverse=True)
    numbers = {label: number for number, label in enumerate(classes)}
    codes = np.array([numbers.get(v, -1) for v in values.tolist()])[places]
    if strategy == "one-vs-rest":
        rows, codes, n_classes = np.arange(len(labels)), codes + 1, 2
    else:
        rows = np.flatnonzero(codes >= 0)
        codes, n_classes = codes[rows], len(classes)
    chosen = X[rows].astype(np.float64)
    return Problem(chosen, codes.astype(np.intp), n_classes, fit_intercept), rows


def count_distinct(problem: Problem) -> tuple[int, Entries | None]:
    """Count the distinct rows, and find weights that cancel because of equal ones.

    There are such weights if equal rows have different classes, or if a row is zero and
    there is no intercept; else they are None.
    """
    codes = problem.codes
    groups, first = find_equal_rows(problem.X)
    n_distinct = len(first)
    conflicts = np.flatnonzero(codes != codes[first[groups]])[:1]
    if conflicts.size:
        rows = np.concatenate([first[groups[conflicts]], conflicts])
        return n_distinct, Entries(rows, codes[rows[::-1]], np.array([0.5, 0.5]))
    if not problem.fit_intercept:
        zeros = np.flatnonzero(~problem.X.any(axis=1))[:1]
        if zeros.size:
            rivals = (codes[zeros] == 0).astype(np.intp)
            return n_distinct, Entries(zeros, rivals, np.ones(1))
    return n_distinct, None
