"""Weights that cancel exactly, for small systems, by rational arithmetic."""

from fractions import Fraction

import numpy as np
from scipy import optimize

from sk_memorize.analysis._linear._certificates import integer_gradients, spread
from sk_memorize.analysis._linear._columns import design
from sk_memorize.analysis._linear._constraints import Entries
from sk_memorize.analysis._linear._exact import null_vector, without_common_factors
from sk_memorize.analysis._linear._problem import Problem

# Beyond these, the time is counted in minutes.
_MAX_SUPPORT = 120
_MAX_SIZE = 4_000_000


def exact_combination(
    problem: Problem, entries: Entries
) -> tuple[Entries, tuple[Fraction, ...]] | None:
    """Find a few of the inequalities that contradict each other exactly.

    Parameters
    ----------
    problem : Problem
        The rows and their classes.
    entries : Entries
        Inequalities among which to look. Their weights do not matter.

    Returns
    -------
    entries : Entries
        Those that contradict each other, with weights.
    weights : tuple of Fraction
        The same weights without rounding.

    Notes
    -----
    Nonnegative least squares finds a solution whose gradients are linearly
    independent but for one relation [1]_. This relation is then solved in integers.

    References
    ----------
    .. [1] C. L. Lawson and R. J. Hanson, "Solving least squares problems", SIAM, 1995,
       chapter 23.
    """
    rows = design(problem.X[entries.rows], fit_intercept=problem.fit_intercept)
    own = problem.codes[entries.rows]
    columns = spread(rows, own, entries.rivals)
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
    integers = without_common_factors(integer_gradients(problem, entries))
    exact = null_vector(integers.T)
    if exact is None or min(exact) <= 0:
        return None
    return entries._replace(weights=np.array(exact, float)), tuple(exact)
