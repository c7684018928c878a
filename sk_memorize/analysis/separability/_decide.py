"""Decide one problem: find hyperplanes and widen their margin, or disprove them."""

from dataclasses import replace
from fractions import Fraction
from itertools import combinations

import numpy as np
from numpy.linalg import cond

from ._coordinates import Coordinates, rotate, whiten
from ._problem import Codes, Decision, Entries, Floats, Problem, ProofKind, pose
from ._proofs import correct, exact_combination, measure_combination, measure_margin
from ._solver import Constraints, Minimum, minimize

# Limit of the unknowns: the Hessian is a square matrix of float64.
_MAX_UNKNOWNS = 5000

# By Cover's theorem, random labels of so many rows for each dimension are not
# separable: try to disprove all rows by a sample.
_SAMPLE_FACTOR = 4
_MIN_SAMPLE = 500

# Slacks below this fraction of the largest one are rounding errors.
_NOISE = 1e-7

# Size of a system that exact arithmetic solves in milliseconds.
_SMALL = 2000

# The margin is widened until it is this close to its bound, relatively.
_GAP = 1e-3
_TOLERANCE = 1e-8
_MAX_PENALTIES = 15
# Squares of larger ratios are lost in rounding errors.
_MAX_CONDITION = 1e8


def decide(
    problem: Problem,
    coordinates: Coordinates,
    *,
    max_iter: int,
    widest: bool = True,
) -> Decision:
    """Find hyperplanes that separate the classes, or prove that there are none.

    Parameters
    ----------
    problem : Problem
        The rows and their classes.
    coordinates : Coordinates
        Whitened coordinates of the rows.
    max_iter : int
        Largest number of steps of Newton's method.
    widest : bool
        Whether a margin is made as wide as it can be.

    Returns
    -------
    decision : Decision
        With a proof, or the reason why there is none.
    """
    shape = problem.n_classes - 1, coordinates.features.shape[1]
    if np.prod(shape) > _MAX_UNKNOWNS:
        return Decision(
            None,
            reason=f"{problem.n_classes} classes in {shape[1]} dimensions make "
            f"{np.prod(shape)} unknowns, more than the limit of {_MAX_UNKNOWNS}",
        )
    constraints = Constraints(coordinates.features, problem.codes, problem.n_classes)
    W = np.zeros(shape)
    sample = _sample(problem.codes, max(_SAMPLE_FACTOR * shape[1], _MIN_SAMPLE))
    if sample is not None:
        minimum = minimize(constraints.take(sample), W, max_iter=max_iter)
        W = minimum.W
        if minimum.slacks.max() >= 1:  # a margin is not positive
            entries = minimum.entries(_NOISE)
            entries = entries._replace(rows=sample[entries.rows])
            corrected, ratio = correct(problem, entries)
            if ratio < 1:
                return _disproved(problem, "correctable weights", corrected)
    minimum = minimize(constraints, W, max_iter=max_iter)
    coef, intercept = coordinates.to_hyperplanes(minimum.W)
    margin = measure_margin(problem, coef, intercept)
    if margin.is_certain:
        decision = Decision("margins", coef, intercept, margin.value)
        if widest:
            plain = rotate(problem.X, fit_intercept=problem.fit_intercept)
            decision = _widen(problem, plain, decision, max_iter)
            # Columns of different size take whitened coordinates.
            if not _is_wide(decision) and cond(coordinates.basis) < _MAX_CONDITION:
                decision = _widen(problem, coordinates, decision, max_iter)
        return decision
    if not minimum.slacks.any():
        return Decision(None, reason="the margin found is within its rounding errors")
    return _disprove(problem, minimum)


def disprove_by_a_pair(problem: Problem, max_iter: int) -> Decision | None:
    """Find two classes that are not separable, and so all classes are not jointly.

    A pair is a much smaller problem, and its weights are weights of the joint one.
    """
    for pair in combinations(range(problem.n_classes), 2):
        part, rows = pose(
            problem.X,
            problem.codes,
            pair,
            strategy="pairs",
            fit_intercept=problem.fit_intercept,
        )
        coordinates, _ = whiten(part.X, fit_intercept=part.fit_intercept)
        decision = decide(part, coordinates, max_iter=max_iter, widest=False)
        if decision.proof is not None and decision.coef is None:
            assert decision.entries is not None
            places, rivals, weights = decision.entries
            entries = Entries(rows[places], np.array(pair)[rivals], weights)
            return replace(decision, entries=entries)
    return None


def contradicted(problem: Problem, contradiction: Entries) -> Decision:
    """Decide by weights of few binary digits, which cancel exactly as they are."""
    exact = tuple(Fraction(weight) for weight in contradiction.weights)
    return _disproved(problem, "exact weights", contradiction, exact)


