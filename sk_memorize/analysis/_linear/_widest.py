"""From some hyperplane that separates to the one with the widest margin."""

from dataclasses import replace

import numpy as np

from sk_memorize.analysis._linear._certificates import (
    measure_combination,
    measure_margin,
)
from sk_memorize.analysis._linear._constraints import Constraints, Entries, Floats
from sk_memorize.analysis._linear._coordinates import rotate
from sk_memorize.analysis._linear._problem import Decision, Problem
from sk_memorize.analysis._linear._squared_hinge import minimize

# The margin is widened until it is this close to its bound, relatively.
_GAP = 1e-3
_TOLERANCE = 1e-8
_MAX_PENALTIES = 15


def widen(problem: Problem, decision: Decision, max_iter: int) -> Decision:
    """Widen the margin of a decision that classes are separable.

    Parameters
    ----------
    problem : Problem
        The rows and their classes.
    decision : Decision
        With hyperplanes that separate.
    max_iter : int
        Largest number of steps of Newton's method, for each penalty.

    Returns
    -------
    decision : Decision
        With the widest margin that was found, and weights that bound all margins.

    Notes
    -----
    The minimum of the squared hinge loss with a quadratic penalty on the
    coefficients tends to the widest margin as the penalty tends to zero, and its
    slacks to weights of the smallest bound: this is the support vector machine with
    hard margin, and its dual.
    """
    coordinates = rotate(problem.X, fit_intercept=problem.fit_intercept)
    constraints = Constraints(coordinates.features, problem.codes, problem.n_classes)
    W = np.zeros((problem.n_classes - 1, coordinates.features.shape[1]))
    penalty = _unit_penalty(coordinates.features, problem)
    penalty *= np.square(coordinates.features).sum() / coordinates.features.shape[1]
    for _ in range(_MAX_PENALTIES):
        minimum = minimize(
            constraints, W, penalty=penalty, tol=_TOLERANCE, max_iter=max_iter
        )
        W, penalty = minimum.W, penalty / 10
        coef, intercept = with_first_class(*coordinates.to_hyperplanes(W))
        margin = measure_margin(problem, coef, intercept)
        if margin.is_certain and margin.value > decision.margin:
            decision = replace(
                decision, coef=coef, intercept=intercept, margin=margin.value
            )
        if minimum.slacks.any():
            entries = _balance(problem, to_entries(minimum.slacks))
            combination = measure_combination(problem, entries)
            if combination.bound < decision.margin_bound:
                decision = replace(
                    decision,
                    entries=entries,
                    residual=combination.residual,
                    margin_bound=combination.bound,
                )
        if decision.margin >= (1 - _GAP) * decision.margin_bound:
            break
    return decision


def with_first_class(coef: Floats, intercept: Floats) -> tuple[Floats, Floats]:
    """Add the scores of the first class, which are zero."""
    return np.insert(coef, 0, 0.0, axis=0), np.insert(intercept, 0, 0.0)


def to_entries(slacks: Floats, noise: float = 0.0) -> Entries:
    """Take the slacks as weights, with the sum 1, but for those that are noise."""
    rows, rivals = np.nonzero(slacks > noise * slacks.max())
    weights = slacks[rows, rivals]
    return Entries(rows, rivals, weights / weights.sum())


def _balance(problem: Problem, entries: Entries) -> Entries:
    """Give both classes the same weight, if there are two and an intercept."""
    if problem.n_classes > 2 or not problem.fit_intercept:
        return entries
    of_class = problem.codes[entries.rows]
    totals = np.bincount(of_class, entries.weights, minlength=2)
    return entries._replace(weights=entries.weights / (2 * totals[of_class]))


def _unit_penalty(features: Floats, problem: Problem) -> Floats:
    """Make the matrix of the square of the coefficients' norm, intercepts free."""
    k = problem.n_classes
    # Scores are relative to those of class 0, and the norm is around their mean.
    among_classes = np.eye(k - 1) - 1 / k if k > 2 else np.eye(1)
    among_columns = np.eye(features.shape[1])
    if problem.fit_intercept:
        among_columns[-1, -1] = 0
    return np.kron(among_classes, among_columns).astype(np.float64)
