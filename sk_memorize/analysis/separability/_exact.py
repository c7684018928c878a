"""Exact linear algebra on floating-point numbers, as integers and fractions."""

import math
from fractions import Fraction
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ._problem import Codes, Entries, Floats, Problem

Integers = NDArray[np.object_]
T = TypeVar("T", np.float64, np.object_)

_CHUNK = 1024  # rows of Python integers


def to_integers(values: Floats, exponent: int) -> Integers:
    """Multiply numbers by ``2 ** (53 - exponent)``, which makes them Python integers.

    The exponent is the smallest binary exponent of the numbers, or smaller.
    """
    mantissas, exponents = np.frexp(values)
    shifts = np.where(values == 0, 0, exponents - exponent)
    mantissas = np.ldexp(mantissas, 53).astype(np.int64).astype(object)
    return mantissas * 2 ** shifts.astype(object)


def min_exponent(*arrays: Floats) -> int:
    """Find the smallest binary exponent of the nonzero numbers."""
    exponents = [np.frexp(values[values != 0])[1].min(initial=0) for values in arrays]
    return int(min(exponents))


def spread(rows: NDArray[T], own: Codes, rivals: Codes) -> NDArray[T]:
    """Put each row into the block of its class and, negated, of its rival.

    Parameters
    ----------
    rows : ndarray of shape (n_entries, n_columns)
        The rows.
    own, rivals : ndarray of shape (n_entries,)
        Codes of the classes.

    Returns
    -------
    gradients : ndarray of shape (n_entries, (n_involved - 1) * n_columns)
        The block of one involved class is left out: it is minus the sum of the others.
    """
    involved, index = np.unique(np.concatenate([own, rivals]), return_inverse=True)
    blocks = np.zeros((len(rows), len(involved), rows.shape[1]), rows.dtype)
    every = np.arange(len(rows))
    blocks[every, index[: len(rows)]] = rows
    blocks[every, index[len(rows) :]] = -rows
    gradients: NDArray[T] = blocks[:, 1:].reshape(len(rows), -1)
    return gradients


def integer_gradients(problem: Problem, entries: Entries) -> Integers:
    """Write the gradients of margins as rows of integers, each column scaled."""
    values = problem.X[entries.rows]
    rows = to_integers(values, min_exponent(values))
    if problem.fit_intercept:
        rows = np.column_stack([rows, np.ones(len(rows), object)])
    return spread(rows, problem.codes[entries.rows], entries.rivals)


def weights_cancel(
    problem: Problem, entries: Entries, weights: tuple[Fraction, ...]
) -> bool:
    """Whether rational weights are positive and their combination is exactly zero."""
    if not weights or min(weights) <= 0:
        return False
    numerators, _ = _common_denominator(weights)
    return not (numerators @ integer_gradients(problem, entries)).any()


def cancelling_weights(
    problem: Problem, entries: Entries
) -> tuple[Fraction, ...] | None:
    """Find positive weights with the sum 1 that cancel, if only one vector does."""
    # At use: importing sympy takes longer than most problems.
    from sympy import ZZ
    from sympy.polys.matrices import DomainMatrix

    columns = integer_gradients(problem, entries)
    divisors = np.gcd.reduce(columns, axis=0)
    columns = columns // np.where(divisors == 0, 1, divisors)
    rows = [[ZZ(value) for value in row] for row in columns.T.tolist()]
    basis = DomainMatrix(rows, columns.T.shape, ZZ).nullspace()
    if basis.shape[0] != 1:
        return None
    vector = [int(value) for value in basis.to_list()[0]]
    total = sum(vector)
    if not total:
        return None
    weights = tuple(Fraction(value, total) for value in vector)
    return weights if min(weights) > 0 else None


def subtract(
    column: Floats,
    others: Floats,
    coefficients: list[Fraction],
    *,
    fit_intercept: bool,
) -> Floats:
    """Subtract a combination of columns exactly; scale and round the remainder once.

    With an intercept the mean is subtracted too, up to one unit of the integers.
    """
    numerators, denominator = _common_denominator(coefficients)
    exponent = min_exponent(column, others)
    remainder = np.concatenate(
        [
            to_integers(column[start : start + _CHUNK], exponent) * denominator
            - to_integers(others[start : start + _CHUNK], exponent) @ numerators
            for start in range(0, len(column), _CHUNK)
        ]
    )
    if fit_intercept:
        remainder = remainder - sum(remainder.tolist()) // len(remainder)
    # Large integers overflow float64: scale them near one before rounding.
    shift = max(0, *(int(value).bit_length() - 64 for value in remainder))
    return np.array([float(Fraction(value, 1 << shift)) for value in remainder])


def _common_denominator(
    fractions: list[Fraction] | tuple[Fraction, ...],
) -> tuple[Integers, int]:
    denominator = math.lcm(*(fraction.denominator for fraction in fractions))
    return np.array([int(f * denominator) for f in fractions], object), denominator
