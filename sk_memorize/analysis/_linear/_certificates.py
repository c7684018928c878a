"""What hyperplanes and weights prove, measured without trust in a solver."""

import math
from fractions import Fraction
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from sk_memorize.analysis._linear._constraints import CHUNK, Codes, Entries, Floats
from sk_memorize.analysis._linear._exact import Integers, min_exponent, to_integers
from sk_memorize.analysis._linear._problem import Problem

T = TypeVar("T", np.float64, np.object_)

EPSILON = float(np.finfo(np.float64).eps)


class Margin(NamedTuple):
    """How well hyperplanes separate.

    Attributes
    ----------
    value : float
        The smallest difference of scores, for coefficients of norm one.
    is_certain : bool
        Whether all differences are larger than any rounding errors in them.
    """

    value: float
    is_certain: bool


class Combination(NamedTuple):
    """What weights leave over of the rows.

    Attributes
    ----------
    residual : float
        Length of the sum, in units of the rows.
    bound : float
        What no margin exceeds: the residual and all that rounding could hide.
    """

    residual: float
    bound: float


def coef_norm(coef: Floats) -> float:
    """Measure coefficients: their difference for two classes, else Frobenius' norm."""
    if len(coef) == 2:
        return float(linalg.norm(coef[1] - coef[0]))
    # What all scores have in common does not count.
    return float(linalg.norm(coef - coef.mean(axis=0)))


def measure_margin(problem: Problem, coef: Floats, intercept: Floats) -> Margin:
    """Measure the smallest margin of hyperplanes.

    Parameters
    ----------
    problem : Problem
        The rows and their classes.
    coef : ndarray of shape (n_classes, n_features)
        Coefficients of each class's score.
    intercept : ndarray of shape (n_classes,)
        Intercepts.

    Returns
    -------
    margin : Margin
        With the rounding errors bounded as in [1]_, section 3.1.

    References
    ----------
    .. [1] N. J. Higham, "Accuracy and stability of numerical algorithms", 2nd edition,
       SIAM, 2002.
    """
    X, norm = problem.X, coef_norm(coef)
    if not 0 < norm < np.inf:
        return Margin(np.nan, is_certain=False)
    gamma = (X.shape[1] + 4) * EPSILON
    smallest, is_certain = np.inf, True
    for start in range(0, len(X), CHUNK):
        rows = X[start : start + CHUNK]
        own = problem.codes[start : start + CHUNK, None]
        scores = rows @ coef.T + intercept
        errors = gamma * (np.abs(rows) @ np.abs(coef).T + np.abs(intercept))
        differences = np.take_along_axis(scores, own, axis=1) - scores
        errors += np.take_along_axis(errors, own, axis=1)
        others = own != np.arange(len(coef))
        smallest = min(smallest, float(differences[others].min()))
        is_certain = is_certain and bool((differences > errors)[others].all())
    return Margin(smallest / norm, is_certain)


def measure_combination(problem: Problem, entries: Entries) -> Combination:
    """Measure what weights leave over, which bounds the margin of every hyperplane.

    Parameters
    ----------
    problem : Problem
        The rows and their classes.
    entries : Entries
        The weights, whose sum is 1.

    Returns
    -------
    combination : Combination
        The residual and the bound.

    Notes
    -----
    If margins are at least t for coefficients of norm one, so is their average with
    any weights, which is at most the length of the average of the rows. With
    intercepts, the weights of each class must balance; what they lack is charged with
    the distance of the farthest row from the center.
    """
    used, place = np.unique(entries.rows, return_inverse=True)
    factors = np.zeros((len(used), problem.n_classes))
    np.add.at(factors, (place, problem.codes[entries.rows]), entries.weights)
    np.add.at(factors, (place, entries.rivals), -entries.weights)
    if problem.n_classes == 2:
        factors = factors[:, 1:]
    rows = problem.X[used]
    imbalance = 0.0
    if problem.fit_intercept:
        center = rows.mean(axis=0)
        rows = rows - center
        lacking = np.abs(factors.sum(axis=0)).sum() + len(used) * EPSILON
        imbalance = float(lacking * np.sqrt(2) * _farthest(problem.X, center))
    residual = float(linalg.norm(factors.T @ rows))
    rounding = (len(used) + 5) * EPSILON * linalg.norm(np.abs(factors).T @ np.abs(rows))
    return Combination(residual, float((residual + rounding + imbalance) * (1 + 1e-12)))


def _farthest(X: Floats, center: Floats) -> float:
    chunks = (X[start : start + CHUNK] for start in range(0, len(X), CHUNK))
    return max(float(linalg.norm(chunk - center, axis=1).max()) for chunk in chunks)


def vanish_exactly(
    problem: Problem, entries: Entries, weights: tuple[Fraction, ...]
) -> bool:
    """Whether rational weights are positive and cancel, without any rounding."""
    if not weights or min(weights) <= 0:
        return False
    denominator = math.lcm(*(weight.denominator for weight in weights))
    numerators = np.array([int(weight * denominator) for weight in weights], object)
    return not (numerators @ integer_gradients(problem, entries)).any()


def integer_gradients(problem: Problem, entries: Entries) -> Integers:
    """Write the gradients of margins as rows of integers, with scales for columns."""
    values = problem.X[entries.rows]
    rows = to_integers(values, min_exponent(values))
    if problem.fit_intercept:
        rows = np.column_stack([rows, np.ones(len(rows), object)])
    return spread(rows, problem.codes[entries.rows], entries.rivals)


def spread(rows: NDArray[T], own: Codes, rivals: Codes) -> NDArray[T]:
    """Put each row into the block of its class and, with a minus, of its rival.

    Parameters
    ----------
    rows : ndarray of shape (n_entries, n_columns)
        The rows.
    own, rivals : ndarray of shape (n_entries,)
        Codes of the classes.

    Returns
    -------
    gradients : ndarray of shape (n_entries, (n_involved - 1) * n_columns)
        Of all involved classes but one, for what cancels in these cancels in it.
    """
    involved, index = np.unique(np.concatenate([own, rivals]), return_inverse=True)
    blocks = np.zeros((len(rows), len(involved), rows.shape[1]), rows.dtype)
    every = np.arange(len(rows))
    blocks[every, index[: len(rows)]] = rows
    blocks[every, index[len(rows) :]] = -rows
    gradients: NDArray[T] = blocks[:, 1:].reshape(len(rows), -1)
    return gradients
