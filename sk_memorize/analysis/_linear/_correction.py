"""Weights that nearly cancel, and the small change that makes them cancel."""

import numpy as np
from scipy import linalg

from sk_memorize.analysis._linear._certificates import EPSILON, spread
from sk_memorize.analysis._linear._columns import design
from sk_memorize.analysis._linear._constraints import Entries, Floats
from sk_memorize.analysis._linear._coordinates import power_of_two, triangle
from sk_memorize.analysis._linear._problem import Problem

# A ratio below 1 is a proof; weights are improved until it is one beyond doubt.
_CLEARLY = 0.01
_MAX_CORRECTIONS = 5
_LIGHT = 1e-5


def correct(problem: Problem, entries: Entries) -> tuple[Entries, float]:
    """Change weights until they are proved to need but a small change to cancel.

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
        # Without the rows that were dropped, columns may have become constant.
        M = _weighted_gradients(problem, entries)
        R, ratio = _measure(M)
        if ratio < _CLEARLY:
            break
        if ratio == np.inf:
            # Columns of rows with hardly any weight may be all that is dependent.
            heavy = entries.weights > _LIGHT * entries.weights.max()
            if heavy.all():
                break
            entries = entries.take(heavy)
            continue
        half = linalg.solve_triangular(R, M.sum(axis=0), trans="T", check_finite=False)
        change = 1 - M @ linalg.solve_triangular(R, half, check_finite=False)
        changed = entries._replace(weights=entries.weights * change)
        if not (change > EPSILON).any():
            break
        entries = changed.take(change > EPSILON)
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
    than s, then :math:`\eta = -M (M^T M)^{-1} r` has a length below 1, so that the
    weights times :math:`1 + \eta` are positive and cancel exactly. The ratio is that
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
    used, place = np.unique(entries.rows, return_inverse=True)
    rows = design(problem.X[used], fit_intercept=problem.fit_intercept)[place]
    weighted = rows * (entries.weights / entries.weights.sum())[:, None]
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
    s -= (n_rows * n_columns + 8) * EPSILON * linalg.norm(M)
    sizes = linalg.norm(np.abs(M).sum(axis=0))
    r = linalg.norm(M.sum(axis=0)) + (n_rows + 8) * EPSILON * sizes
    return R, float(r / s) if s > 0 else np.inf
