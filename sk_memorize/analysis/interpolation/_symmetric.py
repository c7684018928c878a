"""Cholesky factorization and refinement in the memory of one kernel matrix."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cholesky, solve_triangular

from ._targets import Floats

_BLOCK = 512  # rows
_PANEL = 2048  # columns that are factorized at once

# Refinement stops at this residual, far below the differences that decide classes.
_TOLERANCE = 1e-4
_MAX_STEPS = 30

# Largest rounding error that large unknowns may cause in a sum of kernels.
_MAX_NOISE = 1e-3


class Solution(NamedTuple):
    """Solution of the system ``K @ A = Y``.

    Attributes
    ----------
    A : ndarray of shape (n, n_outputs)
        The unknowns.
    residual : ndarray of shape (n, n_outputs)
        ``Y - K @ A``.
    jitter : float
        Added to the diagonal for the factorization only.
    """

    A: Floats
    residual: Floats
    jitter: float


def solve_in_place(K: NDArray, Y: Floats) -> Solution:
    """Solve ``K @ A = Y`` for a kernel matrix, whose diagonal is 1.

    The Cholesky factor overwrites the lower triangle, while the upper one keeps the
    matrix. Conjugate gradients in float64, preconditioned by the factor, refine the
    solution, so the factor need not be exact: jitter is added to the diagonal, as much
    as rounding may change the smallest eigenvalue. If the factorization fails, or the
    residual does not fall, or the unknowns are so large that predictions would be
    rounding errors, it is repeated with ten times the jitter.

    Parameters
    ----------
    K : ndarray of shape (n, n), float32 or float64
        In C order; only its part above the diagonal is read. It is overwritten.
    Y : ndarray of shape (n, n_outputs)
        The right-hand sides.

    Returns
    -------
    solution : Solution
        The unknowns, and how good they are.

    Examples
    --------
    >>> import numpy as np
    >>> K = np.array([[1.0, 0.5], [0.0, 1.0]])
    >>> solve_in_place(K, np.array([[3.0], [3.0]])).A.round(9)
    array([[2.],
           [2.]])
    """
    # Bound of what random rounding errors of the entries change eigenvalues by.
    jitter = float(np.sqrt(len(K)) * np.finfo(K.dtype).eps)
    while True:
        _fill_lower(K, 1 + jitter)
        if _factorize(K):
            A = _refine(K, Y)
            residual = Y - _multiply(K, A)
            noise = np.finfo(np.float64).eps * np.abs(A).sum(axis=0).max()
            # The residual may be as large as Y, where rows that are equal to the kernel
            # have opposite targets; anything clearly larger is rounding.
            if noise < _MAX_NOISE and np.linalg.norm(residual) < 2 * np.linalg.norm(Y):
                return Solution(A, residual, jitter)
        jitter *= 10


def _blocks(n: int, size: int | None = None) -> Iterator[slice]:
    size = _BLOCK if size is None else size
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))


def _fill_lower(K: NDArray, diagonal: float) -> None:
    for rows in _blocks(len(K)):
        for columns in _blocks(rows.start):
            K[rows, columns] = K[columns, rows].T
        square = K[rows, rows]
        square[:] = np.triu(square, 1) + np.triu(square, 1).T
    np.fill_diagonal(K, diagonal)


def _factorize(K: NDArray) -> bool:
    """Overwrite the lower triangle with its Cholesky factor; False if there is none.

    Panel by panel: LAPACK's 32-bit integers overflow for more than 46,340 rows.
    """
    for columns in _blocks(len(K), _PANEL):
        left = K[columns, : columns.start]
        square = K[columns, columns]
        try:
            factor = cholesky(square - left @ left.T, lower=True)
        except LinAlgError:
            return False
        square[:] = np.triu(square, 1) + factor
        for offset in _blocks(len(K) - columns.stop, _PANEL):
            rows = slice(columns.stop + offset.start, columns.stop + offset.stop)
            rest = K[rows, columns] - K[rows, : columns.start] @ left.T
            K[rows, columns] = solve_triangular(factor, rest.T, lower=True).T
    return True


def _refine(K: NDArray, Y: Floats) -> Floats:
    """Run preconditioned conjugate gradients on all columns, each for itself.

    The residual does not fall at every step: return each column's best unknowns.
    """
    A = best = _precondition(K, Y)
    residual = previous = Y - _multiply(K, A)
    least = np.linalg.norm(residual, axis=0)
    direction, slope = np.zeros_like(Y), np.ones(Y.shape[1])
    for _ in range(_MAX_STEPS):
        if np.abs(residual).max() <= _TOLERANCE:
            break
        step = _precondition(K, residual)
        # Polak and Ribiere's form tolerates the rounding of the preconditioner.
        gain = (step * (residual - previous)).sum(axis=0) / slope
        direction = step + gain * direction
        product = _multiply(K, direction)
        slope = (step * residual).sum(axis=0)
        curvature = (direction * product).sum(axis=0)
        if not ((slope > 0) & (curvature > 0)).all():
            break  # solved, or rounding made the matrix indefinite
        length = (direction * residual).sum(axis=0) / curvature
        A = A + length * direction
        previous, residual = residual, residual - length * product
        norms = np.linalg.norm(residual, axis=0)
        best = np.where(norms < least, A, best)
        least = np.minimum(norms, least)
    return best


def _precondition(K: NDArray, Y: Floats) -> Floats:
    """Solve with the factor in the lower triangle."""
    A = Y.astype(K.dtype)
    blocks = list(_blocks(len(K), _PANEL))
    for rows in blocks:
        A[rows] -= K[rows, : rows.start] @ A[: rows.start]
        A[rows] = solve_triangular(K[rows, rows], A[rows], lower=True)
    for rows in reversed(blocks):
        A[rows] -= K[rows.stop :, rows].T @ A[rows.stop :]
        A[rows] = solve_triangular(K[rows, rows], A[rows], lower=True, trans="T")
    return A.astype(np.float64)


def _multiply(K: NDArray, A: Floats) -> Floats:
    """Compute the product from the part above the diagonal, in float64."""
    product = A.copy()  # by the diagonal, which is 1
    for rows in _blocks(len(K)):
        block = K[rows, rows.start :].astype(np.float64)
        block[:, : len(block)] = np.triu(block[:, : len(block)], 1)
        product[rows] += block @ A[rows.start :]
        product[rows.start :] += block.T @ A[rows]
    return product
