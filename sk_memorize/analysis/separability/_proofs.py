"""Proofs of verdicts: margins and weights, with all rounding errors bounded."""

from fractions import Fraction
from typing import NamedTuple

import numpy as np
from scipy import linalg, optimize

from ._coordinates import independent_columns, power_of_two, triangle
from ._exact import cancelling_weights, spread, weights_cancel
from ._problem import CHUNK, Decision, Entries, Floats, Problem

_EPSILON = float(np.finfo(np.float64).eps)

# A ratio below 1 is a proof; weights are improved until it is one beyond doubt.
_CLEARLY = 0.01
_MAX_CORRECTIONS = 5
_LIGHT = 1e-5

# Beyond these sizes, exact weights would take minutes.
_MAX_SUPPORT = 120
_MAX_SIZE = 4_000_000

# Relative tolerance when a proof is measured again.
_CLOSE = 1e-6


class Margin(NamedTuple):
    """The smallest margin of hyperplanes.

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
    """A weighted sum of rows.

    Attributes
    ----------
    residual : float
        Length of the sum, in units of the rows.
    bound : float
        Upper bound of all margins: the residual plus all that rounding could hide.
    """

    residual: float
    bound: float


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
    # A coefficient that all scores share cancels in their differences.
    shared = coef.mean(axis=0)
    norm = float(linalg.norm(coef[1] - coef[0] if len(coef) == 2 else coef - shared))
    if not 0 < norm < np.inf:
        return Margin(np.nan, is_certain=False)
    gamma = (problem.X.shape[1] + 4) * _EPSILON
    smallest, is_certain = np.inf, True
    for start in range(0, len(problem.X), CHUNK):
        rows = problem.X[start : start + CHUNK]
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
    """Measure a weighted sum of rows, which bounds the margin of every hyperplane.

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
    intercepts, the weights of each class must balance; any imbalance is charged with
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
        lacking = np.abs(factors.sum(axis=0)).sum() + len(used) * _EPSILON
        imbalance = float(lacking * np.sqrt(2) * _farthest(problem.X, center))
    residual = float(linalg.norm(factors.T @ rows))
    sizes = linalg.norm(np.abs(factors).T @ np.abs(rows))
    rounding = (len(used) + 5) * _EPSILON * sizes
    return Combination(residual, float((residual + rounding + imbalance) * (1 + 1e-12)))


def _farthest(X: Floats, center: Floats) -> float:
    chunks = (X[start : start + CHUNK] for start in range(0, len(X), CHUNK))
    return max(float(linalg.norm(chunk - center, axis=1).max()) for chunk in chunks)


def exact_combination(
    problem: Problem, entries: Entries
) -> tuple[Entries, tuple[Fraction, ...]] | None:
    """Find a few of the inequalities that contradict each other exactly.

    Parameters
    ----------
    problem : Problem
        The rows and their classes.
    entries : Entries
        Candidates. Their weights do not matter.

    Returns
    -------
    entries : Entries
        Inequalities that contradict each other, with weights.
    weights : tuple of Fraction
        The same weights without rounding.

    Notes
    -----
    Nonnegative least squares finds a solution whose gradients have only one linear
    relation [1]_. This relation is then solved in integers.

    References
    ----------
    .. [1] C. L. Lawson and R. J. Hanson, "Solving least squares problems", SIAM, 1995,
       chapter 23.
    """
    X = problem.X[entries.rows]
    rows = independent_columns(X, fit_intercept=problem.fit_intercept)
    columns = spread(rows, problem.codes[entries.rows], entries.rivals)
    if columns.size > _MAX_SIZE:
        return None
    system = np.vstack([columns.T, np.ones(len(columns))])
    try:
        weights, _ = optimize.nnls(system, np.eye(len(system))[-1])
    except RuntimeError:  # too many iterations
        return None
    support = np.flatnonzero(weights > 1e-12 * weights.max(initial=0))
    if not 0 < len(support) <= _MAX_SUPPORT:
        return None
    entries = entries.take(support)
    exact = cancelling_weights(problem, entries)
    if exact is None:
        return None
    return entries._replace(weights=np.array(exact, float)), exact


