"""Minimizing the squared hinge loss by Newton's method, to the last digit."""

from typing import NamedTuple

import numpy as np
from scipy import linalg

from sk_memorize.analysis._linear._constraints import Constraints, Floats

# A step that promises less than this share of the loss is lost in rounding errors.
_NEGLIGIBLE = 1e-18
# Margins to be content with, where only their sign matters.
_WIDE = 0.5
# Of the mean of the Hessian's diagonal, so that it can be factorized.
_DAMPING = 1e-11


class Minimum(NamedTuple):
    """Where the loss ended.

    Attributes
    ----------
    W : ndarray of shape (n_classes - 1, n_features)
        The weights.
    slacks : ndarray of shape (n_rows, n_classes)
        What the margins lack to one, 0 where they exceed it.
    n_iter : int
        Number of steps.
    converged : bool
        Whether no further step would lower the loss.
    """

    W: Floats
    slacks: Floats
    n_iter: int
    converged: bool


def minimize(
    constraints: Constraints,
    W: Floats,
    *,
    penalty: Floats | None = None,
    tol: float = 0.0,
    max_iter: int,
) -> Minimum:
    """Minimize half the sum of squares of the slacks, and of a quadratic penalty.

    Parameters
    ----------
    constraints : Constraints
        The inequalities.
    W : ndarray of shape (n_classes - 1, n_features)
        Where to begin.
    penalty : ndarray of shape (W.size, W.size) or None
        Matrix of the quadratic form.
    tol : float
        Share of the loss that a step must promise at least.
    max_iter : int
        Largest number of steps.

    Returns
    -------
    minimum : Minimum
        The weights, and the slacks there.

    Notes
    -----
    The loss is convex and piecewise quadratic, so that Newton's method with an exact
    line search ends after finitely many steps but for rounding errors [1]_, [2]_.
    Without a penalty, the minimum answers the question of separability: it is 0 if
    there are weights with all margins positive, and otherwise the slacks are
    nonnegative weights, not all zero, for which the gradients of the margins cancel,
    which is what a vanishing derivative says.

    References
    ----------
    .. [1] O. L. Mangasarian, "A finite Newton method for classification",
       Optimization Methods and Software 17(5), 2002.
    .. [2] S. S. Keerthi and D. DeCoste, "A modified finite Newton method for fast
       solution of large scale linear SVMs", JMLR 6, 2005.
    """
    margins = constraints.margins(W)
    for n_iter in range(max_iter):
        if penalty is None and margins.min() > _WIDE:
            break
        slacks = np.maximum(0, 1 - margins)
        pull = (
            np.zeros_like(W)
            if penalty is None
            else (penalty @ W.ravel()).reshape(W.shape)
        )
        gradient = pull - constraints.combine(slacks)
        loss = (np.square(slacks).sum() + (W * pull).sum()) / 2
        hessian = constraints.gram(slacks > 0)
        if penalty is not None:
            hessian += penalty
        step = -_solve(hessian, gradient)
        promise = -float((gradient * step).sum())
        if not promise > max(tol, _NEGLIGIBLE) * loss:
            return Minimum(W, slacks, n_iter, converged=True)
        change = constraints.differences(step, 0)
        curvature = 0.0
        if penalty is not None:
            curvature = float(step.ravel() @ penalty @ step.ravel())
        slope = float((pull * step).sum())
        length = _search(margins, change, slope, curvature, promise)
        W = W + length * step
        margins = constraints.margins(W)
    else:
        n_iter = max_iter
    slacks = np.maximum(0, 1 - margins)
    return Minimum(W, slacks, n_iter, converged=n_iter < max_iter)


def _solve(hessian: Floats, gradient: Floats) -> Floats:
    diagonal = np.diag_indices_from(hessian)
    hessian[diagonal] += _DAMPING * hessian[diagonal].mean() + np.finfo(float).tiny
    factor = linalg.cho_factor(hessian, overwrite_a=True, check_finite=False)
    return linalg.cho_solve(factor, gradient.ravel(), check_finite=False).reshape(
        gradient.shape
    )


def _search(
    margins: Floats, change: Floats, slope: float, curvature: float, promise: float
) -> float:
    """Find where the derivative along a line, increasing and piecewise linear, is 0.

    Parameters
    ----------
    margins, change : ndarray of shape (n_rows, n_classes)
        The margins at 0 and their derivative.
    slope, curvature : float
        Derivatives of the penalty.
    promise : float
        Minus the derivative at 0.

    Returns
    -------
    length : float
        The length of the step.
    """
    low, high, t = 0.0, np.inf, 1.0
    for _ in range(100):
        slacks = np.maximum(0, 1 - margins - t * change)
        derivative = slope + t * curvature - float((slacks * change).sum())
        if abs(derivative) <= 1e-12 * promise:
            break
        low, high = (t, high) if derivative < 0 else (low, t)
        second = curvature + float(np.square(change[slacks > 0]).sum())
        # Newton's step on a linear piece; where it leaves the bracket, halve that.
        following = t - derivative / second if second > 0 else np.inf
        if not low < following < high:
            following = (low + high) / 2 if high < np.inf else 2 * t
        t = following
    return t
