"""One system of inequalities: solved, or proved to have no solution."""

from fractions import Fraction

import numpy as np

from sk_memorize.analysis._linear._certificates import (
    measure_combination,
    measure_margin,
    vanish_exactly,
)
from sk_memorize.analysis._linear._constraints import Codes, Constraints, Entries
from sk_memorize.analysis._linear._coordinates import Coordinates
from sk_memorize.analysis._linear._correction import correct, correction_ratio
from sk_memorize.analysis._linear._problem import Decision, Problem, ProofKind
from sk_memorize.analysis._linear._squared_hinge import minimize
from sk_memorize.analysis._linear._vertex import exact_combination
from sk_memorize.analysis._linear._widest import to_entries, widen, with_first_class

# The Hessian is a square matrix of float64.
_MAX_UNKNOWNS = 5000

# Random labels of so many rows for each dimension are not separable, by Cover's
# theorem, so that these rows can prove it for all.
_SAMPLE_FACTOR = 4
_MIN_SAMPLE = 500

# Slacks below this share of the largest one are taken for rounding errors.
_NOISE = 1e-7

# Numbers of a system that is solved without rounding in milliseconds.
_SMALL = 2000

# Relative difference of measurements that are repeated.
_CLOSE = 1e-6


def decide(
    problem: Problem,
    coordinates: Coordinates,
    contradiction: Entries | None,
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
    contradiction : Entries or None
        Weights that are known to cancel exactly.
    max_iter : int
        Largest number of steps of Newton's method.
    widest : bool
        Whether a margin is made as wide as it can be.

    Returns
    -------
    decision : Decision
        With a proof, or the reason why there is none.
    """
    if contradiction is not None:
        exact = tuple(Fraction(weight) for weight in contradiction.weights)
        return _disproved(problem, "exact weights", contradiction, exact)
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
        if minimum.slacks.any():
            entries = to_entries(minimum.slacks, _NOISE)
            entries = entries._replace(rows=sample[entries.rows])
            corrected, ratio = correct(problem, entries)
            if ratio < 1:
                return _disproved(problem, "correctable weights", corrected)
    minimum = minimize(constraints, W, max_iter=max_iter)
    coef, intercept = with_first_class(*coordinates.to_hyperplanes(minimum.W))
    margin = measure_margin(problem, coef, intercept)
    if margin.is_certain:
        decision = Decision("margins", coef, intercept, margin.value)
        return widen(problem, decision, max_iter) if widest else decision
    if not minimum.slacks.any():
        return Decision(None, reason="the margin found is within its rounding errors")
    entries = to_entries(minimum.slacks, _NOISE)
    is_small = len(entries.rows) * len(coef.ravel()) <= _SMALL
    if is_small and (found := exact_combination(problem, entries)):
        return _disproved(problem, "exact weights", *found)
    corrected, ratio = correct(problem, entries)
    if ratio < 1:
        return _disproved(problem, "correctable weights", corrected)
    if not is_small and (found := exact_combination(problem, entries)):
        return _disproved(problem, "exact weights", *found)
    return _undecided(problem, (entries, corrected), converged=minimum.converged)


def _sample(codes: Codes, size: int) -> Codes | None:
    """Take evenly spaced rows of each class, if that leaves most rows out."""
    if len(codes) < 2 * size:
        return None
    order = np.argsort(codes, kind="stable")
    return np.sort(order[np.linspace(0, len(codes) - 1, num=size).astype(np.intp)])


def _undecided(
    problem: Problem, candidates: tuple[Entries, ...], *, converged: bool
) -> Decision:
    """Tell how narrow any margin must be, without proof that there is none."""
    combinations = [measure_combination(problem, entries) for entries in candidates]
    best = min(range(len(candidates)), key=lambda i: combinations[i].bound)
    residual, bound = combinations[best]
    entries = candidates[best]
    reason = (
        f"no margin exceeds {bound:.2g}, but that is not proved of 0, which is within "
        "rounding errors"
        if converged
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
    """Decide that the classes are not separable, for which the weights are a proof."""
    return Decision(
        proof,
        entries=entries,
        exact_weights=exact_weights,
        residual=measure_combination(problem, entries).residual,
        margin_bound=0.0,
    )


def verify(problem: Problem, decision: Decision) -> bool:
    """Check the proof of a decision, without solving anything.

    Parameters
    ----------
    problem : Problem
        The rows and their classes.
    decision : Decision
        What was decided.

    Returns
    -------
    is_proved : bool
        Whether there is a proof and it holds.
    """
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
        return vanish_exactly(problem, entries, decision.exact_weights)
    return correction_ratio(problem, entries) < 1
