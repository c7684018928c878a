"""Linear algebra without rounding, on small systems of floating-point numbers."""

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from sk_memorize.analysis._linear._constraints import Floats

Integers = NDArray[np.object_]


def min_exponent(*arrays: Floats) -> int:
    """Find the smallest binary exponent of any numbers that are not zero."""
    exponents = [np.frexp(values[values != 0])[1].min(initial=0) for values in arrays]
    return int(min(exponents))


def to_integers(values: Floats, exponent: int) -> Integers:
    """Multiply floating-point numbers by a power of two that makes them integers.

    Parameters
    ----------
    values : ndarray
        Finite numbers.
    exponent : int
        Their smallest binary exponent, or a smaller number.

    Returns
    -------
    integers : ndarray of dtype object
        Python's integers, the values times ``2 ** (53 - exponent)``.
    """
    mantissas, exponents = np.frexp(values)
    shifts = np.where(values == 0, 0, exponents - exponent)
    mantissas = np.ldexp(mantissas, 53).astype(np.int64).astype(object)
    return mantissas * 2 ** shifts.astype(object)


def without_common_factors(columns: Integers) -> Integers:
    """Divide each column by the greatest common divisor of its entries."""
    divisors = np.gcd.reduce(columns, axis=0)
    return columns // np.where(divisors == 0, 1, divisors)


def null_vector(A: Integers) -> list[Fraction] | None:
    """Solve ``A @ x == 0`` by fraction-free elimination [1]_.

    Parameters
    ----------
    A : ndarray of shape (n_equations, n_unknowns), dtype=object
        Integers.

    Returns
    -------
    x : list of Fraction or None
        The solution that sums to 1; None if the solutions are not the multiples of
        one vector with a sum other than 0.

    References
    ----------
    .. [1] E. H. Bareiss, "Sylvester's identity and multistep integer-preserving
       Gaussian elimination", Mathematics of Computation 22(103), 1968.
    """
    n_unknowns = A.shape[1]
    rows: list[Integers] = []
    pivots: list[int] = []
    free: list[int] = []
    previous = 1
    for column in range(n_unknowns):
        A = A[(A != 0).any(axis=1)]
        candidates = np.flatnonzero(A[:, column])
        if not candidates.size:
            free.append(column)
            if len(free) > 1:
                return None
            continue
        first = candidates[0]
        pivot = A[first]
        rows.append(pivot)
        pivots.append(column)
        others = np.delete(A, first, axis=0)
        A = (pivot[column] * others - np.outer(others[:, column], pivot)) // previous
        previous = pivot[column]
    if not free:
        return None
    x = [Fraction(0)] * n_unknowns
    x[free[0]] = Fraction(1)
    for pivot, column in zip(reversed(rows), reversed(pivots), strict=True):
        rest = sum(int(pivot[j]) * x[j] for j in range(column + 1, n_unknowns))
        x[column] = Fraction(-rest) / int(pivot[column])
    total = sum(x)
    return [value / total for value in x] if total else None