def correct(problem: Problem, entries: Entries) -> tuple[Entries, float]:
    """Correct weights until a small further change is proved to make them cancel.

    Parameters
    ----------
    problem : Problem
        The rows and their classes.
    entries : Entries
        Positive weights, whose combination is nearly zero.

    Returns
    -------
    entries : Entries
        The changed weights, some of them dropped, with the sum 1.
    ratio : float
        Their :func:`correction_ratio`.
    """
    for _ in range(_MAX_CORRECTIONS):
        # Without the dropped rows, further columns may be constant.
        M = _weighted_gradients(problem, entries)
        R, ratio = _measure(M)
        if ratio < _CLEARLY:
            break
        if ratio == np.inf:
            # Only rows of tiny weight may make columns dependent: drop them.
            heavy = entries.weights > _LIGHT * entries.weights.max()
            if heavy.all():
                break
            entries = entries.take(heavy)
            continue
        half = linalg.solve_triangular(R, M.sum(axis=0), trans="T", check_finite=False)
        change = 1 - M @ linalg.solve_triangular(R, half, check_finite=False)
        changed = entries._replace(weights=entries.weights * change)
        if not (change > _EPSILON).any():
            break
        entries = changed.take(change > _EPSILON)
    else:
        ratio = correction_ratio(problem, entries)
    return entries._replace(weights=entries.weights / entries.weights.sum()), ratio


def correction_ratio(problem: Problem, entries: Entries) -> float:
    r"""Measure whether a small change of the weights makes them cancel.

    Parameters
    ----------
    problem : Problem
        The rows and their classes.
    entries : Entries
        Positive weights.

    Returns
    -------
    ratio : float
        If it is below 1, there are positive weights that cancel exactly.

    Notes
    -----
    Let the rows of M be the weighted gradients. If M has full column rank, its
    smallest singular value s is positive, and if the sum r of the rows is shorter
    than s, then the vector `e = -M @ inv(M.T @ M) @ r` has a length below 1, so that
    the weights times `1 + e` are positive and cancel exactly. The ratio is that
    of r and s. Rounding errors are counted against the proof: those of M and r by the
    bounds of [1]_, section 3.1, and those of s by the bound for Householder's QR
    decomposition, theorem 19.4, with 2 for its constant.

    References
    ----------
    .. [1] N. J. Higham, "Accuracy and stability of numerical algorithms", 2nd edition,
       SIAM, 2002.
    """
    return _measure(_weighted_gradients(problem, entries))[1]


def _weighted_gradients(problem: Problem, entries: Entries) -> Floats:
    """Compute the matrix M of `correction_ratio`, without columns of zeros."""
    used, place = np.unique(entries.rows, return_inverse=True)
    rows = independent_columns(problem.X[used], fit_intercept=problem.fit_intercept)
    weighted = rows[place] * (entries.weights / entries.weights.sum())[:, None]
    M = spread(weighted, problem.codes[entries.rows], entries.rivals)
    norms = np.sqrt(np.square(M).sum(axis=0))
    M = M[:, norms > 0]
    return np.ldexp(M, -power_of_two(norms[norms > 0]))


def _measure(M: Floats) -> tuple[Floats, float]:
    """Compute the triangular factor of M and the ratio, infinite if s may be zero."""
    n_rows, n_columns = M.shape
    if n_rows < n_columns or not n_columns:
        return np.zeros((0, 0)), np.inf
    R = triangle(M)
    s = linalg.svdvals(R, check_finite=False)[-1]
    s -= (n_rows * n_columns + 8) * _EPSILON * linalg.norm(M)
    sizes = linalg.norm(np.abs(M).sum(axis=0))
    r = linalg.norm(M.sum(axis=0)) + (n_rows + 8) * _EPSILON * sizes
    return R, float(r / s) if s > 0 else np.inf


def verify(problem: Problem, decision: Decision) -> bool:
    """Check that a decision has a proof and that it holds, without solving anything."""
    entries = decision.entries
    if entries is not None and (
        (entries.weights <= 0).any()
        or (problem.codes[entries.rows] == entries.rivals).any()
    ):
        return False
    if decision.proof is None:
        return False
    if decision.coef is not None and decision.intercept is not None:
        margin = measure_margin(problem, decision.coef, decision.intercept)
        bound = measure_combination(problem, entries).bound if entries else 0.0
        return (
            margin.is_certain
            and margin.value >= decision.margin * (1 - _CLOSE)
            and bound <= decision.margin_bound * (1 + _CLOSE)
        )
    assert entries is not None
    if decision.exact_weights is not None:
        return weights_cancel(problem, entries, decision.exact_weights)
    return correction_ratio(problem, entries) < 1