def _sample(codes: Codes, size: int) -> Codes | None:
    """Take evenly spaced rows of each class, if that leaves most rows out."""
    if len(codes) < 2 * size:
        return None
    order = np.argsort(codes, kind="stable")
    return np.sort(order[np.linspace(0, len(codes) - 1, num=size).astype(np.intp)])


def _disprove(problem: Problem, minimum: Minimum) -> Decision:
    """Prove by weights that nearly cancel that no hyperplane separates, or say why not.

    Small systems are solved in exact arithmetic first, large ones last.
    """
    entries = minimum.entries(_NOISE)
    n_unknowns = problem.n_classes * problem.X.shape[1]
    is_small = len(entries.rows) * n_unknowns <= _SMALL
    if is_small and (found := exact_combination(problem, entries)):
        return _disproved(problem, "exact weights", *found)
    corrected, ratio = correct(problem, entries)
    if ratio < 1:
        return _disproved(problem, "correctable weights", corrected)
    # A row of tiny weight, which looks like noise, may be needed.
    candidates = minimum.entries() if is_small else entries
    if found := exact_combination(problem, candidates):
        return _disproved(problem, "exact weights", *found)
    measured = [
        (measure_combination(problem, candidate), candidate)
        for candidate in (entries, corrected)
    ]
    (residual, bound), entries = min(measured, key=lambda pair: pair[0].bound)
    reason = (
        f"no margin exceeds {bound:.2g}, but that is not proved of 0, which is within "
        "rounding errors"
        if minimum.converged
        else "Newton's method did not converge; a larger max_iter may help"
    )
    return Decision(
        None, entries=entries, residual=residual, margin_bound=bound, reason=reason
    )


def _disproved(
    problem: Problem,
    proof: ProofKind,
    entries: Entries,
    exact_weights: tuple[Fraction, ...] | None = None,
) -> Decision:
    """Decide that the classes are not separable, proved by the weights."""
    return Decision(
        proof,
        entries=entries,
        exact_weights=exact_weights,
        residual=measure_combination(problem, entries).residual,
        margin_bound=0.0,
    )


def _widen(
    problem: Problem, coordinates: Coordinates, decision: Decision, max_iter: int
) -> Decision:
    """Widen the margin, and bound all margins by weights.

    The minimum of the squared hinge loss with a quadratic penalty on the coefficients
    tends to the widest margin as the penalty tends to zero, and its slacks to weights
    of the smallest bound: the support vector machine with hard margin, and its dual.
    """
    constraints = Constraints(coordinates.features, problem.codes, problem.n_classes)
    W = np.zeros((problem.n_classes - 1, coordinates.features.shape[1]))
    penalty = _unit_penalty(coordinates, problem.n_classes)
    penalty *= np.square(coordinates.features).sum() / coordinates.features.shape[1]
    for _ in range(_MAX_PENALTIES):
        minimum = minimize(
            constraints, W, penalty=penalty, tol=_TOLERANCE, max_iter=max_iter
        )
        W, penalty = minimum.W, penalty / 10
        coef, intercept = coordinates.to_hyperplanes(W)
        margin = measure_margin(problem, coef, intercept)
        if margin.is_certain and margin.value > decision.margin:
            decision = replace(
                decision, coef=coef, intercept=intercept, margin=margin.value
            )
        if minimum.slacks.any():
            entries = _balance(problem, minimum.entries())
            residual, bound = measure_combination(problem, entries)
            if bound < decision.margin_bound:
                decision = replace(
                    decision, entries=entries, residual=residual, margin_bound=bound
                )
        if _is_wide(decision) or not minimum.converged:
            break
    return decision


def _is_wide(decision: Decision) -> bool:
    return decision.margin >= (1 - _GAP) * decision.margin_bound


def _balance(problem: Problem, entries: Entries) -> Entries:
    """Give both classes the same weight, if there are two and an intercept."""
    if problem.n_classes > 2 or not problem.fit_intercept:
        return entries
    of_class = problem.codes[entries.rows]
    totals = np.bincount(of_class, entries.weights, minlength=2)
    return entries._replace(weights=entries.weights / (2 * totals[of_class]))


def _unit_penalty(coordinates: Coordinates, n_classes: int) -> Floats:
    """Make the matrix of the square of the coefficients' norm, intercepts free."""
    # Scores are relative to those of class 0, and the norm is around their mean.
    shared = 1 / n_classes if n_classes > 2 else 0.0
    among_classes = np.eye(n_classes - 1) - shared
    n_dimensions = coordinates.basis.shape[1]
    basis = coordinates.basis / np.abs(coordinates.basis).max()
    among_columns = np.zeros((coordinates.features.shape[1],) * 2)
    among_columns[:n_dimensions, :n_dimensions] = basis.T @ basis
    among_columns *= n_dimensions / np.trace(among_columns)
    return np.kron(among_classes, among_columns).astype(np.float64)
